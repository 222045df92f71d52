"""Refunds: the buyer first, then each merchant's part; asked for once, and finished whatever happens.

A destination charge's refund, its transfer's reversal and the fee's return are one request to Stripe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from typing import Final

from marketplace.domain.books import Books
from marketplace.domain.commands import Command
from marketplace.domain.completed import CompletedLine
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import MerchantShort, NotFound, StripeRefused, TransactionNotRefundable, Unavailable
from marketplace.domain.ids import owner_of
from marketplace.domain.line_refunds import is_told_by_stripe, paid_lines, refunded_lines
from marketplace.domain.policies import Shortfall
from marketplace.domain.principals import Principal, Role
from marketplace.domain.refund_plans import parts_of_lines, refund_parts
from marketplace.domain.refunds import Refund, RefundStatus, join, mark, require_anything_left, reserve
from marketplace.domain.stripe_objects import refund_facts
from marketplace.operations import Operation
from marketplace.ports import Conflict, Page, Ports, Replace
from marketplace.services.commands import answer_again, perform_once, replay
from marketplace.services.idempotency import Once
from marketplace.services.pages import first_that_fit
from marketplace.services.recovery import refund_made
from marketplace.services.refund_commands import CREATE_REFUND, is_short, refund_command
from marketplace.services.settlement import completed_order
from marketplace.services.transactions import read_transaction

# Two refunds at once: the later reads again. Each round one of them gets through, so this many can meet.
MOST_ROUNDS: Final = 40


@dataclass(frozen=True, kw_only=True)
class RefundRequest:
    """``amount`` is minor units, None all that is left; ``refund_application_fee`` None is as the sale says.

    ``merchant_id`` is whose part of a cart goes back; None is everybody's, in proportion to what is left of each.
    ``lines`` are line items by their number in the basket, so many of each or all that are left (None), and instead of
    an amount and a merchant.
    """

    transaction_id: str
    amount: int | None = None
    reason: str | None = None
    refund_application_fee: bool | None = None
    merchant_id: str | None = None
    lines: Mapping[int, int | None] = field(default_factory=dict)


def request_refund(ports: Ports, caller: Principal, request: RefundRequest, once: Once) -> Refund:
    """Refund a buyer, the merchant's share and the fee with it.

    The intent is durable before Stripe hears of it; from then on a crash delays it and cannot lose or repeat it. A
    refund whose outcome Stripe has not told is returned as REQUESTED or UNKNOWN, and goes on without the caller.

    Raises:
        NotAllowed, NotFound, TransactionNotRefundable, RefundExceedsRest, LineExceedsRest, TooManyRefunds,
        InvalidAmount, MerchantShort, StripeRefused, IdempotencyKeyReused, RequestUnderWay, Unavailable.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT, Role.SYSTEM)
    completed: Sequence[CompletedLine] = ()
    for _ in range(MOST_ROUNDS):
        books = read_transaction(ports, caller, request.transaction_id)
        used = books.idempotency.get(once.scope)
        if used is not None:
            return _answered_again(ports, books, replay(ports, CREATE_REFUND, once, used))
        request = _of_own(caller, books, request)
        completed = completed or _as_completed(ports, books, request)
        refund, command = plan_refund(ports, caller, books, request, completed)
        if ports.policy.money.shortfall is Shortfall.REFUSE:
            require_covered(ports, books, request.merchant_id, refund)
        planned = replace(books, refunds={**books.refunds, refund.id: refund})
        reserved = Replace(books.payment, reserve(books.payment, refund.amount))
        subject = replace(planned, payment=reserved.stored)
        made = refund_made(refund, books.transaction)
        try:
            ended = perform_once(ports, CREATE_REFUND, once, command, subject, reserved, *made)
        except Conflict:
            continue
        if ended.result != refund.id or is_short(ports, refund, ended.refusal):
            continue  # the same key was faster, or the refund went on without the merchant: read what there is now
        return _answered(subject.refunds, ended)
    raise Unavailable("too many refunds of this transaction at once")


def read_refund(ports: Ports, caller: Principal, refund_id: str) -> Refund:
    """A refund, to those who may see the sale. Raises NotFound."""
    transaction_id = owner_of("refund", refund_id)
    books = ports.store.books(transaction_id or "", visible_to=caller)
    if books is None or refund_id not in books.refunds:
        raise NotFound("refund")
    return books.refunds[refund_id]


