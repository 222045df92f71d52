"""Take in one of Stripe's events: whatever the order, however often, its effect is there once.

The event's marker, the record it moves on and the journal entries that follow are one commit.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from marketplace.domain.books import EventMarker
from marketplace.domain.errors import Unavailable
from marketplace.domain.events import Event, parse, read
from marketplace.domain.payouts import PayoutFacts
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
    RefundReading,
    ReturnReading,
    SubscriptionReading,
)
from marketplace.domain.refunds import Refund
from marketplace.domain.refunds import join as join_refund
from marketplace.domain.stripe_objects import Object
from marketplace.domain.transactions import Payment, Transaction, join
from marketplace.ports import Change, Conflict, Create, Ports, Ref, one
from marketplace.services.commands import follow_up
from marketplace.services.foreign import Heard, heard_of
from marketplace.services.invoice_following import follow_invoice
from marketplace.services.merchants import follow_account
from marketplace.services.payouts import payout_changes
from marketplace.services.recovery import refund_step
from marketplace.services.settlement import payment_changes
from marketplace.services.shares import collect_from
from marketplace.services.subscription_following import follow_session, follow_subscription

MARKER_KEPT: Final = timedelta(days=35)  # Stripe lists events for 30 days; after that nothing brings one back
MOST_COMMIT_TRIES: Final = 12


# Of one transaction, and joined to its records.
Told = PaymentReading | ChargeReading | RefundReading | DisputeReading | ForeignRefundReading | ReturnReading


class EventOutcome(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


class _Step(NamedTuple):
    """What one reading of the records decided."""

    outcome: EventOutcome
    changes: Sequence[Change] = ()
    reason: str | None = None
    transaction_id: str | None = None


_DUPLICATE: Final = _Step(EventOutcome.DUPLICATE)
_NOT_OURS: Final = _Step(EventOutcome.IGNORED, reason="not ours")
# A transaction is durable before Stripe hears of it: one that is not here belongs to another deployment.
_UNKNOWN_TRANSACTION: Final = _Step(EventOutcome.IGNORED, reason="unknown transaction")


def take_in(ports: Ports, body: Mapping[str, Any]) -> EventOutcome:
    """Apply an event once.

    Raises:
        NotAnEvent, ContradictoryFacts: it will never be applicable; the queue sets it aside after its tries.
        Unavailable: DynamoDB or Stripe did not answer; the queue brings it again.
    """
    event = parse(body)
    if event.livemode is not ports.policy.livemode:
        return _set_aside(ports, event, "livemode")
    match read(event):
        case Ignored(reason=reason):
            return _set_aside(ports, event, reason)
        case AccountReading() | BalanceReading() | SubscriptionReading() | InvoiceReading() as changed:
            return _read_again(ports, event, lambda: _follow(ports, changed))
        case PayoutReading(account_id=account_id, facts=facts):
            return _apply(ports, event, lambda: _payout_step(ports, event.id, account_id, facts))
        case reading:
            return _apply(ports, event, lambda: _step(ports, event.id, reading))


def take_in_object(ports: Ports, event_type: str, found: Object) -> None:
    """Apply what an object at Stripe says now, as an event of this type would, though none was sent.

    Raises:
        ContradictoryFacts.
        Unavailable: DynamoDB or Stripe did not answer.
    """
    now = ports.clock.now()
    event = Event(id="", type=event_type, created=now, livemode=ports.policy.livemode, account=None, object=found)
    reading = read(event)
    if isinstance(reading, Told):
        take_in_reading(ports, reading)


def take_in_reading(ports: Ports, reading: Told) -> None:
    """Apply what was read of objects at Stripe. Raises as ``take_in_object`` does."""
    _repeated(ports, lambda: _step(ports, "", reading), marker_of=None)


def _apply(ports: Ports, event: Event, step: Callable[[], _Step]) -> EventOutcome:
    return _repeated(ports, step, marker_of=event)


def _repeated(ports: Ports, step: Callable[[], _Step], *, marker_of: Event | None) -> EventOutcome:
    """Read, decide, commit; again from the read when somebody else was faster."""
    for _ in range(MOST_COMMIT_TRIES):
        try:
            taken = step()
        except Conflict:  # with what it had to write before
            continue
        if taken.outcome is EventOutcome.DUPLICATE:
            return taken.outcome
        marker = marker_of and _marker(ports, marker_of, taken)
        try:
            ports.store.commit(*([Create(marker)] if marker else []), *taken.changes)
        except Conflict as conflict:
            if marker and conflict.is_about(marker):
                return EventOutcome.DUPLICATE
            continue
        follow_up(ports, taken.changes)
        return taken.outcome
    raise Unavailable("the records of this event keep changing")


def _step(ports: Ports, event_id: str, reading: Told) -> _Step:
    match reading:
        case PaymentReading():
            return _payment_step(ports, event_id, reading)
        case ChargeReading():
            return _charge_step(ports, event_id, reading)
        case RefundReading():
            return _refund_step(ports, event_id, reading)
        case DisputeReading() | ForeignRefundReading() | ReturnReading():
            return _heard_step(ports, event_id, lambda: heard_of(ports, reading))


def _payment_step(ports: Ports, event_id: str, reading: PaymentReading) -> _Step:
    marker = Ref(EventMarker, event_id)
    plan, payment = Ref(Transaction, reading.transaction_id), Ref(Payment, reading.transaction_id)
    found = ports.store.get(marker, plan, payment)
    if found(marker):
        return _DUPLICATE
    transaction, before = found(plan), found(payment)
    if transaction is None or before is None:
        return _UNKNOWN_TRANSACTION
    after = join(before, reading.facts)
    return _Step(
        EventOutcome.APPLIED, payment_changes(ports, transaction, before, after), transaction_id=transaction.id
    )


def _charge_step(ports: Ports, event_id: str, reading: ChargeReading) -> _Step:
    """A charge that names no sale: of an invoice, whose sale reads it anew when it is begun later, or no one's."""
    transaction_id = ports.store.transaction_of(reading.charge_id)
    if transaction_id is None:
        return _NOT_OURS
    return _payment_step(ports, event_id, PaymentReading(transaction_id=transaction_id, facts=reading.facts))


