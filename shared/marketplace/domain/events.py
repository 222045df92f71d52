"""Stripe's events: which are subscribed to, and what each says. A pure reading; nothing is looked up or stored here.

What a reading cannot carry is absent from the event: Stripe's fee (a read of the balance transaction) and accounts,
whose events are taken only as a reason to read the account again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.invoices import invoice_id_of
from marketplace.domain.payouts import payout_facts
from marketplace.domain.readings import (
    AccountReading,
    BalanceReading,
    ChargeReading,
    DisputeReading,
    ForeignRefundReading,
    Ignored,
    InvoiceReading,
    PaymentReading,
    PayoutReading,
    Reading,
    RefundReading,
    ReturnReading,
    SubscriptionReading,
)
from marketplace.domain.stripe_objects import (
    Object,
    at,
    charge_facts,
    dispute_facts,
    failed_debit_facts,
    id_of,
    payment_intent_facts,
    refund_facts,
    session_facts,
    was_not_asked_for,
)
from marketplace.domain.transactions import PaymentFacts


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


def _session(event: Event) -> Reading:
    if event.object.get("mode") == "subscription":
        return _subscription_named(event.object, id_of(event.object.get("subscription")))
    return _payment(event.object, session_facts(event.object, failed=event.type.endswith("async_payment_failed")))


def _payment_intent(event: Event) -> Reading:
    return _payment(event.object, payment_intent_facts(event.object))


def _failed_payment_intent(event: Event) -> Reading:
    facts = failed_debit_facts(event.object)
    return Ignored(reason="the buyer may try again") if facts is None else _payment(event.object, facts)


def _charge(event: Event) -> Reading:
    if not (event.object.get("metadata") or {}).get("transaction_id"):
        return ChargeReading(charge_id=event.object["id"], facts=charge_facts(event.object))
    return _payment(event.object, charge_facts(event.object))


def _subscription(event: Event) -> Reading:
    return _subscription_named(event.object, event.object["id"])


def _subscription_named(holder: Object, stripe_id: str | None) -> Reading:
    subscription_id = (holder.get("metadata") or {}).get("subscription_id")
    if not subscription_id:
        return Ignored(reason="not ours")
    return SubscriptionReading(subscription_id=subscription_id, stripe_subscription_id=stripe_id)


def _invoice(event: Event) -> Reading:
    return InvoiceReading(stripe_invoice_id=event.object["id"], invoice_id=invoice_id_of(event.object))


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


def _dispute(event: Event) -> Reading:
    return DisputeReading(facts=dispute_facts(event.object))


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


def _balance(event: Event) -> Reading:
    return BalanceReading(account_id=event.account) if event.account else Ignored(reason="not ours")


def _payout(event: Event) -> Reading:
    if event.account is None:
        return Ignored(reason="the platform's own")
    return PayoutReading(account_id=event.account, facts=payout_facts(event.object))


def _account(event: Event) -> Reading:
    account_id = event.object.get("id")
    if not account_id:
        return Ignored(reason="no account")
    return AccountReading(account_id=account_id, is_thin=event.type in THIN_READERS)


def _deauthorized(event: Event) -> Reading:
    """Its object is the platform's own application; the account is whose event it is."""
    return AccountReading(account_id=event.account, has_left=True) if event.account else Ignored(reason="no account")


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
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "customer.subscription.trial_will_end": _subscription,
    "invoice.created": _invoice,
    "invoice.updated": _invoice,
    "invoice.finalized": _invoice,
    "invoice.paid": _invoice,
    "invoice.payment_failed": _invoice,
    "invoice.voided": _invoice,
    "invoice.marked_uncollectible": _invoice,
    "invoice.deleted": _invoice,
}
CONNECT_READERS: Final[Mapping[str, Callable[[Event], Reading]]] = {
    "account.updated": _account,
    "account.application.deauthorized": _deauthorized,
    "balance.available": _balance,
    "payout.created": _payout,
    "payout.updated": _payout,
    "payout.paid": _payout,
    "payout.failed": _payout,
    "payout.canceled": _payout,
}
THIN_READERS: Final[Mapping[str, Callable[[Event], Reading]]] = {
    "v2.core.account.updated": _account,
    "v2.core.account.closed": _account,
    "v2.core.account[requirements].updated": _account,
    "v2.core.account[configuration.recipient].updated": _account,
    "v2.core.account[configuration.recipient].capability_status_updated": _account,
    "v2.core.account[configuration.merchant].capability_status_updated": _account,
    "v1.account.application.deauthorized": _deauthorized,  # listed with the others, so that it can be caught up
}
# What the endpoints at Stripe subscribe to: the platform's own, the connected accounts', the thin ones of Accounts v2.
ACCOUNT_EVENTS: Final = tuple(ACCOUNT_READERS)
CONNECT_EVENTS: Final = tuple(CONNECT_READERS)
THIN_EVENTS: Final = tuple(THIN_READERS)
