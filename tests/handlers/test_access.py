"""The table of who may call what and whose objects, walked with everybody's ids (S05).

What is not a caller's is answered as what is not there: in status, body and headers, after the same calls to the store
and to Stripe, with nothing changed. What the table says is a caller's is found. Routes are found in the table, ids in
queries and bodies in the OpenAPI document; estate.py says what each id names.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from local.cloud.places import PROJECT
from marketplace.domain.principals import Role
from marketplace.edge.access import ACCESS, OPEN, SEES, Whose
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api
from marketplace.operations import Operation
from marketplace.ports import Done, Refusal

from .backend import NOBODY, OPERATOR, Answer, Backend, User, merchant_user
from .estate import BODIES, BUYER_ID, QUERIES, Estate, SetAside, furnish

Route = tuple[str, str]

NOTHING = "0" * 26
NOBODYS = {"customer_id": "auth0|nobody", "payment_method_id": "pm_0"}
NAMES_NOTHING_HERE = {
    "duplicate_charge_id",  # a word for the buyer's bank
    "price_id",  # whoever buys names it: any merchant's is for sale to everybody
}
DOCUMENT: dict[str, Any] = json.loads((PROJECT / "docs" / "openapi.json").read_text())
BY_ID = [route for route in ACCESS if "{" in route[1]]
NOT_TO_BE_CALLED = [(route, role) for route, roles in ACCESS.items() for role in SEES if role not in roles]
MAY = [(route, role) for route in BY_ID for role in ACCESS[route]]
READS = [(route, role) for route, role in MAY if route[0] == "GET"]
NOT_EVERYBODYS = [(route, role) for route, role in MAY if ACCESS[route][role] is not Whose.EVERYBODYS]
SHARED = [(route, role) for route, role in NOT_EVERYBODYS if role is Role.MERCHANT]


def name(each: object) -> str:
    return " ".join(each) if isinstance(each, tuple) else str(each)


def each_case(cases: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("route", "role"), cases, ids=name)


@dataclass(frozen=True)
class Walk:
    """The backend with everything in it."""

    backend: Backend
    estate: Estate

    def user(self, role: Role, *, is_stranger: bool = False) -> User:
        match role:
            case Role.MERCHANT:
                return merchant_user(self.estate.stranger_id if is_stranger else self.estate.merchant_id)
            case Role.BUYER:
                return User({"sub": "auth0|nosy" if is_stranger else BUYER_ID, "cognito:groups": "[buyer]"})
            case _:
                return OPERATOR

    def ask(
        self, user: User, route: Route, ids: Mapping[str, str], *, query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:  # fmt: skip
        method, path = route
        sent = {**BODIES.get(route, {}), **(body or {})} if has_body(route) else None
        key = None if method == "GET" else "a-key"
        query = {**QUERIES.get(route, {}), **(query or {})} or None
        asked = self.backend.request(user, method, path.format(**ids), sent, key=key, query=query)
        return self.backend.call(self._function(route), asked)

    def seen(self, user: User, route: Route, ids: Mapping[str, str], **sent: Any) -> tuple[Any, ...]:
        """All that a caller can tell apart: the answer, and how long it takes by what is done for it."""
        store, stripe = self.backend.store, self.backend.stripe
        before, asked, calls = store.snapshot(), len(stripe.asked), []
        store.before = lambda call, changes: calls.append((call, len(changes)))
        answer = self.ask(user, route, ids, **sent)
        store.before = lambda call, changes: None
        assert store.snapshot() == before
        body = {name: said for name, said in answer.json.items() if name != "request_id"}
        return answer.status, body, dict(answer.headers), calls, [each.operation for each in stripe.asked[asked:]]

    def _function(self, route: Route) -> str:
        served = (name for name, module in self.backend.modules.items() if hasattr(module, "app"))
        return next(name for name in served if route in self.backend.modules[name].app.served)


@pytest.fixture
def walk(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Walk:
    monkeypatch.setattr(backend.modules["dead_letters.app"], "queue", SetAside())
    return Walk(backend, furnish(backend.store))


def has_body(route: Route) -> bool:
    return "requestBody" in operation(route)


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route[1]][route[0].lower()]
    return found


def absent(ids: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The same ids of what never was: of nobody, and of the owner's."""
    yield {name: re.sub(r"[0-9a-z]{26}", NOTHING, found) for name, found in ids.items()} | NOBODYS
    yield {name: re.sub(r"[0-9a-z]{26}$", NOTHING, found) for name, found in ids.items()} | NOBODYS


@each_case(NOT_TO_BE_CALLED)
def test_who_is_not_marked_is_refused_and_nothing_is_looked_at(walk: Walk, route: Route, role: Role) -> None:
    status, said, _, calls, asked = walk.seen(walk.user(role), route, walk.estate.alone)
    assert (status, said["type"], calls, asked) == (403, "/problems/not-allowed", [], [])


@pytest.mark.parametrize("route", ACCESS, ids=name)
def test_a_guest_is_refused_everywhere_whatever_he_names(walk: Walk, route: Route) -> None:
    there = walk.seen(NOBODY, route, walk.estate.alone)
    assert (there[0], there[1]["type"], there[3:]) == (401, "/problems/not-authenticated", ([], []))
    assert [walk.seen(NOBODY, route, ids) for ids in absent(walk.estate.alone)] == [there, there]