def _refund_step(ports: Ports, event_id: str, reading: RefundReading) -> _Step:
    marker, wanted = Ref(EventMarker, event_id), Ref(Refund, reading.refund_id)
    plan, payment = Ref(Transaction, reading.transaction_id), Ref(Payment, reading.transaction_id)
    found = ports.store.get(marker, wanted, plan, payment)
    if found(marker):
        return _DUPLICATE
    transaction, paid, before = found(plan), found(payment), found(wanted)
    if transaction is None or paid is None or before is None:
        return _UNKNOWN_TRANSACTION
    changes = refund_step(ports, transaction, paid, before, join_refund(before, reading.facts))
    return _Step(EventOutcome.APPLIED, changes, transaction_id=transaction.id)


def _heard_step(ports: Ports, event_id: str, hear: Callable[[], Heard | None]) -> _Step:
    if one(ports.store, Ref(EventMarker, event_id)) is not None:
        return _DUPLICATE
    heard = hear()
    if heard is None:
        return _NOT_OURS
    return _Step(EventOutcome.APPLIED, heard.changes, transaction_id=heard.transaction_id)


def _payout_step(ports: Ports, event_id: str, account_id: str, facts: PayoutFacts) -> _Step:
    if one(ports.store, Ref(EventMarker, event_id)) is not None:
        return _DUPLICATE
    changes = payout_changes(ports, account_id, facts)
    return _NOT_OURS if changes is None else _Step(EventOutcome.APPLIED, changes)


def _follow(ports: Ports, reading: AccountReading | BalanceReading | SubscriptionReading | InvoiceReading) -> bool:
    """Read again what goes back and forth; False where it is none of ours. What fails now stays due by itself."""
    match reading:
        case AccountReading():
            return follow_account(ports, reading)
        case BalanceReading():
            return collect_from(ports, reading.account_id)
        case SubscriptionReading(stripe_subscription_id=None):
            return follow_session(ports, reading.subscription_id) is not None
        case SubscriptionReading():
            return follow_subscription(ports, reading.subscription_id, str(reading.stripe_subscription_id)) is not None
        case InvoiceReading():
            return follow_invoice(ports, reading.stripe_invoice_id, reading.invoice_id)


def _read_again(ports: Ports, event: Event, follow: Callable[[], bool]) -> EventOutcome:
    """What an event is about is read again before the event is marked: a crash between the two only reads it again."""
    if one(ports.store, Ref(EventMarker, event.id)) is not None:
        return EventOutcome.DUPLICATE
    ours = follow()
    return _apply(ports, event, lambda: _Step(EventOutcome.APPLIED) if ours else _NOT_OURS)


def _set_aside(ports: Ports, event: Event, reason: str) -> EventOutcome:
    return _apply(ports, event, lambda: _Step(EventOutcome.IGNORED, reason=reason))


def _marker(ports: Ports, event: Event, taken: _Step) -> EventMarker:
    return EventMarker(
        event_id=event.id,
        event_type=event.type,
        outcome=f"{taken.outcome}: {taken.reason}" if taken.reason else taken.outcome,
        transaction_id=taken.transaction_id,
        expires_at=ports.clock.now() + MARKER_KEPT,
    )
