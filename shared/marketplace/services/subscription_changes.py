"""Changes of a subscription: price, quantity, pause, end. What a change costs is Stripe's to say, and shown first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, override

from marketplace.domain import subscriptions
from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.catalog import Price, Product, require_for_sale
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import (
    CreditExceedsInvoice,
    InvalidBasket,
    NotFound,
    RequestUnderWay,
    SubscriptionNotChangeable,
)
from marketplace.domain.invoice_splits import SplitBy, split_by, standing_terms
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.stripe_objects import Object, at
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus, Terms
from marketplace.domain.transactions import ChargeType
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Ports, Ref, Replace, one
from marketplace.services.baskets import MOST_QUANTITY, require_sellable
from marketplace.services.commands import Handler, find_made, handles, perform_once, replay, require_done
from marketplace.services.idempotency import Once
from marketplace.services.invoice_following import read_stripes
from marketplace.services.subscription_following import follow_subscription
from marketplace.services.subscription_refunds import refund_unused
from marketplace.services.subscriptions import read_subscription, stored_subscription

CHANGEABLE: Final = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})


class Proration(StrEnum):
    """What becomes of the rest of the period when a subscription changes within it."""

    NEXT_INVOICE = "with_next_invoice"
    AT_ONCE = "at_once"
    NONE = "none"  # what was paid is paid


class WhilePaused(StrEnum):
    """What becomes of the invoices of a subscription while nothing is collected, on Stripe's words."""

    VOID = "void"
    DRAFT = "keep_as_draft"
    UNCOLLECTIBLE = "mark_uncollectible"


BEHAVIORS: Final[Mapping[Proration, str]] = {
    Proration.NEXT_INVOICE: "create_prorations",
    Proration.AT_ONCE: "always_invoice",
    Proration.NONE: "none",
}


@dataclass(frozen=True, kw_only=True)
class SubscriptionChange:
    """Another price, another quantity, or both; None stays. ``prorated_at`` is the moment that a preview was made for.

    A price of another merchant takes the subscription to it: for operators, without proration.
    """

    price_id: str | None = None
    quantity: int | None = None
    proration: Proration = Proration.NEXT_INVOICE
    prorated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PreviewedLine:
    """A line of what would be billed; ``amount`` in minor units, below zero a credit."""

    description: str
    amount: int
    is_proration: bool


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the next invoice would be with a change made at ``prorated_at``. Amounts are minor units.

    ``total`` is below zero where more is credited than charged.
    """

    prorated_at: datetime
    currency: str
    total: int
    amount_due: int
    lines: tuple[PreviewedLine, ...]


class UpdateSubscription(Handler[Subscription]):
    """A change at Stripe. The record is read again after it, so that an answer of long ago changes nothing."""

    operation = Operation.UPDATE_SUBSCRIPTION

    @override
    def load(self, ports: Ports, command: Command) -> Subscription:
        return stored_subscription(ports, command.subject)

    @override
    def succeeded(
        self, ports: Ports, subject: Subscription, command: Command, made: Mapping[str, Any]
    ) -> Sequence[Change]:
        return [Replace(subject, subscriptions.changed(subject))]

    @override
    def refused(self, ports: Ports, subject: Subscription, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, subscriptions.not_changed(subject))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return find_made([ports.stripe.read(Operation.READ_SUBSCRIPTION, *command.target)], command)


class CancelSubscription(UpdateSubscription):
    """The end of a subscription, at once. Where it had ended already Stripe refuses, and nothing is refunded."""

    operation = Operation.CANCEL_SUBSCRIPTION

    @override
    def succeeded(
        self, ports: Ports, subject: Subscription, command: Command, made: Mapping[str, Any]
    ) -> Sequence[Change]:
        return [Replace(subject, subscriptions.canceled(subject, ports.clock.now()))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        found = ports.stripe.read(Operation.READ_SUBSCRIPTION, *command.target)
        return found if found["status"] == SubscriptionStatus.CANCELED else None


UPDATE_SUBSCRIPTION: Final = UpdateSubscription()
CANCEL_SUBSCRIPTION: Final = CancelSubscription()
handles(CommandKind.UPDATE_SUBSCRIPTION, UPDATE_SUBSCRIPTION)
handles(CommandKind.CANCEL_SUBSCRIPTION, CANCEL_SUBSCRIPTION)


def change_subscription(
    ports: Ports, caller: Principal, subscription_id: str, wanted: SubscriptionChange, once: Once
) -> Subscription:
    """Change price or quantity.

    Raises:
        NotAllowed, InvalidBasket, PriceNotForSale, MerchantNotReady, CurrencyNotAccepted, SubscriptionNotChangeable,
        StripeRefused, IdempotencyKeyReused, OutcomeUnknown.
        NotFound: no such subscription or price, or another merchant's price, unless an operator asks.
        CreditExceedsInvoice: Stripe would keep what is left of the credit for invoices of other merchants.
        RequestUnderWay: also while another change has not ended.
    """
    caller.require(Role.OPERATOR, Role.BUYER)
    before = read_subscription(ports, caller, subscription_id)
    if one(ports.store, Ref(IdempotencyRecord, once.scope, once.subject)) is None:
        params, after = _changed(ports, caller, before, wanted)
        if wanted.proration is not Proration.NONE and (rest := -_previewed(ports, before, params).total) > 0:
            raise CreditExceedsInvoice(rest)
    else:
        params, after = {}, before
    return _perform(ports, UPDATE_SUBSCRIPTION, before, after, params, once)


def preview_change(ports: Ports, caller: Principal, subscription_id: str, wanted: SubscriptionChange) -> Preview:
    """What a change would bill, and when; nothing is changed. Raises as ``change_subscription`` does."""
    caller.require(Role.OPERATOR, Role.BUYER)
    before = read_subscription(ports, caller, subscription_id)
    now = ports.clock.now()
    asked = replace(wanted, prorated_at=wanted.prorated_at or now)
    params, _ = _changed(ports, caller, before, asked)
    return replace(_previewed(ports, before, params), prorated_at=asked.prorated_at or now)


def pause_subscription(
    ports: Ports, caller: Principal, subscription_id: str, behavior: WhilePaused, resumes_at: datetime | None,
    once: Once,
) -> Subscription:  # fmt: skip
    """Collect nothing for now: the subscription goes on, and what becomes of its invoices is said by ``behavior``.

    Raises:
        NotAllowed, NotFound, SubscriptionNotChangeable, StripeRefused, IdempotencyKeyReused, RequestUnderWay,
        OutcomeUnknown.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT, Role.SYSTEM)
    before = _running(read_subscription(ports, caller, subscription_id))
    pause = {"behavior": behavior.value, **({"resumes_at": int(resumes_at.timestamp())} if resumes_at else {})}
    return _perform(ports, UPDATE_SUBSCRIPTION, before, before, {"pause_collection": pause}, once)


