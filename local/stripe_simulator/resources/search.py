"""Search over seven resources, by Stripe's query language. https://docs.stripe.com/api/pagination/search"""

from functools import partial
from itertools import islice
from typing import Final

from ..context import Context
from ..errors import UnsupportedError
from ..lists import read_limit, read_token, token
from ..routing import Routes
from ..search import FIELDS
from ..search.query import read_query
from ..shelves import LAST, Collection
from ..state import State, public
from ..values import Object

MAXIMUM_COUNT: Final = 10_000  # total_count is exact up to here


def _count(state: State, page: Object) -> int:
    name, query = page["_found"]
    return sum(1 for _ in islice(state.search(name, query), MAXIMUM_COUNT))


SEARCH_RESULTS: Final = Collection("search_result", expands={"total_count": _count})
routes = Routes(SEARCH_RESULTS)
_PATHS: Final = {name: f"/v1/{name}s" for name in FIELDS}


def _search(context: Context, name: str) -> Object:
    """One page of what the query finds, newest first."""
    path, collection = _PATHS[name], context.state.collection_of(name)
    if collection is None:
        raise UnsupportedError(f"GET {path}/search")
    query = read_query(context.params["query"], path.rpartition("/")[2], FIELDS[name])
    _, before = read_token(context.params["page"]) if "page" in context.params else (None, LAST)
    limit = read_limit(context.params)
    found = list(islice(context.state.search(name, query, before=before), limit + 1))
    page, has_more = found[:limit], len(found) > limit
    return {
        "object": "search_result",
        "data": [public(each) for each in page],
        "has_more": has_more,
        "next_page": token(context.state.position(collection, page[-1]["id"]) or LAST) if has_more else None,
        "url": f"{path}/search",
        "_found": (name, query),
    }


for _name, _path in _PATHS.items():
    routes.api("GET", f"{_path}/search")(partial(_search, name=_name))
