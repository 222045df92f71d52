"""Refunds of a destination charge: one request to Stripe refunds the buyer, reverses the transfer, returns the fee."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import NotFound, StripeRefused, TransactionNotRefundable, Unavailable
from marketplace.domain.events import fee_refund, fee_refunds, refund_facts
from marketplace.domain.ids import owner_of
from marketplace.domain.ledger import EntryKind, JournalEntry
from marketplace.domain.postings import fee_refund_entry, refund_entries
from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.refund_plans import refund_parts
from marketplace.domain.refunds import (
    FeeRefund,
    Refund,
    RefundStatus,
    join,
    mark,
    release,
    reserve,
)
from marketplace.domain.transactions import ChargeType
from marketplace.ports import Change, Conflict, Create, Operation, Ports, Replace
from marketplace.services.commands import Handler, find_made, perform_once, replay
from marketplace.services.idempotency import Once
from marketplace.services.recovery import recovery_changes
from marketplace.services.transactions import read_transaction

# Two refunds at once: the later reads again. Each round one of them gets through, so this many can meet.
MOST_ROUNDS: Final = 40
EXPANDED: Final = ("transfer_reversal", "charge.application_fee")


@dataclass(frozen=True, kw_only=True)
class RefundRequest:
    """``amount`` is minor units, None all that is left; ``refund_application_fee`` None is as the sale says.

    ``merchant_id`` is whose part of a cart goes back; None is everybody's, in proportion to what is left of each.
    """

    transaction_id: str
    amount: int | None = None
    reason: str | None = None
    refund_application_fee: bool | None = None
    merchant_id: str | None = None


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


def request_refund(ports: Ports, caller: Principal, request: RefundRequest, once: Once) -> Refund:
    """Refund a buyer, the merchant's share and the fee with it.

    The intent is durable before Stripe hears of it; from then on a crash delays it and cannot lose or repeat it. A
    refund whose outcome Stripe has not told is returned as REQUESTED or UNKNOWN, and goes on without the caller.

    Raises:
        NotAllowed, NotFound, TransactionNotRefundable, RefundExceedsRest, TooManyRefunds, InvalidAmount,
        StripeRefused, IdempotencyKeyReused, RequestUnderWay, Unavailable.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    for _ in range(MOST_ROUNDS):
        books = read_transaction(ports, caller, request.transaction_id)
        used = books.idempotency.get(once.scope)
        if used is not None:
            return _answered(books.refunds, replay(ports, CREATE_REFUND, once, used))
        refund, command = _plan(ports, books, request)
        planned = replace(books, refunds={**books.refunds, refund.id: refund})
        reserved = Replace(books.payment, reserve(books.payment, refund.amount))
        subject = replace(planned, payment=reserved.stored)
        try:
            ended = perform_once(ports, CREATE_REFUND, once, command, subject, reserved, Create(refund))
        except Conflict:
            continue
        if ended.result != refund.id:  # a request with the same key was faster, and its refund is not read yet
            continue
        return _answered(subject.refunds, ended)
    raise Unavailable("too many refunds of this transaction at once")


def read_refund(ports: Ports, caller: Principal, refund_id: str) -> Refund:
    """A refund, to those who may see the sale. Raises NotFound."""
    transaction_id = owner_of("refund", refund_id)
    books = ports.store.books(transaction_id or "", visible_to=caller)
    if books is None or refund_id not in books.refunds:
        raise NotFound("refund")
    return books.refunds[refund_id]


def list_refunds(ports: Ports, caller: Principal, transaction_id: str) -> Sequence[Refund]:
    """The refunds of a transaction, the first first. Raises NotFound."""
    refunds = read_transaction(ports, caller, transaction_id).refunds
    return [refunds[refund_id] for refund_id in sorted(refunds)]


def _plan(ports: Ports, books: Books, request: RefundRequest) -> tuple[Refund, Command]:
    transaction, payment, now = books.transaction, books.payment, ports.clock.now()
    if books.is_disputed:
        raise TransactionNotRefundable("the payment is disputed: the buyer's bank decides")
    amount = _amount(books, request)
    reserve(payment, amount)
    asked = request.refund_application_fee
    returns_fee = transaction.refund_application_fee if asked is None else asked
    parts = refund_parts(books, amount, merchant_id=request.merchant_id, returns_fee=returns_fee)
    refund_id = ports.ids.new("refund", owner=transaction.id)
    command_id = ports.ids.new("command")
    refund = Refund(
        id=refund_id,
        transaction_id=transaction.id,
        command_id=command_id,
        amount=amount,
        currency=transaction.currency,
        fee=sum(part.fee for part in parts),
        parts=parts if transaction.charge_type is ChargeType.SEPARATE else (),
        returns_fee=returns_fee,
        reason=request.reason,
        created_at=now,
    )
    command = record(
        command_id=command_id,
        subject=transaction.id,
        kind=CommandKind.CREATE_REFUND,
        params=_refund_params(books, refund),
        result=refund_id,
        now=now,
    )
    return refund, command


def _amount(books: Books, request: RefundRequest) -> int:
    if request.amount is not None:
        return request.amount
    if request.merchant_id is None:
        return books.payment.refundable
    return books.refundable_of(request.merchant_id)


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


def _answered(refunds: Mapping[str, Refund], command: Command) -> Refund:
    """The refund as its command ended, without another read."""
    if command.refusal is not None:
        raise StripeRefused(command.refusal)
    refund = refunds[command.result]
    if command.is_open or command.stripe_id is None:
        return mark(refund, RefundStatus.UNKNOWN) if refund.status is RefundStatus.REQUESTED else refund
    return join(refund, refund_facts(command.answer))


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
    now, command_id = ports.clock.now(), ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=books.transaction.id,
        kind=CommandKind.REFUND_APPLICATION_FEE,
        target=(fee_id,),
        params={"amount": owed, "metadata": {"transaction_id": books.transaction.id, "command_id": command_id}},
        result=books.transaction.id,
        now=now,
    )
    return replace(command, due_at=now)