def resume_subscription(ports: Ports, caller: Principal, subscription_id: str, once: Once) -> Subscription:
    """Collect again, and take back an end that was asked for at the end of the period.

    Raises as ``pause_subscription`` does. What a buyer ended only he takes back, or an operator.
    """
    before = _running(read_subscription(ports, caller, subscription_id))
    params: dict[str, Any] = {}
    if caller.role is not Role.BUYER:
        params["pause_collection"] = ""
    if caller.role is not Role.MERCHANT:
        params["cancel_at_period_end"] = False
    return _perform(ports, UPDATE_SUBSCRIPTION, before, before, params, once)


def cancel_subscription(
    ports: Ports, caller: Principal, subscription_id: str, *, at_period_end: bool, prorates: bool, once: Once
) -> Subscription:
    """End a subscription: with its period, or at once; then, if ``prorates``, what is not used any more is refunded.

    Raises as ``pause_subscription`` does.
    """
    before = _running(read_subscription(ports, caller, subscription_id))
    if at_period_end:
        return _perform(ports, UPDATE_SUBSCRIPTION, before, before, {"cancel_at_period_end": True}, once)
    unused = max(0, -_previewed_end(ports, before).total) if prorates else 0
    after = replace(before, refund_due=unused)
    canceled = _perform(ports, CANCEL_SUBSCRIPTION, before, after, {"invoice_now": False, "prorate": False}, once)
    return refund_unused(ports, canceled.id)


def _perform(
    ports: Ports, handler: UpdateSubscription, before: Subscription, after: Subscription, params: Mapping[str, Any],
    once: Once,
) -> Subscription:  # fmt: skip
    """Record a change and carry it out, or answer as the first request with this key was."""
    used = one(ports.store, Ref(IdempotencyRecord, once.scope, once.subject))
    if used is not None:
        require_done(replay(ports, handler, once, used))
        return _read_again(ports, before)
    if before.changed_by is not None:
        raise RequestUnderWay("another change of this subscription has not ended")
    command_id = ports.ids.new("command")
    is_cancellation = handler is CANCEL_SUBSCRIPTION
    command = record(
        command_id=command_id,
        subject=before.id,
        kind=CommandKind.CANCEL_SUBSCRIPTION if is_cancellation else CommandKind.UPDATE_SUBSCRIPTION,
        target=(str(before.stripe_subscription_id),),
        params=params if is_cancellation else {**params, "metadata": {"command_id": command_id}},
        result=before.id,
        now=ports.clock.now(),
    )
    taken = Replace(before, replace(after, changed_by=command_id))
    try:
        require_done(perform_once(ports, handler, once, command, taken.stored, taken))
    except Conflict as conflict:
        raise RequestUnderWay("another change of this subscription has not ended") from conflict
    return _read_again(ports, before)


