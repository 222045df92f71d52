"""The sweep: look at everything that is due, finish what was left, and say when to look again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from marketplace.domain.books import Books
from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.debts import Debt
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import RequestUnderWay
from marketplace.domain.holdings import Holding
from marketplace.domain.invoices import Invoice
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.shares import Share
from marketplace.domain.stripe_objects import charge_facts, failed_debit_facts, payment_intent_facts, session_facts
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Payment, TransactionStatus, join
from marketplace.operations import Operation
from marketplace.ports import DUE_SHARDS, Change, Conflict, Create, Ports, Watched
from marketplace.services.accounts import CREATE_ACCOUNT, CREATE_V1_ACCOUNT
from marketplace.services.captures import CANCEL_PAYMENT, CAPTURE_PAYMENT, capture_command
from marketplace.services.catalog_commands import CREATE_PRICE, CREATE_PRODUCT, UPDATE_PRICE, UPDATE_PRODUCT
from marketplace.services.checkout import CREATE_CHECKOUT_SESSION, EXPIRE_CHECKOUT_SESSION
from marketplace.services.commands import Handler, follow_up, resume
from marketplace.services.coupons import CREATE_COUPON, DELETE_COUPON
from marketplace.services.customers import CREATE_CUSTOMER, UPDATE_CUSTOMER
from marketplace.services.descriptions import DESCRIBE_PAYMENT
from marketplace.services.disputes import ACCEPT_DISPUTE, SUBMIT_EVIDENCE
from marketplace.services.endings import end_sales
from marketplace.services.holdings import look_at_holding
from marketplace.services.invoice_commands import ACTS
from marketplace.services.invoice_following import SPLIT_INVOICE, watch_billing, watch_invoice
from marketplace.services.lost_subscriptions import end_subscriptions
from marketplace.services.off_session import AUTHENTICATION_LIFETIME, CHARGE_OFF_SESSION, give_up
from marketplace.services.payouts import CREATE_PAYOUT
from marketplace.services.promotion_codes import CREATE_CODE, UPDATE_CODE
from marketplace.services.refund_commands import CREATE_REFUND, REFUND_APPLICATION_FEE
from marketplace.services.settlement import payment_changes
from marketplace.services.setups import CREATE_SETUP_SESSION
from marketplace.services.shares import collect_debt, even_out
from marketplace.services.subscription_commands import CANCEL_SUBSCRIPTION, UPDATE_SUBSCRIPTION
from marketplace.services.subscription_refunds import refund_unused
from marketplace.services.subscriptions import CREATE_SUBSCRIPTION_SESSION
from marketplace.services.transactions import read_transaction
from marketplace.services.transfers import CREATE_TRANSFER, REVERSE_TRANSFER
from marketplace.services.unready import refund_what_waited

MOST_PER_SHARD: Final = 50  # in one run; the next one goes on
LOOK_AGAIN: Final = timedelta(hours=1)
DEADLINE_NEAR: Final = timedelta(hours=24)  # before an authorization lapses
ENDS_AUTHORIZATION: Final = frozenset({CommandKind.CAPTURE_PAYMENT, CommandKind.CANCEL_PAYMENT})

HANDLERS: Final[Mapping[CommandKind, Handler[Any]]] = {
    CommandKind.CREATE_ACCOUNT: CREATE_ACCOUNT,
    CommandKind.CREATE_V1_ACCOUNT: CREATE_V1_ACCOUNT,
    CommandKind.CREATE_PRODUCT: CREATE_PRODUCT,
    CommandKind.UPDATE_PRODUCT: UPDATE_PRODUCT,
    CommandKind.CREATE_PRICE: CREATE_PRICE,
    CommandKind.UPDATE_PRICE: UPDATE_PRICE,
    CommandKind.CREATE_COUPON: CREATE_COUPON,
    CommandKind.DELETE_COUPON: DELETE_COUPON,
    CommandKind.CREATE_PROMOTION_CODE: CREATE_CODE,
    CommandKind.UPDATE_PROMOTION_CODE: UPDATE_CODE,
    CommandKind.CREATE_CUSTOMER: CREATE_CUSTOMER,
    CommandKind.UPDATE_CUSTOMER: UPDATE_CUSTOMER,
    CommandKind.CREATE_SETUP_SESSION: CREATE_SETUP_SESSION,
    CommandKind.CREATE_CHECKOUT_SESSION: CREATE_CHECKOUT_SESSION,
    CommandKind.EXPIRE_CHECKOUT_SESSION: EXPIRE_CHECKOUT_SESSION,
    CommandKind.CREATE_REFUND: CREATE_REFUND,
    CommandKind.REFUND_APPLICATION_FEE: REFUND_APPLICATION_FEE,
    CommandKind.CREATE_PAYMENT_INTENT: CHARGE_OFF_SESSION,
    CommandKind.CAPTURE_PAYMENT: CAPTURE_PAYMENT,
    CommandKind.CANCEL_PAYMENT: CANCEL_PAYMENT,
    CommandKind.CREATE_TRANSFER: CREATE_TRANSFER,
    CommandKind.REVERSE_TRANSFER: REVERSE_TRANSFER,
    CommandKind.DESCRIBE_PAYMENT: DESCRIBE_PAYMENT,
    CommandKind.SUBMIT_EVIDENCE: SUBMIT_EVIDENCE,
    CommandKind.ACCEPT_DISPUTE: ACCEPT_DISPUTE,
    CommandKind.CREATE_PAYOUT: CREATE_PAYOUT,
    CommandKind.CREATE_SUBSCRIPTION_SESSION: CREATE_SUBSCRIPTION_SESSION,
    CommandKind.UPDATE_SUBSCRIPTION: UPDATE_SUBSCRIPTION,
    CommandKind.CANCEL_SUBSCRIPTION: CANCEL_SUBSCRIPTION,
    CommandKind.SPLIT_INVOICE: SPLIT_INVOICE,
    **ACTS,
}


@dataclass()
class Sweep:
    """What one run did. ``troubles`` are the items it could not finish, with the reason; they stay due.

    ``oldest_command`` is the age of the oldest command that it found open.
    """

    looked_at: int = 0
    oldest_command: timedelta = timedelta()
    troubles: list[tuple[str, Exception]] = field(default_factory=list)


def sweep(ports: Ports, *, has_time: Callable[[], bool]) -> Sweep:
    """Look at what is due until it is all done or the time is up. One item's trouble never stops the others."""
    done = Sweep()
    for shard in _shards(ports.clock.now()):
        for item in ports.store.due(shard, now=ports.clock.now(), limit=MOST_PER_SHARD):
            if not has_time():
                return done
            done.looked_at += 1
            if isinstance(item, Command):
                done.oldest_command = max(done.oldest_command, ports.clock.now() - item.created_at)
            try:
                _look_at(ports, item)
            except (RequestUnderWay, Conflict):
                continue  # somebody else is at it
            except Exception as error:  # noqa: BLE001 - a bug that one item meets must not keep the others waiting
                done.troubles.append((item.transaction_id if isinstance(item, Payment | Share) else item.id, error))
    return done


