"""What Stripe's objects say, as facts that can be joined: from an event, a list or an answer alike."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from marketplace.domain.disputes import DisputeFacts, DisputeStatus
from marketplace.domain.refunds import AT_STRIPE, FeeRefund, Recovery, RefundFacts, RefundStatus
from marketplace.domain.transactions import PAYMENT_INTENT_RANKS, SESSION_RANKS, PaymentFacts

Object = Mapping[str, Any]
OFF_SESSION: Final = "off_session"  # metadata of the PaymentIntents that no Checkout Session made: "true"


def session_facts(session: Object, *, failed: bool = False) -> PaymentFacts:
    """What a Checkout Session says of its payment.

    Where all of it was taken off there is none: it counts as paid when the session was made, the one moment it tells.
    """
    paid = session.get("payment_status") == "paid"
    is_free = (session.get("payment_status"), session.get("status")) == ("no_payment_required", "complete")
    return PaymentFacts(
        no_payment_required=is_free,
        captured=0 if is_free else None,
        paid_at=at(session["created"]) if is_free else None,
        checkout_session_id=session["id"],
        checkout_session_status=_listed(session.get("status"), SESSION_RANKS),
        payment_intent_id=id_of(session.get("payment_intent")),
        payment_intent_status="payment_failed" if failed else "succeeded" if paid else None,
        async_payment_failed=failed,
    )


def payment_intent_facts(intent: Object) -> PaymentFacts:
    """What a PaymentIntent says. One that succeeded names the charge that did; before that it may be a failed one."""
    succeeded = intent["status"] == "succeeded"
    return PaymentFacts(
        payment_intent_id=intent["id"],
        payment_intent_status=_listed(intent["status"], PAYMENT_INTENT_RANKS),
        charge_id=id_of(intent.get("latest_charge")) if succeeded else None,
        captured=intent["amount_received"] if succeeded else None,
    )


def failed_debit_facts(intent: Object) -> PaymentFacts | None:
    """What a PaymentIntent says whose payment came back from the bank days later; None of any other.

    A card is declined at once, which whoever confirmed is told; on Stripe's page the buyer goes on to another one.
    """
    error = intent.get("last_payment_error") or {}
    is_ours = (intent.get("metadata") or {}).get(OFF_SESSION) == "true"
    method = (error.get("payment_method") or {}).get("type", "card")
    if not is_ours or intent["status"] != "requires_payment_method" or method == "card":
        return None
    return PaymentFacts(
        payment_intent_id=intent["id"], payment_intent_status="payment_failed", async_payment_failed=True
    )


def charge_facts(charge: Object) -> PaymentFacts:
    """What a charge says once it has succeeded and is captured; one that has not says nothing that lasts."""
    if charge["status"] != "succeeded":
        return PaymentFacts(payment_intent_id=id_of(charge.get("payment_intent")))
    authorization = authorization_facts(charge)
    if not charge["captured"]:
        return authorization
    return replace(
        authorization,
        charge_id=charge["id"],
        captured=charge["amount_captured"],
        application_fee_amount=charge.get("application_fee_amount"),
        transfer_id=id_of(charge.get("transfer")),
        application_fee_id=id_of(charge.get("application_fee")),
        balance_transaction_id=id_of(charge.get("balance_transaction")),
        paid_at=at(charge["created"]),
    )


def authorization_facts(charge: Object) -> PaymentFacts:
    """What a charge says of the authorization that it began as, if it did; the deadline is told of cards alone."""
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    deadline, is_captured = card.get("capture_before"), charge["captured"]
    return PaymentFacts(
        payment_intent_id=id_of(charge.get("payment_intent")),
        authorized=charge["amount"] if deadline or not is_captured else None,
        capture_before=at(deadline) if deadline else None,
        payment_intent_status=None if is_captured else "requires_capture",
    )


def fee_refunds(refund: Object) -> tuple[FeeRefund, ...]:
    """The latest parts of the fee given back, where ``charge.application_fee`` is expanded on a refund."""
    charge = refund.get("charge")
    fee = charge.get("application_fee") if isinstance(charge, Mapping) else None
    return tuple(fee_refund(made) for made in fee["refunds"]["data"]) if isinstance(fee, Mapping) else ()


def fee_refund(made: Object) -> FeeRefund:
    """A part of the fee given back."""
    return FeeRefund(id=made["id"], amount=made["amount"], created=at(made["created"]))


def refund_facts(refund: Object, *, ended_at: datetime | None = None) -> RefundFacts:
    """What a refund says. With ``transfer_reversal`` expanded, also what it took off the merchant's transfer.

    A status that this code does not know yet is taken for PENDING: the money has left, the end is open.
    """
    reversal = refund.get("transfer_reversal")
    return RefundFacts(
        stripe_refund_id=refund["id"],
        status=RefundStatus(refund["status"]) if refund["status"] in AT_STRIPE else RefundStatus.PENDING,
        recovery=Recovery(transfer_reversal_id=reversal["id"], reversed=reversal["amount"])
        if isinstance(reversal, Mapping)
        else None,
        created=at(refund["created"]),
        failure=refund.get("failure_reason"),
        ended_at=ended_at,
    )


def dispute_facts(dispute: Object) -> DisputeFacts:
    """What a dispute says. A status that this code does not know yet is taken for one that is under way."""
    moved = dispute.get("balance_transactions") or []
    out, back = ([each for each in moved if (each["amount"] < 0) is leaves] for leaves in (True, False))
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    known = {status.value for status in DisputeStatus}
    return DisputeFacts(
        stripe_dispute_id=dispute["id"],
        charge_id=str(id_of(dispute["charge"])),
        status=DisputeStatus(dispute["status"]) if dispute["status"] in known else DisputeStatus.NEEDS_RESPONSE,
        amount=dispute["amount"],
        currency=dispute["currency"],
        reason=dispute["reason"],
        evidence_due_by=at(due_by) if due_by else None,
        withdrawn=-sum(each["amount"] for each in out),
        fee=sum(each["fee"] for each in out),
        withdrawn_at=at(out[0]["created"]) if out else None,
        reinstated=sum(each["amount"] for each in back),
        fee_returned=-sum(each["fee"] for each in back),
        reinstated_at=at(back[0]["created"]) if back else None,
        created=at(dispute["created"]),
    )


def was_not_asked_for(reversal: Object) -> bool:
    """Whether a reversal was made by a merchant or in the Dashboard: no command of ours names it, and no refund."""
    return not (reversal.get("metadata") or {}).get("reversal_id") and reversal.get("source_refund") is None


def id_of(reference: object) -> str | None:
    """The id of what a field refers to: Stripe gives an id, an expanded object, or null."""
    if isinstance(reference, Mapping):
        return str(reference["id"])
    return None if reference is None else str(reference)


def _listed(status: object, ranks: tuple[str, ...]) -> str | None:
    """A status we know; Stripe's enums are open, and one that is new says nothing that could be ordered."""
    return str(status) if status in ranks else None


def at(epoch_seconds: int) -> datetime:
    """Stripe's time."""
    return datetime.fromtimestamp(epoch_seconds, UTC)
