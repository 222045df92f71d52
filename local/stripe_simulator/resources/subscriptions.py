"""Subscriptions. https://docs.stripe.com/api/subscriptions"""

from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, UnsupportedError
from ..funds.methods import PAYMENT_METHODS
from ..invoices.moments import NO_CLOCK, now_for
from ..invoices.records import customer_of
from ..metadata import merged
from ..pricing import discounts
from ..pricing.tax_rates import TAX_RATES
from ..routing import Routes
from ..state import public
from ..subscriptions import beginning, changing, cycling, terms
from ..subscriptions.records import SUBSCRIPTION_ITEMS, SUBSCRIPTIONS, TRIALING, anchored_at
from ..values import Object

routes = Routes(SUBSCRIPTIONS, SUBSCRIPTION_ITEMS)
_PATH: Final = "/v1/subscriptions"
_AS_GIVEN: Final = ("collection_method", "days_until_due")
_OR_NONE: Final = ("description", "default_payment_method", "pause_collection", "trial_settings")
_MERGED: Final = ("cancellation_details", "invoice_settings", "payment_settings")
_UNSUPPORTED: Final = (
    "backdate_start_date",
    *("billing_schedules", "billing_thresholds", "customer_account", "default_source", "pending_invoice_item_interval"),
    "trial_from_plan",
)


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Begin a subscription, with its first invoice."""
    context.unsupported(*_UNSUPPORTED)
    params = context.params
    for name in ("customer", "items"):
        if not params.get(name):
            raise InvalidParameterError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return beginning.begin(context, params)


@routes.api("GET", _PATH + "/{subscription}")
def retrieve(context: Context, subscription: str) -> Object:
    """The subscription as it stands."""
    return context.state.get(SUBSCRIPTIONS, subscription)


@routes.api("POST", _PATH + "/{subscription}")
def update(context: Context, subscription: str) -> Object:
    """Change items with proration, terms, trial, collection or end."""
    context.unsupported(*_UNSUPPORTED, "add_invoice_items")
    before = context.state.get(SUBSCRIPTIONS, subscription)
    changing.require_running(before)
    _require_unmanaged(context, before)
    return change(context, subscription)


def change(context: Context, subscription: str) -> Object:
    """The same for whoever may change it: a schedule too."""
    before, params = context.state.get(SUBSCRIPTIONS, subscription), context.params
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise UnsupportedError("payment_behavior pending_if_incomplete")
    moment = now_for(context, customer_of(context, before["customer"]))
    after = context.state.update(SUBSCRIPTIONS, before, _members(context, before, moment))
    resets = _resets(context)
    lines: list[Any] = []
    if "items" in params or resets:
        if resets:
            after = context.state.update(SUBSCRIPTIONS, after, anchored_at(moment))
        by = changing.proration_moment(before, params, moment)
        after, lines = changing.change_items(context, after, params.get("items") or (), by, resets=resets)
        after = context.state.get(SUBSCRIPTIONS, subscription)
    ends_trial = params.get("trial_end") == "now" and before["status"] == TRIALING
    if after != before or ends_trial:
        context.emit("customer.subscription.updated", after, previous=before)
    after = changing.settle(context, after, lines, params.get("proration_behavior", changing.PRORATIONS), moment)
    if ends_trial:
        after = changing.end_trial(context, context.state.get(SUBSCRIPTIONS, subscription), moment)
    return cycling.plan(context, context.state.get(SUBSCRIPTIONS, subscription))


@routes.api("DELETE", _PATH + "/{subscription}")
def cancel(context: Context, subscription: str) -> Object:
    """End a subscription now."""
    params = context.params
    return changing.cancel(
        context,
        context.state.get(SUBSCRIPTIONS, subscription),
        invoice_now=params.get("invoice_now", False),
        prorate=params.get("prorate", False),
        details=params.get("cancellation_details"),
    )


@routes.api("POST", _PATH + "/{subscription}/resume")
def resume(context: Context, subscription: str) -> Object:
    """Let a paused subscription go on."""
    context.unsupported("proration_date", "payment_behavior")
    found = context.state.get(SUBSCRIPTIONS, subscription)
    return changing.resume(context, found, anchor_now=context.params.get("billing_cycle_anchor", "now") == "now")


@routes.api("DELETE", _PATH + "/{subscription}/discount")
def delete_discount(context: Context, subscription: str) -> Object:
    """Take the discount away from a subscription."""
    found = context.state.get(SUBSCRIPTIONS, subscription)
    if not found["discounts"]:
        raise InvalidParameterError(
            f"No active discount for subscription: {subscription}", code="resource_missing", param="id", status=404
        )
    discount = context.state.get(discounts.DISCOUNTS, found["discounts"][0])
    context.state.update(SUBSCRIPTIONS, found, {"discounts": found["discounts"][1:]})
    return discounts.remove(context, discount)


@routes.api("GET", _PATH)
def list_subscriptions(context: Context) -> Object:
    """Subscriptions, newest first; without those that were canceled, and those of test clocks, unless asked for."""
    context.unsupported("automatic_tax", "current_period_end", "current_period_start", "customer_account", "plan")
    params = context.params
    where: dict[str, Any] = {
        name: params.get(name) for name in ("collection_method", "customer", "price", "test_clock")
    }
    if where["customer"] is None and where["test_clock"] is None:
        where["test_clock"] = NO_CLOCK
    status = params.get("status")
    if status is None:
        where["status"] = frozenset({"active", "incomplete", "incomplete_expired", "past_due", "paused", "trialing",
                                     "unpaid"})  # fmt: skip
    elif status == "ended":
        where["status"] = frozenset({"canceled", "incomplete_expired"})
    elif status != "all":
        where["status"] = status
    return context.list(SUBSCRIPTIONS, where)


@routes.due("subscription.cycle")
def cycle(context: Context, subscription: str, turn: int) -> None:
    """A period is over."""
    found = context.state.get(SUBSCRIPTIONS, subscription)
    if cycling.is_current(found, turn):
        cycling.cycle(context, found)


@routes.due("subscription.cancel")
def cancel_in_time(context: Context, subscription: str, turn: int) -> None:
    """A subscription's ``cancel_at`` has come."""
    found = context.state.get(SUBSCRIPTIONS, subscription)
    if cycling.is_current(found, turn):
        cycling.end(context, found, reason="cancellation_requested")


