"""Restricted keys may do what they were made for, and are told what they lack."""

from collections.abc import Mapping

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.control import Control
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.messages import Request, Response
from local.stripe_simulator.restricted_keys import Right, right_to

from .shop import ready_seller


def with_key(simulator: Simulator, **rights: Mapping[str, str]) -> stripe.StripeClient:
    key = simulator.keys.make({"name": "test", **rights})["key"]
    return stripe.StripeClient(key, http_client=InProcessClient(simulator), max_network_retries=0)


def control(simulator: Simulator, method: str, params: Mapping[str, object] | None = None) -> Response:
    answer = Control(simulator).answer(Request(method, "/_simulator/keys", {}, params=params or {}))
    assert answer is not None
    return answer


def test_a_key_without_a_right_is_refused_by_the_name_of_the_right_and_nothing_is_done(simulator: Simulator) -> None:
    client = with_key(simulator, permissions={"product": "read"})
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.products.create({"name": "Tea"}, {"idempotency_key": "k"})
    assert refused.value.http_status == 403
    assert "Having the 'rak_product_write' permission would allow" in str(refused.value.user_message)
    assert f"on account '{simulator.platform}'" in str(refused.value.user_message)
    assert "rk_test_" in str(refused.value.user_message)
    assert client.v1.products.list().data == []


def test_the_refusal_is_not_kept_under_the_request_s_key(simulator: Simulator, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.PermissionError):
        with_key(simulator).v1.products.create({"name": "Tea"}, {"idempotency_key": "k"})
    assert client.v1.products.create({"name": "Tea"}, {"idempotency_key": "k"}).name == "Tea"


def test_who_may_write_may_read_and_not_the_other_way_round(simulator: Simulator) -> None:
    client = with_key(simulator, permissions={"product": "write", "plan": "read"})
    product = client.v1.products.create({"name": "Tea"})
    assert client.v1.products.retrieve(product.id).id == product.id
    assert client.v1.prices.list().data == []
    with pytest.raises(stripe.PermissionError, match="rak_plan_write"):
        client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 1})


def test_what_is_asked_of_a_connected_account_goes_by_the_connect_permissions(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    account = ready_seller(simulator, client)
    own = with_key(simulator, permissions={"balance": "read"})
    connect = with_key(simulator, connect_permissions={"balance": "read"})
    assert own.v1.balance.retrieve().object == "balance"
    assert connect.v1.balance.retrieve(options={"stripe_account": account}).object == "balance"
    with pytest.raises(stripe.PermissionError, match=f"on account '{account}'"):
        own.v1.balance.retrieve(options={"stripe_account": account})
    with pytest.raises(stripe.PermissionError, match="rak_balance_read"):
        connect.v1.balance.retrieve()


def test_what_a_key_used_is_listed_and_a_key_that_was_not_made_may_do_everything(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    restricted = with_key(simulator, permissions={"product": "write", "balance": "read"})
    restricted.v1.products.list()
    client.v1.balance.retrieve()
    (listed,) = control(simulator, "GET").json()["data"]
    assert listed["used"] == [{"name": "product", "level": "read", "is_connect": False}]
    assert stripe.StripeClient("rk_test_any", http_client=InProcessClient(simulator)).v1.products.list().data == []


@pytest.mark.parametrize("rights", [{"permissions": {"charge": "all"}}, {"connect_permissions": ["charge"]}])
def test_no_key_is_made_of_what_are_no_rights(simulator: Simulator, rights: dict[str, object]) -> None:
    answer = control(simulator, "POST", rights)
    assert (answer.status, answer.json()["error"]["param"]) == (400, next(iter(rights)))


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/refunds", "charge"),
        ("GET", "/v1/customers/{customer}/payment_methods", "payment_method"),
        ("GET", "/v1/balance_transactions", "balance_transaction_source"),
        ("POST", "/v1/accounts", "connected_account"),
        ("POST", "/v1/accounts/{account}/login_links", "edit_link"),
        ("POST", "/v2/core/accounts", "v2_account_storer"),
        ("POST", "/v2/core/account_links", "v2_account_storer"),
        ("POST", "/v2/core/event_destinations", "webhook"),
        ("POST", "/v1/checkout/sessions/{session}/expire", "checkout_session"),
        ("GET", "/v2/core/events", "event"),
        ("POST", "/v1/account_links", "account_link"),
        ("POST", "/v1/webhook_endpoints", "webhook"),
    ],
)
def test_rights_are_called_as_stripe_calls_them(method: str, path: str, name: str) -> None:
    assert right_to(method, path, is_connect=False) == Right(name, "read" if method == "GET" else "write", False)


def test_what_is_expanded_needs_the_right_to_read_it_and_nothing_is_done_without(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    intent = client.v1.payment_intents.create(
        {"amount": 1_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
         "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    )  # fmt: skip
    own = with_key(simulator, permissions={"payment_intent": "read", "charge": "write"})
    shown = own.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert isinstance(shown.latest_charge, stripe.Charge)
    with pytest.raises(stripe.PermissionError, match="rak_payment_intent_read"):
        with_key(simulator, permissions={"charge": "write"}).v1.refunds.create(
            {"payment_intent": intent.id, "expand": ["payment_intent"]}
        )
    assert client.v1.refunds.list().data == []
    with pytest.raises(stripe.PermissionError, match="rak_charge_read"):
        with_key(simulator, permissions={"payment_intent": "read"}).v1.payment_intents.retrieve(
            intent.id, {"expand": ["latest_charge"]}
        )
