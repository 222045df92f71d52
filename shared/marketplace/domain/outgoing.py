"""Events for the marketplace's own systems: what a change of a record tells them, and under which name.

Each is told of by one write of one record: the table's stream is the list of what is to be sent (docs/adr/0014). So no
event comes before its state, none is without one, and the same write always makes the same event with the same id.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from marketplace.domain.audits import Finding
from marketplace.domain.billing_tellings import (
    has_changed,
    has_failed,
    has_recovered,
    has_started,
    invoice_facts,
    is_finalized,
    subscription_facts,
)
from marketplace.domain.debts import Debt, DebtStatus
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute
from marketplace.domain.holdings import Holding
from marketplace.domain.invoices import Invoice, InvoiceStatus
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.movements import MovementStatus, Reversal, Transfer
from marketplace.domain.outgoing_facts import (
    Facts,
    debt_facts,
    discrepancy_facts,
    dispute_facts,
    finding_facts,
    holding_facts,
    merchant_facts,
    movement_facts,
    payment_facts,
    payout_facts,
    refund_facts,
    share_facts,
)
from marketplace.domain.payouts import Payout, PayoutStatus
from marketplace.domain.reconciliation import Discrepancy
from marketplace.domain.refunds import Refund, RefundStatus
from marketplace.domain.shares import Share
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.domain.transactions import Payment, TransactionStatus

SCHEMA_VERSION: Final = 1  # of the details: a new member keeps it, another meaning or a lost member raises it

Told = (
    Payment | Refund | Dispute | Debt | Share | Merchant | Payout | Holding | Subscription | Invoice | Finding
    | Discrepancy
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OutgoingEvent:
    """An event: ``detail`` is plain JSON data of ids, amounts in minor units, currencies and statuses, no person's."""

    id: str
    type: str
    occurred_at: datetime
    detail: Mapping[str, Any]


class Telling(NamedTuple):
    """A kind of event: when it is told, of which record, and what of it."""

    what: str
    of: type[Any]
    happened: Callable[[Any, Any], bool]  # (before or None, after)
    facts: Callable[[Any], Facts]


def events_of(before: Told | None, after: Told, *, at: datetime) -> Iterator[OutgoingEvent]:
    """The events that a write of a record tells of; ``before`` is the record as it was, None where there was none."""
    for name, telling in TELLINGS.items():
        if isinstance(after, telling.of) and telling.happened(before, after):
            yield _event(name, at, telling.facts(after), after)
    if isinstance(after, Share):
        known = before if isinstance(before, Share) else None
        for name, movement in _movements(known, after):
            yield _event(name, at, movement_facts(after, movement), after)


def _event(name: str, at: datetime, facts: Facts, record: Told) -> OutgoingEvent:
    subject = facts["id"]
    named = hashlib.sha256(f"{name} {subject} {record.version}".encode()).hexdigest()[:32]
    event_id = f"event-{named}"
    detail = {
        "id": event_id,
        "type": name,
        "schema_version": SCHEMA_VERSION,
        "occurred_at": at.isoformat(),
        "revision": record.version,
        "object": facts,
    }
    return OutgoingEvent(id=event_id, type=name, occurred_at=at, detail=detail)


def _became(status: Any) -> Callable[[Any, Any], bool]:  # noqa: ANN401 - of several kinds of records
    return lambda before, after: after.status is status and (before is None or before.status is not status)


def _once(is_so: Callable[[Any], bool]) -> Callable[[Any, Any], bool]:
    """From when something is so."""
    return lambda before, after: is_so(after) and not (before is not None and is_so(before))


def _is_paid_as_captured(payment: Payment) -> bool:
    """A Checkout Session says that it is paid, and not how much: the event that does may come after the session's."""
    return payment.status is _P.PAID and payment.captured is not None


def _is_authorized_as_charged(payment: Payment) -> bool:
    """A PaymentIntent says that it can be captured, and not until when: its charge does."""
    return payment.status is _P.AUTHORIZED and payment.authorized is not None


def _is_scheduled_anew(before: Share | None, after: Share) -> bool:
    return after.refund_at is not None and (before is None or before.refund_at != after.refund_at)


def _is_asked_for_more(before: Merchant | None, after: Merchant) -> bool:
    return not set(after.requirements_due) <= set(before.requirements_due if before else ())


def _is_paid_out_no_more(before: Merchant | None, after: Merchant) -> bool:
    return before is not None and before.can_be_paid_out and not after.can_be_paid_out


