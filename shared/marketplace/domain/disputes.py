"""Disputes: a buyer's bank takes money back. Facts are joined in any order; only the money events move money."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import DisputeNotAnswerable
from marketplace.domain.money import part_of, smallest_payable
from marketplace.domain.portions import added
from marketplace.domain.principals import Principal
from marketplace.domain.refunds import RefundPart


class DisputeStatus(StrEnum):
    """Stripe's words; https://docs.stripe.com/api/disputes/object. Those that begin with ``warning`` move no money."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    PREVENTED = "prevented"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    LOST = "lost"
    WON = "won"


_S = DisputeStatus
# Events overtake each other: a later rank wins, and none is gone back to. An inquiry may still be escalated after it
# was closed; what was lost may be won on appeal.
RANKS: Final = tuple(DisputeStatus)
TRANSITIONS: Final[Mapping[DisputeStatus, frozenset[DisputeStatus]]] = {
    status: frozenset(RANKS[rank + 1 :]) for rank, status in enumerate(RANKS)
}
UNDER_WAY: Final = frozenset({_S.WARNING_NEEDS_RESPONSE, _S.WARNING_UNDER_REVIEW, _S.NEEDS_RESPONSE, _S.UNDER_REVIEW})
ANSWERABLE: Final = frozenset({_S.WARNING_NEEDS_RESPONSE, _S.NEEDS_RESPONSE})


@dataclass(frozen=True, kw_only=True)
class DisputeFacts:
    """What an event or answer says of a dispute. Amounts are minor units; None is not said.

    ``withdrawn`` and ``reinstated`` are what left and came back to the platform's balance, ``fee`` and ``fee_returned``
    what Stripe took for it and gave back.
    """

    stripe_dispute_id: str
    charge_id: str
    status: DisputeStatus
    amount: int
    currency: str
    reason: str
    evidence_due_by: datetime | None
    withdrawn: int = 0
    fee: int = 0
    withdrawn_at: datetime | None = None
    reinstated: int = 0
    fee_returned: int = 0
    reinstated_at: datetime | None = None
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A dispute of ``amount`` minor units of a charge, and which merchant bears what of it.

    ``parts`` are decided when the money leaves: of each part the platform gives ``fee`` of its own, the merchant the
    rest. ``dispute_fee_parts`` is what each merchant bears of Stripe's fee, where it does.
    """

    id: str
    transaction_id: str
    merchant_ids: tuple[str, ...]  # of the sale
    stripe_dispute_id: str
    charge_id: str
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    evidence_due_by: datetime | None = None
    submitted_at: datetime | None = None
    withdrawn: int = 0
    fee: int = 0
    withdrawn_at: datetime | None = None
    reinstated: int = 0
    fee_returned: int = 0
    reinstated_at: datetime | None = None
    parts: tuple[RefundPart, ...] = ()
    dispute_fee_parts: Mapping[str, int] = field(default_factory=dict)
    created_at: datetime
    version: int = 1

    @property
    def is_under_way(self) -> bool:
        """Whether its end is open: nothing is released meanwhile."""
        return self.status in UNDER_WAY

    @property
    def standing(self) -> int:
        """Minor units that are with the buyer's bank."""
        return max(0, self.withdrawn - self.reinstated)

    @property
    def bearers(self) -> tuple[str, ...]:
        """The merchants that bear a part of it."""
        return tuple(dict.fromkeys([*(part.merchant_id for part in self.parts), *self.dispute_fee_parts]))

    @property
    def loss(self) -> int:
        """Minor units that nobody's part covers now: the platform's loss."""
        uncovered = self.withdrawn - sum(part.amount for part in self.parts)
        return self.standing_of(uncovered)

    @property
    def withheld(self) -> Mapping[str, int]:
        """The tax in all of it that the platform was to remit, by jurisdiction."""
        return added(part.withheld for part in self.parts)

    @property
    def promotions(self) -> Mapping[str, int]:
        """What the platform had added to what is disputed, by coupon."""
        return added(part.promotions for part in self.parts)

    def standing_of(self, amount: int) -> int:
        """What of an amount in all of it stands, while a part of it came back."""
        if not self.withdrawn:
            return 0
        step = 1 if amount % smallest_payable(self.currency) else smallest_payable(self.currency)
        return part_of(amount, self.standing, self.withdrawn, step=step)

    def is_all_seen_by(self, caller: Principal) -> bool:
        """Whether nobody else's part of the sale is in it."""
        return all(caller.sees_merchant(merchant_id) for merchant_id in self.merchant_ids)

    @property
    def waits_for(self) -> str | None:
        """In words, what a dispute that is under way waits for."""
        if self.status in ANSWERABLE:
            return "evidence, or its acceptance"
        return "the buyer's bank" if self.is_under_way else None

    def borne_by(self, merchant_id: str) -> int:
        """Minor units that a merchant gives back for it now, Stripe's fee included where it bears that."""
        if not self.withdrawn:
            return 0
        whole = sum(part.borne_by_merchant for part in self.parts if part.merchant_id == merchant_id)
        return self.standing_of(whole) + self._fee_of(merchant_id)

    def _fee_of(self, merchant_id: str) -> int:
        return self.dispute_fee_parts.get(merchant_id, 0) if self.fee > self.fee_returned else 0


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """That a dispute is about a sale of a merchant's: for the merchant's list."""

    dispute_id: str
    merchant_id: str
    transaction_id: str


def require_answerable(dispute: Dispute, now: datetime) -> None:
    """Refuse an answer to a dispute that waits for none.

    Raises:
        DisputeNotAnswerable: it was answered, it is closed, or its deadline is over.
    """
    if dispute.status not in ANSWERABLE:
        raise DisputeNotAnswerable(f"the dispute is {dispute.status}: it waits for no answer")
    if dispute.evidence_due_by is not None and dispute.evidence_due_by <= now:
        raise DisputeNotAnswerable("the deadline for evidence is over")


def join(dispute: Dispute, facts: DisputeFacts) -> Dispute:
    """The dispute with the facts added; the same object when it knew them all. Order and repetition do not matter.

    Amounts only grow.
    """
    known = replace(
        dispute,
        status=max(dispute.status, facts.status, key=RANKS.index),
        amount=max(dispute.amount, facts.amount),
        evidence_due_by=facts.evidence_due_by or dispute.evidence_due_by,
        withdrawn=max(dispute.withdrawn, facts.withdrawn),
        fee=max(dispute.fee, facts.fee),
        withdrawn_at=dispute.withdrawn_at or facts.withdrawn_at,
        reinstated=max(dispute.reinstated, facts.reinstated),
        fee_returned=max(dispute.fee_returned, facts.fee_returned),
        reinstated_at=dispute.reinstated_at or facts.reinstated_at,
    )
    return dispute if known == dispute else known
