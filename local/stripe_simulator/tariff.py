"""What Stripe charges: for payments by method, card and currency, and for payouts that leave at once.

The simplest tariff is the default; ``UNITED_STATES`` is Stripe's published one. https://stripe.com/pricing
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from .money import Rounding

_NONE: Final = Decimal(0)


class Price(NamedTuple):
    """A percentage and a fixed amount, between bounds, in minor units."""

    percentage: Decimal
    fixed: int = 0
    least: int = 0
    most: int | None = None

    def of(self, amount: int, currency: str, *, surcharge: Decimal = _NONE) -> int:
        """What is due for ``amount``, to the half up."""
        due = Rounding.HALF_UP.whole(amount * (self.percentage + surcharge) / 100 + self.fixed, currency)
        bounded = max(due, self.least)
        return bounded if self.most is None else min(bounded, self.most)


FREE: Final = Price(_NONE)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Stripe's fees. Fixed amounts are in the minor unit of the currency that a payment settles in."""

    percentage: Decimal = Decimal("2.9")
    fixed: int = 30
    fixed_by_currency: Mapping[str, int] = field(default_factory=dict)
    by_method: Mapping[str, Price] = field(default_factory=dict)  # of payment methods that cost otherwise
    international: Decimal = _NONE  # percent more for cards of another country than the settlement merchant's
    conversion: Decimal = _NONE  # percent more when the payment settles in another currency
    instant_payout: Price = FREE

    def fee(
        self,
        amount: int,
        currency: str,
        *,
        method: str = "card",
        is_international: bool = False,
        converts: bool = False,
    ) -> int:
        """What Stripe keeps of a payment that settles as ``amount``, and never more than that."""
        surcharge = (self.international if is_international else _NONE) + (self.conversion if converts else _NONE)
        usual = Price(self.percentage, self.fixed_by_currency.get(currency, self.fixed))
        return min(self.by_method.get(method, usual).of(amount, currency, surcharge=surcharge), amount)


UNITED_STATES: Final = Tariff(
    by_method={
        "us_bank_account": Price(Decimal("0.8"), most=500),
        "sepa_debit": Price(Decimal("0.8"), fixed=30, most=600),
    },
    international=Decimal("1.5"),
    conversion=Decimal(1),
    instant_payout=Price(Decimal("1.5"), least=50),
)
"""Of an American account, in US cents. https://stripe.com/pricing https://stripe.com/pricing/local-payment-methods"""
