"""What outgoing events tell of a record: ids, amounts in minor units, currencies and statuses, and no person's."""

from datetime import datetime
from typing import Any

from marketplace.domain.audits import Finding
from marketplace.domain.debts import Debt
from marketplace.domain.disputes import Dispute
from marketplace.domain.holdings import Holding
from marketplace.domain.merchants import Merchant
from marketplace.domain.movements import Reversal, Transfer
from marketplace.domain.payouts import Payout
from marketplace.domain.reconciliation import Discrepancy
from marketplace.domain.refunds import Refund
from marketplace.domain.shares import Share
from marketplace.domain.transactions import Payment

type Facts = dict[str, Any]


def payment_facts(payment: Payment) -> Facts:
    """Of a sale, which is told of by its payment."""
    return {
        "id": payment.transaction_id,
        "status": payment.status.value,
        "amount": payment.amount,
        "currency": payment.currency,
        "authorized": payment.authorized,
        "captured": payment.captured,
        "capture_before": _text(payment.capture_before),
        "payment_intent_id": payment.payment_intent_id,
    }


def refund_facts(refund: Refund) -> Facts:
    """Of a refund."""
    return {
        "id": refund.id,
        "transaction_id": refund.transaction_id,
        "status": refund.status.value,
        "amount": refund.amount,
        "currency": refund.currency,
        "failure": refund.failure,
        "stripe_refund_id": refund.stripe_refund_id,
    }


def dispute_facts(dispute: Dispute) -> Facts:
    """Of a dispute."""
    return {
        "id": dispute.id,
        "transaction_id": dispute.transaction_id,
        "merchant_ids": list(dispute.merchant_ids),
        "status": dispute.status.value,
        "reason": dispute.reason,
        "amount": dispute.amount,
        "currency": dispute.currency,
        "withdrawn": dispute.withdrawn,
        "reinstated": dispute.reinstated,
        "evidence_due_by": _text(dispute.evidence_due_by),
        "stripe_dispute_id": dispute.stripe_dispute_id,
    }


def debt_facts(debt: Debt) -> Facts:
    """Of a debt."""
    return {
        "id": debt.id,
        "merchant_id": debt.merchant_id,
        "transaction_id": debt.transaction_id,
        "cause": debt.cause,
        "status": debt.status.value,
        "amount": debt.amount,
        "currency": debt.currency,
        "rest": debt.rest,
        "written_off": debt.written_off,
    }


def share_facts(share: Share) -> Facts:
    """Of a merchant's share, which has no id of its own."""
    return {
        "id": f"{share.transaction_id}/{share.merchant_id}",
        "transaction_id": share.transaction_id,
        "merchant_id": share.merchant_id,
        "share": share.own,
        "received": share.had,
        "currency": share.currency,
        "hold": share.hold,
        "release_at": _text(share.release_at),
        "refund_at": _text(share.refund_at),
    }


def movement_facts(share: Share, movement: Transfer | Reversal) -> Facts:
    """Of a transfer or a reversal."""
    stripe_id = movement.stripe_transfer_id if isinstance(movement, Transfer) else movement.stripe_reversal_id
    return {
        "id": movement.id,
        "transaction_id": share.transaction_id,
        "merchant_id": share.merchant_id,
        "status": movement.status.value,
        "amount": movement.amount,
        "currency": share.currency,
        "cause": movement.cause if isinstance(movement, Reversal) else None,
        "refusal": movement.refusal,
        "stripe_id": stripe_id,
    }


def merchant_facts(merchant: Merchant) -> Facts:
    """Of a merchant."""
    return {
        "id": merchant.id,
        "status": merchant.status.value,
        "account_id": merchant.account_id,
        "restriction": merchant.restriction,
        "can_be_paid_out": merchant.can_be_paid_out,
        "requirements_due": list(merchant.requirements_due),
        "requirements_deadline": _text(merchant.requirements_deadline),
    }


def payout_facts(payout: Payout) -> Facts:
    """Of a payout."""
    return {
        "id": payout.id,
        "merchant_id": payout.merchant_id,
        "status": payout.status.value,
        "amount": payout.amount,
        "currency": payout.currency,
        "method": payout.method.value,
        "automatic": payout.is_automatic,
        "failure": payout.failure,
        "stripe_payout_id": payout.stripe_payout_id,
    }


def holding_facts(holding: Holding) -> Facts:
    """Of a merchant's money that waits for a payout."""
    return {
        "id": holding.merchant_id,
        "merchant_id": holding.merchant_id,
        "account_id": holding.account_id,
        "held_since": _text(holding.held_since),
        "leave_by": _text(holding.leave_by),
    }


def finding_facts(finding: Finding) -> Facts:
    """Of what an audit found."""
    return {
        "id": finding.id,
        "transaction_id": finding.transaction_id,
        "invariant": finding.invariant,
        "what": finding.what,
    }


def discrepancy_facts(discrepancy: Discrepancy) -> Facts:
    """Of a balance transaction that the ledger does not explain."""
    line = discrepancy.line
    return {
        "id": discrepancy.id,
        "account": line.account,
        "balance_transaction_id": line.id,
        "type": line.type,
        "amount": line.amount,
        "currency": line.currency,
        "status": discrepancy.status.value,
    }


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
