"""What must hold of a transaction's books at every instant. The tests, the demo and the audit all ask here.

The numbers are those of the project's list of invariants (docs/invariants.md).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.commands import ALARM_AFTER, CommandKind, CommandStatus
from marketplace.domain.deferred import dataclass
from marketplace.domain.ledger import (
    CHARGE_CLEARING,
    CLEARING,
    DISPUTE_CLEARING,
    REFUND_CLEARING,
    EntryKind,
    balances,
    is_of_others,
    is_tax,
    merchant_payable,
    promotions,
    tax_payable,
    total_by_currency,
)
from marketplace.domain.movements import MovementStatus
from marketplace.domain.shares import Moves
from marketplace.domain.transactions import ChargeType


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold, and where."""

    invariant: str
    transaction_id: str
    what: str


def violations(books: Books, now: datetime) -> list[Violation]:
    """Everything that is wrong with a transaction's books; nothing, if all is well."""
    return [
        Violation(invariant, books.transaction.id, what)
        for invariant, check in CHECKS.items()
        for what in check(books, now)
    ]


def unsettled(books: Books) -> list[str]:
    """What keeps the books from being at rest (I9): clearing accounts and debts with a balance, work under way."""
    sums = balances(books.entries)
    payables = {merchant_payable(leg.merchant_id) for leg in books.transaction.legs}
    resting = CLEARING | payables
    open_accounts = [f"{name} {amount} {currency}" for (name, currency), amount in sums.items() if name in resting]
    held = [f"{s.merchant_id}: {books.waits_for(s)}" for s in books.shares.values() if books.waits_for(s) or s.due_at]
    open_commands = [f"{command.kind} {command.status}" for command in books.commands.values() if command.is_open]
    return [*open_accounts, *held, *open_commands, *([books.payment.waits_for] if books.payment.waits_for else [])]