@each_case(NOT_EVERYBODYS)
def test_another_s_is_answered_like_what_is_not_there(walk: Walk, route: Route, role: Role) -> None:
    stranger = walk.user(role, is_stranger=True)
    for foreign in (walk.estate.alone, walk.estate.alone | walk.estate.shared):
        theirs = walk.seen(stranger, route, foreign)
        assert (theirs[0], theirs[1]["type"], theirs[4]) == (404, "/problems/not-found", [])
        assert [walk.seen(stranger, route, ids) for ids in absent(foreign)] == [theirs, theirs]
        nonsense = walk.seen(stranger, route, dict.fromkeys(foreign, "nonsense"))
        assert nonsense[:3] == theirs[:3]


@each_case(SHARED)
def test_of_a_cart_a_merchant_reaches_what_the_table_says(walk: Walk, route: Route, role: Role) -> None:
    user, cart = walk.user(role), walk.estate.alone | walk.estate.shared
    of_cart = any(f"{{{each}}}" in route[1] for each in walk.estate.shared)
    if of_cart and ACCESS[route][role] is Whose.ALONE:
        assert_not_there(walk, user, route, cart)
    elif route[0] == "GET":
        assert walk.ask(user, route, cart).status == 200
    if any(f"{{{each}}}" in route[1] for each in walk.estate.partners):
        assert_not_there(walk, user, route, cart | walk.estate.partners)


def assert_not_there(walk: Walk, user: User, route: Route, ids: dict[str, str]) -> None:
    """As an id that never was, of the same sale: the sale itself is the caller's to see."""
    theirs = walk.seen(user, route, ids)
    _, of_the_owner = absent(ids)
    there_is_none = walk.seen(user, route, of_the_owner)
    assert theirs == there_is_none
    assert (theirs[0], theirs[1]["type"]) == (404, "/problems/not-found")


@each_case(READS)
def test_what_the_table_says_is_a_caller_s_is_found(walk: Walk, route: Route, role: Role) -> None:
    charge = {"id": "du_1", "evidence": {}}
    walk.backend.stripe.answers[Operation.READ_DISPUTE] = [Done(charge)]
    assert walk.ask(walk.user(role), route, walk.estate.alone).status == 200


def named_in_queries() -> Iterator[tuple[Route, Role, str]]:
    for route, roles in ACCESS.items():
        for each in operation(route).get("parameters", []):
            if each["in"] == "query" and each["name"].endswith("_id"):
                yield from ((route, role, each["name"]) for role in roles if role is not Role.OPERATOR)


def named_in_bodies() -> Iterator[tuple[Route, Role, str]]:
    for route, roles in ACCESS.items():
        if has_body(route):
            schema = operation(route)["requestBody"]["content"]["application/json"]["schema"]
            fields = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]["properties"]
            named = [field for field in fields if field.endswith("_id") and field not in NAMES_NOTHING_HERE]
            yield from ((route, role, field) for role in roles if role is not Role.OPERATOR for field in named)


@pytest.mark.parametrize(("route", "role", "field"), [*named_in_queries()], ids=name)
def test_another_s_id_in_a_query_tells_nothing(walk: Walk, route: Route, role: Role, field: str) -> None:
    user, ids = walk.user(role, is_stranger=True), walk.estate.alone
    theirs = walk.seen(user, route, ids, query={field: ids[field]})
    for nobodys in absent(ids):
        assert walk.seen(user, route, ids, query={field: nobodys[field]}) == theirs
    assert theirs[1].get("data", []) == []


@pytest.mark.parametrize(("route", "role", "field"), [*named_in_bodies()], ids=name)
def test_another_s_id_in_a_body_tells_nothing(walk: Walk, route: Route, role: Role, field: str) -> None:
    """The path is the caller's own: only the body names what is not."""
    user = walk.user(role)
    foreign = {"merchant_id": walk.estate.stranger_id, "customer_id": "auth0|nosy", "payment_method_id": "pm_9",
               "coupon_id": walk.estate.others_coupon_id}  # fmt: skip
    walk.backend.stripe.answers[Operation.READ_PAYMENT_METHOD] = [Refusal("resource_missing") for _ in range(9)]
    theirs = walk.seen(user, route, walk.estate.alone, body={field: foreign[field]})
    assert theirs[0] in {403, 404}
    for nobodys in absent(foreign):
        assert walk.seen(user, route, walk.estate.alone, body={field: nobodys[field]}) == theirs


def test_every_id_in_a_path_a_query_or_a_body_is_known_to_this_walk(walk: Walk) -> None:
    in_paths = {each for _, path in ACCESS for each in re.findall(r"{(\w+)}", path)}
    elsewhere = {field for *_, field in (*named_in_queries(), *named_in_bodies())}
    assert in_paths | elsewhere <= walk.estate.alone.keys(), "say in estate.py what it names"


@pytest.mark.parametrize("route", [route for route in BY_ID if has_body(route)], ids=name)
def test_every_body_of_this_walk_is_taken(walk: Walk, route: Route) -> None:
    """Otherwise a route would refuse the body before it asks whose the object is."""
    answer = walk.ask(OPERATOR, route, next(absent(walk.estate.alone)))
    assert answer.json.get("type") != "/problems/invalid-request", f"say in estate.py what it takes: {answer.text}"


def test_every_route_of_the_functions_has_a_row_and_no_row_is_of_no_route(backend: Backend) -> None:
    served = {route for module in backend.modules.values() if hasattr(module, "app") for route in module.app.served}
    assert served <= ACCESS.keys() | OPEN.keys()
    assert served >= ACCESS.keys()


def test_a_route_without_a_row_cannot_be_registered(backend: Backend) -> None:
    api = Api(backend.modules["ledger.app"].settings, Invocation())
    with pytest.raises(LookupError, match="GET /secrets"):
        api.get("/secrets/<name>")
