"""The commands of refunds: what Stripe is asked for, and what follows from its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.ledger import EntryKind, JournalEntry
from marketplace.domain.policies import Shortfall
from marketplace.domain.postings import fee_refund_entry, refund_entries
from marketplace.domain.principals import SYSTEM
from marketplace.domain.refund_plans import refund_parts
from marketplace.domain.refunds import FeeRefund, Refund, RefundStatus, join, mark, release
from marketplace.domain.stripe_objects import fee_refund, fee_refunds, refund_facts
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Replace
from marketplace.services.commands import Handler, find_made, handles
from marketplace.services.recovery import recovery_changes
from marketplace.services.transactions import read_transaction

NO_BALANCE: Final = "balance_insufficient"  # Stripe's code
EXPANDED: Final = ("transfer_reversal", "charge.application_fee")


class CreateRefund(Handler[Books]):
    """The refund. What Stripe took back and returned is read from its answer, never assumed."""

    operation = Operation.CREATE_REFUND

    @override
    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        reversal = made.get("transfer_reversal")
        taken = {name: reversal[name] for name in ("id", "amount")} if isinstance(reversal, Mapping) else None
        return {"id": made["id"], "status": made["status"], "created": made["created"], "transfer_reversal": taken}

    @override
    def load(self, ports: Ports, command: Command) -> Books:
        return read_transaction(ports, SYSTEM, command.subject)

    @override
    def succeeded(self, ports: Ports, subject: Books, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        before = subject.refunds[command.result]
        after = join(before, refund_facts(made))
        if after.parts:
            return self._recovered_by_us(ports, subject, before, after)
        entries = (*refund_entries(subject.leg, before, after), *_new_fee_entries(subject, fee_refunds(made)))
        refunded = replace(subject, refunds={**subject.refunds, after.id: after}, entries=(*subject.entries, *entries))
        top_up = _top_up(ports, refunded)
        changes: list[Change] = [] if after is before else [Replace(before, after)]
        payment = release(subject.payment, before, after)
        if payment is not subject.payment or top_up is not None:  # the write keeps two top-ups from meeting
            changes.append(Replace(subject.payment, payment))
        return [*changes, *map(Create, entries), *([Create(top_up)] if top_up else [])]

    def _recovered_by_us(self, ports: Ports, subject: Books, before: Refund, after: Refund) -> Sequence[Change]:
        """The buyer has the money: the merchants' shares are touched, and evened out after the commit."""
        moved = [] if after is before else [Replace(before, after)]
        payment = release(subject.payment, before, after)
        freed = [] if payment is subject.payment else [Replace(subject.payment, payment)]
        return [*moved, *freed, *recovery_changes(ports, subject.transaction, before, after)]

    @override
    def refused(self, ports: Ports, subject: Books, command: Command, code: str) -> Sequence[Change]:
        before = subject.refunds[command.result]
        if is_short(ports, before, code):
            return _without_the_merchant(ports, subject, before)
        after = mark(before, RefundStatus.REFUSED, failure=code)
        return [Replace(before, after), Replace(subject.payment, release(subject.payment, before, after))]

    @override
    def doubtful(self, subject: Books, command: Command) -> Sequence[Change]:
        before = subject.refunds[command.result]
        return [Replace(before, mark(before, RefundStatus.UNKNOWN))] if before.status is RefundStatus.REQUESTED else []

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {
            "payment_intent": command.params["payment_intent"],
            "limit": 100,
            "expand": [f"data.{path}" for path in EXPANDED],
        }
        return find_made(ports.stripe.each(Operation.LIST_REFUNDS, params=params), command)


class RefundApplicationFee(Handler[Books]):
    """The rest of a fee that Stripe's rounding left with the platform, returned by itself."""

    operation = Operation.REFUND_APPLICATION_FEE

    @override
    def load(self, ports: Ports, command: Command) -> Books:
        return read_transaction(ports, SYSTEM, command.subject)

    @override
    def succeeded(self, ports: Ports, subject: Books, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return [Create(entry) for entry in _new_fee_entries(subject, (fee_refund(made),))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        made = ports.stripe.each(Operation.LIST_APPLICATION_FEE_REFUNDS, *command.target, params={"limit": 100})
        return find_made(made, command)


CREATE_REFUND: Final = CreateRefund()
REFUND_APPLICATION_FEE: Final = RefundApplicationFee()
handles(CommandKind.CREATE_REFUND, CREATE_REFUND)
handles(CommandKind.REFUND_APPLICATION_FEE, REFUND_APPLICATION_FEE)


def refund_command(ports: Ports, books: Books, refund: Refund) -> Command:
    """The intent of a refund, which names it as its own."""
    return record(
        command_id=str(refund.command_id),
        subject=books.transaction.id,
        kind=CommandKind.CREATE_REFUND,
        params=_refund_params(books, refund),
        result=refund.id,
        now=ports.clock.now(),
    )


def is_short(ports: Ports, refund: Refund, refusal: str | None) -> bool:
    """Whether Stripe refused a destination charge's refund for want of the merchant's money, which is not the end."""
    goes_on = ports.policy.money.shortfall is not Shortfall.REFUSE
    return goes_on and refusal == NO_BALANCE and not refund.is_apportioned


def _without_the_merchant(ports: Ports, books: Books, before: Refund) -> Sequence[Change]:
    """The refund asked for anew, of the platform's balance alone; the merchant's part is taken back by us, or owed."""
    others = {key: each for key, each in books.refunds.items() if key != before.id}
    planned = replace(books, refunds=others)
    parts = refund_parts(planned, before.amount, merchant_id=None, returns_fee=before.returns_fee)
    command_id = ports.ids.new("command")
    after = replace(before, command_id=command_id, parts=parts, fee=sum(part.fee for part in parts))
    return [Replace(before, after), Create(refund_command(ports, books, after))]


def _refund_params(books: Books, refund: Refund) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/refunds`).

    For a destination charge both flags always: the defaults leave the money where it is. A separate charge has none.
    """
    recovers = {
        "reverse_transfer": True,
        "refund_application_fee": refund.returns_fee and books.transaction.fee > 0,
    }
    return {
        "payment_intent": books.payment.payment_intent_id,
        "amount": refund.amount,
        **({} if refund.parts else recovers),
        **({"reason": refund.reason} if refund.reason else {}),
        "metadata": {
            "transaction_id": refund.transaction_id,
            "refund_id": refund.id,
            "command_id": refund.command_id,
        },
        **({} if refund.parts else {"expand": list(EXPANDED)}),
    }


def _new_fee_entries(books: Books, made: Sequence[FeeRefund]) -> tuple[JournalEntry, ...]:
    return tuple(
        fee_refund_entry(books.leg, books.transaction.id, books.transaction.currency, fee_refund)
        for fee_refund in made
        if not books.has_entry(fee_refund.id, EntryKind.FEE_REFUND)
    )


def _top_up(ports: Ports, books: Books) -> Command | None:
    """A command for what Stripe's rounding kept of the fee, for the next sweep."""
    owed, fee_id = books.fee_still_owed(), books.payment.application_fee_id
    if owed <= 0 or fee_id is None:
        return None
    command_id = ports.ids.new("command")
    return record(
        command_id=command_id,
        subject=books.transaction.id,
        kind=CommandKind.REFUND_APPLICATION_FEE,
        target=(fee_id,),
        params={"amount": owed, "metadata": {"transaction_id": books.transaction.id, "command_id": command_id}},
        result=books.transaction.id,
        now=ports.clock.now(),
    )
