"""Checkout Sessions: create, read, expire. A sale's plan is durable before Stripe hears of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, override

from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import Customer, CustomerStatus
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import CheckoutSessionNotOpen, InvalidBasket, NotFound
from marketplace.domain.portions import TaxLiability
from marketplace.domain.principals import SYSTEM, Principal, Role
from marketplace.domain.stripe_objects import session_facts
from marketplace.domain.transactions import (
    LineItem,
    Payment,
    Transaction,
    TransactionStatus,
    join,
)
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Replace
from marketplace.services.baskets import Basket
from marketplace.services.commands import (
    Handler,
    answer_again,
    execute,
    find_made,
    made_since,
    perform_once,
    replay,
    require_done,
)
from marketplace.services.customers import at_stripe
from marketplace.services.discounts import discount_params, tax_params
from marketplace.services.idempotency import Once
from marketplace.services.sales import Sources, begun, ours, payment_intent_terms, plan, read_sources, require_may_ask
from marketplace.services.session_terms import UiMode, require_terms
from marketplace.services.transactions import read_transaction

SESSION_LIFETIME: Final = timedelta(hours=24)  # Stripe's default
WATCH_AFTER: Final = timedelta(hours=1)  # past the session's end, before Stripe is asked what became of it


@dataclass(frozen=True, kw_only=True)
class CheckoutSession:
    """What a buyer's browser may know. ``url`` is Stripe's page, while it can be paid."""

    transaction_id: str
    checkout_session_id: str | None
    status: TransactionStatus
    url: str | None
    client_secret: str | None = None  # for Stripe.js, where it is not on Stripe's page; in the first answer alone


class SessionHandler(Handler[Payment]):
    """What is asked of a Checkout Session: the payment learns what the session has become."""

    @override
    def load(self, ports: Ports, command: Command) -> Payment:
        return read_transaction(ports, SYSTEM, command.subject).payment

    @override
    def succeeded(self, ports: Ports, subject: Payment, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        after = join(subject, session_facts(made))
        return [] if after is subject else [Replace(subject, after)]


class CreateCheckoutSession(SessionHandler):
    """The session of a destination charge."""

    operation = Operation.CREATE_CHECKOUT_SESSION

    @override
    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"url": made["url"]}

    @override
    def refused(self, ports: Ports, subject: Payment, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, refused=True))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"limit": 100, "created": made_since(command)}
        return find_made(ports.stripe.each(Operation.LIST_CHECKOUT_SESSIONS, params=params), command)


class ExpireCheckoutSession(SessionHandler):
    """The end of an open session. Stripe's no means that the buyer was faster, and the events tell."""

    operation = Operation.EXPIRE_CHECKOUT_SESSION

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        session = ports.stripe.read(Operation.READ_CHECKOUT_SESSION, *command.target)
        return session if session["status"] == "expired" else None


CREATE_CHECKOUT_SESSION: Final = CreateCheckoutSession()
EXPIRE_CHECKOUT_SESSION: Final = ExpireCheckoutSession()


def create_checkout_session(ports: Ports, caller: Principal, basket: Basket, once: Once) -> CheckoutSession:
    """Plan a sale, write it down, and make the session that the buyer pays in.

    Raises:
        NotAllowed: amounts, fees or another customer, not named by an operator.
        InvalidReturnUrl, InvalidBasket, NotFound, MerchantNotReady, CurrencyNotAccepted, InvalidAmount,
        FeeExceedsAmount, PriceNotForSale, CustomerNotReady, CombinationRefused, DiscountNotUsable, InvalidCoupon,
        StripeRefused, IdempotencyKeyReused, RequestUnderWay.
        OutcomeUnknown: the session is made without the caller; the same key gives it later.
    """
    _require_may_ask(ports, caller, basket)
    sources = read_sources(ports, caller, basket, once)
    if sources.used is not None:
        return _as_answered(ports, require_done(replay(ports, CREATE_CHECKOUT_SESSION, once, sources.used)))
    if caller.role is Role.BUYER and basket.customer_email is None:
        basket = replace(basket, customer_email=caller.email)
    if basket.save_payment_method and sources.customer is None:
        raise NotFound("customer")
    return _sell(ports, plan(ports, caller, basket, sources), basket, sources, once)