def _read_again(ports: Ports, subscription: Subscription) -> Subscription:
    found = follow_subscription(ports, subscription.id, subscription.stripe_subscription_id)
    return found or stored_subscription(ports, subscription.id)


def _changed(
    ports: Ports, caller: Principal, before: Subscription, wanted: SubscriptionChange
) -> tuple[dict[str, Any], Subscription]:
    """What Stripe is asked for (`/v1/subscriptions`), and the record with the terms that it will be under."""
    _running(before)
    if before.status not in CHANGEABLE:
        raise SubscriptionNotChangeable(f"a subscription that is {before.status} cannot be changed")
    if wanted.quantity is not None and not 0 < wanted.quantity <= MOST_QUANTITY:
        raise InvalidBasket(f"a quantity is from 1 to {MOST_QUANTITY}")
    item: dict[str, Any] = {"id": before.stripe_item_id}
    if wanted.quantity is not None:
        item["quantity"] = wanted.quantity
    params: dict[str, Any] = {"items": [item], "proration_behavior": BEHAVIORS[wanted.proration]}
    if wanted.prorated_at is not None and wanted.proration is not Proration.NONE:
        params["proration_date"] = int(wanted.prorated_at.timestamp())
    if wanted.price_id is None:
        return params, before
    price, merchant, item["price"] = _to_buy(ports, wanted.price_id, before)
    if merchant.id == before.merchant_id:
        return params, before
    return _taken_over(ports, caller, before, wanted, merchant, price, params)


def _to_buy(ports: Ports, price_id: str, before: Subscription) -> tuple[Price, Merchant, str]:
    """A price that the subscription can go on at, with who sells and Stripe's id of it."""
    price = one(ports.store, Ref(Price, price_id))
    if price is None:
        raise NotFound("price")
    wanted, seller = Ref(Product, price.product_id), Ref(Merchant, price.merchant_id)
    found = ports.store.get(wanted, seller)
    product, merchant = found(wanted), found(seller)
    if product is None or merchant is None:
        raise NotFound("price")
    stripe_price_id = require_for_sale(price, product, is_recurring=True)
    if price.currency != before.currency:
        raise InvalidBasket(f"the subscription is in {before.currency}, and stays so")
    require_sellable(merchant, price.currency, ChargeType.SEPARATE, ports.policy)
    return price, merchant, stripe_price_id


def _taken_over(
    ports: Ports, caller: Principal, before: Subscription, wanted: SubscriptionChange, merchant: Merchant,
    price: Price, params: dict[str, Any],
) -> tuple[dict[str, Any], Subscription]:  # fmt: skip
    """The change to another merchant: with its terms, from the next invoice on, when all invoices so far are closed."""
    if caller.role is not Role.OPERATOR:
        raise NotFound("price")
    if wanted.proration is not Proration.NONE:
        raise SubscriptionNotChangeable("another merchant takes a subscription over without proration")
    latest = before.latest_invoice_id and read_stripes(ports, before.latest_invoice_id)
    if latest and latest["status"] in {InvoiceStatus.DRAFT, InvoiceStatus.OPEN}:
        raise SubscriptionNotChangeable("the merchant so far has an invoice that is not paid yet")
    policy = merchant.fee_policy or ports.policy.fee
    split = split_by(policy, price.currency) if merchant.is_ready else SplitBy.AMOUNT
    terms = Terms(merchant_id=merchant.id, fee_policy=policy.as_data(), split=split)
    account_id = merchant.account_id if merchant.is_ready else None
    standing = {"transfer_data": "", "application_fee_percent": "", **standing_terms(split, policy, account_id)}
    return {**params, **standing}, replace(before, terms_to_be=terms)


def _previewed(ports: Ports, subscription: Subscription, params: Mapping[str, Any]) -> Preview:
    details = {name: params[name] for name in ("items", "proration_behavior", "proration_date") if name in params}
    return _preview(ports, subscription, details)


def _previewed_end(ports: Ports, subscription: Subscription) -> Preview:
    return _preview(ports, subscription, {"cancel_now": True})


def _preview(ports: Ports, subscription: Subscription, details: Mapping[str, Any]) -> Preview:
    params = {"subscription": str(subscription.stripe_subscription_id), "subscription_details": details}
    found = ports.stripe.read(Operation.PREVIEW_INVOICE, params=params)
    return Preview(
        prorated_at=at(found["created"]),
        currency=found["currency"],
        total=found["total"],
        amount_due=found["amount_due"],
        lines=tuple(map(_line, found["lines"]["data"])),
    )


def _line(line: Object) -> PreviewedLine:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return PreviewedLine(
        description=line.get("description") or "", amount=line["amount"], is_proration=bool(details.get("proration"))
    )


def _running(subscription: Subscription) -> Subscription:
    if not subscription.is_running or subscription.stripe_subscription_id is None:
        raise SubscriptionNotChangeable(f"the subscription is {subscription.status}")
    return subscription
