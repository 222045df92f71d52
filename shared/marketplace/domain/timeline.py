"""What happened to a transaction, in words and in order, told from its books."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind, CommandStatus
from marketplace.domain.deferred import dataclass
from marketplace.domain.ledger import STRIPE_BALANCE, EntryKind, JournalEntry
from marketplace.domain.refunds import Refund, RefundStatus


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One thing that happened. ``object_id`` is Stripe's, where one is concerned; ``amount`` minor units."""

    at: datetime
    what: str
    amount: int | None = None
    object_id: str | None = None


COMMAND_WORDS: Final[Mapping[CommandKind, str]] = {
    CommandKind.CREATE_CHECKOUT_SESSION: "checkout session created",
    CommandKind.EXPIRE_CHECKOUT_SESSION: "checkout session expired",
    CommandKind.CREATE_PAYMENT_INTENT: "payment with saved details asked for",
    CommandKind.CAPTURE_PAYMENT: "authorized payment captured",
    CommandKind.CANCEL_PAYMENT: "authorization canceled",
    CommandKind.SUBMIT_EVIDENCE: "evidence sent to the buyer's bank",
    CommandKind.ACCEPT_DISPUTE: "dispute accepted",
    CommandKind.REFUND_APPLICATION_FEE: "rest of the fee returned to the merchant",
}
ENTRY_WORDS: Final[Mapping[EntryKind, str]] = {
    EntryKind.CHARGE: "paid by the buyer",
    EntryKind.SETTLEMENT: "split and transferred to the merchant",
    EntryKind.REFUND_FAILURE: "refund came back from the buyer's bank",
    EntryKind.TRANSFER: "transferred to a merchant",
    EntryKind.REVERSAL: "taken back from a merchant",
    EntryKind.DISPUTE: "withdrawn by the buyer's bank",
    EntryKind.REINSTATEMENT: "given back by the buyer's bank",
}


def timeline(books: Books) -> list[Moment]:
    """The moments of a transaction, the first first.

    Stripe's times are whole seconds: what followed from something of ours in the same second is not put before it.
    """
    transaction, session = books.transaction, books.latest_command(CommandKind.CREATE_CHECKOUT_SESSION)
    payable_since = session.settled_at if session and session.settled_at else transaction.created_at
    moments = [Moment(at=transaction.created_at, what="sale planned", amount=transaction.amount)]
    for command in books.commands.values():
        moments.extend(_of_command(command))
    for entry in sorted(books.entries, key=lambda entry: entry.kind):
        moments.extend(_of_entry(entry, payable_since))
    for refund in books.refunds.values():
        moments.extend(_of_refund(refund))
    for dispute in books.disputes.values():
        opened = f"disputed ({dispute.reason}): {dispute.status}"
        moments.append(
            Moment(at=dispute.created_at, what=opened, amount=dispute.amount, object_id=dispute.stripe_dispute_id)
        )
    return sorted(moments, key=lambda moment: moment.at)


def _of_command(command: Command) -> Iterator[Moment]:
    what = COMMAND_WORDS.get(command.kind)
    if what is None or command.settled_at is None:
        return
    if command.status is CommandStatus.REFUSED:
        what = f"refused by Stripe ({command.refusal}): {what}"
    yield Moment(at=command.settled_at, what=what, object_id=command.stripe_id)


def _of_entry(entry: JournalEntry, payable_since: datetime) -> Iterator[Moment]:
    what = ENTRY_WORDS.get(entry.kind)
    if what is not None:
        what = "split among the merchants" if _is_split_only(entry) else what
        moved = sum(line.amount for line in entry.lines if line.account == STRIPE_BALANCE)
        at = max(entry.occurred_at, payable_since)
        yield Moment(at=at, what=what, object_id=entry.object_id, amount=moved)


def _is_split_only(entry: JournalEntry) -> bool:
    """Whether a settlement sent nothing yet: the charge is the platform's, and its transfers follow."""
    return entry.kind is EntryKind.SETTLEMENT and all(line.account != STRIPE_BALANCE for line in entry.lines)


def _of_refund(refund: Refund) -> Iterator[Moment]:
    yield Moment(at=refund.created_at, what="refund requested", amount=refund.amount)
    ended = f"refund {refund.status}" + (f" ({refund.failure})" if refund.failure else "")
    if refund.at_stripe_since is not None:
        at, object_id = max(refund.ended_at or refund.at_stripe_since, refund.created_at), refund.stripe_refund_id
        yield Moment(at=at, what=ended, amount=refund.amount, object_id=object_id)
    elif refund.status is RefundStatus.REFUSED:
        yield Moment(at=refund.created_at, what=ended, amount=refund.amount)
