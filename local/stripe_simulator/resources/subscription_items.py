"""Items of subscriptions, one by one, changed as ``POST /v1/subscriptions/{id}`` does it.

https://docs.stripe.com/api/subscription_items
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError
from ..routing import Routes
from ..subscriptions import selling
from ..subscriptions.records import SUBSCRIPTION_ITEMS, SUBSCRIPTIONS, items_of
from ..values import Object
from . import subscriptions

routes = Routes()
_PATH: Final = "/v1/subscription_items"
_UNSUPPORTED: Final = ("billing_thresholds", "current_trial", "plan")
_OF_THE_CHANGE: Final = ("off_session", "payment_behavior", "proration_behavior", "proration_date")


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """One more item, prorated from now on."""
    context.unsupported(*_UNSUPPORTED)
    found = context.state.get(SUBSCRIPTIONS, context.params["subscription"], param="subscription")
    known = {item["id"] for item in items_of(context.state, found)}
    if len(known) >= selling.MOST_ITEMS:
        raise InvalidRequestError(f"A subscription has at most {selling.MOST_ITEMS} items.", param="subscription")
    _change(context, found["id"], _described(context))
    return next(item for item in items_of(context.state, found) if item["id"] not in known)


@routes.api("GET", _PATH + "/{item}")
def retrieve(context: Context, item: str) -> Object:
    """The item as it stands."""
    return context.state.get(SUBSCRIPTION_ITEMS, item)


@routes.api("POST", _PATH + "/{item}")
def update(context: Context, item: str) -> Object:
    """Another price or quantity, prorated."""
    context.unsupported(*_UNSUPPORTED)
    found = context.state.get(SUBSCRIPTION_ITEMS, item)
    _change(context, found["subscription"], {"id": item, **_described(context)})
    return context.state.get(SUBSCRIPTION_ITEMS, item)


@routes.api("DELETE", _PATH + "/{item}")
def delete(context: Context, item: str) -> Object:
    """Take an item away; the rest of its period is credited."""
    context.unsupported("clear_usage")
    found = context.state.get(SUBSCRIPTION_ITEMS, item)
    _change(context, found["subscription"], {"id": item, "deleted": True})
    return {"id": item, "object": "subscription_item", "deleted": True}


@routes.api("GET", _PATH)
def list_items(context: Context) -> Object:
    """The items of a subscription."""
    found = context.state.get(SUBSCRIPTIONS, context.params["subscription"], param="subscription")
    return context.list(SUBSCRIPTION_ITEMS, {"subscription": found["id"]})


def _described(context: Context) -> Mapping[str, Any]:
    named = {"subscription", *_OF_THE_CHANGE}
    return {name: value for name, value in context.params.items() if name not in named}


def _change(context: Context, subscription: str, item: Mapping[str, Any]) -> None:
    terms = {name: context.params[name] for name in _OF_THE_CHANGE if name in context.params}
    subscriptions.update(replace(context, params={"items": [dict(item)], **terms}), subscription)