def list_refunds(
    ports: Ports, caller: Principal, *, merchant_id: str | None, cursor: str | None, limit: int,
    status: RefundStatus | None = None, since: datetime | None = None, until: datetime | None = None,
) -> Page[Refund]:  # fmt: skip
    """Refunds, the newest first: those that concern a merchant, or for operators one merchant or all.

    Raises:
        NotAllowed, InvalidCursor.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    whose = caller.merchant_id if caller.role is Role.MERCHANT else merchant_id

    def read(cursor: str | None, limit: int) -> Page[Refund]:
        return ports.store.refunds(whose, cursor=cursor, limit=limit, status=status, since=since, until=until)

    return first_that_fit(read, cursor, limit) if status else read(cursor, limit)


def refunds_of_sale(ports: Ports, caller: Principal, transaction_id: str) -> Sequence[Refund]:
    """The refunds of a transaction, the first first. Raises NotFound."""
    refunds = read_transaction(ports, caller, transaction_id).refunds
    return [refunds[refund_id] for refund_id in sorted(refunds)]


def plan_refund(
    ports: Ports, caller: Principal, books: Books, request: RefundRequest, completed: Sequence[CompletedLine] = ()
) -> tuple[Refund, Command]:
    """A refund and the command for it, which the reservation of its amount is to be committed with.

    ``completed`` is the order where its lines are to be refunded, and only Stripe knows what was paid for them.

    Raises:
        NotFound, TransactionNotRefundable, RefundExceedsRest, LineExceedsRest, TooManyRefunds, InvalidAmount.
    """
    transaction, payment, now = books.transaction, books.payment, ports.clock.now()
    if books.is_disputed:
        raise TransactionNotRefundable("the payment is disputed: the buyer's bank decides")
    if not books.is_split:
        raise TransactionNotRefundable("it is not known yet whose the payment is; try again in a moment")
    asked = request.refund_application_fee
    returns_fee = transaction.refund_application_fee if asked is None else asked
    require_anything_left(payment)
    lines = refunded_lines(books, caller, request.lines, paid_lines(books, completed)) if request.lines else ()
    amount = sum(line.amount for line in lines) if lines else _amount(books, request)
    reserve(payment, amount)
    if lines:
        parts = parts_of_lines(books, lines, returns_fee=returns_fee)
    else:
        parts = refund_parts(books, amount, merchant_id=request.merchant_id, returns_fee=returns_fee)
    refund = Refund(
        id=ports.ids.new("refund", owner=transaction.id),
        transaction_id=transaction.id,
        command_id=ports.ids.new("command"),
        amount=amount,
        currency=transaction.currency,
        fee=sum(part.fee for part in parts),
        parts=() if books.is_recovered_by_stripe else parts,
        lines=lines,
        returns_fee=returns_fee,
        reason=request.reason,
        created_at=now,
    )
    return refund, refund_command(ports, books, refund)


def _as_completed(ports: Ports, books: Books, request: RefundRequest) -> Sequence[CompletedLine]:
    """The order of a sale whose lines are to be refunded, where the plan does not say what was paid for them.

    Raises:
        TransactionNotRefundable: it is an invoice's, or not settled yet.
    """
    if not request.lines or not is_told_by_stripe(books.transaction):
        return ()
    if not books.payment.is_settled:
        raise TransactionNotRefundable("what was paid for each line is not known; try again in a moment")
    if books.transaction.invoice_id is not None:
        raise TransactionNotRefundable("what was paid for each line is in the invoice: refund it by amount")
    return completed_order(ports, books.transaction, books.payment)


def _of_own(caller: Principal, books: Books, request: RefundRequest) -> RefundRequest:
    """The request as the caller may ask for it: a merchant of a cart refunds its own part.

    Raises:
        NotFound: the merchant has no part in this sale, or it is another's.
    """
    merchants = {leg.merchant_id for leg in books.transaction.legs}
    own = caller.merchant_id if caller.role is Role.MERCHANT else None
    if request.merchant_id is not None and request.merchant_id not in ({own} if own else merchants):
        raise NotFound("merchant")
    return replace(request, merchant_id=own) if own and len(merchants) > 1 else request


def _amount(books: Books, request: RefundRequest) -> int:
    if request.amount is not None:
        return request.amount
    if request.merchant_id is None:
        return books.payment.refundable
    return books.refundable_of(request.merchant_id)


def require_covered(ports: Ports, books: Books, merchant_id: str | None, refund: Refund) -> None:
    """Refuse a refund that a merchant's balance at Stripe does not cover now: one read for each merchant with a part.

    Raises:
        MerchantShort, Unavailable.
    """
    parts = refund.parts or refund_parts(books, refund.amount, merchant_id=merchant_id, returns_fee=refund.returns_fee)
    accounts = {leg.merchant_id: leg.account_id for leg in books.transaction.legs}
    for part in parts:
        share, account = books.shares.get(part.merchant_id), accounts[part.merchant_id]
        back = part.borne_by_merchant
        if share is not None:
            entitled = share.own - books.given_back(part.merchant_id) - back
            back = max(0, share.had - books.recovered(part.merchant_id) - entitled)
        if not back or account is None:
            continue
        there = _balance(ports, account, refund.currency)
        if back > there:
            raise MerchantShort(part.merchant_id, back - there)


def _balance(ports: Ports, account: str, currency: str) -> int:
    """Minor units on an account's balance; none of one that has left the platform."""
    try:
        held = ports.stripe.read(Operation.READ_BALANCE, account=account)
    except StripeRefused:
        return 0
    parts = (each for name in ("available", "pending") for each in held[name])
    return sum(each["amount"] for each in parts if each["currency"] == currency)


def _answered_again(ports: Ports, books: Books, first: Command) -> Refund:
    """The refund for a request that comes again: as its last command ended, which may not be its first."""
    refund = books.refunds[first.result]
    if refund.command_id in (None, first.id):
        return _answered(books.refunds, first)
    return _answered(books.refunds, answer_again(ports, CREATE_REFUND, books.commands[str(refund.command_id)]))


def _answered(refunds: Mapping[str, Refund], command: Command) -> Refund:
    """The refund as its command ended, without another read."""
    if command.refusal is not None:
        raise StripeRefused(command.refusal)
    refund = refunds[command.result]
    if command.is_open or command.stripe_id is None:
        return mark(refund, RefundStatus.UNKNOWN) if refund.status is RefundStatus.REQUESTED else refund
    return join(refund, refund_facts(command.answer))