@routes.due("subscription.trial_will_end")
def warn(context: Context, subscription: str, turn: int) -> None:
    """A trial ends in three days, or in less than it was made for."""
    found = context.state.get(SUBSCRIPTIONS, subscription)
    if cycling.is_current(found, turn) and found["status"] == TRIALING and not found.get("_warned"):
        context.state.update(SUBSCRIPTIONS, found, {"_warned": True})
        context.emit("customer.subscription.trial_will_end", found)


@routes.due("subscription.expire")
def expire(context: Context, subscription: str) -> None:
    """Nobody paid the first invoice within its 23 hours."""
    cycling.expire(context, context.state.get(SUBSCRIPTIONS, subscription))


def _require_unmanaged(context: Context, subscription: Object) -> None:
    """Refuse what only the schedule of a subscription may change.

    Raises:
        InvalidRequestError: its end.
        UnsupportedError: its items and terms, which would be the current phase's from then on.
    """
    if subscription["schedule"] is None:
        return
    if {"cancel_at", "cancel_at_period_end"} & set(context.params):
        raise InvalidRequestError(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead.",
        )
    if set(context.params) - {"metadata", "expand", "default_payment_method"}:
        raise UnsupportedError("changes of a subscription that a schedule manages")


def _members(context: Context, before: Object, moment: int) -> dict[str, Any]:
    """The subscription's members that a request names, apart from its items."""
    params = context.params
    changes: dict[str, Any] = {name: params[name] for name in _AS_GIVEN if name in params}
    changes |= {name: params[name] or None for name in _OR_NONE if name in params}
    changes |= {name: {**before[name], **(params[name] or {})} for name in _MERGED if name in params}
    changes["metadata"] = merged(before["metadata"], params.get("metadata"))
    if params.get("default_payment_method"):
        context.state.get(PAYMENT_METHODS, params["default_payment_method"], param="default_payment_method")
    if changes.get("pause_collection"):
        changes["pause_collection"] = {"resumes_at": None, **changes["pause_collection"]}
    if params.get("trial_end") not in (None, "now"):
        changes |= {"trial_end": terms.trial_end_of(params, moment), **anchored_at(params["trial_end"])}
    return {**changes, **_ends(context, before, moment), **_money(context, before)}


def _money(context: Context, before: Object) -> dict[str, Any]:
    """What the request says of fees, tax and discounts."""
    params = context.params
    changes: dict[str, Any] = {}
    if "application_fee_percent" in params:
        changes["application_fee_percent"] = terms.fee_percent(params)
    if "transfer_data" in params:
        changes["transfer_data"] = terms.transfer_data(context, params["transfer_data"])
    if "on_behalf_of" in params:
        changes["on_behalf_of"] = terms.on_behalf_of(context, params["on_behalf_of"])
    if "automatic_tax" in params:
        changes["automatic_tax"] = terms.automatic_tax(params["automatic_tax"])
    if "default_tax_rates" in params:
        found = [context.state.get(TAX_RATES, each) for each in params["default_tax_rates"] or ()]
        changes["default_tax_rates"] = [public(rate) for rate in found]
    if "discounts" in params:
        customer = customer_of(context, before["customer"])
        given, currency = params["discounts"] or (), before["currency"]
        resolved = discounts.resolve(context, given, customer=customer, currency=currency, subtotal=0)
        kept = discounts.keep(context, resolved, customer=customer["id"], subscription=before["id"])
        changes["discounts"] = [each["id"] for each in kept]
    return changes


def _ends(context: Context, before: Object, moment: int) -> dict[str, Any]:
    """When the subscription is to end, as the request says it."""
    params = context.params
    changes: dict[str, Any] = {}
    if "cancel_at_period_end" in params:
        wanted = params["cancel_at_period_end"]
        ends = min(item["current_period_end"] for item in before["items"]["data"])
        changes |= {"cancel_at_period_end": wanted, "canceled_at": moment if wanted else None}
        changes["cancel_at"] = ends if wanted else None
        reason = "cancellation_requested" if wanted else None
        changes["cancellation_details"] = {**before["cancellation_details"], "reason": reason}
    if "cancel_at" in params:
        at = params["cancel_at"] or None
        if isinstance(at, str):
            raise UnsupportedError(f"cancel_at {at}")
        changes |= {"cancel_at": at, "canceled_at": moment if at else None}
    return changes


def _resets(context: Context) -> bool:
    given = context.params.get("billing_cycle_anchor")
    return bool(given == "now" or (isinstance(given, dict) and given.get("type") == "now"))
