"""Disputes as the API shows them: to a merchant of a cart its own part."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from marketplace.domain.disputes import Dispute
from marketplace.domain.principals import Principal
from marketplace.edge.views import View


class DisputePartView(View):
    """What of a dispute is a merchant's part of the sale: of `amount` the platform gives `fee`, the merchant the rest.

    `tax` is owed no longer, and `promotion` comes back to the platform, which had added it. `dispute_fee` is what the
    merchant bears of Stripe's fee, where the policy says so.
    """

    merchant_id: str
    amount: int
    fee: int
    tax: int
    promotion: int
    dispute_fee: int


class DisputeView(View):
    """A dispute. `amount` is what the bank asks for; `withdrawn` and `reinstated` are what it took and gave back.

    Of a cart a merchant sees its own part alone.
    """

    id: str
    transaction_id: str
    stripe_dispute_id: str
    charge_id: str
    amount: Annotated[int | None, Field(description="Not shown to a merchant of a cart.")]
    currency: str
    reason: str
    status: str
    waits_for: str | None
    evidence_due_by: datetime | None
    submitted_at: datetime | None
    withdrawn: Annotated[int | None, Field(description="Not shown to a merchant of a cart.")]
    reinstated: Annotated[int | None, Field(description="Not shown to a merchant of a cart.")]
    fee: Annotated[int | None, Field(description="Stripe's, less what it gave back; for operators.")]
    parts: Annotated[list[DisputePartView], Field(description="Who bears it, from when the money is withdrawn.")]
    created_at: datetime

    @classmethod
    def seen_by(cls, caller: Principal, dispute: Dispute) -> Self:
        """From the record, as this caller may see it."""
        is_whole = dispute.is_all_seen_by(caller)
        parts = [
            DisputePartView(
                merchant_id=part.merchant_id,
                amount=part.amount,
                fee=part.fee,
                tax=part.tax,
                promotion=part.promotion,
                dispute_fee=dispute.dispute_fee_parts.get(part.merchant_id, 0),
            )
            for part in dispute.parts
            if caller.sees_merchant(part.merchant_id)
        ]
        return cls(
            id=dispute.id,
            transaction_id=dispute.transaction_id,
            stripe_dispute_id=dispute.stripe_dispute_id,
            charge_id=dispute.charge_id,
            amount=dispute.amount if is_whole else None,
            currency=dispute.currency,
            reason=dispute.reason,
            status=dispute.status,
            waits_for=dispute.waits_for,
            evidence_due_by=dispute.evidence_due_by,
            submitted_at=dispute.submitted_at,
            withdrawn=dispute.withdrawn if is_whole else None,
            reinstated=dispute.reinstated if is_whole else None,
            fee=dispute.fee - dispute.fee_returned if caller.sees_everything else None,
            parts=parts,
            created_at=dispute.created_at,
        )
