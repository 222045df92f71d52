"""Stripe's events: which are subscribed to, and what each says. A pure reading; nothing is looked up or stored here.

What a reading cannot carry is absent from the event: Stripe's fee (a read of the balance transaction) and accounts,
whose events are taken only as a reason to read the account again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import DisputeFacts, DisputeStatus
from marketplace.domain.refunds import AT_STRIPE, FeeRefund, Recovery, RefundFacts, RefundStatus
from marketplace.domain.transactions import PAYMENT_INTENT_RANKS, SESSION_RANKS, PaymentFacts

Object = Mapping[str, Any]
OFF_SESSION: Final = "off_session"  # metadata of the PaymentIntents that no Checkout Session made: "true"


class NotAnEvent(ValueError):
    """A body that has no event's shape: it goes to the dead letters, not round and round."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event's envelope. ``account`` is the connected account it happened on, None for the platform's own."""

    id: str
    type: str
    created: datetime
    livemode: bool
    account: str | None
    object: Object


@dataclass(frozen=True, kw_only=True)
class PaymentReading:
    """Facts of a transaction's payment."""

    transaction_id: str
    facts: PaymentFacts


@dataclass(frozen=True, kw_only=True)
class RefundReading:
    """Facts of a refund that we asked for."""

    transaction_id: str
    refund_id: str
    facts: RefundFacts


@dataclass(frozen=True, kw_only=True)
class ForeignRefundReading:
    """Facts of a refund that was made elsewhere; only its charge says whose it is."""

    charge_id: str
    amount: int
    reason: str | None
    took_transfer_along: bool  # of a destination charge: whoever made it reversed the transfer with it
    facts: RefundFacts


@dataclass(frozen=True, kw_only=True)
class DisputeReading:
    """Facts of a dispute; only its charge says whose it is."""

    facts: DisputeFacts


@dataclass(frozen=True, kw_only=True)
class ReturnReading:
    """A transfer of which something came back that we did not ask for: a merchant, or the Dashboard, reversed it."""

    stripe_transfer_id: str
    charge_id: str | None
    transaction_id: str | None
    is_complete: bool  # whether ``returned`` are all of them
    returned: tuple[Object, ...]  # Stripe's reversals


@dataclass(frozen=True, kw_only=True)
class BalanceReading:
    """Money of a connected account became available: what it owes may be collected."""

    account_id: str


@dataclass(frozen=True, kw_only=True)
class AccountReading:
    """An account changed somehow: read it again."""

    account_id: str


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """Nothing for us, and why."""

    reason: str


Reading = (
    PaymentReading
    | RefundReading
    | ForeignRefundReading
    | DisputeReading
    | ReturnReading
    | BalanceReading
    | AccountReading
    | Ignored
)


def parse(body: Mapping[str, Any]) -> Event:
    """The envelope of a snapshot event (``object: event``) or of a thin one (``object: v2.core.event``).

    Raises:
        NotAnEvent: it is neither.
    """
    try:
        if body["object"] == "v2.core.event":
            created = datetime.fromisoformat(body["created"])
            related = body.get("related_object") or {}
            return Event(id=body["id"], type=body["type"], created=created, livemode=body["livemode"],
                         account=body.get("context"), object=related)  # fmt: skip
        created = at(body["created"])
        return Event(id=body["id"], type=body["type"], created=created, livemode=body["livemode"],
                     account=body.get("account"), object=body["data"]["object"])  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAnEvent(f"the body is no event: {error!r}") from error


def read(event: Event) -> Reading:
    """What an event says.

    A connected account's events are not read as the platform's: a merchant may put any metadata on its own objects.
    """
    thin = event.type in THIN_READERS
    readers = THIN_READERS if thin else ACCOUNT_READERS if event.account is None else CONNECT_READERS
    reader = readers.get(event.type)
    return Ignored(reason="type") if reader is None else reader(event)


def at(epoch_seconds: int) -> datetime:
    """Stripe's time."""
    return datetime.fromtimestamp(epoch_seconds, UTC)


def _session(event: Event) -> Reading:
    return _payment(event.object, session_facts(event.object, failed=event.type.endswith("async_payment_failed")))


def session_facts(session: Object, *, failed: bool = False) -> PaymentFacts:
    """What a Checkout Session says of its payment."""
    paid = session.get("payment_status") == "paid"
    return PaymentFacts(
        checkout_session_id=session["id"],
        checkout_session_status=_listed(session.get("status"), SESSION_RANKS),
        payment_intent_id=id_of(session.get("payment_intent")),
        payment_intent_status="payment_failed" if failed else "succeeded" if paid else None,
        async_payment_failed=failed,
    )


def _payment_intent(event: Event) -> Reading:
    return _payment(event.object, payment_intent_facts(event.object))


def payment_intent_facts(intent: Object) -> PaymentFacts:
    """What a PaymentIntent says. One that succeeded names the charge that did; before that it may be a failed one."""
    succeeded = intent["status"] == "succeeded"
    return PaymentFacts(
        payment_intent_id=intent["id"],
        payment_intent_status=_listed(intent["status"], PAYMENT_INTENT_RANKS),
        charge_id=id_of(intent.get("latest_charge")) if succeeded else None,
        captured=intent["amount_received"] if succeeded else None,
    )


