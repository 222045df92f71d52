"""What a Checkout Session is besides a price: where it is shown, what it asks of the buyer, what he may change.

What he may change changes the total after the plan was made. Separate charges are split by the completed line items, and
each fee is made anew by its policy; a destination charge has its fee fixed with the session. Such a sale is therefore a
separate charge (docs/adr/0021-baskets-that-buyers-change.md).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidBasket, InvalidReturnUrl
from marketplace.domain.money import require_payable

SHORTEST_SESSION: Final = timedelta(minutes=30)
LONGEST_SESSION: Final = timedelta(hours=24)
CLOCK_MARGIN: Final = timedelta(minutes=1)  # between our clock and Stripe's, which counts from when it makes the session
MOST_SHIPPING_OPTIONS: Final = 5  # https://docs.stripe.com/payments/during-payment/charge-shipping


class UiMode(StrEnum):
    """Where the buyer pays."""

    HOSTED = "hosted_page"  # Stripe's page
    EMBEDDED = "embedded_page"  # Stripe's form in the marketplace's page
    ELEMENTS = "elements"  # the marketplace's own form of Stripe's elements


@dataclass(frozen=True, kw_only=True)
class ShippingOption:
    """A way to ship, for ``amount`` minor units of the basket's currency, which are split like the rest."""

    name: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class SessionTerms:
    """As asked for. ``success_url`` and ``cancel_url`` are of Stripe's page, ``return_url`` of the other two."""

    ui_mode: UiMode = UiMode.HOSTED
    success_url: str | None = None
    cancel_url: str | None = None
    return_url: str | None = None
    expires_at: datetime | None = None  # None is Stripe's 24 hours
    is_recoverable: bool = False  # an expired session offers the buyer another one
    locale: str | None = None
    collects_phone: bool = False
    shipping_countries: tuple[str, ...] = ()
    shipping_options: tuple[ShippingOption, ...] = ()

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the buyer is sent."""
        return tuple(url for url in (self.success_url, self.cancel_url, self.return_url) if url is not None)

    def params(self, currency: str) -> dict[str, Any]:
        """As Stripe takes them (`/v1/checkout/sessions`)."""
        urls = {"success_url": self.success_url, "cancel_url": self.cancel_url, "return_url": self.return_url}
        said: Mapping[str, Any] = {
            "ui_mode": self.ui_mode,
            **urls,
            "locale": self.locale,
            "expires_at": None if self.expires_at is None else int(self.expires_at.timestamp()),
            "after_expiration": {"recovery": {"enabled": True}} if self.is_recoverable else None,
            "phone_number_collection": {"enabled": True} if self.collects_phone else None,
            "shipping_address_collection": {"allowed_countries": list(self.shipping_countries)}
            if self.shipping_countries
            else None,
            "shipping_options": [_shipping(option, currency) for option in self.shipping_options] or None,
        }
        return {name: value for name, value in said.items() if value is not None}


def require_terms(terms: SessionTerms, now: datetime) -> None:
    """Refuse what Stripe would.

    Raises:
        InvalidReturnUrl: a URL that the way of showing it does not have, or lacks.
        InvalidBasket: an end that is too near or too far, or shipping that cannot be.
    """
    is_hosted = terms.ui_mode is UiMode.HOSTED
    if is_hosted is not (terms.success_url is not None) or is_hosted is (terms.return_url is not None):
        raise InvalidReturnUrl("Stripe's page has a success_url, the other ways to show it a return_url, and not the other")
    if not is_hosted and (terms.cancel_url is not None or terms.is_recoverable):
        raise InvalidReturnUrl("only Stripe's page has a cancel_url, and can be recovered")
    lasts = None if terms.expires_at is None else terms.expires_at - now
    if lasts is not None and not SHORTEST_SESSION + CLOCK_MARGIN <= lasts <= LONGEST_SESSION - CLOCK_MARGIN:
        raise InvalidBasket("a session is open from 31 minutes to 23 hours and 59 minutes")
    if len(terms.shipping_options) > MOST_SHIPPING_OPTIONS or (terms.shipping_options and not terms.shipping_countries):
        raise InvalidBasket(f"up to {MOST_SHIPPING_OPTIONS} ways to ship, to countries that are named")


def _shipping(option: ShippingOption, currency: str) -> dict[str, Any]:
    if option.amount:
        require_payable(option.amount, currency)
    fixed = {"type": "fixed_amount", "fixed_amount": {"amount": option.amount, "currency": currency}}
    return {"shipping_rate_data": {"display_name": option.name, **fixed}}
