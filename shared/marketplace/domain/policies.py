"""What the operator has decided about money: who waits, who bears what, and what happens at a deadline."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

from marketplace.domain.holds import LONGEST_HOLD
from marketplace.domain.money import CURRENCIES
from marketplace.domain.portions import TaxLiability

_DAYS: Final = frozenset({"refund_unready_after_days", "refund_lost_after_days"})


class Shortfall(StrEnum):
    """What a refund does where a merchant's balance at Stripe does not cover its part."""

    BOOK_DEBT = "book_debt"  # the buyer is refunded, the merchant owes it
    REFUSE = "refuse"  # nobody is refunded; the answer says how much is missing
    PLATFORM_BEARS = "platform_bears"  # the buyer is refunded, and it is the platform's loss


class MoneyPolicy(NamedTuple):
    """The decisions, as a deployment's parameter ``MoneyPolicy`` names them in JSON; those left out are as here.

    ``hold_until_ready`` lets merchants sell before they can receive transfers: their shares wait.
    ``captures_at_deadline`` takes what was authorized before it lapses, in whole. ``releases_at_hold_limit`` sends what
    is held by hand when money may be held no longer; else that is only told. The ``recovers_`` say what the
    merchants bear of: what buyers' banks take back, Stripe's fee for it, and refunds that were made elsewhere.
    ``refund_unready_after_days`` gives buyers back what has waited so long, from the payment on, for a merchant that is
    not ready; ``refund_lost_after_days`` from when its merchant was lost. None keeps it.
    ``automatic_tax`` lets Stripe Tax calculate the tax of Checkout Sessions, subscriptions and invoices,
    ``tax_liability`` says who is liable for it, and ``allow_promotion_codes`` lets buyers enter a code there,
    unless an operator's request says otherwise.
    ``platform_country`` is where the platform's account is (ISO 3166 in lower case); None is not said.
    ``cancels_lost_subscriptions`` ends the subscriptions of a merchant that was lost, and refunds what is left of their
    periods; else nothing is collected for them.
    ``portal_cancels`` lets buyers end their subscriptions in Stripe's billing portal, with the period.
    ``settlement_currencies`` are those in which the platform's account at Stripe is settled; None is not said.
    """

    hold_until_ready: bool = False
    captures_at_deadline: bool = False
    releases_at_hold_limit: bool = False
    recovers_disputes: bool = True
    recovers_dispute_fees: bool = True
    recovers_foreign_refunds: bool = True
    shortfall: Shortfall = Shortfall.BOOK_DEBT
    automatic_tax: bool = False
    tax_liability: TaxLiability = TaxLiability.PLATFORM
    allow_promotion_codes: bool = False
    settlement_currencies: tuple[str, ...] | None = None
    refund_unready_after_days: int | None = None
    refund_lost_after_days: int | None = None
    platform_country: str | None = None
    cancels_lost_subscriptions: bool = False
    portal_cancels: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The policy that the names and values of a JSON object say.

        Raises:
            ValueError: a name that is none of these, or a value of another kind.
        """
        unknown = sorted(set(given) - set(cls._fields))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: known are {', '.join(cls._fields)}")
        for name, value in given.items():
            if name in _DAYS:
                _require_days(name, value)
            elif name not in {*_KINDS, "platform_country"} and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false")
        return cls(**{**given, **{name: kind(given[name]) for name, kind in _KINDS.items() if name in given}})

    def settles(self, currency: str) -> bool:
        """Whether a sale in this currency reaches the platform's balance as it was paid."""
        return self.settlement_currencies is None or currency in self.settlement_currencies

    def refund_of_unready(self, since: datetime) -> datetime | None:
        """When what has waited ``since`` then for a merchant is refunded."""
        days = self.refund_unready_after_days
        return None if days is None else since + timedelta(days=days)

    def refund_of_lost(self, since: datetime) -> datetime | None:
        """When what waits for a merchant that is lost ``since`` then is refunded."""
        days = self.refund_lost_after_days
        return None if days is None else since + timedelta(days=days)


def _require_days(name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if value is not None and not (type(value) is int and 1 <= value <= LONGEST_HOLD.days):
        raise ValueError(f"{name} is a number of days from 1 to {LONGEST_HOLD.days}, or null")


def _currencies(given: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - JSON
    if given is None:
        return None
    if not (isinstance(given, list) and given and set(map(str, given)) <= CURRENCIES):
        raise ValueError("settlement_currencies is a list of Stripe's currencies, such as usd")
    return tuple(given)


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "shortfall": Shortfall,
    "tax_liability": TaxLiability,
    "settlement_currencies": _currencies,
}
