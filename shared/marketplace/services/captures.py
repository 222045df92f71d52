"""Authorized payments: captured in whole or in part, or let go, before their deadline."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, override

from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.errors import CaptureExceedsAuthorized, NotCapturable, Unavailable
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.domain.splits import resized
from marketplace.domain.stripe_objects import payment_intent_facts
from marketplace.domain.transactions import ChargeType, Payment, TransactionStatus, join
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Ports, Replace
from marketplace.services.commands import Handler, handles, perform_once, replay, require_done
from marketplace.services.idempotency import Once
from marketplace.services.transactions import read_books, read_transaction

MOST_ROUNDS: Final = 5


class EndAuthorization(Handler[Payment]):
    """What a capture and a cancellation have in common: the payment learns what its PaymentIntent has become.

    A refusal means that the other was faster, or that the authorization has lapsed: the events tell which.
    """

    ended_as: str

    @override
    def load(self, ports: Ports, command: Command) -> Payment:
        return read_books(ports, command.subject).payment

    @override
    def succeeded(self, ports: Ports, subject: Payment, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        after = join(subject, payment_intent_facts(made))
        return [] if after is subject else [Replace(subject, after)]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        intent = ports.stripe.read(Operation.READ_PAYMENT_INTENT, *command.target)
        return intent if intent["status"] == self.ended_as else None


class CapturePayment(EndAuthorization):
    """The buyer's money is taken; its charge and split follow with the events."""

    operation = Operation.CAPTURE_PAYMENT_INTENT
    ended_as = "succeeded"


class CancelPayment(EndAuthorization):
    """The buyer's bank lets go of the money."""

    operation = Operation.CANCEL_PAYMENT_INTENT
    ended_as = "canceled"


CAPTURE_PAYMENT: Final = CapturePayment()
CANCEL_PAYMENT: Final = CancelPayment()
handles(CommandKind.CAPTURE_PAYMENT, CAPTURE_PAYMENT)
handles(CommandKind.CANCEL_PAYMENT, CANCEL_PAYMENT)


def capture(ports: Ports, caller: Principal, transaction_id: str, amount: int | None, once: Once) -> Books:
    """Take what the buyer's bank authorized, or a part of it: the rest is let go, and every leg made smaller with it.

    Raises:
        NotAllowed, NotFound, NotCapturable, CaptureExceedsAuthorized, InvalidAmount, StripeRefused, OutcomeUnknown,
        IdempotencyKeyReused, RequestUnderWay, Unavailable.
    """

    def command(books: Books) -> Command:
        wanted = books.payment.authorized if amount is None else amount
        return capture_command(ports, books, wanted or 0)

    return _end(ports, caller, transaction_id, once, CAPTURE_PAYMENT, command)


def cancel(ports: Ports, caller: Principal, transaction_id: str, once: Once) -> Books:
    """Let an authorization go. One that was captured meanwhile stays: a refund gives that back.

    Raises:
        NotAllowed, NotFound, NotCapturable, StripeRefused, OutcomeUnknown, IdempotencyKeyReused, RequestUnderWay,
        Unavailable.
    """
    return _end(ports, caller, transaction_id, once, CANCEL_PAYMENT, lambda books: cancel_command(ports, books))


def capture_command(ports: Ports, books: Books, amount: int) -> Command:
    """The intent to capture.

    Raises:
        NotCapturable, CaptureExceedsAuthorized, InvalidAmount.
    """
    payment, authorized = books.payment, _require_authorized(ports, books)
    require_payable(amount, payment.currency)
    if amount > authorized:
        raise CaptureExceedsAuthorized(amount, authorized)
    params = {"amount_to_capture": amount, **_split_by_stripe(books, amount)}
    return record(
        command_id=ports.ids.new("command"),
        subject=books.transaction.id,
        kind=CommandKind.CAPTURE_PAYMENT,
        target=(str(payment.payment_intent_id),),
        params=params,
        result=books.transaction.id,
        now=ports.clock.now(),
    )


def cancel_command(ports: Ports, books: Books) -> Command:
    """The intent to cancel.

    Raises:
        NotCapturable.
    """
    _require_authorized(ports, books)
    return cancellation(ports, books.payment, "requested_by_customer")


def cancellation(ports: Ports, payment: Payment, reason: str) -> Command:
    """The intent to cancel a PaymentIntent, whatever it waits for; ``reason`` is one of Stripe's."""
    return record(
        command_id=ports.ids.new("command"),
        subject=payment.transaction_id,
        kind=CommandKind.CANCEL_PAYMENT,
        target=(str(payment.payment_intent_id),),
        params={"cancellation_reason": reason},
        result=payment.transaction_id,
        now=ports.clock.now(),
    )


def _split_by_stripe(books: Books, amount: int) -> dict[str, Any]:
    """A destination charge's fee on what is captured, by the policy of the sale."""
    is_split_by_stripe = not books.transaction.is_split_when_completed
    if books.transaction.charge_type is not ChargeType.DESTINATION or not is_split_by_stripe or not books.leg.fee:
        return {}
    return {"application_fee_amount": resized(books.leg, amount, books.transaction).fee}


def _require_authorized(ports: Ports, books: Books) -> int:
    payment = books.payment
    if payment.status is not TransactionStatus.AUTHORIZED or payment.authorized is None:
        raise NotCapturable(f"the transaction is {payment.status}: nothing is authorized")
    if payment.capture_before is not None and payment.capture_before <= ports.clock.now():
        raise NotCapturable("the authorization has lapsed")
    return payment.authorized


def _end(
    ports: Ports,
    caller: Principal,
    transaction_id: str,
    once: Once,
    handler: EndAuthorization,
    command: Callable[[Books], Command],
) -> Books:
    caller.require(Role.OPERATOR)
    for _ in range(MOST_ROUNDS):
        books = read_transaction(ports, caller, transaction_id)
        used = books.idempotency.get(once.scope)
        if used is not None:
            require_done(replay(ports, handler, once, used))
            return read_transaction(ports, caller, transaction_id)
        wanted = command(books)
        counted = Replace(books.payment, books.payment)  # of a capture and a cancellation at once, one is recorded
        try:
            require_done(perform_once(ports, handler, once, wanted, counted.stored, counted))
        except Conflict:
            continue
        return read_transaction(ports, caller, transaction_id)
    raise Unavailable("the payment keeps changing")