def _failed_payment_intent(event: Event) -> Reading:
    facts = failed_debit_facts(event.object)
    return Ignored(reason="the buyer may try again") if facts is None else _payment(event.object, facts)


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


def _charge(event: Event) -> Reading:
    return _payment(event.object, charge_facts(event.object))


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
    """What a charge says of the authorization that it began as; one that was captured at once had no deadline."""
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    deadline = card.get("capture_before")
    return PaymentFacts(
        payment_intent_id=id_of(charge.get("payment_intent")),
        authorized=charge["amount"] if deadline else None,
        capture_before=at(deadline) if deadline else None,
        payment_intent_status=None if charge["captured"] or not deadline else "requires_capture",
    )


def _payment(holder: Object, facts: PaymentFacts) -> Reading:
    transaction_id = (holder.get("metadata") or {}).get("transaction_id")
    if not transaction_id:
        return Ignored(reason="not ours")
    return PaymentReading(transaction_id=transaction_id, facts=facts)


def _refund(event: Event) -> Reading:
    metadata = event.object.get("metadata") or {}
    ended = event.created if event.object["status"] in {"failed", "canceled"} else None
    if not (metadata.get("transaction_id") and metadata.get("refund_id")):
        charge_id = id_of(event.object.get("charge"))
        if charge_id is None:
            return Ignored(reason="not ours")
        return ForeignRefundReading(
            charge_id=charge_id,
            amount=event.object["amount"],
            reason=event.object.get("reason"),
            took_transfer_along=event.object.get("transfer_reversal") is not None,
            facts=refund_facts(event.object, ended_at=ended),
        )
    return RefundReading(
        transaction_id=metadata["transaction_id"],
        refund_id=metadata["refund_id"],
        facts=refund_facts(event.object, ended_at=ended),
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


def _dispute(event: Event) -> Reading:
    return DisputeReading(facts=dispute_facts(event.object))


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


def _transfer(event: Event) -> Reading:
    transfer = event.object
    returned = tuple(each for each in transfer["reversals"]["data"] if was_not_asked_for(each))
    if not returned and not transfer["reversals"]["has_more"]:
        return Ignored(reason="asked for here")
    return ReturnReading(
        stripe_transfer_id=transfer["id"],
        charge_id=id_of(transfer.get("source_transaction")),
        transaction_id=(transfer.get("metadata") or {}).get("transaction_id"),
        is_complete=not transfer["reversals"]["has_more"],
        returned=returned,
    )


def was_not_asked_for(reversal: Object) -> bool:
    """Whether a reversal was made by a merchant or in the Dashboard: no command of ours names it, and no refund."""
    return not (reversal.get("metadata") or {}).get("reversal_id") and reversal.get("source_refund") is None


def _balance(event: Event) -> Reading:
    return BalanceReading(account_id=event.account) if event.account else Ignored(reason="not ours")


def _account(event: Event) -> Reading:
    account_id = event.object.get("id")
    return AccountReading(account_id=account_id) if account_id else Ignored(reason="no account")


def id_of(reference: object) -> str | None:
    """The id of what a field refers to: Stripe gives an id, an expanded object, or null."""
    if isinstance(reference, Mapping):
        return str(reference["id"])
    return None if reference is None else str(reference)


def _listed(status: object, ranks: tuple[str, ...]) -> str | None:
    """A status we know; Stripe's enums are open, and one that is new says nothing that could be ordered."""
    return str(status) if status in ranks else None


ACCOUNT_READERS: Final[Mapping[str, Callable[[Event], Reading]]] = {
    "checkout.session.completed": _session,
    "checkout.session.expired": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session,
    "payment_intent.processing": _payment_intent,
    "payment_intent.succeeded": _payment_intent,
    "payment_intent.canceled": _payment_intent,
    "payment_intent.payment_failed": _failed_payment_intent,
    "payment_intent.amount_capturable_updated": _payment_intent,
    "charge.succeeded": _charge,
    "charge.captured": _charge,
    "charge.updated": _charge,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "transfer.reversed": _transfer,
}
CONNECT_READERS: Final[Mapping[str, Callable[[Event], Reading]]] = {
    "account.updated": _account,
    "balance.available": _balance,
}
THIN_READERS: Final[Mapping[str, Callable[[Event], Reading]]] = {
    "v2.core.account.updated": _account,
    "v2.core.account.closed": _account,
    "v2.core.account[requirements].updated": _account,
    "v2.core.account[configuration.recipient].updated": _account,
    "v2.core.account[configuration.recipient].capability_status_updated": _account,
}
# What the endpoints at Stripe subscribe to: the platform's own, the connected accounts', the thin ones of Accounts v2.
ACCOUNT_EVENTS: Final = tuple(ACCOUNT_READERS)
CONNECT_EVENTS: Final = tuple(CONNECT_READERS)
THIN_EVENTS: Final = tuple(THIN_READERS)
