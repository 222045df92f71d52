"""Which journal entry each movement of a share makes: the split of a charge, transfers, reversals, debts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from marketplace.domain.debts import Debt
from marketplace.domain.disputes import Dispute
from marketplace.domain.ledger import (
    CHARGE_CLEARING,
    DISPUTE_CLEARING,
    LOSSES,
    PLATFORM_REVENUE,
    PROCESSOR_FEES,
    REFUND_CLEARING,
    STRIPE_BALANCE,
    EntryKind,
    JournalEntry,
    Line,
    lines_of,
    merchant_debt,
    merchant_payable,
    merged,
    portion_lines,
    promotions,
    tax_payable,
)
from marketplace.domain.movements import Reversal, Transfer
from marketplace.domain.refunds import Refund
from marketplace.domain.shares import Share
from marketplace.domain.transactions import Payment


def settlement_entry(payment: Payment, shares: Sequence[Share]) -> JournalEntry:
    """A charge that we split as it settles: each merchant is owed its part, the platform earns the fees and owes tax.

    Of 100.00 paid for a basket of two merchants, 60.00 and 40.00 with a fee of 10 percent: 54.00 and 36.00 are owed,
    the platform earns 10.00; its balance at Stripe is up by 100.00 until the transfers. Of a destination charge all was
    transferred by Stripe, which took back what it was told of a fee: its merchant's account is in debit until what is
    not its own is taken back. An order that cost nothing has no charge: the entry is the session's, or the sale's own.
    """
    captured, fee = payment.captured, payment.application_fee_amount or 0
    object_id = payment.charge_id or payment.checkout_session_id or payment.transaction_id
    assert captured is not None and payment.paid_at is not None  # noqa: S101, PT018 - settled
    whose = [portion_lines(payment.currency, share.merchant_id, share) for share in shares]
    by_stripe = [
        (account, amount, source)
        for share in shares
        for transfer in share.transfers
        for account, amount, source in (
            (merchant_payable(share.merchant_id), transfer.amount, None),
            (STRIPE_BALANCE, -transfer.amount - fee, transfer.stripe_transfer_id),
            (STRIPE_BALANCE, fee, payment.application_fee_id),
        )
    ]
    paid = lines_of(payment.currency, (CHARGE_CLEARING, captured, None))
    split = merged(chain(paid, *whose)) + lines_of(payment.currency, *by_stripe)
    return _entry(payment.transaction_id, object_id, EntryKind.SETTLEMENT, payment.paid_at, split)


def transfer_entry(share: Share, transfer: Transfer, at: datetime) -> JournalEntry:
    """A share, or a part of it, went to the merchant."""
    assert transfer.stripe_transfer_id is not None  # noqa: S101 - it succeeded
    lines = lines_of(
        share.currency,
        (merchant_payable(share.merchant_id), transfer.amount, None),
        (STRIPE_BALANCE, -transfer.amount, transfer.stripe_transfer_id),
    )
    return _entry(share.transaction_id, transfer.stripe_transfer_id, EntryKind.TRANSFER, at, lines)


def reversal_entry(share: Share, reversal: Reversal, at: datetime, *, pays_debt: bool) -> JournalEntry:
    """Money came back from the merchant: what it owed for a refund or dispute, or a debt that is collected."""
    assert reversal.stripe_reversal_id is not None  # noqa: S101 - it succeeded
    account = merchant_debt(share.merchant_id) if pays_debt else merchant_payable(share.merchant_id)
    lines = lines_of(
        share.currency,
        (STRIPE_BALANCE, reversal.amount, reversal.stripe_reversal_id),
        (account, -reversal.amount, None),
    )
    return _entry(share.transaction_id, reversal.stripe_reversal_id, EntryKind.REVERSAL, at, lines)


def refund_entries(before: Refund, after: Refund) -> tuple[JournalEntry, ...]:
    """The entries that a step of a refund with parts owes: the buyer's money, and who bears it; a failure undoes both.

    Of a refund of 33.00 of the basket above, 19.80 and 13.20, the platform bears its fees of 1.98 and 1.32 and the
    merchants 17.82 and 11.88: their accounts stand that far in debit until it is taken back.
    """
    entries = []
    if not before.left_stripe and after.left_stripe:
        stripe_id, at = _at_stripe(after)
        out = lines_of(
            after.currency, (REFUND_CLEARING, after.amount, None), (STRIPE_BALANCE, -after.amount, stripe_id)
        )
        borne = (
            *_borne_of(after),
            *lines_of(after.currency, (REFUND_CLEARING, -after.amount, None)),
        )
        entries.append(_entry(after.transaction_id, stripe_id, EntryKind.REFUND, at, out))
        entries.append(_entry(after.transaction_id, stripe_id, EntryKind.APPORTIONMENT, at, borne))
    if not before.came_back and after.came_back:
        stripe_id, at = _at_stripe(after)
        back = lines_of(after.currency, (STRIPE_BALANCE, after.amount, stripe_id))
        restored = tuple(_negated(line) for line in _borne_of(after))
        at = after.ended_at or at
        entries.append(_entry(after.transaction_id, stripe_id, EntryKind.REFUND_FAILURE, at, back + restored))
    return tuple(entries)


def dispute_entries(before: Dispute, after: Dispute) -> tuple[JournalEntry, ...]:
    """The entries that a step of a dispute owes: what the bank took and who bears it, and what came back.

    Of 60.00 disputed with Stripe's fee of 15.00, the platform's own fee being 10 percent: 75.00 leave, the merchant
    bears 54.00 and, by policy, the 15.00; the platform gives up 6.00. What comes back goes to whoever bore it.
    """
    entries: list[JournalEntry] = []
    if after.withdrawn and not before.withdrawn:
        entries += _withdrawal(replace(after, reinstated=0, fee_returned=0))
    if after.reinstated and not before.reinstated:
        entries.append(_reinstatement(replace(after, reinstated=0, fee_returned=0), after))
    return tuple(entries)


def _withdrawal(dispute: Dispute) -> tuple[JournalEntry, JournalEntry]:
    stripe_id, at = dispute.stripe_dispute_id, dispute.withdrawn_at or dispute.created_at
    out = lines_of(
        dispute.currency,
        (DISPUTE_CLEARING, dispute.withdrawn, None),
        (PROCESSOR_FEES, dispute.fee, None),
        (STRIPE_BALANCE, -dispute.withdrawn - dispute.fee, stripe_id),
    )
    borne = {each: dispute.borne_by(each) for each in dispute.bearers}
    fees = sum(dispute.dispute_fee_parts.values()) if dispute.fee else 0
    others = (*_taxes_of(dispute), (LOSSES, dispute.loss, None))
    platform_s = dispute.withdrawn + fees - sum(borne.values()) - sum(amount for _, amount, _ in others)
    apportioned = lines_of(
        dispute.currency,
        *((merchant_payable(each), amount, None) for each, amount in borne.items()),
        *others,
        (PLATFORM_REVENUE, platform_s, None),
        (PROCESSOR_FEES, -fees, None),
        (DISPUTE_CLEARING, -dispute.withdrawn, None),
    )
    return (
        _entry(dispute.transaction_id, stripe_id, EntryKind.DISPUTE, at, out),
        _entry(dispute.transaction_id, stripe_id, EntryKind.APPORTIONMENT, at, apportioned),
    )


def _reinstatement(taken: Dispute, after: Dispute) -> JournalEntry:
    given = {each: taken.borne_by(each) - after.borne_by(each) for each in after.bearers}
    fees = sum(after.dispute_fee_parts.values()) if taken.fee and after.fee_returned else 0
    stays = {account: amount for account, amount, _ in _taxes_of(after)}
    others = [(account, stays.get(account, 0) - amount, None) for account, amount, _ in _taxes_of(taken)]
    others.append((LOSSES, after.loss - taken.loss, None))
    platform_s = sum(given.values()) - sum(amount for _, amount, _ in others) - after.reinstated - fees
    lines = lines_of(
        after.currency,
        (STRIPE_BALANCE, after.reinstated + after.fee_returned, after.stripe_dispute_id),
        (PROCESSOR_FEES, fees - after.fee_returned, None),
        *((merchant_payable(each), -amount, None) for each, amount in given.items()),
        *others,
        (PLATFORM_REVENUE, platform_s, None),
    )
    at = after.reinstated_at or after.created_at
    return _entry(after.transaction_id, after.stripe_dispute_id, EntryKind.REINSTATEMENT, at, lines)


def _taxes_of(dispute: Dispute) -> list[tuple[str, int, None]]:
    """The tax that the platform owes no longer, and what it had added that it gets back, of what stands of it."""
    taxes = [(tax_payable(name), dispute.standing_of(amount), None) for name, amount in dispute.withheld.items()]
    added = [(promotions(name), -dispute.standing_of(amount), None) for name, amount in dispute.promotions.items()]
    return taxes + added


def debt_entry(debt: Debt) -> JournalEntry:
    """What a merchant could not give back is owed."""
    lines = lines_of(
        debt.currency,
        (merchant_debt(debt.merchant_id), debt.amount, None),
        (merchant_payable(debt.merchant_id), -debt.amount, None),
    )
    return _entry(debt.transaction_id, debt.id, EntryKind.DEBT, debt.created_at, lines)


def netting_entry(share: Share, debt: Debt, amount: int, at: datetime) -> JournalEntry:
    """A part of a share that was kept for a debt: in the journal of the sale whose share paid."""
    lines = lines_of(
        debt.currency,
        (merchant_payable(debt.merchant_id), amount, None),
        (merchant_debt(debt.merchant_id), -amount, None),
    )
    object_id = f"{debt.id}.{len(share.netted)}"  # a debt may be paid by one share in several releases
    return _entry(share.transaction_id, object_id, EntryKind.NETTING, at, lines)


def write_off_entry(debt: Debt, amount: int, at: datetime) -> JournalEntry:
    """A debt that an operator gave up: the platform's loss."""
    lines = lines_of(debt.currency, (LOSSES, amount, None), (merchant_debt(debt.merchant_id), -amount, None))
    return _entry(debt.transaction_id, debt.id, EntryKind.WRITE_OFF, at, lines)


def _borne_of(refund: Refund) -> tuple[Line, ...]:
    """Who bears a refund: each merchant its own, the platform fees and tax, and what is nobody's part."""
    parts = (portion_lines(refund.currency, part.merchant_id, part, returned=True) for part in refund.parts)
    nobody_s = refund.amount - sum(part.amount for part in refund.parts)
    return merged(chain(*parts, lines_of(refund.currency, (LOSSES, nobody_s, None))))


def _at_stripe(refund: Refund) -> tuple[str, datetime]:
    assert refund.stripe_refund_id is not None and refund.at_stripe_since is not None  # noqa: S101, PT018 - it left
    return refund.stripe_refund_id, refund.at_stripe_since


def _negated(line: Line) -> Line:
    return Line(account=line.account, currency=line.currency, amount=-line.amount, source=line.source)


def _entry(transaction_id: str, object_id: str, kind: EntryKind, at: datetime, lines: tuple[Line, ...]) -> JournalEntry:
    return JournalEntry(transaction_id=transaction_id, object_id=object_id, kind=kind, occurred_at=at, lines=lines)
