"""Payments with saved details, the buyer not there: a PaymentIntent made and confirmed by one command.

Stripe makes the PaymentIntent also where it declines the payment. Where the bank wants the buyer, the PaymentIntent
waits for him; any other decline is the end of the sale, and the PaymentIntent is canceled so that nothing can come of
it any more. Another try is another request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, override

from marketplace.domain.books import Books
from marketplace.domain.combinations import Way
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import Customer
from marketplace.domain.declines import DECLINE, Words, decline_in, off_session_facts, shown_to_buyers, words_of
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import NotFound
from marketplace.domain.principals import Principal, Role
from marketplace.domain.stripe_objects import OFF_SESSION
from marketplace.domain.transactions import Payment, Transaction, TransactionStatus, join
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Replace
from marketplace.services.baskets import Basket
from marketplace.services.captures import cancellation
from marketplace.services.commands import Handler, find_made, handles, made_since, perform_once, replay, require_done
from marketplace.services.customers import at_stripe, own_payment_method
from marketplace.services.descriptions import up_front
from marketplace.services.idempotency import Once
from marketplace.services.sales import (
    begun,
    payment_intent_terms,
    plan,
    read_sources,
    require_may_ask,
)
from marketplace.services.transactions import read_books, read_transaction

WATCH_AFTER: Final = timedelta(hours=1)  # before Stripe is asked what became of it, should no event say so
AUTHENTICATION_LIFETIME: Final = timedelta(hours=24)  # as long as a Checkout Session waits for a buyer
ABANDONED: Final = "abandoned"  # why Stripe is told to cancel
# The buyer did not confirm, or Stripe failed between making the PaymentIntent and confirming it.
UNFINISHED: Final = frozenset({TransactionStatus.REQUIRES_ACTION, TransactionStatus.REQUESTED})


@dataclass(frozen=True, kw_only=True)
class OffSessionPayment:
    """What became of it. ``decline`` is Stripe's code, ``words`` what it means for the buyer.

    ``client_secret`` is the buyer's alone, while the payment waits for him.
    """

    transaction_id: str
    payment_intent_id: str | None
    payment_method_id: str
    status: TransactionStatus
    decline: str | None
    words: Words | None
    client_secret: str | None


class ChargeOffSession(Handler[Payment]):
    """The PaymentIntent, with whatever came of its confirmation."""

    operation = Operation.CREATE_PAYMENT_INTENT

    @override
    def load(self, ports: Ports, command: Command) -> Payment:
        return read_books(ports, command.subject).payment

    @override
    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        code = decline_in(made)
        return {} if code is None else {DECLINE: code}

    @override
    def succeeded(self, ports: Ports, subject: Payment, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        facts = off_session_facts(made)
        after = join(subject, facts)
        changes: list[Change] = [] if after is subject else [Replace(subject, after)]
        return [*changes, Create(cancellation(ports, after, ABANDONED))] if facts.declined else changes

    @override
    def refused(self, ports: Ports, subject: Payment, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, refused=True))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"customer": command.params["customer"], "limit": 100, "created": made_since(command)}
        return find_made(ports.stripe.each(Operation.LIST_PAYMENT_INTENTS, params=params), command)


CHARGE_OFF_SESSION: Final = ChargeOffSession()
handles(CommandKind.CREATE_PAYMENT_INTENT, CHARGE_OFF_SESSION)


def charge_saved(
    ports: Ports, caller: Principal, basket: Basket, payment_method_id: str, once: Once
) -> OffSessionPayment:
    """Charge a customer's saved details for a sale.

    The plan and the intent are durable before Stripe hears of it; a crash delays the charge and cannot repeat it.

    Raises:
        NotAllowed, InvalidBasket, MerchantNotReady, CurrencyNotAccepted, InvalidAmount, FeeExceedsAmount,
        PriceNotForSale, CustomerNotReady, StripeRefused, StripeUnavailable, IdempotencyKeyReused, RequestUnderWay.
        NotFound: also a customer that is not there, or details that are not this customer's.
        OutcomeUnknown: it goes on without the caller; the same key tells the end later.
    """
    require_may_ask(caller, basket)
    sources = read_sources(ports, caller, basket, once)
    if sources.used is not None:
        return _answer(ports, caller, require_done(replay(ports, CHARGE_OFF_SESSION, once, sources.used)))
    if sources.customer is None:
        raise NotFound("customer")
    own_payment_method(ports, sources.customer, payment_method_id)
    transaction = plan(ports, caller, replace(basket, way=Way.OFF_SESSION), sources)
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=transaction.id,
        kind=CommandKind.CREATE_PAYMENT_INTENT,
        params=payment_intent_params(
            transaction, sources.customer, payment_method_id, command_id, payment_data=up_front(ports, transaction)
        ),
        result=transaction.id,
        now=transaction.created_at,
    )
    payment, changes = begun(transaction, due_at=transaction.created_at + WATCH_AFTER)
    done = require_done(perform_once(ports, CHARGE_OFF_SESSION, once, command, payment, *changes))
    return _answer(ports, caller, done)


def read_payment(ports: Ports, caller: Principal, transaction_id: str) -> OffSessionPayment:
    """Where it stands. Raises NotAllowed, NotFound, StripeUnavailable."""
    caller.require(Role.OPERATOR, Role.BUYER)
    books = read_transaction(ports, caller, transaction_id)
    command = books.latest_command(CommandKind.CREATE_PAYMENT_INTENT)
    if command is None:
        raise NotFound("payment")
    return _view(ports, caller, books, command)


def payment_intent_params(
    transaction: Transaction,
    customer: Customer,
    payment_method_id: str,
    command_id: str,
    *,
    payment_data: Mapping[str, Any],
) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/payment_intents`)."""
    terms = payment_intent_terms(transaction, command_id)
    split = {"transfer_data": {**terms["transfer_data"], **payment_data}} if "transfer_data" in terms else {}
    return {
        **terms,
        **split,
        "metadata": {**terms["metadata"], OFF_SESSION: "true"},
        "amount": transaction.amount,
        "currency": transaction.currency,
        "customer": at_stripe(customer),
        "payment_method": payment_method_id,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "off_session": True,
        "confirm": True,
    }