def _entries_balance(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001 - one shape for all checks
    for entry in books.entries:
        sums = total_by_currency(entry.lines)
        if any(sums.values()):
            yield f"{entry.object_id} {entry.kind} sums to {dict(sums)}"


def _no_more_out_than_in(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    payment, refunds = books.payment, books.refunds.values()
    reserved = sum(refund.amount for refund in refunds if refund.is_reserved)
    if reserved != payment.refund_reserved:
        yield f"refunds reserve {reserved}, the payment says {payment.refund_reserved}"
    ours = sum(refund.amount for refund in refunds if refund.is_reserved and refund.command_id is not None)
    left = sum(refund.amount for refund in refunds if refund.stands)
    # together they may be more for a while: the Dashboard refunds what was asked for here, and Stripe will refuse ours
    if max(ours, left) > (payment.captured or 0):
        yield f"{ours} asked for and {left} refunded of {payment.captured}"
    taken_back = sum(refund.recovery.reversed for refund in refunds if refund.recovery)
    if taken_back > (payment.captured or 0):
        yield f"{taken_back} reversed of {payment.captured}"
    if not 0 <= books.fee_returned() <= (payment.application_fee_amount or books.transaction.fee):
        yield f"{books.fee_returned()} of the fee returned, of {payment.application_fee_amount}"


def _shares_add_up(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    """No leg gives or gets more than there is of it, and the merchant's account says what the share does."""
    settled = [share for share in books.shares.values() if share.is_settled]
    if settled and sum(share.amount for share in settled) != books.payment.captured:
        yield f"the shares are of {sum(share.amount for share in settled)}, captured {books.payment.captured}"
    sums = balances(books.entries)
    for share in settled:
        back, merchant_id = books.given_back(share.merchant_id), share.merchant_id
        fees = sum(dispute.dispute_fee_parts.get(merchant_id, 0) for dispute in books.disputes.values())
        if not 0 <= back <= max(0, share.own + share.fee) + fees:  # more than its own where refunds keep the fee
            yield f"{share.merchant_id} gives back {back} of {share.amount}"
        for transfer in share.transfers:
            in_it = books.payment.application_fee_amount or 0  # of Stripe's own transfer, which had the fee in it
            fee = in_it if transfer.command_id is None else 0
            if share.reversible(transfer) < -fee:
                yield f"{transfer.id} of {transfer.amount} is reversed by {-share.reversible(transfer) - fee} too much"
        # an invoice may credit what an earlier one had of fee, tax and promotion
        others = () if books.transaction.invoice_id else (share.fee, *share.taxes.values(), *share.promotions.values())
        if min((share.own, *others)) < 0:
            yield f"{share.merchant_id}: a part of {share.amount} is negative"
        is_ours = share.charge_type is ChargeType.SEPARATE or books.transaction.is_split_when_completed
        has_all_of_it = (
            share.charge_type is ChargeType.DESTINATION and share.due_at is not None
        )  # by Stripe, until then
        if share.had - books.recovered(share.merchant_id) > share.own and not (is_ours and has_all_of_it):
            yield f"{share.merchant_id} had {share.had} of {share.own}"
        if is_ours:
            owed = -sums.get((merchant_payable(share.merchant_id), share.currency), 0)
            still_due = share.own - back - share.booked
            if owed != still_due:
                yield f"{share.merchant_id} is owed {owed} by the journal, {still_due} by its share"


def _one_entry_each(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    counted = Counter((entry.object_id, entry.kind) for entry in books.entries)
    yield from (f"{key} has {count} entries" for key, count in counted.items() if count > 1)


def _entries_follow_facts(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    payment = books.payment
    facts = {
        (payment.charge_id, EntryKind.CHARGE): payment.paid_at is not None,
        (payment.charge_id, EntryKind.SETTLEMENT): payment.is_settled,
        (payment.checkout_session_id or payment.transaction_id, EntryKind.SETTLEMENT): (
            payment.no_payment_required and _has_promotions(books)
        ),
        (payment.charge_id, EntryKind.PROCESSING_FEE): None not in (payment.paid_at, payment.processing_fee),
    }
    for refund in books.refunds.values():
        facts[refund.stripe_refund_id, EntryKind.REFUND] = refund.left_stripe
        facts[refund.stripe_refund_id, EntryKind.RECOVERY] = refund.recovery is not None
        facts[refund.stripe_refund_id, EntryKind.APPORTIONMENT] = refund.left_stripe and refund.is_apportioned
        facts[refund.stripe_refund_id, EntryKind.REFUND_FAILURE] = refund.came_back
    for dispute in books.disputes.values():
        facts[dispute.stripe_dispute_id, EntryKind.DISPUTE] = dispute.withdrawn > 0
        facts[dispute.stripe_dispute_id, EntryKind.REINSTATEMENT] = dispute.reinstated > 0
    for share in books.shares.values():
        for transfer in (each for each in share.transfers if each.command_id):
            facts[transfer.stripe_transfer_id, EntryKind.TRANSFER] = transfer.status is MovementStatus.SUCCEEDED
        for reversal in share.reversals:
            facts[reversal.stripe_reversal_id, EntryKind.REVERSAL] = reversal.status is MovementStatus.SUCCEEDED
    for (object_id, kind), known in facts.items():
        if object_id is not None and known is not books.has_entry(object_id, kind):
            yield f"{object_id} {kind}: known {known}, booked {not known}"


def _has_promotions(books: Books) -> bool:
    return any(share.promotion for share in books.shares.values())


def _taxes_and_promotions_close(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    """The journal owes each jurisdiction, and has added for each coupon, what the shares less what went back say."""
    settled = [share for share in books.shares.values() if share.is_settled]
    currency, booked = books.transaction.currency, balances(books.entries)
    standing = [part for refund in books.refunds.values() if refund.stands for part in refund.parts]
    expected: Counter[str] = Counter()
    for sign, portions in ((-1, settled), (1, standing)):
        for portion in portions:
            expected.update({tax_payable(name): sign * amount for name, amount in portion.withheld.items()})
            expected.update({promotions(name): -sign * amount for name, amount in portion.promotions.items()})
    for dispute in books.disputes.values():
        expected.update({tax_payable(name): dispute.standing_of(amount) for name, amount in dispute.withheld.items()})
        expected.update({promotions(name): -dispute.standing_of(sum_) for name, sum_ in dispute.promotions.items()})
    accounts = {name for name, _ in booked if is_of_others(name)} | set(expected)
    for account in sorted(accounts):
        if booked.get((account, currency), 0) != expected[account]:
            yield f"{account} is {booked.get((account, currency), 0)} in the journal, {expected[account]} by the shares"
        if is_tax(account) and expected[account] > 0 and not books.transaction.invoice_id:
            yield f"{account}: more was returned than collected, by {expected[account]}"


def _one_object_per_command(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    for command in books.commands.values():
        if (command.status is CommandStatus.SUCCEEDED) is not (command.stripe_id is not None):
            yield f"{command.id} is {command.status} with object {command.stripe_id}"
    made = Counter(c.stripe_id for c in books.commands.values() if c.stripe_id and c.kind in MAKES_MONEY_MOVE)
    yield from (f"{stripe_id} was made by {count} commands" for stripe_id, count in made.items() if count > 1)


def _intent_before_money(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    for refund in books.refunds.values():
        if refund.command_id is not None and refund.command_id not in books.commands:
            yield f"{refund.id} has no command"


def _clearing_rests(books: Books, now: datetime) -> Iterator[str]:  # noqa: ARG001
    currency, sums = books.transaction.currency, balances(books.entries)
    uncleared = 0 if books.payment.is_settled or books.payment.paid_at is None else -(books.payment.captured or 0)
    if sums.get((CHARGE_CLEARING, currency), 0) != uncleared:
        yield f"charge clearing is {sums.get((CHARGE_CLEARING, currency), 0)}, {uncleared} is under way"
    if sums.get((DISPUTE_CLEARING, currency), 0):
        yield f"dispute clearing is {sums[DISPUTE_CLEARING, currency]}"
    refunds = books.refunds.values()
    unrecovered = sum(r.amount for r in refunds if r.left_stripe and r.recovery is None and not r.is_apportioned)
    if sums.get((REFUND_CLEARING, currency), 0) != unrecovered:
        yield f"refund clearing is {sums.get((REFUND_CLEARING, currency), 0)}, {unrecovered} is under way"


def _waits_are_watched(books: Books, now: datetime) -> Iterator[str]:
    payment = books.payment
    if not payment.is_final and (payment.due_at is None or payment.due_at < now - ALARM_AFTER):
        yield f"the payment waits for {payment.waits_for} and is looked at {payment.due_at}"
    for command in books.commands.values():
        if command.is_open and (command.due_at is None or command.due_at < now - ALARM_AFTER):
            yield f"{command.id} waits for {command.waits_for} and is looked at {command.due_at}"
    for share in books.shares.values():
        if share.due_at is not None and share.due_at < now - ALARM_AFTER:
            yield f"{share.merchant_id} waits for {share.waits_for} and is looked at {share.due_at}"
        if share.is_settled and share.due_at is None and books.needed_moves(share) != Moves():
            yield f"{share.merchant_id} is to be evened out, and nobody looks at it"


MAKES_MONEY_MOVE: Final = frozenset(
    {
        CommandKind.CREATE_PAYMENT_INTENT,
        CommandKind.CREATE_REFUND,
        CommandKind.REFUND_APPLICATION_FEE,
        CommandKind.CREATE_TRANSFER,
        CommandKind.REVERSE_TRANSFER,
    }
)
CHECKS: Final[dict[str, Callable[[Books, datetime], Iterator[str]]]] = {
    "I1 entries balance": _entries_balance,
    "I3 no more out than in": _no_more_out_than_in,
    "I3 shares add up": _shares_add_up,
    "I3 taxes and promotions close": _taxes_and_promotions_close,
    "I4 one entry for one thing": _one_entry_each,
    "I4 entries follow facts": _entries_follow_facts,
    "I6 one object per command": _one_object_per_command,
    "I7 intent before money": _intent_before_money,
    "I9 clearing rests at zero": _clearing_rests,
    "I13 waits are watched": _waits_are_watched,
}
