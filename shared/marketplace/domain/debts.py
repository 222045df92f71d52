"""Debts: what a merchant should have given back and could not. Netted, collected, or written off; never forgotten."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from marketplace.domain.deferred import dataclass

COLLECT_AGAIN: Final = timedelta(hours=12)  # money of a sale arrives once or twice a day; an event asks sooner
MOST_OPEN_DEBTS: Final = 50  # of a merchant that are netted in one commit; the rest wait for the next
MOST_SETTLEMENTS: Final = 1_000  # told apart by their time: of a debt that is paid in so many parts, items have limits


class DebtStatus(StrEnum):
    """Where a debt stands: told by its amounts."""

    OPEN = "open"
    SETTLED = "settled"  # netted or collected, all of it
    WRITTEN_OFF = "written_off"  # an operator gave up the rest


class Settled(StrEnum):
    """How a part of a debt came to be owed no longer."""

    NETTED = "netted"  # kept back from a later share
    COLLECTED = "collected"  # taken from the merchant's balance
    WRITTEN_OFF = "written_off"


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """Minor units of a debt that are no longer owed since ``at``."""

    at: datetime
    how: Settled
    amount: int


@dataclass(frozen=True, kw_only=True)
class Debt:
    """Minor units that a merchant owes the platform because of one refund or dispute (``cause``) of one sale.

    ``transfer_id`` is the transfer to reverse when its balance arrives; None where none has anything left.
    ``collecting`` is on its way at Stripe. ``settlements`` are what was paid or given up of it, in their order.
    """

    id: str
    merchant_id: str
    transaction_id: str
    cause: str
    amount: int
    currency: str
    transfer_id: str | None
    refusal: str | None  # Stripe's code
    netted: int = 0
    collecting: int = 0
    collected: int = 0
    written_off: int = 0
    reason: str | None = None  # of the write-off
    settlements: tuple[Settlement, ...] = ()
    created_at: datetime
    due_at: datetime | None = None
    version: int = 1

    @property
    def rest(self) -> int:
        """Minor units that are still owed and that nobody is collecting now."""
        return self.amount - self.netted - self.collecting - self.collected - self.written_off

    @property
    def status(self) -> DebtStatus:
        """Where it stands."""
        if self.rest or self.collecting:
            return DebtStatus.OPEN
        return DebtStatus.WRITTEN_OFF if self.written_off else DebtStatus.SETTLED


def net(debt: Debt, amount: int, at: datetime) -> Debt:
    """The debt with a part kept back from a release to the merchant."""
    return _settled(replace(debt, netted=debt.netted + amount), Settled.NETTED, amount, at)


def collect(debt: Debt, amount: int) -> Debt:
    """The debt with a part being taken from the merchant's balance."""
    return replace(debt, collecting=debt.collecting + amount, due_at=None)


def collected(debt: Debt, amount: int, at: datetime) -> Debt:
    """The debt with that part taken, ``at`` Stripe's time of it."""
    moved = replace(debt, collecting=debt.collecting - amount, collected=debt.collected + amount)
    return _settled(moved, Settled.COLLECTED, amount, at)


def not_collected(debt: Debt, amount: int, now: datetime) -> Debt:
    """The debt after the merchant's balance was too low again."""
    return replace(debt, collecting=debt.collecting - amount, due_at=now + COLLECT_AGAIN)


def write_off(debt: Debt, reason: str, at: datetime) -> Debt:
    """The debt given up; its rest is the platform's loss."""
    given_up = replace(debt, written_off=debt.written_off + debt.rest, reason=reason)
    return _settled(given_up, Settled.WRITTEN_OFF, debt.rest, at)


def _settled(debt: Debt, how: Settled, amount: int, at: datetime) -> Debt:
    """With what was settled; of more than MOST_SETTLEMENTS the last keep the time of the first of them."""
    last = debt.settlements[-1:]
    is_full = len(debt.settlements) >= MOST_SETTLEMENTS and last[0].how is how
    if is_full:
        kept = (*debt.settlements[:-1], replace(last[0], amount=last[0].amount + amount))
    else:
        kept = (*debt.settlements, Settlement(at=at, how=how, amount=amount))
    return replace(debt, settlements=kept, due_at=debt.due_at if debt.rest else None)