def _movements(before: Share | None, after: Share) -> Iterator[tuple[str, Transfer | Reversal]]:
    """The transfers and reversals of a share whose outcome this write tells."""
    known = {each.id: each.status for each in _all_of(before)} if before else {}
    for movement in _all_of(after):
        if isinstance(movement, Transfer) and movement.command_id is None:
            continue  # Stripe's own, with the payment
        name = MOVEMENTS.get((type(movement), movement.status))
        if name is not None and known.get(movement.id) is not movement.status:
            yield name, movement


def _all_of(share: Share) -> list[Transfer | Reversal]:
    return [*share.transfers, *share.reversals]


_P, _R, _M, _PO = TransactionStatus, RefundStatus, MerchantStatus, PayoutStatus
_B, _I = SubscriptionStatus, InvoiceStatus
TELLINGS: Final[Mapping[str, Telling]] = {
    "transaction.authorized": Telling("The buyer's bank keeps the money until `capture_before`.", Payment,
                                      _once(_is_authorized_as_charged), payment_facts),
    "transaction.expiring": Telling("An authorization lapses within a day, at `capture_before`.", Payment,
                                    _once(lambda payment: payment.is_expiring), payment_facts),
    "transaction.paid": Telling("The money is there, `captured` of it: fulfil.", Payment,
                                _once(_is_paid_as_captured), payment_facts),
    "transaction.failed": Telling("The payment failed for good.", Payment, _became(_P.FAILED), payment_facts),
    "transaction.canceled": Telling("The authorization was let go.", Payment, _became(_P.CANCELED), payment_facts),
    "transaction.expired": Telling("The session ended without a payment.", Payment,
                                   _became(_P.EXPIRED), payment_facts),
    "refund.succeeded": Telling("The buyer has the money, or it is on its way.", Refund,
                                _became(_R.SUCCEEDED), refund_facts),
    "refund.failed": Telling("The money came back from the buyer's bank.", Refund,
                             _once(lambda refund: refund.came_back), refund_facts),
    "refund.refused": Telling("Stripe refused to refund; nothing moved.", Refund, _became(_R.REFUSED), refund_facts),
    "dispute.opened": Telling("A buyer's bank asks, or takes the money back.", Dispute,
                              lambda before, _: before is None, dispute_facts),
    "dispute.funds_withdrawn": Telling("The money left, and is recovered from the merchants by policy.", Dispute,
                                       _once(lambda dispute: dispute.withdrawn > 0), dispute_facts),
    "dispute.funds_reinstated": Telling("The money came back, to whoever bore it.", Dispute,
                                        _once(lambda dispute: dispute.reinstated > 0), dispute_facts),
    "dispute.closed": Telling("It is won, lost or closed.", Dispute,
                              _once(lambda dispute: not dispute.is_under_way), dispute_facts),
    "debt.booked": Telling("A merchant's balance did not cover what it owes.", Debt,
                           lambda before, _: before is None, debt_facts),
    "debt.settled": Telling("A debt was netted or collected, all of it.", Debt,
                            _became(DebtStatus.SETTLED), debt_facts),
    "debt.written_off": Telling("An operator, or the policy, gave the rest of a debt up.", Debt,
                                _became(DebtStatus.WRITTEN_OFF), debt_facts),
    "share.held": Telling("A merchant's share is kept back, and `hold` is why.", Share,
                          lambda before, after: bool(after.hold) and (before is None or before.hold is not after.hold),
                          share_facts),
    "share.hold_expiring": Telling("A share has been held for nearly as long as money may be.", Share,
                                   _once(lambda share: share.is_hold_expiring), share_facts),
    "share.refund_scheduled": Telling("By policy the buyer gets back at `refund_at` what waits for a merchant.",
                                      Share, _is_scheduled_anew, share_facts),
    "merchant.ready": Telling("It can be sold for.", Merchant, _became(_M.READY), merchant_facts),
    "merchant.restricted": Telling("It was ready, and cannot be sold for now.", Merchant,
                                   lambda before, after: before is not None and before.is_ready and after.is_waiting,
                                   merchant_facts),
    "payout.paid": Telling("It should be at the merchant's bank; `payout.failed` may still follow.", Payout,
                           _became(_PO.PAID), payout_facts),
    "payout.failed": Telling("The bank sent it back, be it days after it was paid: the balance has it again.", Payout,
                             _became(_PO.FAILED), payout_facts),
    "payout.canceled": Telling("It was taken back before it left: the balance has it again.", Payout,
                               _became(_PO.CANCELED), payout_facts),
    "payout.refused": Telling("Stripe refused a payout that was asked for; nothing moved.", Payout,
                              _became(_PO.REFUSED), payout_facts),
    "merchant.rejected": Telling("Stripe will not have it.", Merchant, _became(_M.REJECTED), merchant_facts),
    "merchant.closed": Telling("Its account is no more.", Merchant, _became(_M.CLOSED), merchant_facts),
    "merchant.deauthorized": Telling("Its owner took the account off the platform.", Merchant,
                                     _became(_M.DEAUTHORIZED), merchant_facts),
    "merchant.refused": Telling("Stripe refused to make its account.", Merchant, _became(_M.REFUSED), merchant_facts),
    "merchant.requirements_due": Telling("Stripe requires something more of it, until `requirements_deadline`.",
                                         Merchant, _is_asked_for_more, merchant_facts),
    "merchant.payouts_enabled": Telling("Stripe pays it out.", Merchant,
                                        _once(lambda merchant: merchant.can_be_paid_out), merchant_facts),
    "merchant.payouts_disabled": Telling("Stripe pays it out no more, and `restriction` may say why.", Merchant,
                                         _is_paid_out_no_more, merchant_facts),
    "payout.due": Telling("Money that waits for a payout to be asked for must leave the balance before `leave_by`.",
                          Holding, _once(lambda holding: holding.is_expiring), holding_facts),
    "subscription.started": Telling("The buyer has subscribed, and paid or begun his trial.", Subscription,
                                    has_started, subscription_facts),
    "subscription.updated": Telling("Its price, quantity, merchant, pause or end was changed.", Subscription,
                                    has_changed, subscription_facts),
    "subscription.past_due": Telling("A renewal was not paid; it is tried again.", Subscription,
                                     _became(_B.PAST_DUE), subscription_facts),
    "subscription.unpaid": Telling("A renewal was not paid, and is not tried any more.", Subscription,
                                   _became(_B.UNPAID), subscription_facts),
    "subscription.recovered": Telling("What was past due is paid.", Subscription, has_recovered, subscription_facts),
    "subscription.ended": Telling("It is canceled: stop delivering.", Subscription,
                                  _became(_B.CANCELED), subscription_facts),
    "subscription.refund_failed": Telling("What was paid for time that is not used is not with the buyer; it is asked "
                                          "for again.", Subscription,
                                          _once(lambda subscription: subscription.refund_failure is not None),
                                          subscription_facts),
    "invoice.finalized": Telling("An invoice is owed.", Invoice, is_finalized, invoice_facts),
    "invoice.paid": Telling("An invoice was paid; `transaction_id` is its sale, null where no money came.", Invoice,
                            _became(_I.PAID), invoice_facts),
    "invoice.payment_failed": Telling("A try to collect an invoice failed.", Invoice, has_failed, invoice_facts),
    "invoice.voided": Telling("An invoice was taken back.", Invoice, _became(_I.VOID), invoice_facts),
    "invoice.uncollectible": Telling("An invoice was given up; it can still be paid.", Invoice,
                                     _became(_I.UNCOLLECTIBLE), invoice_facts),
    "finding.opened": Telling("An audit found that an invariant does not hold.", Finding,
                              _once(lambda finding: finding.is_open), finding_facts),
    "discrepancy.opened": Telling("Stripe moved money that the ledger does not explain.", Discrepancy,
                                  _once(lambda discrepancy: discrepancy.is_open), discrepancy_facts),
}  # fmt: skip
MOVEMENTS: Final[Mapping[tuple[type[Any], MovementStatus], str]] = {
    (Transfer, MovementStatus.SUCCEEDED): "transfer.succeeded",
    (Transfer, MovementStatus.REFUSED): "transfer.refused",
    (Reversal, MovementStatus.SUCCEEDED): "transfer.reversed",
    (Reversal, MovementStatus.REFUSED): "transfer.reversal_refused",
}
MOVEMENT_WORDS: Final[Mapping[str, str]] = {
    "transfer.succeeded": "A share, or a part of it, is with the merchant.",
    "transfer.refused": "Stripe refused a transfer; it is tried again.",
    "transfer.reversed": "Money came back from the merchant.",
    "transfer.reversal_refused": "Stripe refused to take money back; where it was owed, it is a debt.",
}
