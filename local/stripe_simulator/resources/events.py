"""Events, to be read again: the way to catch up after deliveries were lost.

https://docs.stripe.com/api/events and https://docs.stripe.com/api/v2/core/events
"""

from typing import Final

from ..context import Context
from ..errors import InvalidParameterError, ResourceMissingError
from ..events import EVENTS, RETENTION_SECONDS, THIN_EVENTS
from ..routing import Routes
from ..shelves import Collection
from ..values import Object

routes = Routes(EVENTS, THIN_EVENTS)
MAXIMUM_TYPES: Final = 20


@routes.api("GET", "/v1/events/{event}")
def retrieve(context: Context, event: str) -> Object:
    """One event, with the object as it stood then."""
    return _retrieve(context, EVENTS, event)


@routes.api("GET", "/v1/events")
def list_events(context: Context) -> Object:
    """Events, newest first; ``type`` may be a group, such as ``charge.*``."""
    params = context.params
    if "type" in params and "types" in params:
        raise InvalidParameterError("You may pass either type or types, but not both.", param="types")
    if len(params.get("types", ())) > MAXIMUM_TYPES:
        raise InvalidParameterError(f"You may pass up to {MAXIMUM_TYPES} types.", param="types")
    types = frozenset(params["types"]) if "types" in params else params.get("type")
    where = {"type": types, "delivery_success": params.get("delivery_success")}
    return context.list(EVENTS, where, since=_since(context))


@routes.api("GET", "/v2/core/events/{event}")
def retrieve_thin(context: Context, event: str) -> Object:
    """One event of API v2, with its data."""
    return _retrieve(context, THIN_EVENTS, event)


@routes.api("GET", "/v2/core/events")
def list_thin_events(context: Context) -> Object:
    """Events of API v2, newest first."""
    params = context.params
    types = frozenset(params["types"]) if "types" in params else None
    where = {"type": types, "related_object.id": params.get("object_id")}
    return context.list_v2(THIN_EVENTS, where, since=_since(context))


def _retrieve(context: Context, collection: Collection, event: str) -> Object:
    position = context.state.position(collection, event)
    if position is None or position[0] < _since(context):
        raise ResourceMissingError(collection.name, event)
    return context.state.get(collection, event)


def _since(context: Context) -> int:
    """Events can be read for 30 days."""
    return context.clock.now() - RETENTION_SECONDS
