"""Refunds as the API shows them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import Field

from marketplace.domain.principals import Principal, Role
from marketplace.domain.refunds import Refund, RefundStatus
from marketplace.edge.views import View

WAITS_FOR: Final[Mapping[RefundStatus, str]] = {
    RefundStatus.REQUESTED: "Stripe's answer",
    RefundStatus.UNKNOWN: "the next look at Stripe",
    RefundStatus.REQUIRES_ACTION: "the buyer",
    RefundStatus.PENDING: "the buyer's bank",
}


class RefundedLineView(View):
    """Items of a line of the basket, what was paid for them, and how much of that was tax."""

    line: int
    quantity: int
    amount: int
    tax: int


class RefundView(View):
    """A refund. `fee` is the platform's part of it, `reversed` what came back off the transfer; not shown to buyers."""

    id: str
    transaction_id: str
    amount: int
    currency: str
    status: str
    reason: str | None
    stripe_refund_id: str | None
    failure: str | None
    waits_for: str | None
    created_at: datetime
    ended_at: datetime | None
    fee: int | None
    tax: Annotated[int, Field(description="What of it is tax that went back.")]
    transfer_reversal_id: str | None
    reversed: int | None
    line_items: Annotated[list[RefundedLineView], Field(description="Of a refund that was asked for by lines.")]

    @classmethod
    def seen_by(cls, caller: Principal, refund: Refund) -> Self:
        """From the record, as this caller may see it: a merchant of a cart its own part."""
        part = next((part for part in refund.parts if part.merchant_id == caller.merchant_id), None)
        sees = caller.sees_merchant if caller.role is Role.MERCHANT else lambda _: True
        recovery = None if caller.role is Role.BUYER else refund.recovery
        return cls(
            id=refund.id,
            transaction_id=refund.transaction_id,
            amount=refund.amount if part is None else part.amount,
            currency=refund.currency,
            status=refund.status,
            reason=refund.reason,
            stripe_refund_id=refund.stripe_refund_id,
            failure=refund.failure,
            waits_for=WAITS_FOR.get(refund.status),
            created_at=refund.created_at,
            ended_at=refund.ended_at,
            fee=None if caller.role is Role.BUYER else refund.fee if part is None else part.fee,
            tax=sum(each.tax for each in refund.parts) if part is None else part.tax,
            transfer_reversal_id=recovery.transfer_reversal_id if recovery else None,
            reversed=recovery.reversed if recovery else None,
            line_items=[RefundedLineView.of(line) for line in refund.lines if sees(line.merchant_id)],
        )

    @classmethod
    def all_seen_by(cls, caller: Principal, refunds: Iterable[Refund]) -> list[Self]:
        """Those that concern the caller."""
        return [cls.seen_by(caller, each) for each in refunds if concerns(caller, each)]


def concerns(caller: Principal, refund: Refund) -> bool:
    """Whether a refund is the caller's to see: of a cart, a merchant sees those of its own part."""
    if caller.role is not Role.MERCHANT or not refund.parts:
        return True
    return any(part.merchant_id == caller.merchant_id for part in refund.parts)
