"""What a buyer can choose on the page: quantities, optional items, shipping; and what the shop changes by the API."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import assert_exact, refused
from .shop import line, new_session, ready_seller, submit
from .test_catalog import assert_whole

GROUND: dict[str, Any] = {"display_name": "Ground", "fixed_amount": {"amount": 500, "currency": "usd"}}
AIR: dict[str, Any] = {"display_name": "Air", "fixed_amount": {"amount": 1_500, "currency": "usd"}}
OPTIONS: list[Any] = [{"shipping_rate_data": GROUND}, {"shipping_rate_data": AIR}]
ADDRESS = {"shipping_line1": "1 High St", "shipping_city": "Leeds", "shipping_postal_code": "LS1", "shipping_state": ""}


def adjustable(amount: int, quantity: int = 1, **bounds: int) -> dict[str, Any]:
    return {**line(amount, quantity=quantity), "adjustable_quantity": {"enabled": True, **bounds}}


def items_of(client: stripe.StripeClient, session: str) -> list[tuple[str | None, int | None, int]]:
    found = client.v1.checkout.sessions.line_items.list(session).data
    return [(each.description, each.quantity, each.amount_total) for each in found]


def latest(client: stripe.StripeClient, session: str, *expand: str) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.retrieve(session, {"expand": list(expand)})


def test_a_quantity_is_changed_within_its_bounds(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    data: Any = {"transfer_data": {"destination": seller}, "application_fee_amount": 300}
    session = new_session(
        client, line_items=[adjustable(1_000, 2, minimum=1, maximum=4), line(250, name="Cup")], payment_intent_data=data
    )
    tea, cup = client.v1.checkout.sessions.line_items.list(session.id).data
    assert tea.adjustable_quantity
    assert tea.adjustable_quantity.to_dict() == {"enabled": True, "maximum": 4, "minimum": 1}
    assert cup.adjustable_quantity is None
    for wrong in ("5", "0", "two"):
        answer = submit(simulator, session.id, action="update", **{f"quantity_{tea.id}": wrong})
        assert (answer.status, b"from 1 to 4" in answer.body) == (400, True)
    changed = submit(simulator, session.id, action="update", **{f"quantity_{tea.id}": "3", f"quantity_{cup.id}": "9"})
    assert (changed.status, b"32.50 USD" in changed.body) == (200, True)
    assert latest(client, session.id).status == "open"
    submit(simulator, session.id, card="4242424242424242", **{f"quantity_{tea.id}": "4"})
    assert items_of(client, session.id) == [("Tea", 4, 4_000), ("Cup", 1, 250)]
    done = latest(client, session.id, "payment_intent.latest_charge")
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert (done.amount_total, done.payment_intent.amount, done.payment_intent.amount_received) == (4_250,) * 3
    assert_exact(simulator)


def test_a_fee_is_never_more_than_what_is_left_to_pay(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    data: Any = {"transfer_data": {"destination": seller}, "application_fee_amount": 1_500}
    session = new_session(client, line_items=[adjustable(1_000, 2, minimum=1)], payment_intent_data=data)
    (tea,) = client.v1.checkout.sessions.line_items.list(session.id).data
    submit(simulator, session.id, card="4000000000000002")  # the PaymentIntent asks for 20.00 and has to be changed
    submit(simulator, session.id, card="4242424242424242", **{f"quantity_{tea.id}": "1"})
    done = latest(client, session.id, "payment_intent")
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert (done.payment_intent.amount, done.payment_intent.application_fee_amount) == (1_000, 1_000)
    assert_exact(simulator)


def test_what_is_taken_out_is_not_bought_and_an_order_cannot_be_empty(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = new_session(client, line_items=[adjustable(1_000), adjustable(300)])
    first, second = client.v1.checkout.sessions.line_items.list(session.id).data
    nothing = {f"quantity_{first.id}": "0", f"quantity_{second.id}": "0"}
    assert b"Your order is empty" in submit(simulator, session.id, card="4242424242424242", **nothing).body
    submit(simulator, session.id, card="4242424242424242", **{f"quantity_{first.id}": "0"})
    assert items_of(client, session.id) == [("Tea", 1, 300)]
    assert latest(client, session.id).amount_total == 300


def test_optional_items_are_added_and_taken_out_again(simulator: Simulator, client: stripe.StripeClient) -> None:
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 200, "product_data": {"name": "Card"}}).id
    more = client.v1.prices.create({"currency": "usd", "unit_amount": 50, "product_data": {"name": "Bow"}}).id
    options: Any = [
        {"price": price, "quantity": 1},
        {"price": more, "quantity": 2, "adjustable_quantity": {"enabled": True, "minimum": 2, "maximum": 6}},
    ]
    session = new_session(client, optional_items=options)
    assert session.optional_items
    assert [(each.price, each.quantity) for each in session.optional_items] == [(price, 1), (more, 2)]
    page = simulator.request("GET", f"/c/pay/{session.id}").body
    assert b"Add 1 Card" in page
    submit(simulator, session.id, action="update", optional_0="1", optional_1="1")
    assert items_of(client, session.id) == [("Tea", 1, 10_000), ("Card", 1, 200), ("Bow", 2, 100)]
    card, bow = client.v1.checkout.sessions.line_items.list(session.id).data[1:]
    taken_out = simulator.request("POST", f"/c/pay/{session.id}", {f"quantity_{card.id}": "0"})
    assert b"100.00 USD" in taken_out.body
    submit(simulator, session.id, card="4242424242424242", **{f"quantity_{bow.id}": "6"})
    assert items_of(client, session.id) == [("Tea", 1, 10_000), ("Bow", 6, 300)]
    assert latest(client, session.id).amount_total == 10_300


def test_shipping_is_chosen_and_paid(simulator: Simulator, client: stripe.StripeClient) -> None:
    allowed: Any = {"allowed_countries": ["GB", "FR"]}
    session = new_session(client, shipping_options=OPTIONS, shipping_address_collection=allowed)
    assert_whole(session, but=("redirect_on_completion",))
    ground, air = [str(each.shipping_rate) for each in session.shipping_options]
    assert session.shipping_cost
    assert (session.shipping_cost.shipping_rate, session.amount_total) == (ground, 10_500)
    page = simulator.request("GET", f"/c/pay/{session.id}").body
    assert b"Ground, 5.00 USD" in page
    abroad = submit(simulator, session.id, card="4242424242424242", shipping_country="US", **ADDRESS)
    assert (abroad.status, b"do not ship" in abroad.body) == (400, True)
    nowhere = submit(simulator, session.id, card="4242424242424242", **{**ADDRESS, "shipping_line1": ""})
    assert b"address is incomplete" in nowhere.body
    more = {"shipping_rate": air, "shipping_name": "Ann Lee", "shipping_country": "GB"}
    assert submit(simulator, session.id, card="4242424242424242", **more, **ADDRESS).status == 303
    done = latest(client, session.id, "payment_intent", "shipping_cost.shipping_rate")
    assert done.shipping_cost
    assert isinstance(done.shipping_cost.shipping_rate, stripe.ShippingRate)
    assert done.shipping_cost.shipping_rate.display_name == "Air"
    assert (done.amount_subtotal, done.amount_total) == (10_000, 11_500)
    assert done.total_details
    assert done.total_details.amount_shipping == 1_500
    assert done.collected_information
    details = done.collected_information.to_dict()["shipping_details"]
    assert (details["name"], details["address"]["city"], details["address"]["country"]) == ("Ann Lee", "Leeds", "GB")
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert (done.payment_intent.amount, done.payment_intent.to_dict()["shipping"]["name"]) == (11_500, "Ann Lee")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([{"shipping_rate_data": GROUND}] * 6, "up to 5"),
        ([{"shipping_rate": "shr_none"}], "No such shipping rate"),
        ([{"shipping_rate_data": {**GROUND, "fixed_amount": {"amount": 5, "currency": "eur"}}}], "no amount in usd"),
        ([{"shipping_rate": "shr_none", "shipping_rate_data": GROUND}], "either `shipping_rate`"),
    ],
)
def test_shipping_options_are_checked(client: stripe.StripeClient, options: Any, said: str) -> None:
    with refused(match=said):
        new_session(client, shipping_options=options)


def test_an_archived_rate_is_no_option_any_more(client: stripe.StripeClient) -> None:
    rate = client.v1.shipping_rates.create(GROUND)  # type: ignore[arg-type]  # as a dictionary
    assert new_session(client, shipping_options=[{"shipping_rate": rate.id}]).amount_total == 10_500
    client.v1.shipping_rates.update(rate.id, {"active": False})
    with refused(match="archived"):
        new_session(client, shipping_options=[{"shipping_rate": rate.id}])


def test_an_order_has_up_to_a_hundred_items_with_those_that_may_be_added(client: stripe.StripeClient) -> None:
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product_data": {"name": "Leaf"}}).id
    most = [{"price": price, "quantity": 1}] * 100
    assert new_session(client, line_items=most).amount_total == 100
    with refused(match="up to 100"):
        new_session(client, line_items=[*most, line(1)])
    with refused(match="up to 100"):
        new_session(client, line_items=most, optional_items=[{"price": price, "quantity": 1}])


def test_a_buyer_sees_a_new_total_before_paying_it(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_session(client, line_items=[adjustable(1_000)])
    (tea,) = client.v1.checkout.sessions.line_items.list(session.id).data
    fields = {f"quantity_{tea.id}": "2", "test_card": "4242424242424242"}
    shown = submit(simulator, session.id, total_shown="1000", **fields)
    assert (shown.status, b"The total has changed" in shown.body) == (200, True)
    assert latest(client, session.id).status == "open"
    assert submit(simulator, session.id, total_shown="2000", **fields).status == 303


def test_the_shop_changes_items_and_shipping_of_an_open_session(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    server: Any = {"update_shipping_details": "server_only"}
    params: Any = {
        "mode": "payment",
        "ui_mode": "embedded_page",
        "return_url": "http://shop.test/back",
        "line_items": [line(1_000, quantity=2), line(300, name="Cup")],
        "permissions": server,
        "shipping_address_collection": {"allowed_countries": ["US"]},
    }
    session = client.v1.checkout.sessions.create(params)
    tea, cup = client.v1.checkout.sessions.line_items.list(session.id).data
    address = {"line1": "1 Main St", "city": "Austin", "postal_code": "73301", "state": "TX", "country": "US"}
    change: Any = {
        "line_items": [{"id": cup.id, "quantity": 5}, line(700, name="Pot"), {"id": tea.id}],
        "shipping_options": [{"shipping_rate_data": GROUND}],
        "collected_information": {"shipping_details": {"name": "Ann", "address": address}},
    }
    changed = client.v1.checkout.sessions.update(session.id, change)
    assert (changed.amount_subtotal, changed.amount_total) == (4_200, 4_700)
    assert items_of(client, session.id) == [("Cup", 5, 1_500), ("Pot", 1, 700), ("Tea", 2, 2_000)]
    ids = [each.id for each in client.v1.checkout.sessions.line_items.list(session.id).data]
    assert (ids[0], ids[2]) == (cup.id, tea.id)
    submit(simulator, session.id, card="4242424242424242")
    done = latest(client, session.id, "payment_intent")
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert done.payment_intent.to_dict()["shipping"]["address"]["city"] == "Austin"
    for late in ({"line_items": [{"id": cup.id}]}, {"shipping_options": ""}):
        again: Any = late
        with refused() as error:
            client.v1.checkout.sessions.update(session.id, again)
        assert error.value.code == "checkout_session_not_open"


def test_updates_are_checked_like_creations(client: stripe.StripeClient) -> None:
    session = new_session(client)
    for change, said in (
        ({"line_items": [{"id": "li_none"}]}, "No such line item"),
        ({"line_items": [line(10)]}, "at least 50"),
        ({"payment_intent_data": {"description": "x"}}, "elements"),
        (
            {"collected_information": {"shipping_details": {"name": "A", "address": {"country": "US", "line1": "1"}}}},
            "embedded",
        ),
    ):
        wrong: Any = change
        with refused(match=said):
            client.v1.checkout.sessions.update(session.id, wrong)
    assert latest(client, session.id).amount_total == 10_000