def read_checkout_session(ports: Ports, caller: Principal, transaction_id: str) -> CheckoutSession:
    """Where a session stands, to those who may see the sale. Raises NotFound."""
    books = read_transaction(ports, caller, transaction_id)
    return view(books)


def expire_checkout_session(ports: Ports, caller: Principal, transaction_id: str) -> CheckoutSession:
    """End an open session so that it can no longer be paid. To repeat it is harmless.

    Raises:
        NotFound, OutcomeUnknown, RequestUnderWay.
        CheckoutSessionNotOpen: the buyer was faster, or it never was open.
    """
    caller.require(Role.OPERATOR, Role.BUYER)
    books = read_transaction(ports, caller, transaction_id)
    if books.payment.status is TransactionStatus.EXPIRED:
        return view(books)
    if books.payment.status is not TransactionStatus.OPEN:
        raise CheckoutSessionNotOpen(f"the session cannot be expired: the transaction is {books.payment.status}")
    ended = end_session(ports, books)
    if ended.is_open:
        require_done(ended)
    books = read_transaction(ports, caller, transaction_id)
    if books.payment.status is not TransactionStatus.EXPIRED:
        raise CheckoutSessionNotOpen("Stripe does not expire the session: it is complete or being paid")
    return view(books)


def session_params(transaction: Transaction, basket: Basket, sources: Sources, command_id: str) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/checkout/sessions`). Every object that it makes names our transaction."""
    return {
        "mode": "payment",
        **basket.terms.params(transaction.currency, success_url=basket.success_url, cancel_url=basket.cancel_url),
        "client_reference_id": transaction.id,
        "line_items": [_line_item(*line, transaction.currency) for line in enumerate(transaction.line_items)],
        "metadata": {**transaction.metadata, **ours(transaction, command_id)},
        "payment_intent_data": {
            **payment_intent_terms(transaction, command_id),
            **basket.terms.payment_params(),
            **({"setup_future_usage": "off_session"} if basket.save_payment_method else {}),
        },
        **_known_buyer(transaction, basket, sources.customer),
        **tax_params(_liable(transaction), transaction.legs[0].account_id),
        **discount_params(sources.discount, allow_promotion_codes=transaction.allow_promotion_codes),
    }


def _liable(transaction: Transaction) -> TaxLiability | None:
    return transaction.legs[0].tax_liability if transaction.automatic_tax else None


def _known_buyer(transaction: Transaction, basket: Basket, customer: Customer | None) -> dict[str, Any]:
    """Whose saved details the page offers, and whether he may add to them; nothing where Stripe does not know him.

    Tax needs his address: what he enters on the page is kept with him.

    Raises:
        CustomerNotReady: details are to be saved, and Stripe does not know him.
    """
    if customer is None or (customer.status is not CustomerStatus.READY and not basket.save_payment_method):
        return {"customer_email": basket.customer_email} if basket.customer_email else {}
    # Details saved in a setup session or for later payments are "limited": shown where their owner is known, as here.
    saved: dict[str, Any] = {"allow_redisplay_filters": ["always", "limited"]}
    if not basket.save_payment_method:
        saved["payment_method_save"] = "enabled"  # by a box that the buyer ticks
    # An address that he gives here is his the next time too.
    address = {"address": "auto"} if transaction.automatic_tax else {}
    shipping = {"shipping": "auto"} if basket.terms.shipping_countries else {}
    kept = {"customer_update": {**address, **shipping}} if address or shipping else {}
    return {"customer": at_stripe(customer), "saved_payment_method_options": saved, **kept}


def _sell(ports: Ports, transaction: Transaction, basket: Basket, sources: Sources, once: Once) -> CheckoutSession:
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=transaction.id,
        kind=CommandKind.CREATE_CHECKOUT_SESSION,
        params=session_params(transaction, basket, sources, command_id),
        result=transaction.id,
        now=transaction.created_at,
    )
    ends_at = basket.terms.expires_at or transaction.created_at + SESSION_LIFETIME
    payment, changes = begun(transaction, due_at=ends_at + WATCH_AFTER)
    done = require_done(perform_once(ports, CREATE_CHECKOUT_SESSION, once, command, payment, *changes))
    return _as_answered(ports, done)


def _as_answered(ports: Ports, done: Command) -> CheckoutSession:
    """The answer to the request that made the session, the same whenever it comes again.

    The client secret is read for whoever asks, and kept nowhere.
    """
    shown_elsewhere = done.params["ui_mode"] != UiMode.HOSTED
    made = ports.stripe.read(Operation.READ_CHECKOUT_SESSION, str(done.stripe_id)) if shown_elsewhere else {}
    return CheckoutSession(
        transaction_id=done.result,
        checkout_session_id=done.stripe_id,
        status=TransactionStatus.OPEN,
        url=done.answer.get("url"),
        client_secret=made.get("client_secret"),
    )


def end_session(ports: Ports, books: Books) -> Command:
    """Ask Stripe to expire a session, or go on with a request that has not ended.

    Raises:
        RequestUnderWay: somebody else is at it.
    """
    earlier = books.latest_command(CommandKind.EXPIRE_CHECKOUT_SESSION)
    if earlier is not None and earlier.is_open:
        return answer_again(ports, EXPIRE_CHECKOUT_SESSION, earlier)
    command = record(
        command_id=ports.ids.new("command"),
        subject=books.transaction.id,
        kind=CommandKind.EXPIRE_CHECKOUT_SESSION,
        target=(str(books.payment.checkout_session_id),),
        params={},
        result=books.transaction.id,
        now=ports.clock.now(),
    )
    ports.store.commit(Create(command))
    return execute(ports, EXPIRE_CHECKOUT_SESSION, command, books.payment)


def _require_may_ask(ports: Ports, caller: Principal, basket: Basket) -> None:
    require_may_ask(caller, basket)
    terms, urls = basket.terms, {"success_url": basket.success_url, "cancel_url": basket.cancel_url}
    require_terms(terms, **urls, now=ports.clock.now())
    for url in urls.values() if terms.return_url is None else [terms.return_url]:
        ports.policy.require_return_url(url)
    if basket.customer_email is not None and basket.customer_id is not None:
        raise InvalidBasket("a customer or an e-mail, not both: the customer has one")


def view(books: Books) -> CheckoutSession:
    """Where the session of a sale stands."""
    payment, command = books.payment, books.latest_command(CommandKind.CREATE_CHECKOUT_SESSION)
    is_open = payment.status is TransactionStatus.OPEN
    return CheckoutSession(
        transaction_id=payment.transaction_id,
        checkout_session_id=payment.checkout_session_id,
        status=payment.status,
        url=command.answer.get("url") if command and is_open else None,
    )


def _line_item(number: int, line: LineItem, currency: str) -> dict[str, Any]:
    """Each says whose and which it is, for the split and refunds go by the line items as the buyer completed them."""
    named = {"line": str(number), **({"merchant_id": line.merchant_id} if line.merchant_id else {})}
    whose: dict[str, Any] = {"metadata": named}
    if line.bounds:
        least, most = line.bounds
        whose["adjustable_quantity"] = {"enabled": True, "minimum": least, "maximum": most}
    if line.stripe_price_id is not None:
        return {"price": line.stripe_price_id, "quantity": line.quantity, **whose}
    product = {"name": line.name, **({"tax_code": line.tax_code} if line.tax_code else {})}
    behavior = {"tax_behavior": line.tax_behavior} if line.tax_behavior else {}
    price_data = {"currency": currency, "unit_amount": line.unit_amount, "product_data": product, **behavior}
    return {"price_data": price_data, "quantity": line.quantity, **whose}
