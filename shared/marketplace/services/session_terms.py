"""What a Checkout Session is besides what it sells: where it is shown, what it asks of the buyer, what he may change.

What he may change changes the total after the plan was made. Separate charges are split by the completed line items,
and each fee is made anew by its policy; of a destination charge the fee is fixed with the session. Such a sale is
therefore a separate charge (docs/adr/0022-baskets-that-buyers-change.md).
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
CLOCK_MARGIN: Final = timedelta(minutes=1)  # Stripe counts by its own clock, from when it makes the session
MOST_SHIPPING_OPTIONS: Final = 5  # https://docs.stripe.com/payments/during-payment/charge-shipping


class UiMode(StrEnum):
    """Where the buyer pays."""

    HOSTED = "hosted_page"  # on Stripe's page
    EMBEDDED = "embedded_page"  # in Stripe's form on the marketplace's page
    ELEMENTS = "elements"  # in the marketplace's own form of Stripe's elements


@dataclass(frozen=True, kw_only=True)
class ShippingOption:
    """A way to ship, for ``amount`` minor units of the basket's currency, which are split like the rest.

    Where tax is collected it is taxed by ``tax_code``; ``tax_behavior`` says whether the tax is in the amount. Without
    them, as the account's tax settings say.
    """

    name: str
    amount: int
    tax_code: str | None = None
    tax_behavior: str | None = None


@dataclass(frozen=True, kw_only=True)
class SessionTerms:
    """As asked for. Shipping, and the words about the payment, are for operators to name."""

    ui_mode: UiMode = UiMode.HOSTED
    return_url: str | None = None  # in place of success_url and cancel_url where it is not on Stripe's page
    expires_at: datetime | None = None  # None is Stripe's 24 hours
    locale: str | None = None
    collects_phone: bool = False
    shipping_countries: tuple[str, ...] = ()  # ISO 3166, for an address to be asked for
    shipping_options: tuple[ShippingOption, ...] = ()
    description: str | None = None  # of the buyer's payment
    statement_descriptor_suffix: str | None = None  # what his bank shows after the platform's name; of cards

    @property
    def is_of_operators(self) -> bool:
        """Whether it says what a browser may not say."""
        words = self.description is not None or self.statement_descriptor_suffix is not None
        return words or bool(self.shipping_countries or self.shipping_options)

    def params(self, currency: str, *, success_url: str, cancel_url: str) -> dict[str, Any]:
        """As Stripe takes them (`/v1/checkout/sessions`)."""
        said: Mapping[str, Any] = {
            "ui_mode": self.ui_mode,
            "success_url": success_url or None,
            "cancel_url": cancel_url or None,
            "return_url": self.return_url,
            "locale": self.locale,
            "expires_at": self.expires_at and int(self.expires_at.timestamp()),
            "phone_number_collection": {"enabled": True} if self.collects_phone else None,
            "shipping_address_collection": self.shipping_countries
            and {"allowed_countries": list(self.shipping_countries)},
            "shipping_options": [_shipping(option, currency) for option in self.shipping_options],
        }
        return {name: value for name, value in said.items() if value}

    def payment_params(self) -> dict[str, Any]:
        """The words about the payment, as Stripe takes them (`payment_intent_data`)."""
        said = {"description": self.description, "statement_descriptor_suffix": self.statement_descriptor_suffix}
        return {name: value for name, value in said.items() if value is not None}


def require_terms(terms: SessionTerms, *, success_url: str, cancel_url: str, now: datetime) -> None:
    """Refuse what Stripe would.

    Raises:
        InvalidReturnUrl: a URL that this way of showing it does not take, or lacks.
        InvalidBasket: an end that is too near or too far, or shipping that cannot be.
    """
    is_hosted = terms.ui_mode is UiMode.HOSTED
    if is_hosted and (not success_url or terms.return_url is not None):
        raise InvalidReturnUrl("Stripe's page takes success_url and cancel_url")
    if not is_hosted and (success_url or cancel_url or terms.return_url is None):
        raise InvalidReturnUrl(f"{terms.ui_mode} takes return_url alone")
    lasts = None if terms.expires_at is None else terms.expires_at - now
    if lasts is not None and not SHORTEST_SESSION + CLOCK_MARGIN <= lasts <= LONGEST_SESSION - CLOCK_MARGIN:
        raise InvalidBasket("a session is open from 31 minutes to 23 hours and 59 minutes")
    if len(terms.shipping_options) > MOST_SHIPPING_OPTIONS or (terms.shipping_options and not terms.shipping_countries):
        raise InvalidBasket(f"up to {MOST_SHIPPING_OPTIONS} ways to ship, and countries to ship to")


def _shipping(option: ShippingOption, currency: str) -> dict[str, Any]:
    if option.amount:
        require_payable(option.amount, currency)
    fixed = {"type": "fixed_amount", "fixed_amount": {"amount": option.amount, "currency": currency}}
    taxed = {"tax_code": option.tax_code, "tax_behavior": option.tax_behavior}
    said = {name: value for name, value in taxed.items() if value is not None}
    return {"shipping_rate_data": {"display_name": option.name, **fixed, **said}}
