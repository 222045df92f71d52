"""The gateway against the Stripe simulator and the SDK that it stands on."""

import json
from decimal import Decimal

import pytest

from local.stripe_simulator import parameters
from marketplace.operations import Operation
from marketplace.ports import Done

from ..fakes.stripe import PATHS
from .stripe_server import FAILED, Lab, Stripe, error, say


def test_what_stripe_made_comes_as_plain_json_data(simulated: Lab) -> None:
    made = simulated.create(metadata={"command_id": "command-1"})
    assert isinstance(made, Done)
    assert json.loads(json.dumps(made.object)) == made.object
    assert made.object["metadata"] == {"command_id": "command-1"}
    params = {"product": made.object["id"], "unit_amount": 1050, "currency": "usd"}
    price = simulated.gateway.ask(Operation.CREATE_PRICE, params=params, key="k")
    assert isinstance(price, Done)
    assert price.object["unit_amount"] == 1050
    assert Decimal(price.object["unit_amount_decimal"]) == 1050


def test_the_same_key_gives_the_same_object_and_other_parameters_under_it_are_no_refusal(simulated: Lab) -> None:
    first = simulated.create()
    assert simulated.create() == first
    assert simulated.create(name="Coffee") == FAILED
    assert simulated.create("command-1:2") != first
    assert simulated.calls == 4 * [Operation.CREATE_PRODUCT]


def test_a_list_of_the_simulator_is_followed_over_its_pages(simulated: Lab) -> None:
    names = [f"Tea {number}" for number in range(5)]
    for name in names:
        simulated.create(name, name=name)
    found = [each["name"] for each in simulated.gateway.each(Operation.LIST_PRODUCTS, params={"limit": 2})]
    assert found == names[::-1]


def test_accounts_of_v2_are_made_read_listed_and_linked(simulated: Lab) -> None:
    gateway = simulated.gateway
    recipient = {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
    params = {
        "contact_email": "nora@nordlicht.example", "display_name": "Nordlicht", "dashboard": "express",
        "identity": {"country": "us"}, "configuration": {"recipient": recipient}, "metadata": {"command_id": "c"},
        "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
        "include": ["configuration.recipient", "requirements"],
    }  # fmt: skip
    made = gateway.ask(Operation.CREATE_ACCOUNT, params=params, key="c:1")
    assert isinstance(made, Done), made
    assert gateway.ask(Operation.CREATE_ACCOUNT, params=params, key="c:1") == made
    read = gateway.read(Operation.READ_ACCOUNT, made.object["id"], params={"include": ["configuration.recipient"]})
    assert read["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]["status"]
    assert [each["metadata"] for each in gateway.each(Operation.LIST_ACCOUNTS, params={"limit": 1})] == [
        {"command_id": "c"}
    ]
    onboarding = {"refresh_url": "https://api.example/r", "return_url": "https://shop.example/"}
    link = gateway.ask(
        Operation.CREATE_ACCOUNT_LINK,
        params={
            "account": made.object["id"],
            "use_case": {"type": "account_onboarding", "account_onboarding": onboarding},
        },
        key="l",
    )
    assert isinstance(link, Done), link
    assert link.object["url"].startswith("http")


def test_every_operation_is_a_method_of_the_sdk_and_a_path_that_stripe_has(lab: Lab, stripe: Stripe) -> None:
    stripe.replies = [say(200, {"object": "list", "data": []})]
    assert set(PATHS) == set(Operation)
    for operation, (method, path) in PATHS.items():
        ids = path.count("{}") * ("id_1",)
        if method != "GET":
            lab.gateway.ask(operation, *ids, params={}, key="k")
        else:
            lab.gateway.read(operation, *ids)
        assert stripe.seen[-1][:2] == (method, path.format(*ids))


def test_the_validators_refuse_what_the_pinned_version_refuses() -> None:
    """They judge every request of the handlers' tests, so they must be able to say no."""
    with pytest.raises(parameters.InvalidParameterError):
        parameters.check("POST", "/v1/checkout/sessions", {"mode": "payment", "payment_method_types": ["card"]})


def test_the_machine_s_facts_and_stripe_s_messages_stay_out(
    lab: Lab, stripe: Stripe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stripe.replies = [error(400, "parameter_missing")]
    lab.create()
    assert "nordlicht" not in caplog.text
    _, _, headers, _ = stripe.seen[-1]
    assert "platform" not in json.loads(headers["X-Stripe-Client-User-Agent"])
    assert "X-Stripe-Client-Telemetry" not in headers
    assert headers["Stripe-Version"] == "2026-10-28.endive"


def test_one_element_of_a_list_costs_one_call(simulated: Lab) -> None:
    for number in range(3):
        simulated.create(f"k{number}", name=f"Tea {number}")
    simulated.calls.clear()
    newest = next(iter(simulated.gateway.each(Operation.LIST_PRODUCTS, params={"limit": 1})))
    assert newest["name"] == "Tea 2"
    assert simulated.calls == [Operation.LIST_PRODUCTS]


def test_what_is_a_connected_account_s_is_read_on_it(simulated: Lab) -> None:
    made = simulated.gateway.ask(
        Operation.CREATE_ACCOUNT,
        params={
            "display_name": "Nordlicht", "contact_email": "nora@nordlicht.example", "identity": {"country": "us"},
            "dashboard": "express",
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            },
            "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
        },
        key="account:1",
    )  # fmt: skip
    assert isinstance(made, Done), made
    account = made.object["id"]
    simulated.create("account:2", name="The platform's")
    assert simulated.gateway.read(Operation.READ_BALANCE, account=account)["object"] == "balance"
    assert list(simulated.gateway.each(Operation.LIST_PRODUCTS, account=account)) == []
    assert [each["name"] for each in simulated.gateway.each(Operation.LIST_PRODUCTS)] == ["The platform's"]
