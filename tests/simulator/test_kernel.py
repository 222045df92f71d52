"""What resources build on: due work, files, money, pages."""

from decimal import Decimal
from pathlib import Path

import pytest

from local.stripe_simulator import Clock, Simulator, money, resources
from local.stripe_simulator.context import Context
from local.stripe_simulator.errors import InvalidParameterError
from local.stripe_simulator.money import Rounding
from local.stripe_simulator.paths import PathTree
from local.stripe_simulator.routing import Html, Redirect, Router, Routes
from local.stripe_simulator.shelves import Collection
from local.stripe_simulator.tariff import Tariff
from local.stripe_simulator.values import Object

from .conftest import START

PARCELS = Collection("_parcel", found_anywhere=True)
routes = Routes(PARCELS)


@routes.page("GET", "/parcels/{parcel}")
def show(context: Context, parcel: str) -> Html:
    found = context.state.holder_of(PARCELS, parcel).get(PARCELS, parcel)
    return Html(f"<p>{found['id']} {found['state']}</p>")


@routes.page("POST", "/parcels/{parcel}")
def send(context: Context, parcel: str) -> Redirect:
    context.state.insert(PARCELS, {"id": parcel, "state": "sent"})
    context.schedule("parcel.arrive", at=context.clock.now() + int(context.params["takes"]), parcel=parcel)
    return Redirect(f"/parcels/{parcel}")


@routes.page("DELETE", "/parcels/{parcel}")
def lose(context: Context, parcel: str) -> Object:
    context.state.delete(PARCELS, parcel)
    raise InvalidParameterError("never mind")


@routes.due("parcel.arrive")
def arrive(context: Context, parcel: str) -> None:
    found = context.state.get(PARCELS, parcel)
    context.state.update(PARCELS, found, {"state": f"arrived at {context.clock.now()}"})
    if parcel == "first":
        context.schedule("parcel.arrive", at=context.clock.now() + 5, parcel="second")


@pytest.fixture
def post_office(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [*resources.all_routes(), routes]
    monkeypatch.setattr(resources, "all_routes", lambda: iter(found))


def test_moving_the_clock_does_each_thing_at_its_own_time(post_office: None) -> None:
    simulator = Simulator(clock=Clock.standing(START))
    simulator.request("POST", "/parcels/second", {"takes": 100})
    assert simulator.request("POST", "/parcels/first", {"takes": 10}).headers["Location"] == "/parcels/first"
    simulator.advance(9)
    assert b"first sent" in simulator.request("GET", "/parcels/first").body
    simulator.advance(50)
    assert f"arrived at {START + 10}".encode() in simulator.request("GET", "/parcels/first").body
    assert f"arrived at {START + 15}".encode() in simulator.request("GET", "/parcels/second").body
    with pytest.raises(ValueError, match="cannot go back"):
        simulator.move_clock_to(START)


def test_a_running_clock_can_be_moved_onto_a_moment_at_which_something_is_due(post_office: None) -> None:
    simulator = Simulator(clock=Clock.running())
    simulator.request("POST", "/parcels/one", {"takes": 100})
    simulator.advance(0)
    simulator.advance(100)
    assert b"arrived" in simulator.request("GET", "/parcels/one").body
    with pytest.raises(ValueError, match="cannot go back"):
        simulator.move_clock_to(START - 10**9)


def test_a_page_that_fails_changes_nothing(post_office: None) -> None:
    simulator = Simulator(clock=Clock.standing(START))
    simulator.request("POST", "/parcels/one", {"takes": 1})
    assert simulator.request("DELETE", "/parcels/one").status == 400
    assert simulator.request("GET", "/parcels/one").status == 200


def test_a_file_keeps_everything_that_was_answered(post_office: None, tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    first = Simulator(clock=Clock.standing(START), seed=7, database=file)
    first.request("POST", "/v1/webhook_endpoints", {"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    kept = first.request("POST", "/v1/products", {"name": "Tea"}, headers={"Idempotency-Key": "k"})
    gone = first.request("POST", "/v1/products", {"name": "Gone"}).json()["id"]
    first.request("DELETE", f"/v1/products/{gone}")
    first.request("POST", "/parcels/one", {"takes": 10})
    first.close()
    second = Simulator(clock=Clock.standing(START), seed=7, database=file)
    replayed = second.request("POST", "/v1/products", {"name": "Tea"}, headers={"Idempotency-Key": "k"})
    assert (replayed.body, replayed.headers["Idempotent-Replayed"]) == (kept.body, "true")
    assert [item["name"] for item in second.request("GET", "/v1/products").json()["data"]] == ["Tea"]
    assert [delivery.body for delivery in second.deliveries()] == [delivery.body for delivery in first.deliveries()]
    second.advance(10)
    assert b"arrived" in second.request("GET", "/parcels/one").body
    fresh = second.request("POST", "/v1/products", {"name": "New"}).json()["id"]
    assert fresh not in (kept.json()["id"], gone)
    second.close()


def test_the_same_seed_makes_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        simulator = Simulator(clock=Clock.standing(START), seed=seed)
        return [simulator.request("POST", "/v1/customers").json()["id"] for _ in range(3)]

    assert ids(1) == ids(1) != ids(2)


def test_a_route_that_stripe_does_not_have_cannot_be_registered() -> None:
    wrong = Routes()
    wrong.api("POST", "/v1/parcels")(lambda context: {})
    with pytest.raises(LookupError, match="/v1/parcels"):
        Router([wrong])


def test_what_is_written_out_wins_over_a_placeholder() -> None:
    tree: PathTree[str] = PathTree()
    for template in ("/a/{x}", "/a/b", "/a/{x}/c", "/a/b/d"):
        tree.add("GET", template, template)
    assert tree.find("GET", "/a/b") == ("/a/b", [])
    assert tree.find("GET", "/a/z") == ("/a/{x}", ["z"])
    assert tree.find("GET", "/a/b/c") == ("/a/{x}/c", ["b"])
    assert tree.find("GET", "/a/b/e") is None
    assert tree.find("POST", "/a/b") is None


@pytest.mark.parametrize(
    ("amount", "currency", "fee"),
    [(10_000, "usd", 320), (1_000, "usd", 59), (50, "usd", 31), (1_050, "usd", 60), (500, "jpy", 45), (20, "usd", 20)],
)
def test_stripes_fee_is_a_share_and_a_fixed_amount(amount: int, currency: str, fee: int) -> None:
    assert Tariff().fee(amount, currency) == fee


def test_a_share_is_whole_steps_of_its_currency_however_it_is_rounded() -> None:
    assert [Rounding(each).share(5, 1, 2, "usd") for each in Rounding] == [3, 2, 2]
    assert Rounding.HALF_UP.share(1_000, 1, 3, "isk") == 300
    assert Rounding.HALF_UP.whole(Decimal("12.5"), "kwd") == 10


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (1_001, "kwd", "parameter_invalid_integer"),
        (150, "ugx", "parameter_invalid_integer"),
        (-1, "usd", "parameter_invalid_integer"),
    ],
)
def test_what_cannot_be_charged_is_refused(amount: int, currency: str, code: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        money.check_charge(amount, currency)
    assert refused.value.code == code
