"""Checkout Sessions in mode setup: a payment method is saved on the page, nothing is paid."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import heard, listen, pay, refused
from .shop import SUCCESS, session_params, submit
from .test_catalog import assert_whole


def new_setup(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    params: Any = {"mode": "setup", "currency": "usd", "success_url": SUCCESS, **more}
    return client.v1.checkout.sessions.create(params)


def test_a_card_is_saved_for_a_customer_and_pays_later(simulator: Simulator, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ann@b.test"}).id
    listen(simulator)
    more: Any = {"customer": customer, "setup_intent_data": {"description": "card on file", "metadata": {"a": "1"}}}
    session = new_setup(client, **more)
    assert_whole(session, but=("redirect_on_completion",))
    assert (session.amount_total, session.payment_status, session.status) == (None, "no_payment_required", "open")
    assert session.payment_method_types == ["card", "us_bank_account"]
    intent = client.v1.setup_intents.retrieve(str(session.setup_intent))
    assert (intent.description, intent.customer, intent.status) == ("card on file", customer, "requires_payment_method")
    answer = submit(simulator, session.id, card="4242424242424242")
    assert (answer.status, session.id in answer.headers["Location"]) == (303, True)
    assert heard(simulator) == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.url) == ("complete", None)
    (saved,) = client.v1.customers.payment_methods.list(customer).data
    assert saved.allow_redisplay == "limited"
    assert pay(client, payment_method=saved.id, customer=customer, off_session=True).status == "succeeded"


def test_a_declined_card_can_be_followed_by_another(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_setup(client)
    declined = submit(simulator, session.id, card="4000000000000002")
    assert (declined.status, b"Your card was declined" in declined.body) == (402, True)
    challenged = submit(simulator, session.id, card="4000002500003155")
    assert challenged.headers["Location"] == f"/3ds/{session.setup_intent}"
    failed = simulator.request("POST", f"/3ds/{session.setup_intent}", {"action": "fail"})
    assert failed.headers["Location"] == f"/c/pay/{session.id}"
    assert b"unable to authenticate" in simulator.request("GET", f"/c/pay/{session.id}").body
    submit(simulator, session.id, card="4000002500003155")
    passed = simulator.request("POST", f"/3ds/{session.setup_intent}", {"action": "complete"})
    assert passed.headers["Location"].startswith("http://shop.test/paid")
    attempts = client.v1.setup_attempts.list({"setup_intent": str(session.setup_intent)}).data
    assert [each.status for each in attempts] == ["succeeded", "failed", "failed"]


def test_a_bank_account_is_saved_with_the_mandate_given_on_the_page(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    session = new_setup(client, currency="eur", customer_creation="always")
    assert submit(simulator, session.id, test_account="AT611904300234573201", email="eve@b.test").status == 303
    intent = client.v1.setup_intents.retrieve(str(session.setup_intent), {"expand": ["mandate", "customer"]})
    assert isinstance(intent.mandate, stripe.Mandate)
    assert intent.mandate.status == "active"
    assert isinstance(intent.customer, stripe.Customer)
    assert intent.customer.email == "eve@b.test"


def test_expiry_cancels_what_nobody_else_can(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_setup(client)
    with refused(match="Expire the session"):
        client.v1.setup_intents.cancel(str(session.setup_intent))
    client.v1.checkout.sessions.expire(session.id)
    assert client.v1.setup_intents.retrieve(str(session.setup_intent)).status == "canceled"
    assert submit(simulator, session.id, card="4242424242424242").status == 410


@pytest.mark.parametrize(
    "change",
    [
        {"line_items": session_params()["line_items"]},
        {"payment_intent_data": {"description": "x"}},
        {"discounts": [{"coupon": "x"}]},
        {"shipping_address_collection": {"allowed_countries": ["US"]}},
        {"submit_type": "book"},
    ],
)
def test_what_sells_something_is_refused(client: stripe.StripeClient, change: Any) -> None:
    with refused(match="in `setup` mode"):
        new_setup(client, **change)


def test_the_currency_or_the_payment_methods_must_be_named(client: stripe.StripeClient) -> None:
    params: Any = {"mode": "setup", "success_url": SUCCESS}
    with refused(match="currency"):
        client.v1.checkout.sessions.create(params)
    params["allowed_payment_method_types"] = ["card"]
    assert client.v1.checkout.sessions.create(params).payment_method_types == ["card"]
