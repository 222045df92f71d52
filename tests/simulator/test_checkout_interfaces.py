"""Embedded pages, forms and elements: their secrets, where their buyers go, and what each interface refuses."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import refused
from .shop import CANCEL, SUCCESS, line, submit
from .test_catalog import assert_whole


def new_embedded(client: stripe.StripeClient, ui_mode: str = "embedded_page", **more: Any) -> stripe.checkout.Session:
    back = {} if "redirect_on_completion" in more else {"return_url": SUCCESS}
    params: Any = {"mode": "payment", "ui_mode": ui_mode, "line_items": [line(1_000)], **back, **more}
    return client.v1.checkout.sessions.create(params)


@pytest.mark.parametrize("ui_mode", ["embedded_page", "form"])
def test_an_embedded_page_has_a_secret_and_returns(
    simulator: Simulator, client: stripe.StripeClient, ui_mode: str
) -> None:
    session = new_embedded(client, ui_mode)
    assert_whole(session)
    assert (session.url, session.success_url, session.redirect_on_completion) == (None, None, "always")
    assert str(session.client_secret).startswith(f"{session.id}_secret_")
    answer = submit(simulator, session.id, card="4242424242424242")
    assert answer.headers["Location"] == SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id)
    assert client.v1.checkout.sessions.retrieve(session.id).client_secret is None


def test_a_page_that_never_redirects_says_that_it_is_done(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_embedded(client, redirect_on_completion="never")
    answer = submit(simulator, session.id, card="4242424242424242")
    assert (answer.status, b"complete" in answer.body) == (200, True)
    stays = new_embedded(client, return_url=SUCCESS, redirect_on_completion="if_required")
    assert submit(simulator, stays.id, card="4242424242424242").status == 200


def act(simulator: Simulator, session: str, action: str, **fields: Any) -> dict[str, Any]:
    answer = simulator.request("POST", f"/_simulator/checkout/sessions/{session}/{action}", fields)
    found: dict[str, Any] = answer.json()
    return found


def test_elements_are_changed_and_confirmed_without_a_page(simulator: Simulator, client: stripe.StripeClient) -> None:
    item = {**line(1_000), "adjustable_quantity": {"enabled": True, "maximum": 5}}
    session = new_embedded(client, "elements", line_items=[item])
    (bought,) = client.v1.checkout.sessions.line_items.list(session.id).data
    changed = act(simulator, session.id, "update", **{f"quantity_{bought.id}": "3"})
    assert changed["amount_total"] == 3_000
    declined = act(simulator, session.id, "confirm", payment_method="pm_card_visa_chargeDeclined")
    assert declined["error"]["code"] == "card_declined"
    challenged = act(simulator, session.id, "confirm", payment_method="pm_card_authenticationRequired")
    assert challenged["status"] == "open"
    simulator.request("POST", f"/3ds/{challenged['payment_intent']}", {"action": "complete"})
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "paid", 3_000)
    assert act(simulator, session.id, "confirm")["error"]["code"] == "checkout_session_not_open"


@pytest.mark.parametrize(
    ("ui_mode", "change"),
    [
        ("embedded_page", {"success_url": SUCCESS}),
        ("embedded_page", {"cancel_url": CANCEL}),
        ("form", {"optional_items": [{"price": "price_1", "quantity": 1}]}),
        ("elements", {"custom_text": {"submit": {"message": "x"}}}),
        ("elements", {"after_expiration": {"recovery": {"enabled": True}}}),
        ("elements", {"submit_type": "pay"}),
        ("hosted_page", {"permissions": {"update_shipping_details": "server_only"}}),
        ("hosted_page", {"redirect_on_completion": "never"}),
    ],
)
def test_what_belongs_to_another_interface_is_refused(client: stripe.StripeClient, ui_mode: str, change: Any) -> None:
    (name,) = change
    with refused() as error:
        new_embedded(client, ui_mode, **change)
    assert error.value.param == name


def test_an_embedded_page_must_know_where_to_return(client: stripe.StripeClient) -> None:
    params: Any = {"mode": "payment", "ui_mode": "embedded_page", "line_items": [line(1_000)]}
    with refused(match="return_url"):
        client.v1.checkout.sessions.create(params)
    with refused(match="return_url"):
        new_embedded(client, return_url=SUCCESS, redirect_on_completion="never")
