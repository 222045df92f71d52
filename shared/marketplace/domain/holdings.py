"""How long a merchant's money has been on its balance, where payouts leave only when they are asked for.

Stripe lets it stay there for so long: https://docs.stripe.com/connect/manual-payouts
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from marketplace.domain.deferred import dataclass
from marketplace.domain.stripe_objects import Object, at

LOOK_AGAIN: Final = timedelta(days=1)  # once it is told
# Money that came back from a bank was on the balance before: it is as old as it was.
CAME_BACK: Final = frozenset({"payout_failure", "payout_cancel"})


class HoldingLimit(NamedTuple):
    """How long money may stay, and how long before that it is told."""

    most: timedelta
    ahead: timedelta


USUAL_LIMIT: Final = HoldingLimit(most=timedelta(days=90), ahead=timedelta(days=7))
LIMITS: Final[Mapping[str, HoldingLimit]] = {
    "us": HoldingLimit(most=timedelta(days=730), ahead=timedelta(days=30)),
    "th": HoldingLimit(most=timedelta(days=10), ahead=timedelta(days=3)),
}


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What is watched of a merchant's balance: since when its oldest money is there, and until when it must leave.

    Both are None where nothing is held, or the schedule pays it out by itself.
    """

    merchant_id: str
    account_id: str
    country: str
    held_since: datetime | None = None
    leave_by: datetime | None = None
    is_expiring: bool = False
    due_at: datetime | None = None
    version: int = 1

    @property
    def id(self) -> str:
        """The merchant's."""
        return self.merchant_id

    @property
    def limit(self) -> HoldingLimit:
        """What holds in its country."""
        return LIMITS.get(self.country, USUAL_LIMIT)


def looked_at(holding: Holding, held_since: datetime | None, now: datetime) -> Holding:
    """The holding as it is now, looked at again when it can first be near its limit: no money gets old sooner."""
    most, ahead = holding.limit
    leave_by = None if held_since is None else held_since + most
    near = (leave_by or now + most) - ahead
    return replace(
        holding, held_since=held_since, leave_by=leave_by, is_expiring=near <= now, due_at=max(near, now + LOOK_AGAIN)
    )


def held_since(balance: Mapping[str, int], newest_first: Iterable[Object]) -> datetime | None:
    """Since when the oldest money of a balance is there, what came first leaving first; None where there is none.

    ``balance`` is in minor units by currency; of the balance transactions no more are read than make it up.
    """
    wanted = Counter({currency: amount for currency, amount in balance.items() if amount > 0})
    oldest: datetime | None = None
    if not wanted:
        return None
    for line in newest_first:
        if line["net"] <= 0 or line["type"] in CAME_BACK or wanted[line["currency"]] <= 0:
            continue
        wanted[line["currency"]] -= line["net"]
        oldest = at(line["created"])
        if not any(left > 0 for left in wanted.values()):
            break
    return oldest
