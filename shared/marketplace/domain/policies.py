"""What the operator has decided about money: who waits, who bears what, and what happens at a deadline."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Self

from marketplace.domain.money import CURRENCIES


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
    ``settlement_currencies`` are those in which the platform's account at Stripe is settled; None is not said.
    """

    hold_until_ready: bool = False
    captures_at_deadline: bool = False
    releases_at_hold_limit: bool = False
    recovers_disputes: bool = True
    recovers_dispute_fees: bool = True
    recovers_foreign_refunds: bool = True
    shortfall: Shortfall = Shortfall.BOOK_DEBT
    settlement_currencies: tuple[str, ...] | None = None

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
            if name not in {"shortfall", "settlement_currencies"} and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false")
        shortfall = Shortfall(given.get("shortfall", Shortfall.BOOK_DEBT))
        currencies = _currencies(given.get("settlement_currencies"))
        return cls(**{**given, "shortfall": shortfall, "settlement_currencies": currencies})

    def settles(self, currency: str) -> bool:
        """Whether a sale in this currency reaches the platform's balance as it was paid."""
        return self.settlement_currencies is None or currency in self.settlement_currencies


def _currencies(given: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - JSON
    if given is None:
        return None
    if not (isinstance(given, list) and given and set(map(str, given)) <= CURRENCIES):
        raise ValueError("settlement_currencies is a list of Stripe's currencies, such as usd")
    return tuple(given)
