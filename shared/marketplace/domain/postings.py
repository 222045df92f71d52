"""Which journal entry each fact of a sale or refund makes."""

from datetime import datetime

from marketplace.domain.ledger import (
    CHARGE_CLEARING,
    PLATFORM_REVENUE,
    PROCESSOR_FEES,
    REFUND_CLEARING,
    STRIPE_BALANCE,
    EntryKind,
    JournalEntry,
    Line,
    lines_of,
    merchant_payable,
)
from marketplace.domain.refunds import FeeRefund, Recovery, Refund
from marketplace.domain.transactions import Leg, Payment


def payment_entries(leg: Leg, before: Payment, after: Payment) -> tuple[JournalEntry, ...]:
    """The entries that a step of a payment owes: the charge when it is known, its settlement when all of it is."""
    settled = (_settlement_entry(leg, after),) if after.is_settled and not before.is_settled else ()
    return charge_entries(before, after) + settled


def charge_entries(before: Payment, after: Payment) -> tuple[JournalEntry, ...]:
    """The entry of a charge when it is known, and that of Stripe's fee on it when that is."""
    charged = before.paid_at is None and after.paid_at is not None and not after.no_payment_required
    fee_known = (None not in (each.paid_at, each.processing_fee) for each in (before, after))
    return (
        *([_charge_entry(after, _known(after.paid_at))] if charged else []),
        *([_processing_fee_entry(after)] if tuple(fee_known) == (False, True) else []),
    )


def _processing_fee_entry(payment: Payment) -> JournalEntry:
    """What Stripe took of a charge, which is known some time after it."""
    charge_id, fee = _known(payment.charge_id), _known(payment.processing_fee)
    lines = lines_of(
        payment.processing_fee_currency or payment.currency,
        (PROCESSOR_FEES, fee, None),
        (STRIPE_BALANCE, -fee, charge_id),
    )
    return JournalEntry(
        transaction_id=payment.transaction_id, object_id=charge_id, kind=EntryKind.PROCESSING_FEE,
        occurred_at=_known(payment.paid_at), lines=lines,
    )  # fmt: skip


def _charge_entry(payment: Payment, paid_at: datetime) -> JournalEntry:
    """The buyer's money came in and is not split yet."""
    charge_id, captured = _known(payment.charge_id), _known(payment.captured)
    lines = lines_of(payment.currency, (STRIPE_BALANCE, captured, charge_id), (CHARGE_CLEARING, -captured, None))
    return JournalEntry(
        transaction_id=payment.transaction_id,
        object_id=charge_id,
        kind=EntryKind.CHARGE,
        occurred_at=paid_at,
        lines=lines,
    )


def _settlement_entry(leg: Leg, payment: Payment) -> JournalEntry:
    """A destination charge as it settles: all of it is transferred, and the fee comes back.

    For 100.00 with a fee of 10.00: the merchant is owed 90.00 and gets 100.00 less 10.00, the platform earns 10.00,
    and its balance at Stripe ends 10.00 up until Stripe's own fee is known.
    """
    captured, charge_id = _known(payment.captured), _known(payment.charge_id)
    fee, payable = payment.application_fee_amount or 0, merchant_payable(leg.merchant_id)
    split = lines_of(
        payment.currency,
        (CHARGE_CLEARING, captured, None),
        (payable, fee - captured, None),
        (PLATFORM_REVENUE, -fee, None),
        (payable, captured, None),
        (STRIPE_BALANCE, -captured, _known(payment.transfer_id)),
        (STRIPE_BALANCE, fee, payment.application_fee_id or charge_id),
        (payable, -fee, None),
    )
    return JournalEntry(
        transaction_id=payment.transaction_id, object_id=charge_id, kind=EntryKind.SETTLEMENT,
        occurred_at=_known(payment.paid_at), lines=split,
    )  # fmt: skip


def refund_entries(leg: Leg, before: Refund, after: Refund) -> tuple[JournalEntry, ...]:
    """The entries that a step of a refund owes. A failure reverses the refund; the recovery stays, and is owed back."""
    entries = []
    if not before.left_stripe and after.left_stripe:
        entries.append(_refund_entry(after))
    if before.recovery is None and after.recovery is not None:
        entries.append(_recovery_entry(leg, after, after.recovery))
    if not before.came_back and after.came_back:
        entries.append(_failure_entry(leg, after))
    return tuple(entries)


def fee_refund_entry(leg: Leg, transaction_id: str, currency: str, fee_refund: FeeRefund) -> JournalEntry:
    """A part of the fee paid back to the merchant, as much as Stripe made it; what was planned stands in RECOVERY."""
    lines = lines_of(
        currency,
        (merchant_payable(leg.merchant_id), fee_refund.amount, None),
        (STRIPE_BALANCE, -fee_refund.amount, fee_refund.id),
    )
    return JournalEntry(
        transaction_id=transaction_id, object_id=fee_refund.id, kind=EntryKind.FEE_REFUND,
        occurred_at=fee_refund.created, lines=lines,
    )  # fmt: skip


def _refund_entry(refund: Refund) -> JournalEntry:
    stripe_id = _known(refund.stripe_refund_id)
    lines = lines_of(
        refund.currency, (REFUND_CLEARING, refund.amount, None), (STRIPE_BALANCE, -refund.amount, stripe_id)
    )
    return _entry(refund, stripe_id, EntryKind.REFUND, _known(refund.at_stripe_since), lines)


def _recovery_entry(leg: Leg, refund: Refund, recovery: Recovery) -> JournalEntry:
    """The merchant bears the refund less the planned fee.

    It gives back the whole amount and is owed the fee: with the FEE_REFUND of as much, its account rests at zero. What
    Stripe took or returned otherwise stays there to be seen.
    """
    stripe_id = _known(refund.stripe_refund_id)
    payable = merchant_payable(leg.merchant_id)
    lines = lines_of(
        refund.currency,
        (STRIPE_BALANCE, recovery.reversed, recovery.transfer_reversal_id),
        (payable, -recovery.reversed, None),
        (payable, refund.amount - refund.fee, None),
        (PLATFORM_REVENUE, refund.fee, None),
        (REFUND_CLEARING, -refund.amount, None),
    )
    return _entry(refund, stripe_id, EntryKind.RECOVERY, _known(refund.at_stripe_since), lines)


def _failure_entry(leg: Leg, refund: Refund) -> JournalEntry:
    stripe_id = _known(refund.stripe_refund_id)
    lines = lines_of(
        refund.currency,
        (STRIPE_BALANCE, refund.amount, stripe_id),
        (merchant_payable(leg.merchant_id), refund.fee - refund.amount, None),
        (PLATFORM_REVENUE, -refund.fee, None),
    )
    return _entry(refund, stripe_id, EntryKind.REFUND_FAILURE, _known(refund.at_stripe_since), lines)


def _entry(
    refund: Refund, object_id: str, kind: EntryKind, occurred_at: datetime, lines: tuple[Line, ...]
) -> JournalEntry:
    return JournalEntry(
        transaction_id=refund.transaction_id, object_id=object_id, kind=kind, occurred_at=occurred_at, lines=lines
    )


def _known[T](fact: T | None) -> T:
    """A fact that the step before has established."""
    assert fact is not None  # noqa: S101 - an invariant of the callers' conditions, not a check of input
    return fact
