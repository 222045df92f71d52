"""What the platform takes of a sale: percent, fixed, minimum and maximum; frozen on the transaction when it is made."""

from collections.abc import Mapping
from dataclasses import field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final, Self

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import FeeExceedsAmount, InvalidFeePolicy
from marketplace.domain.money import CURRENCIES, smallest_payable

LARGEST_PERCENT: Final = Decimal(100)
PERCENT_DECIMALS: Final = 4


@dataclass(frozen=True, kw_only=True)
class FeePolicy:
    """``percent`` of the amount plus ``fixed``, kept between ``minimum`` and ``maximum`` (minor units by currency)."""

    percent: Decimal = Decimal(0)
    fixed: Mapping[str, int] = field(default_factory=dict)
    minimum: Mapping[str, int] = field(default_factory=dict)
    maximum: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From ``{"percent": "10", "fixed": {"usd": 30}, "minimum": {...}, "maximum": {...}}``; each part optional.

        Raises:
            InvalidFeePolicy: a float, a percent outside 0 to 100 or of over four decimals, an unknown part or
                currency, or a negative amount.
        """
        unknown = set(data) - {"percent", "fixed", "minimum", "maximum"}
        if unknown:
            raise InvalidFeePolicy(f"a fee policy has no {', '.join(sorted(unknown))}")
        return cls(
            percent=_percent(data.get("percent", "0")),
            fixed=_amounts(data.get("fixed", {})),
            minimum=_amounts(data.get("minimum", {})),
            maximum=_amounts(data.get("maximum", {})),
        )

    def as_data(self) -> dict[str, Any]:
        """As ``of`` takes it, for the record of the sale that it was applied to."""
        parts = {"fixed": self.fixed, "minimum": self.minimum, "maximum": self.maximum}
        return {"percent": str(self.percent), **{name: dict(part) for name, part in parts.items() if part}}

    def fee(self, amount: int, currency: str) -> int:
        """The fee on ``amount`` (minor units), a payable amount itself, never over the amount."""
        step = smallest_payable(currency)
        exact = amount * self.percent / 100 + self.fixed.get(currency, 0)
        rounded = int((exact / step).to_integral_value(ROUND_HALF_EVEN)) * step
        at_least = max(rounded, self.minimum.get(currency, 0))
        return min(at_least, self.maximum.get(currency, amount), amount)


def require_fee_within(fee: int, amount: int, currency: str) -> None:
    """Refuse a fee that was asked for by hand and that the amount cannot bear.

    Raises:
        FeeExceedsAmount: negative, over the amount, or no multiple of the currency's smallest payable unit.
    """
    if not 0 <= fee <= amount or fee % smallest_payable(currency):
        raise FeeExceedsAmount(f"a fee of {fee} cannot be taken from {amount} {currency}")


def _percent(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidFeePolicy('percent is a string of digits, for example "12.5"')
    try:
        percent = Decimal(value)
    except InvalidOperation:
        raise InvalidFeePolicy(f"percent is a number, not {value!r}") from None
    exponent = percent.as_tuple().exponent
    if not isinstance(exponent, int) or not 0 <= percent <= LARGEST_PERCENT or -exponent > PERCENT_DECIMALS:
        raise InvalidFeePolicy(f"percent is from 0 to 100 with at most {PERCENT_DECIMALS} decimals, not {value}")
    return percent


def _amounts(value: object) -> Mapping[str, int]:
    if not isinstance(value, Mapping):
        raise InvalidFeePolicy("fixed, minimum and maximum are objects of currency and amount")
    for currency, amount in value.items():
        if currency not in CURRENCIES or type(amount) is not int or amount < 0 or amount % smallest_payable(currency):
            raise InvalidFeePolicy(f"{amount!r} {currency} is no fee")
    return dict(value)
