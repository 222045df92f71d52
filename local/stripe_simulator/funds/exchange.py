"""Settlement in another currency: what a balance gets of money that was presented in a currency it does not keep.

An account keeps its default currency and those of its bank accounts; all else is converted to the default one when it
is booked, at the rate of that moment. https://docs.stripe.com/currencies https://docs.stripe.com/connect/currencies
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from .. import money
from ..accounts.record import ACCOUNTS, at
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..money import Rounding
from ..shelves import Collection
from ..values import Object

RATES: Final = Collection("_exchange_rate")
"""On the platform ``{id, in_dollars}``: the currencies whose rate the laboratory moved."""

_DIGITS: Final = 6  # of a rate, as Stripe shows it


class Settlement(NamedTuple):
    """How money of one currency is booked: the balance's currency, and the rate between minor units if it differs."""

    currency: str
    rate: Decimal | None = None

    def of(self, amount: int) -> int:
        """What ``amount`` is on the balance."""
        return amount if self.rate is None else Rounding.HALF_UP.whole(amount * self.rate, self.currency)

    @property
    def shown_rate(self) -> float | None:
        """``exchange_rate``, which JSON has as a number."""
        return None if self.rate is None else float(self.rate)


def incoming(context: Context, currency: str, merchant: str | None = None) -> Settlement:
    """How the context's account books what it is paid now; as the settlement merchant would, where there is one.

    https://docs.stripe.com/connect/destination-charges#settlement-merchant
    """
    kept_by = context.on(merchant) if merchant else context
    return _between(context, currency, settled_in(kept_by, currency), comes=True)


def outgoing(context: Context, currency: str) -> Settlement:
    """How the context's account books what it has to pay now."""
    return _between(context, currency, settled_in(context, currency), comes=False)


def following(context: Context, item: Object, *, comes: bool) -> Settlement:
    """How what follows from a payment or a fee is booked now: in the currency that it settled in, at today's rate."""
    return _between(context, item["currency"], item.get("_settled_in") or item["currency"], comes=comes)


def settled_in(context: Context, currency: str) -> str:
    """The currency that the context's account gets for money of ``currency``."""
    settings = context.settings
    if not settings.converts_currencies:
        return currency
    if context.is_platform:
        default, others = settings.default_currency, settings.settlement_currencies
    else:
        record = context.on_platform().state.get(ACCOUNTS, context.account)["_record"]
        others = frozenset(bank["currency"] for bank in record["bank_accounts"])
        default = at(record, "defaults.currency") or settings.default_currency
    return currency if currency in others else default


def rates(context: Context) -> dict[str, Decimal]:
    """What a major unit of each currency is worth in US dollars now."""
    moved = {each["id"]: Decimal(each["in_dollars"]) for each in context.on_platform().state.select(RATES)}
    return {**context.settings.exchange_rates, **moved}


def set_rates(context: Context, given: Mapping[str, Any]) -> None:
    """Move rates.

    Raises:
        InvalidParameterError: no currency, or no positive number.
    """
    state = context.on_platform().state
    for name, value in given.items():
        currency = money.currency_code(name, name)
        try:
            rate = Decimal(str(value))
        except InvalidOperation:
            rate = Decimal(0)
        if not rate.is_finite() or rate <= 0:
            raise InvalidParameterError(f"Give what one {name} is worth in US dollars.", param=name)
        changed = {"id": currency, "in_dollars": str(rate)}
        if state.find(RATES, currency):
            state.replace(RATES, changed)
        else:
            state.insert(RATES, changed)


def _between(context: Context, presented: str, settled: str, *, comes: bool) -> Settlement:
    if presented == settled:
        return Settlement(settled)
    major = _in_dollars(context, presented) / _in_dollars(context, settled)
    spread = context.settings.exchange_spread / 100
    minor = major.scaleb(money.decimals(settled) - money.decimals(presented)) * (1 - spread if comes else 1 + spread)
    return Settlement(settled, minor.quantize(Decimal(1).scaleb(minor.adjusted() - _DIGITS + 1)))


def _in_dollars(context: Context, currency: str) -> Decimal:
    moved = context.on_platform().state.find(RATES, currency)
    found = Decimal(moved["in_dollars"]) if moved else context.settings.exchange_rates.get(currency)
    if found is None:
        raise UnsupportedError(f"the exchange rate of {currency}, which the settings have none for")
    return found
