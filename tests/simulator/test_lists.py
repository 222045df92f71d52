"""Lists of both API versions: whatever the page asked for, it is the one that looking at everything gives."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.resources.customers import CUSTOMERS
from local.stripe_simulator.state import State

from .conftest import START

MOMENTS = st.integers(START, START + 4)
RANGES = st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), MOMENTS, min_size=1)


def within(created: Any, moment: int) -> bool:
    """The filter ``created`` once more, in the slowest way."""
    if isinstance(created, dict):
        signs = {"gt": moment.__gt__, "gte": moment.__ge__, "lt": moment.__lt__, "lte": moment.__le__}
        return all(signs[name](bound) for name, bound in created.items())
    return created is None or bool(moment == created)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(MOMENTS, st.sampled_from("ab")), max_size=12),
    st.none() | MOMENTS | RANGES,
    st.none() | st.sampled_from("ab"),
    st.integers(1, 5),
    st.none() | st.tuples(st.sampled_from(["starting_after", "ending_before"]), st.integers(0, 11)),
)
def test_any_page_is_what_looking_at_everything_gives(
    stored: list[tuple[int, str]], created: Any, email: str | None, limit: int, cursor: tuple[str, int] | None
) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7)
    items: list[dict[str, Any]] = [
        {"id": f"cus_{number}", "object": "customer", "created": moment, "email": letter, "livemode": False}
        for number, (moment, letter) in enumerate(stored)
    ]
    with simulator.store.transaction() as transaction:
        for item in items:
            State(transaction, simulator.platform).insert(CUSTOMERS, item)
    newest_first = sorted(items, key=lambda item: -item["created"])
    for position, item in enumerate(sorted(items, key=lambda item: item["created"])[::-1]):
        newest_first[position] = item
    params: dict[str, Any] = {"limit": limit}
    lowest, highest = 0, len(items)
    if cursor and cursor[1] < len(items):
        name, number = cursor
        params[name] = f"cus_{number}"
        place = [item["id"] for item in newest_first].index(f"cus_{number}")
        lowest, highest = (place + 1, highest) if name == "starting_after" else (0, place)
    params |= {"created": created} if created is not None else {}
    params |= {"email": email} if email is not None else {}
    wanted = [
        item["id"]
        for item in newest_first[lowest:highest]
        if within(created, item["created"]) and email in (None, item["email"])
    ]
    answer = simulator.request("GET", "/v1/customers", params).json()
    page = wanted[-limit:] if "ending_before" in params else wanted[:limit]
    assert [item["id"] for item in answer["data"]] == page
    assert answer["has_more"] == (len(wanted) > len(page))


def test_a_list_is_walked_forth_and_back_by_the_sdk(client: stripe.StripeClient) -> None:
    made = [client.v1.products.create({"name": str(number)}).id for number in range(23)]
    assert [each.id for each in client.v1.products.list({"limit": 5}).auto_paging_iter()] == made[::-1]
    last = client.v1.products.list({"limit": 5, "ending_before": made[0]})
    assert [each.id for each in last.auto_paging_iter()] == made[1:]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "prod_none"}, "starting_after"),
        ({"ending_before": "prod_none"}, "ending_before"),
        ({"starting_after": "a", "ending_before": "b"}, "starting_after"),
    ],
)
def test_a_page_that_cannot_be_is_refused(simulator: Simulator, params: dict[str, Any], param: str) -> None:
    answer = simulator.request("GET", "/v1/products", params)
    assert (answer.status, answer.json()["error"]["param"]) == (400, param)


def test_what_a_list_holds_is_expanded_in_it(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Tea"})
    client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": product.id})
    (price,) = client.v1.prices.list({"expand": ["data.product"]}).data
    assert price.product.name == "Tea"  # type: ignore[union-attr]  # expanded
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.prices.list({"expand": ["data.currency.name"]})


def thin(simulator: Simulator, names: str) -> None:
    """A destination that wants thin events of products, and a product of each name."""
    destination = {
        "name": "thin",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": ["v1.product.created", "v1.product.deleted"],
        "webhook_endpoint": {"url": "http://127.0.0.1:9/"},
    }
    assert simulator.request("POST", "/v2/core/event_destinations", destination).status == 200
    for name in names:
        made = simulator.request("POST", "/v1/products", {"name": name}).json()
        simulator.request("DELETE", f"/v1/products/{made['id']}")
        simulator.advance(10)


def follow(simulator: Simulator, url: str) -> dict[str, Any]:
    """A page by its URL, as clients of API v2 ask for it."""
    parts = urlsplit(url)
    query: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        outer, _, inner = name.rstrip("]").partition("[")
        if inner:
            query.setdefault(outer, {})[inner] = value
        else:
            query[outer] = int(value) if name == "limit" else value
    if "types" in query:
        query["types"] = list(query["types"].values())
    answer = simulator.request("GET", parts.path, query)
    assert answer.status == 200, answer.body
    page: dict[str, Any] = answer.json()
    return page


def test_pages_of_api_v2_keep_their_filter_and_lead_forth_and_back(simulator: Simulator) -> None:
    thin(simulator, "abcde")
    path = "/v2/core/events?limit=2&types[0]=v1.product.created"
    pages = [follow(simulator, path)]
    while pages[-1]["next_page_url"]:
        pages.append(follow(simulator, pages[-1]["next_page_url"]))
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    ids = [event["id"] for page in pages for event in page["data"]]
    assert len(set(ids)) == 5
    assert {event["type"] for page in pages for event in page["data"]} == {"v1.product.created"}
    back = follow(simulator, pages[2]["previous_page_url"])
    assert back["data"] == pages[1]["data"]
    assert follow(simulator, back["previous_page_url"])["data"] == pages[0]["data"]
    assert (pages[0]["previous_page_url"], pages[2]["next_page_url"]) == (None, None)


def test_a_page_of_api_v2_stands_though_what_it_began_behind_is_gone(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    for _ in range(3):
        thin(simulator, "")
    first = simulator.request("GET", "/v2/core/event_destinations", {"limit": 1}).json()
    client.v2.core.event_destinations.delete(first["data"][0]["id"])
    assert follow(simulator, first["next_page_url"])["data"][0]["id"] != first["data"][0]["id"]
    assert simulator.request("GET", "/v2/core/event_destinations", {"page": "none"}).status == 400


def test_events_of_api_v2_are_found_by_their_moment(simulator: Simulator) -> None:
    thin(simulator, "abc")
    third = simulator.request("GET", "/v2/core/events", {"limit": 1}).json()["data"][0]["created"]

    def count(**created: str) -> int:
        return len(simulator.request("GET", "/v2/core/events", {"created": created}).json()["data"])

    assert [count(**{name: third}) for name in ("gt", "gte", "lt", "lte")] == [0, 2, 4, 6]
    assert simulator.request("GET", "/v2/core/events", {"created": {"gt": "today"}}).status == 400
