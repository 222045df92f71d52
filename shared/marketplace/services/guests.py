"""Guest checkout: who has no token buys what the catalog offers, and looks at his own sale alone.

A guest's Idempotency-Key is a random UUID of his own, and all that tells him from other guests: nobody else can name
it, so that no key collides with another guest's or finds one. What he reads his sale by is made of it, and only a hash
of that is kept.
"""

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Final, NamedTuple

from marketplace.domain.errors import InvalidBasket, NotFound
from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.transactions import TransactionStatus
from marketplace.ports import Ports
from marketplace.services.baskets import Basket, CatalogItem
from marketplace.services.checkout import CheckoutSession, create_checkout_session, view
from marketplace.services.idempotency import Once

GUEST: Final = Principal(role=Role.GUEST, subject="guest")
GUEST_LIFETIME: Final = timedelta(hours=1)  # of the session: Stripe takes 30 minutes to 24 hours
MOST_GUEST_ITEMS: Final = 20


class GuestSession(NamedTuple):
    """What a guest may know: ``token`` reads the session again, ``url`` is Stripe's page, while it can be paid."""

    token: str
    status: TransactionStatus
    url: str | None


def create_guest_session(ports: Ports, basket: Basket, key: str, once: Once) -> GuestSession:
    """A Checkout Session for catalog prices, of nobody.

    Raises:
        InvalidReturnUrl, InvalidBasket, NotFound, MerchantNotReady, CurrencyNotAccepted, PriceNotForSale,
        StripeRefused, IdempotencyKeyReused, RequestUnderWay.
        OutcomeUnknown: the session is made without the guest; the same key gives it later.
    """
    if len(basket.items) > MOST_GUEST_ITEMS or not all(isinstance(item, CatalogItem) for item in basket.items):
        raise InvalidBasket(f"a guest buys at most {MOST_GUEST_ITEMS} prices of the catalog")
    secret = _secret(key)
    expires_at = ports.clock.now() + GUEST_LIFETIME
    terms = replace(basket.terms, expires_at=expires_at)
    guests = replace(basket, terms=terms, guest_token_hash=_hash(secret))
    return _answer(create_checkout_session(ports, GUEST, guests, once), secret)


def read_guest_session(ports: Ports, token: str) -> GuestSession:
    """Where a guest's sale stands. Raises NotFound for any token but his."""
    transaction_id, _, secret = token.rpartition(".")
    books = ports.store.books(transaction_id, visible_to=SYSTEM)
    kept = (books.transaction.guest_token_hash if books else None) or ""
    if books is None or not hmac.compare_digest(_hash(secret), kept):
        raise NotFound("session")
    return _answer(view(books), secret)


def _answer(session: CheckoutSession, secret: str) -> GuestSession:
    return GuestSession(token=f"{session.transaction_id}.{secret}", status=session.status, url=session.url)


def _secret(key: str) -> str:
    """As hard to guess as the key, and not to be turned back into it."""
    return hashlib.sha256(f"guest checkout {key}".encode()).hexdigest()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
