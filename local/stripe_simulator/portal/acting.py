"""What customers do in the portal, with the same effects as the API's."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..funds import methods
from ..invoices import drafts
from ..invoices.lines import DraftLine
from ..invoices.moments import now_for
from ..pages import text_of
from ..resources.customers import CUSTOMERS
from ..subscriptions import billing, changing, cycling
from ..subscriptions.records import SUBSCRIPTIONS, TRIALING, interval_of
from ..values import Object
from .configurations import CONFIGURATIONS

DETAILS: Final = ("name", "email", "phone")
_USUAL_YEARS_AHEAD: Final = 4
_LAST_MONTH: Final = 12
_FEATURES: Final[Mapping[str, str]] = {
    "cancel": "subscription_cancel",
    "keep": "subscription_cancel",
    "preview": "subscription_update",
    "change": "subscription_update",
    "card": "payment_method_update",
    "details": "customer_update",
}


def feature_for(context: Context, session: Object, action: str) -> Object:
    """The terms on which a portal offers an action.

    Raises:
        InvalidParameterError: it does not.
    """
    found = features(context, session).get(_FEATURES.get(action, ""))
    if not (found and found["enabled"]):
        raise InvalidParameterError("This portal does not offer that.", param="action")
    return dict(found)


def features(context: Context, session: Object) -> Object:
    """What the session's configuration offers now."""
    found: Object = context.state.get(CONFIGURATIONS, session["configuration"])["features"]
    return found


def cancel(context: Context, session: Object, feature: Object, before: Object) -> None:
    """End a subscription now, or at the end of its period, as the configuration says."""
    reason = text_of(context.params, "feedback") or None
    if feature["mode"] == "immediately":
        behavior = feature["proration_behavior"]
        said = {"feedback": reason}
        changing.cancel(
            context, before, invoice_now=behavior == "always_invoice", prorate=behavior != "none", details=said
        )
        return
    said = {**before["cancellation_details"], "feedback": reason, "reason": "cancellation_requested"}
    ends = min(item["current_period_end"] for item in before["items"]["data"])
    moment = _moment(context, session)
    changes = {"cancel_at_period_end": True, "cancel_at": ends, "canceled_at": moment, "cancellation_details": said}
    cycling.plan(context, cycling.move(context, before, before["status"], changes))


def keep(context: Context, before: Object) -> None:
    """Take back that a subscription ends with its period."""
    nothing_said = {"comment": None, "feedback": None, "reason": None}
    changes = {
        "cancel_at_period_end": False, "cancel_at": None, "canceled_at": None, "cancellation_details": nothing_said
    }  # fmt: skip
    cycling.plan(context, cycling.move(context, before, before["status"], changes))


def change_price(context: Context, session: Object, feature: Object, before: Object, price: Object) -> None:
    """Another of the prices that are offered, prorated as the configuration says."""
    after, lines = _changed(context, session, before, price)
    context.emit("customer.subscription.updated", after, previous=before)
    changing.settle(context, after, lines, feature["proration_behavior"], _moment(context, session))
    cycling.plan(context, context.state.get(SUBSCRIPTIONS, after["id"]))


def cost_of_change(context: Context, session: Object, feature: Object, before: Object, price: Object) -> int:
    """Minor units that ``change_price`` would bill, with discounts and taxes; a credit is below zero."""
    customer = context.state.get(CUSTOMERS, session["customer"])
    with context.state.transaction.tried():
        after, lines = _changed(context, session, before, price)
        made = drafts.draft(
            context,
            customer=customer,
            currency=after["currency"],
            lines=changing.to_bill(lines, feature["proration_behavior"]),
            discounts=billing.discounts_at(context, after, _moment(context, session)),
            **billing.terms_of(after, "subscription_update"),
        )
        total: int = made["total"]
        return total


def is_billed_now(feature: Object, before: Object, price: Object) -> bool:
    """Whether a change is billed at once: as is asked, or since another period begins with it."""
    begins = interval_of(price) != interval_of(before["items"]["data"][0]["price"])
    return feature["proration_behavior"] == changing.INVOICE_NOW or (begins and before["status"] != TRIALING)


def save_card(context: Context, session: Object) -> None:
    """A new card is the customer's default."""
    year = datetime.fromtimestamp(context.clock.now(), UTC).year + _USUAL_YEARS_AHEAD
    number = text_of(context.params, "card")
    card = methods.card(context, number=number, exp_month=_LAST_MONTH, exp_year=year, cvc=None, billing_details={})
    attached = methods.attach(context, card, session["customer"])
    before = context.state.get(CUSTOMERS, session["customer"])
    settings = {**before["invoice_settings"], "default_payment_method": attached["id"]}
    _update_customer(context, before, {"invoice_settings": settings})


def update_details(context: Context, session: Object, feature: Object) -> None:
    """The customer's own details, as far as they may be changed."""
    given = {name: text_of(context.params, name) or None for name in DETAILS if name in context.params}
    if forbidden := sorted(set(given) - set(feature["allowed_updates"])):
        raise InvalidParameterError("This portal does not let you change that.", param=forbidden[0])
    _update_customer(context, context.state.get(CUSTOMERS, session["customer"]), given)


def subscription_of(context: Context, session: Object, named: str) -> Object:
    """A subscription, if it is the customer's and goes on.

    Raises:
        InvalidRequestError: it is another's, or has ended.
    """
    found = context.state.find(SUBSCRIPTIONS, named)
    if found is None or found["customer"] != session["customer"]:
        raise InvalidParameterError("This is no subscription of yours.", param="subscription")
    changing.require_running(found)
    return found


def offered(context: Context, feature: Object, wanted: str) -> Object:
    """A price, if it is among those to change to.

    Raises:
        InvalidParameterError: it is not.
    """
    prices = [price for product in feature["products"] or () for price in product["prices"]]
    found = context.state.find("price", wanted)
    if wanted not in prices or found is None:
        raise InvalidParameterError("This price is not offered.", param="price")
    return found


def _changed(context: Context, session: Object, before: Object, price: Object) -> tuple[Object, list[DraftLine]]:
    given = [{"id": before["items"]["data"][0]["id"], "price": price["id"]}]
    return changing.change_items(context, before, given, _moment(context, session))


def _moment(context: Context, session: Object) -> int:
    return now_for(context, context.state.get(CUSTOMERS, session["customer"]))


def _update_customer(context: Context, before: Object, changes: Mapping[str, Any]) -> None:
    after = context.state.update(CUSTOMERS, before, changes)
    context.emit("customer.updated", after, previous=before)
