"""Events for the marketplace's own systems: what a change of a record tells them, and under which name.

Each is told of by one write of one record: the table's stream is the list of what is to be sent (docs/adr/0014). So no
event comes before its state, none is without one, and the same write always makes the same event with the same id.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from marketplace.domain.audits import Finding
from marketplace.domain.debts import Debt, DebtStatus
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.movements import MovementStatus, Reversal, Transfer
from marketplace.domain.payouts import Payout, PayoutStatus
from marketplace.domain.reconciliation import Discrepancy
from marketplace.domain.refunds import Refund, RefundStatus
from marketplace.domain.shares import Share
from marketplace.domain.transactions import Payment, TransactionStatus

SCHEMA_VERSION: Final = 1  # of the details: a new member keeps it, another meaning or a lost member raises it

type Facts = dict[str, Any]
Told = Payment | Refund | Dispute | Debt | Share | Merchant | Payout | Finding | Discrepancy


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
            yield _event(name, at, _movement(after, movement), after)


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


def _is_scheduled_anew(before: Share | None, after: Share) -> bool:
    return after.refund_at is not None and (before is None or before.refund_at != after.refund_at)


def _is_asked_for_more(before: Merchant | None, after: Merchant) -> bool:
    return not set(after.requirements_due) <= set(before.requirements_due if before else ())


def _is_paid_out_no_more(before: Merchant | None, after: Merchant) -> bool:
    return before is not None and before.can_be_paid_out and not after.can_be_paid_out


def _payment(payment: Payment) -> Facts:
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


def _refund(refund: Refund) -> Facts:
    return {
        "id": refund.id,
        "transaction_id": refund.transaction_id,
        "status": refund.status.value,
        "amount": refund.amount,
        "currency": refund.currency,
        "failure": refund.failure,
        "stripe_refund_id": refund.stripe_refund_id,
    }


def _dispute(dispute: Dispute) -> Facts:
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


def _debt(debt: Debt) -> Facts:
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


def _share(share: Share) -> Facts:
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


def _movement(share: Share, movement: Transfer | Reversal) -> Facts:
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


def _merchant(merchant: Merchant) -> Facts:
    return {
        "id": merchant.id,
        "status": merchant.status.value,
        "account_id": merchant.account_id,
        "restriction": merchant.restriction,
        "can_be_paid_out": merchant.can_be_paid_out,
        "requirements_due": list(merchant.requirements_due),
        "requirements_deadline": _text(merchant.requirements_deadline),
    }


def _payout(payout: Payout) -> Facts:
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


def _finding(finding: Finding) -> Facts:
    return {
        "id": finding.id,
        "transaction_id": finding.transaction_id,
        "invariant": finding.invariant,
        "what": finding.what,
    }


def _discrepancy(discrepancy: Discrepancy) -> Facts:
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
TELLINGS: Final[Mapping[str, Telling]] = {
    "transaction.authorized": Telling("The buyer's bank keeps the money until `capture_before`.", Payment,
                                      _became(_P.AUTHORIZED), _payment),
    "transaction.expiring": Telling("An authorization lapses within a day, at `capture_before`.", Payment,
                                    _once(lambda payment: payment.is_expiring), _payment),
    "transaction.paid": Telling("The money is there: fulfil.", Payment, _became(_P.PAID), _payment),
    "transaction.failed": Telling("The payment failed for good.", Payment, _became(_P.FAILED), _payment),
    "transaction.canceled": Telling("The authorization was let go.", Payment, _became(_P.CANCELED), _payment),
    "transaction.expired": Telling("The session ended without a payment.", Payment, _became(_P.EXPIRED), _payment),
    "refund.succeeded": Telling("The buyer has the money, or it is on its way.", Refund,
                                _became(_R.SUCCEEDED), _refund),
    "refund.failed": Telling("The money came back from the buyer's bank.", Refund,
                             _once(lambda refund: refund.came_back), _refund),
    "refund.refused": Telling("Stripe refused to refund; nothing moved.", Refund, _became(_R.REFUSED), _refund),
    "dispute.opened": Telling("A buyer's bank asks, or takes the money back.", Dispute,
                              lambda before, _: before is None, _dispute),
    "dispute.funds_withdrawn": Telling("The money left, and is recovered from the merchants by policy.", Dispute,
                                       _once(lambda dispute: dispute.withdrawn > 0), _dispute),
    "dispute.funds_reinstated": Telling("The money came back, to whoever bore it.", Dispute,
                                        _once(lambda dispute: dispute.reinstated > 0), _dispute),
    "dispute.closed": Telling("It is won, lost or closed.", Dispute,
                              _once(lambda dispute: not dispute.is_under_way), _dispute),
    "debt.booked": Telling("A merchant's balance did not cover what it owes.", Debt,
                           lambda before, _: before is None, _debt),
    "debt.settled": Telling("A debt was netted or collected, all of it.", Debt, _became(DebtStatus.SETTLED), _debt),
    "debt.written_off": Telling("An operator, or the policy, gave the rest of a debt up.", Debt,
                                _became(DebtStatus.WRITTEN_OFF), _debt),
    "share.held": Telling("A merchant's share is kept back, and `hold` is why.", Share,
                          lambda before, after: bool(after.hold) and (before is None or before.hold is not after.hold),
                          _share),
    "share.hold_expiring": Telling("A share has been held for nearly as long as money may be.", Share,
                                   _once(lambda share: share.is_hold_expiring), _share),
    "share.refund_scheduled": Telling("By policy the buyer gets back at `refund_at` what waits for a merchant.",
                                      Share, _is_scheduled_anew, _share),
    "merchant.ready": Telling("It can be sold for.", Merchant, _became(_M.READY), _merchant),
    "merchant.restricted": Telling("It was ready, and cannot be sold for now.", Merchant,
                                   lambda before, after: before is not None and before.is_ready and after.is_waiting,
                                   _merchant),
    "payout.paid": Telling("It should be at the merchant's bank; `payout.failed` may still follow.", Payout,
                           _became(_PO.PAID), _payout),
    "payout.failed": Telling("The bank sent it back, be it days after it was paid: the balance has it again.", Payout,
                             _became(_PO.FAILED), _payout),
    "payout.canceled": Telling("It was taken back before it left: the balance has it again.", Payout,
                               _became(_PO.CANCELED), _payout),
    "payout.refused": Telling("Stripe refused a payout that was asked for; nothing moved.", Payout,
                              _became(_PO.REFUSED), _payout),
    "merchant.rejected": Telling("Stripe will not have it.", Merchant, _became(_M.REJECTED), _merchant),
    "merchant.closed": Telling("Its account is no more.", Merchant, _became(_M.CLOSED), _merchant),
    "merchant.deauthorized": Telling("Its owner took the account off the platform.", Merchant,
                                     _became(_M.DEAUTHORIZED), _merchant),
    "merchant.refused": Telling("Stripe refused to make its account.", Merchant, _became(_M.REFUSED), _merchant),
    "merchant.requirements_due": Telling("Stripe requires something more of it, until `requirements_deadline`.",
                                         Merchant, _is_asked_for_more, _merchant),
    "merchant.payouts_enabled": Telling("Stripe pays it out.", Merchant,
                                        _once(lambda merchant: merchant.can_be_paid_out), _merchant),
    "merchant.payouts_disabled": Telling("Stripe pays it out no more, and `restriction` may say why.", Merchant,
                                         _is_paid_out_no_more, _merchant),
    "finding.opened": Telling("An audit found that an invariant does not hold.", Finding,
                              _once(lambda finding: finding.is_open), _finding),
    "discrepancy.opened": Telling("Stripe moved money that the ledger does not explain.", Discrepancy,
                                  _once(lambda discrepancy: discrepancy.is_open), _discrepancy),
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