def _shards(now: datetime) -> Sequence[int]:
    """All shards, from another one each minute: where the time is up before all is done, none waits for the others."""
    first = int(now.timestamp()) // 60 % DUE_SHARDS
    return [(first + shard) % DUE_SHARDS for shard in range(DUE_SHARDS)]


def _look_at(ports: Ports, item: Watched) -> None:
    match item:
        case Command():
            resume(ports, HANDLERS[item.kind], item)
        case Payment():
            watch(ports, item)
        case Merchant():
            end_sales(ports, item.id)
            end_subscriptions(ports, item.id)
        case Share():
            even_out(ports, item.transaction_id, item.merchant_id)
            if item.refund_at is not None and item.refund_at <= ports.clock.now():
                refund_what_waited(ports, item.transaction_id, item.merchant_id)
        case Debt():
            collect_debt(ports, item)
        case Holding():
            look_at_holding(ports, item)
        case Subscription():
            watch_billing(ports, item)
            refund_unused(ports, item.id)
        case Invoice():
            watch_invoice(ports, item)


def watch(ports: Ports, payment: Payment) -> None:
    """Ask Stripe what became of a payment whose events should be here by now, and close the watch if it is final."""
    books = read_transaction(ports, SYSTEM, payment.transaction_id)
    before = books.payment
    after = as_at_stripe(ports, before)
    after = replace(after, due_at=_next_look(ports, after), is_expiring=after.is_expiring or _lapses_soon(ports, after))
    ended = [*_at_the_deadline(ports, books, after), *give_up(ports, books, after)]
    changes = [*payment_changes(ports, books.transaction, before, after), *ended]
    ports.store.commit(*changes)
    follow_up(ports, changes)