def give_up(ports: Ports, books: Books, payment: Payment) -> list[Change]:
    """The end of a payment that nobody finishes: its PaymentIntent is canceled when it has waited long enough."""
    is_off_session = books.latest_command(CommandKind.CREATE_PAYMENT_INTENT) is not None
    is_asked = any(each.is_open and each.kind is CommandKind.CANCEL_PAYMENT for each in books.commands.values())
    is_over = ports.clock.now() >= payment.created_at + AUTHENTICATION_LIFETIME
    if not is_off_session or is_asked or not is_over or payment.payment_intent_id is None:
        return []
    return [Create(cancellation(ports, payment, ABANDONED))] if payment.status in UNFINISHED else []


def _answer(ports: Ports, caller: Principal, done: Command) -> OffSessionPayment:
    return _view(ports, caller, read_transaction(ports, caller, done.result), done)


def _view(ports: Ports, caller: Principal, books: Books, command: Command) -> OffSessionPayment:
    payment, code = books.payment, command.answer.get(DECLINE)
    is_buyer = caller.role is Role.BUYER
    return OffSessionPayment(
        transaction_id=payment.transaction_id,
        payment_intent_id=payment.payment_intent_id,
        payment_method_id=command.params["payment_method"],
        status=payment.status,
        decline=shown_to_buyers(code) if code and is_buyer else code,
        words=words_of(code) if code else None,
        client_secret=_client_secret(ports, payment) if is_buyer else None,
    )


def _client_secret(ports: Ports, payment: Payment) -> str | None:
    """Read for the buyer when he asks, and kept nowhere."""
    if payment.status is not TransactionStatus.REQUIRES_ACTION or payment.payment_intent_id is None:
        return None
    return str(ports.stripe.read(Operation.READ_PAYMENT_INTENT, payment.payment_intent_id)["client_secret"])
