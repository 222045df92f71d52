"""Changes of a subscription: its items with proration, its trial, its anchor, its collection, its end.

https://docs.stripe.com/billing/subscriptions/change
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..invoices import collecting, finalizing
from ..invoices.items import add_item
from ..invoices.lines import DraftLine
from ..invoices.moments import now_for
from ..invoices.records import INVOICES, OPEN, customer_of
from ..metadata import merged
from ..pricing.tax_rates import TAX_RATES
from ..state import public
from ..values import Object
from . import beginning, billing, cycling, selling
from .periods import period_at
from .records import (
    ACTIVE,
    ENDED,
    PAUSED,
    SUBSCRIPTION_ITEMS,
    SUBSCRIPTIONS,
    TRIALING,
    anchored_at,
    cycle_at,
    interval_of,
    items_of,
    period_of,
    with_items,
)

PRORATIONS, INVOICE_NOW, NONE = "create_prorations", "always_invoice", "none"


def change_items(
    context: Context, subscription: Object, given: Sequence[Mapping[str, Any]], moment: int, *, resets: bool = False
) -> tuple[Object, list[DraftLine]]:
    """The subscription with its items changed, and the lines that prorate it.

    Each entry names an item by ``id``, to change or delete it, or describes a new one. ``moment`` is what is prorated
    by; ``resets`` begins a new period of all of them then.

    Raises:
        InvalidRequestError: an item that is none of the subscription's, or nothing would be left.
    """
    before = {item["id"]: item for item in items_of(context.state, subscription)}
    lines: list[DraftLine] = []
    free = subscription["status"] == TRIALING
    touched: set[str] = set()
    for at, each in enumerate(given):
        item = _named(context, before, each, f"items[{at}]")
        if item is None:
            price = _price(context, subscription, each, f"items[{at}]")
            period = _period_for(subscription, price, moment)
            item = beginning.add_item(context, subscription, each, price, period)
            if not free and not resets:
                lines.append(billing.proration_line(context, subscription, item, moment, sign=1, period=period))
            touched.add(item["id"])
            continue
        touched.add(item["id"])
        old_period = period_of(item)
        if not free:
            lines.append(billing.proration_line(context, subscription, item, moment, sign=-1, period=old_period))
        if each.get("deleted"):
            context.state.delete(SUBSCRIPTION_ITEMS, item["id"])
            continue
        changed = _changed(context, subscription, item, each, moment, f"items[{at}]")
        if not free and not resets:
            lines.append(_charged(context, subscription, changed, moment, old_period))
    if resets:
        lines += _reset(context, subscription, moment, touched, free=free)
    left = items_of(context.state, subscription)
    if not left:
        raise InvalidRequestError("A subscription must have at least one active item.", param="items")
    return with_items(context, subscription), [line for line in lines if line.amount or not line.parent]


def proration_moment(subscription: Object, params: Mapping[str, Any], moment: int) -> int:
    """What a change is prorated by: ``proration_date``, or now.

    Raises:
        InvalidParameterError: it is outside of the current period.
    """
    asked: int = params.get("proration_date", moment)
    periods = [period_of(item) for item in subscription["items"]["data"]]
    if asked != moment and not any(start <= asked <= end for start, end in periods):
        raise InvalidParameterError(
            "Invalid proration_date: the time given must be within the current subscription period.",
            param="proration_date",
        )
    return asked


def settle(context: Context, subscription: Object, lines: Sequence[DraftLine], behavior: str, moment: int) -> Object:
    """Bill prorations: with the next invoice, or with one of their own now."""
    due = to_bill(lines, behavior)
    if not due:
        return subscription
    customer = customer_of(context, subscription["customer"])
    for line in due:
        add_item(context, customer, line, invoice=None, proration=not _begins(line))
    if behavior == INVOICE_NOW or (any(map(_begins, due)) and subscription["status"] != TRIALING):
        return bill_now(context, subscription, moment)
    return subscription


def to_bill(lines: Sequence[DraftLine], behavior: str) -> list[DraftLine]:
    """What of a change is billed: without prorations only periods that begin with it, which are billed at once.

    https://docs.stripe.com/billing/subscriptions/billing-cycle#changing
    """
    return [line for line in lines if behavior != NONE or _begins(line)]


def bill_now(context: Context, subscription: Object, moment: int, lines: Sequence[DraftLine] = ()) -> Object:
    """An invoice of what is pending, finalized and collected at once."""
    invoice = billing.invoice(context, subscription, lines, "subscription_update", moment)
    subscription = context.state.get(SUBSCRIPTIONS, subscription["id"])
    context.state.update(SUBSCRIPTIONS, subscription, {"latest_invoice": invoice["id"]})
    opened = finalizing.finalize(context, invoice)
    if opened["status"] == OPEN and subscription["collection_method"] == "charge_automatically":
        collecting.collect_by_itself(context, context.state.get(INVOICES, opened["id"]))
    return context.state.get(SUBSCRIPTIONS, subscription["id"])


def cancel(
    context: Context, subscription: Object, *, invoice_now: bool, prorate: bool, details: Mapping[str, Any] | None
) -> Object:
    """End a subscription at once; what is not used is credited if ``prorate``, billed if ``invoice_now``."""
    require_running(subscription)
    moment = now_for(context, customer_of(context, subscription["customer"]))
    if prorate and subscription["status"] != TRIALING:
        lines = [
            billing.proration_line(context, subscription, item, moment, sign=-1, period=period_of(item))
            for item in items_of(context.state, subscription)
        ]
        settle(context, subscription, lines, "create_prorations", moment)
    if invoice_now:
        subscription = bill_now(context, context.state.get(SUBSCRIPTIONS, subscription["id"]), moment)
    said = {name: (details or {}).get(name) or None for name in ("comment", "feedback")}
    current = context.state.get(SUBSCRIPTIONS, subscription["id"])
    if current["status"] in ENDED:
        return current
    return cycling.end(context, current, reason="cancellation_requested", details=said)


def resume(context: Context, subscription: Object, *, anchor_now: bool) -> Object:
    """Let a paused subscription go on: billed anew from now, or as its anchor was."""
    if subscription["status"] != PAUSED:
        raise InvalidRequestError(
            f"You cannot resume a subscription that is {subscription['status']}: only paused ones.",
            param="subscription",
        )
    moment = now_for(context, customer_of(context, subscription["customer"]))
    changes = anchored_at(moment) if anchor_now else {}
    subscription = context.state.update(SUBSCRIPTIONS, subscription, changes)
    for item in items_of(context.state, subscription):
        begin, end = cycle_at(subscription, item["price"], moment)
        context.state.update(SUBSCRIPTION_ITEMS, item, {"current_period_start": begin, "current_period_end": end})
    subscription = with_items(context, subscription)
    subscription = cycling.move(context, subscription, ACTIVE)
    context.emit("customer.subscription.resumed", subscription)
    lines = [billing.period_line(context, subscription, item) for item in items_of(context.state, subscription)]
    if anchor_now:
        subscription = bill_now(context, subscription, moment, lines)
    return cycling.plan(context, context.state.get(SUBSCRIPTIONS, subscription["id"]))


def end_trial(context: Context, subscription: Object, moment: int) -> Object:
    """End a trial now: the first paid period begins, and is billed."""
    subscription = context.state.update(SUBSCRIPTIONS, subscription, {"trial_end": moment, **anchored_at(moment)})
    for item in items_of(context.state, subscription):
        begin, end = period_at(moment, interval_of(item["price"]), moment)
        context.state.update(SUBSCRIPTION_ITEMS, item, {"current_period_start": begin, "current_period_end": end})
    subscription = with_items(context, subscription)
    subscription = cycling.move(context, subscription, ACTIVE)
    lines = [billing.period_line(context, subscription, item) for item in items_of(context.state, subscription)]
    return bill_now(context, subscription, moment, lines)


def require_running(subscription: Object) -> None:
    """Refuse to change what has ended.

    Raises:
        InvalidRequestError.
    """
    if subscription["status"] in ENDED:
        raise InvalidRequestError(
            f"No such subscription: '{subscription['id']}'"
            if subscription["status"] == "canceled"
            else f"This subscription is {subscription['status']}.",
            code="resource_missing",
            status=404,
            param="id",
        )


def _named(context: Context, items: Mapping[str, Object], given: Mapping[str, Any], param: str) -> Object | None:
    if "id" in given:
        if given["id"] not in items:
            raise InvalidParameterError(
                f"No such subscription item: '{given['id']}'", code="resource_missing", param=f"{param}[id]"
            )
        return context.state.get(SUBSCRIPTION_ITEMS, given["id"])
    priced = [item for item in items.values() if item["price"]["id"] == given.get("price")]
    if priced:
        raise InvalidParameterError(
            f"Cannot add multiple subscription items with the same price: {given['price']}.", param=f"{param}[price]"
        )
    return None


def _changed(
    context: Context, subscription: Object, item: Object, given: Mapping[str, Any], moment: int, param: str
) -> Object:
    changes: dict[str, Any] = {}
    if "quantity" in given:
        changes["quantity"] = given["quantity"]
    if "metadata" in given:
        changes["metadata"] = merged(item["metadata"], given["metadata"])
    if "tax_rates" in given:
        found = [context.state.get(TAX_RATES, each, param=f"{param}[tax_rates]") for each in given["tax_rates"] or ()]
        changes["tax_rates"] = [public(rate) for rate in found]
    if "discounts" in given:
        changes["discounts"] = beginning.item_discounts(context, subscription, item["id"], given["discounts"] or ())
    if "price" in given or "price_data" in given:
        price = _price(context, subscription, given, param)
        changes["price"] = public(price)
        if interval_of(price) != interval_of(item["price"]) and subscription["status"] != TRIALING:
            begin, end = period_at(moment, interval_of(price), moment)
            changes |= {"current_period_start": begin, "current_period_end": end, "billed_until": end}
            context.state.update(SUBSCRIPTIONS, context.state.get(SUBSCRIPTIONS, subscription["id"]),
                                 anchored_at(moment))  # fmt: skip
    return context.state.update(SUBSCRIPTION_ITEMS, item, changes)


def _price(context: Context, subscription: Object, given: Mapping[str, Any], param: str) -> Object:
    price = selling.recurring_price(context, given, param)
    if price["currency"] != subscription["currency"]:
        raise InvalidParameterError("The currency of a subscription cannot change.", param=f"{param}[price]")
    return price


def _charged(
    context: Context, subscription: Object, item: Object, moment: int, old_period: tuple[int, int]
) -> DraftLine:
    """What a changed item costs from now on: the rest of its period, or the whole of one that begins."""
    if period_of(item) != old_period:
        return billing.period_line(context, subscription, item)
    return billing.proration_line(context, subscription, item, moment, sign=1, period=old_period)


def _begins(line: DraftLine) -> bool:
    """Whether a line is of a whole period that begins."""
    details: Mapping[str, Any] = (line.parent or {}).get("subscription_item_details") or {}
    return not details.get("proration", True)


def _reset(context: Context, subscription: Object, moment: int, touched: set[str], *, free: bool) -> list[DraftLine]:
    """Every item's period begins anew; the rest of the old ones is credited."""
    lines = []
    for item in items_of(context.state, subscription):
        if not free and item["id"] not in touched:
            lines.append(billing.proration_line(context, subscription, item, moment, sign=-1, period=period_of(item)))
        begin, end = period_at(moment, interval_of(item["price"]), moment)
        moved = {"current_period_start": begin, "current_period_end": end, "billed_until": end}
        renewed = context.state.update(SUBSCRIPTION_ITEMS, item, moved)
        if not free:
            lines.append(billing.period_line(context, subscription, renewed))
    return lines


def _period_for(subscription: Object, price: Object, moment: int) -> tuple[int, int]:
    if subscription["status"] == TRIALING:
        return moment, subscription["trial_end"]
    is_over = any(item["current_period_end"] == moment for item in subscription["items"]["data"])
    return cycle_at(subscription, price, moment - 1 if is_over else moment)  # the next one is about to begin by itself