def _next_look(ports: Ports, payment: Payment) -> datetime | None:
    """An authorization is left alone until its deadline is near, and looked at again after it."""
    now = ports.clock.now()
    if payment.is_final:
        return None
    if payment.status is TransactionStatus.REQUIRES_ACTION:
        return max(payment.created_at + AUTHENTICATION_LIFETIME, now + LOOK_AGAIN)
    if payment.status is not TransactionStatus.AUTHORIZED or payment.capture_before is None:
        return now + LOOK_AGAIN
    near = payment.capture_before - DEADLINE_NEAR
    return near if now < near else max(payment.capture_before, now) + LOOK_AGAIN


def _lapses_soon(ports: Ports, payment: Payment) -> bool:
    """Whether an authorization is within a day of its end: told ahead of it."""
    if payment.status is not TransactionStatus.AUTHORIZED or payment.capture_before is None:
        return False
    return payment.capture_before - DEADLINE_NEAR <= ports.clock.now() < payment.capture_before


def _at_the_deadline(ports: Ports, books: Books, payment: Payment) -> list[Change]:
    """By policy, the capture of what would lapse; else it lapses."""
    is_asked = any(c.is_open for c in books.commands.values() if c.kind in ENDS_AUTHORIZATION)
    if is_asked or not ports.policy.money.captures_at_deadline or not _lapses_soon(ports, payment):
        return []
    return [Create(capture_command(ports, replace(books, payment=payment), payment.authorized or 0))]


def as_at_stripe(ports: Ports, payment: Payment) -> Payment:
    """A payment with what Stripe says of it now, unless nothing can change it any more."""
    if payment.is_final:
        return payment
    if payment.checkout_session_id is None:
        return _as_intent_says(ports, payment)
    expand = {"expand": ["payment_intent.latest_charge"]}
    session = ports.stripe.read(Operation.READ_CHECKOUT_SESSION, payment.checkout_session_id, params=expand)
    seen = join(payment, session_facts(session, failed=_has_failed(session)))
    intent = session.get("payment_intent")
    if intent is None:
        return seen
    seen = join(seen, payment_intent_facts(intent))
    charge = intent.get("latest_charge")
    return seen if charge is None else join(seen, charge_facts(charge))


def _as_intent_says(ports: Ports, payment: Payment) -> Payment:
    """A payment that no Checkout Session asked for."""
    if payment.payment_intent_id is None:
        return payment  # its command is due by itself
    expand = {"expand": ["latest_charge"]}
    intent = ports.stripe.read(Operation.READ_PAYMENT_INTENT, payment.payment_intent_id, params=expand)
    seen = join(payment, failed_debit_facts(intent) or payment_intent_facts(intent))
    charge = intent.get("latest_charge")
    return seen if charge is None else join(seen, charge_facts(charge))


def _has_failed(session: Mapping[str, Any]) -> bool:
    """A complete session whose PaymentIntent wants another payment method: an asynchronous payment failed."""
    intent = session.get("payment_intent") or {}
    return session["status"] == "complete" and intent.get("status") == "requires_payment_method"
