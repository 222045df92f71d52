"""Lists as both API versions page them: v1 by cursor ids, v2 by URLs."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from .errors import InvalidParameterError
from .shelves import FIRST, LAST, Collection
from .state import State, public
from .values import Object

DEFAULT_LIMIT = 10
MAXIMUM_LIMIT = 100


def page(
    state: State, collection: Collection, where: Mapping[str, Hashable], params: Mapping[str, Any], url: str
) -> Object:
    """One page of API v1: newest first, ``created`` as a moment or a range, cursors that exclude themselves.

    Raises:
        InvalidParameterError: limit out of range, both cursors, or a cursor that is no object of the account.
    """
    limit = read_limit(params)
    after, before = moment_bounds(params.get("created"))
    newer, older = params.get("ending_before"), params.get("starting_after")
    if newer and older:
        raise InvalidParameterError(
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            param="starting_after",
        )
    if older:
        before = min(before, _cursor(state, collection, older, "starting_after"))
    if newer:
        after = max(after, _cursor(state, collection, newer, "ending_before"))
    walk = state.select(collection, where, after=after, before=before, ascending=bool(newer))
    found = list(islice(walk, limit + 1))
    data = found[:limit][::-1] if newer else found[:limit]
    return list_object([public(item) for item in data], url, has_more=len(found) > limit)


def list_object(data: Sequence[Object], url: str, *, has_more: bool = False) -> Object:
    """Stripe's list, as an answer or inside an object."""
    return {"object": "list", "url": url, "has_more": has_more, "data": list(data)}


def page_v2(
    state: State, collection: Collection, where: Mapping[str, Hashable], params: Mapping[str, Any], url: str
) -> Object:
    """One page of API v2; ``page`` in its URLs is the id that the next page starts after."""
    limit = read_limit(params)
    token = params.get("page")
    before = _cursor(state, collection, token, "page") if token else LAST
    found = list(islice(state.select(collection, where, before=before), limit + 1))
    following = None
    if len(found) > limit:
        query = {"page": found[limit - 1]["id"], "limit": limit}
        following = f"{url}?{urlencode(query)}"
    return {"data": [public(item) for item in found[:limit]], "next_page_url": following, "previous_page_url": None}


def read_limit(params: Mapping[str, Any]) -> int:
    """The page size, from 1 to 100.

    Raises:
        InvalidParameterError: it is out of range.
    """
    limit: int = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAXIMUM_LIMIT:
        bound = "greater than or equal to 1" if limit < 1 else f"less than or equal to {MAXIMUM_LIMIT}"
        raise InvalidParameterError(
            f"This value must be {bound} (it currently is '{limit}').", code="parameter_invalid_integer", param="limit"
        )
    return limit


def moment_bounds(created: int | Mapping[str, int] | None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Positions that enclose the range: ``(second,)`` sorts before everything made in that second."""
    if created is None:
        return FIRST, LAST
    if isinstance(created, int):
        return (created,), (created + 1,)
    after: tuple[Any, ...] = FIRST
    before: tuple[Any, ...] = LAST
    for name, bound in created.items():
        if name in ("gt", "gte"):
            after = max(after, (bound + (name == "gt"),))
        else:
            before = min(before, (bound + (name == "lte"),))
    return after, before


def _cursor(state: State, collection: Collection, object_id: str, param: str) -> tuple[Any, ...]:
    position = state.position(collection, object_id)
    if position is None:
        noun = collection.name.replace("_", " ")
        raise InvalidParameterError(f"No such {noun}: '{object_id}'", code="resource_missing", param=param)
    return position
