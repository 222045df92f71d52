"""Lists as both API versions page them: v1 by cursor ids, v2 by URLs."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import urlencode

from .errors import InvalidParameterError
from .shelves import FIRST, LAST, Collection, Position
from .state import State, public
from .values import Json, Object

DEFAULT_LIMIT: Final = 10
MAXIMUM_LIMIT: Final = 100
_OLDER: Final = "older"
_NEWER: Final = "newer"


def page(
    state: State,
    collection: Collection,
    where: Mapping[str, Hashable],
    params: Mapping[str, Any],
    url: str,
    *,
    since: float | None = None,
) -> Object:
    """One page of API v1: newest first, ``created`` as a moment or a range, cursors that exclude themselves.

    What was made before ``since`` is not listed.

    Raises:
        InvalidParameterError: limit out of range, both cursors, or a cursor that is no object of the account.
    """
    limit = read_limit(params)
    after, before = moment_bounds(params.get("created"), since)
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
    state: State,
    collection: Collection,
    where: Mapping[str, Hashable],
    params: Mapping[str, Any],
    url: str,
    *,
    since: float | None = None,
) -> Object:
    """One page of API v2; ``page`` in the URLs of its neighbors is a position, and the filters stand beside it.

    Raises:
        InvalidParameterError: limit out of range, or a page or a moment that is none.
    """
    limit = read_limit(params)
    created = {name: _moment(bound, f"created[{name}]") for name, bound in params.get("created", {}).items()}
    after, before = moment_bounds(created, since)
    way, edge = read_token(params["page"]) if "page" in params else (_OLDER, LAST)
    if way == _NEWER:
        walk = state.select(collection, where, after=max(after, edge), before=before, ascending=True)
        found = list(islice(walk, limit))[::-1]
    else:
        found = list(islice(state.select(collection, where, after=after, before=min(before, edge)), limit))
    following = previous = None
    if found:
        first, last = (state.position(collection, found[end]["id"]) or LAST for end in (0, -1))
        if any(True for _ in state.select(collection, where, after=after, before=last)):
            following = _page_url(url, params, token(last))
        if any(True for _ in state.select(collection, where, after=first, before=before, ascending=True)):
            previous = _page_url(url, params, token(first, _NEWER))
    return {"data": [public(item) for item in found], "next_page_url": following, "previous_page_url": previous}


def token(edge: tuple[Any, ...], way: str = _OLDER) -> str:
    """An opaque name of the page that begins behind a position, in one way or the other."""
    return urlsafe_b64encode(json.dumps([way, *edge]).encode()).decode().rstrip("=")


def read_token(written: str) -> tuple[str, Position]:
    """The way, and the position that the page begins behind.

    Raises:
        InvalidParameterError: it names no page.
    """
    try:
        way, created, sequence, object_id = json.loads(urlsafe_b64decode(written + "=" * (-len(written) % 4)))
        return str(way), (float(created), int(sequence), str(object_id))
    except (ValueError, TypeError) as error:
        raise InvalidParameterError(f"Invalid page: {written}", param="page") from error


def _page_url(url: str, params: Mapping[str, Any], page: str) -> str:
    return f"{url}?{urlencode(list(_written({**params, 'page': page})))}"


def _written(value: Json, name: str = "") -> Iterator[tuple[str, str]]:
    """A parameter as a form has it: ``types[0]=...``, ``created[gt]=...``."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _written(item, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        yield from _written(dict(enumerate(value)), name)
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _moment(written: str, param: str) -> float:
    try:
        return datetime.fromisoformat(written).timestamp()
    except ValueError as error:
        raise InvalidParameterError(f"Invalid timestamp: {written}", param=param) from error


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


def moment_bounds(
    created: float | Mapping[str, float] | None, since: float | None = None
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Positions that enclose the range: ``(second,)`` is before all that was made in it, ``(second, inf)`` after."""
    after: tuple[Any, ...] = FIRST if since is None else (since,)
    before: tuple[Any, ...] = LAST
    if isinstance(created, int | float):
        created = {"gte": created, "lte": created}
    for name, bound in (created or {}).items():
        edge = (bound, *LAST) if name in ("gt", "lte") else (bound,)
        if name in ("gt", "gte"):
            after = max(after, edge)
        else:
            before = min(before, edge)
    return after, before


def _cursor(state: State, collection: Collection, object_id: str, param: str) -> tuple[Any, ...]:
    position = state.position(collection, object_id)
    if position is None:
        noun = collection.name.replace("_", " ")
        raise InvalidParameterError(f"No such {noun}: '{object_id}'", code="resource_missing", param=param)
    return position
