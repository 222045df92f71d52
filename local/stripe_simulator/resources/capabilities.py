"""Capabilities of connected accounts, one by one. https://docs.stripe.com/api/capabilities"""

from typing import Final

from ..accounts import capability_views, get_record, save
from ..accounts.requests import asked_by_v1, with_capability
from ..context import Context
from ..errors import ResourceMissingError
from ..lists import list_object
from ..routing import Routes
from ..values import Object

routes = Routes()
_PATH: Final = "/v1/accounts/{account}/capabilities"


@routes.api("GET", _PATH)
def list_capabilities(context: Context, account: str) -> Object:
    """All that the account requested."""
    record = get_record(context, account)
    return list_object([capability_views.shown(record, name) for name in capability_views.named(record)], context.path)


@routes.api("GET", _PATH + "/{capability}")
def retrieve(context: Context, account: str, capability: str) -> Object:
    """One capability that the account requested."""
    record = get_record(context, account)
    if capability not in capability_views.named(record):
        raise ResourceMissingError("capability", capability)
    return capability_views.shown(record, capability)


@routes.api("POST", _PATH + "/{capability}")
def update(context: Context, account: str, capability: str) -> Object:
    """Request a capability, or give it up."""
    after = get_record(context, account)
    if "requested" in context.params:
        asked = {capability: {"requested": context.params["requested"]}}
        for configuration, name, requested in asked_by_v1(asked):
            kept = with_capability(after["capabilities"], configuration, name, requested=requested)
            after = save(context, after, {**after, "capabilities": kept})
    return capability_views.shown(after, capability)
