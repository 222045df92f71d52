"""Debts: what a merchant should have given back and could not. Netted, collected, or written off; never forgotten."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from marketplace.domain.deferred import dataclass

COLLECT_AGAIN: Final = timedelta(hours=12)  # money of a sale arrives once or twice a day; an event asks sooner
MOST_OPEN_DEBTS: Final = 50  # of a merchant that are netted in one commit; the rest wait for the next


class DebtStatus(StrEnum):
    """Where a debt stands: told by its amounts."""

    OPEN = "open"
    SETTLED = "settled"  # netted or collected, all of it
    WRITTEN_OFF = "written_off"  # an operator gave up the rest


@dataclass(frozen=True, kw_only=True)
class Debt:
    """Minor units that a merchant owes the platform because of one refund or dispute (``cause``) of one sale.

    ``transfer_id`` is the transfer to reverse when its balance arrives; None where none has anything left.
    ``collecting`` is on its way at Stripe.
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


def net(debt: Debt, amount: int) -> Debt:
    """The debt with a part kept back from a release to the merchant."""
    return _rested(replace(debt, netted=debt.netted + amount))


def collect(debt: Debt, amount: int) -> Debt:
    """The debt with a part being taken from the merchant's balance."""
    return replace(debt, collecting=debt.collecting + amount, due_at=None)


def collected(debt: Debt, amount: int) -> Debt:
    """The debt with that part taken."""
    return _rested(replace(debt, collecting=debt.collecting - amount, collected=debt.collected + amount))


def not_collected(debt: Debt, amount: int, now: datetime) -> Debt:
    """The debt after the merchant's balance was too low again."""
    return replace(debt, collecting=debt.collecting - amount, due_at=now + COLLECT_AGAIN)


def write_off(debt: Debt, reason: str) -> Debt:
    """The debt given up; its rest is the platform's loss."""
    return replace(debt, written_off=debt.written_off + debt.rest, reason=reason, due_at=None)


def _rested(debt: Debt) -> Debt:
    return debt if debt.rest else replace(debt, due_at=None)
