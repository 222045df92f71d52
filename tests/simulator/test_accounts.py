"""Connected accounts: one account in two APIs, what Stripe refuses, and what is told of changes."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.accounts import can_receive_transfers
from local.stripe_simulator.context import Context
from local.stripe_simulator.state import State

from .shop import RESPONSIBILITIES, new_seller, onboard, ready_seller, seller_params

RECIPIENT = "v2.core.account[configuration.recipient]"
BOTH_STRIPE = {"fees_collector": "stripe", "losses_collector": "stripe"}


@pytest.fixture
def listening(simulator: Simulator, client: stripe.StripeClient) -> Simulator:
    """A simulator whose platform hears everything of its connected accounts."""
    client.v1.webhook_endpoints.create({"url": "http://connect.test/", "enabled_events": ["*"], "connect": True})
    client.v2.core.event_destinations.create(
        {
            "name": "thin",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "events_from": ["@accounts"],
            "enabled_events": ["*"],
            "webhook_endpoint": {"url": "http://thin.test/"},
        }
    )
    return simulator


def told(simulator: Simulator) -> list[str]:
    return [each.event_type for each in simulator.take_deliveries() if not each.event_type.startswith("v1.")]


def transfers_status(client: stripe.StripeClient, account: str) -> Any:
    found = client.v2.core.accounts.retrieve(account, {"include": ["configuration.recipient"]})
    return found.to_dict()["configuration"]["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"]


def receives(simulator: Simulator, account: str) -> bool:
    with simulator.store.transaction() as transaction:
        state = State(transaction, simulator.platform)
        return can_receive_transfers(Context(simulator.world, state, {}, "", "2026-10-28.endive"), account)


def test_a_new_account_cannot_receive_transfers_until_it_is_onboarded(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    account = new_seller(client)
    assert transfers_status(client, account) == {
        "status": "restricted",
        "status_details": [{"code": "requirements_past_due", "resolution": "provide_info"}],
    }
    assert not receives(simulator, account)
    onboard(simulator, account)
    assert transfers_status(client, account) == {"status": "active", "status_details": []}
    assert receives(simulator, account)
    assert not receives(simulator, "acct_nobody")


def test_both_apis_show_the_same_account(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = new_seller(client)
    before = client.v1.accounts.retrieve(account)
    assert (before.email, before.country, before.type) == ("seller@example.test", "US", "none")
    assert before.controller
    assert before.controller.to_dict() == {
        "type": "application",
        "is_controller": True,
        "fees": {"payer": "application"},
        "losses": {"payments": "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
    }
    requirements = before.to_dict()["requirements"]
    assert (before.payouts_enabled, requirements["disabled_reason"]) == (False, "requirements.past_due")
    assert "external_account" in requirements["currently_due"]
    onboard(simulator, account)
    after = client.v1.accounts.retrieve(account)
    assert after.to_dict()["capabilities"] == {"transfers": "active"}
    assert (after.payouts_enabled, after.details_submitted) == (True, True)
    assert after.to_dict()["requirements"]["currently_due"] == []
    client.v1.accounts.update(account, {"email": "new@example.test", "metadata": {"a": "1"}})
    shown = client.v2.core.accounts.retrieve(account, {"include": ["identity"]})
    assert (shown.contact_email, shown.to_dict()["metadata"]) == ("new@example.test", {"a": "1"})
    assert shown.to_dict()["identity"]["individual"]["given_name"] == "Jenny"


def test_parts_that_were_not_included_are_null(client: stripe.StripeClient) -> None:
    params: Any = seller_params(include=["requirements"])
    shown = client.v2.core.accounts.create(params).to_dict()
    assert [shown[name] for name in ("configuration", "defaults", "identity", "future_requirements")] == [None] * 4
    described = [each["description"] for each in shown["requirements"]["entries"]]
    assert "identity.attestations.terms_of_service.account" in described


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            {"defaults": {"responsibilities": BOTH_STRIPE}},
            "account_controller_express_dash_without_application_losses_or_fees",
        ),
        (
            {
                "dashboard": "full",
                "defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "application"}},
            },
            "account_controller_stripe_pricing_platform_liable",
        ),
        ({"identity": {}}, "identity_country_required"),
        ({"configuration": {"customer": {}}}, "unsupported_field_for_configs"),
        ({"configuration": {"merchant": {}}, "defaults": {}}, "parameter_missing"),
        ({"nickname": "x"}, "parameter_unknown"),
        ({"dashboard": "partial"}, "invalid_request_error"),
    ],
)
def test_what_stripe_does_not_support_is_refused(
    client: stripe.StripeClient, change: dict[str, Any], code: str
) -> None:
    params: Any = seller_params(**change)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v2.core.accounts.create(params)
    assert (refused.value.code, refused.value.http_status) == (code, 400)
    assert isinstance(refused.value.json_body, dict)
    assert {"code", "message", "user_message"} <= set(refused.value.json_body["error"])
    assert client.v2.core.accounts.list().data == []


def test_responsibilities_are_settled_once(client: stripe.StripeClient) -> None:
    account = new_seller(client)
    same: Any = {"defaults": {"responsibilities": RESPONSIBILITIES}}
    client.v2.core.accounts.update(account, same)
    other: Any = {"defaults": {"responsibilities": BOTH_STRIPE}}
    with pytest.raises(stripe.InvalidRequestError, match="cannot be changed"):
        client.v2.core.accounts.update(account, other)


def test_v2_keys_replay_success_and_execute_failures_again(client: stripe.StripeClient) -> None:
    key: Any = {"idempotency_key": "k"}
    params: Any = seller_params()
    first, second = (client.v2.core.accounts.create(params, key).id for _ in range(2))
    assert first == second
    with pytest.raises(stripe.IdempotencyError):
        client.v2.core.accounts.create(params | {"display_name": "Other"}, key)


def test_events_of_a_life_in_their_order(listening: Simulator, client: stripe.StripeClient) -> None:
    account = new_seller(client)
    statuses = [f"{RECIPIENT}.capability_status_updated"] * 2  # transfers, and the payouts that come with them
    assert told(listening) == ["v2.core.account.created", *statuses]
    client.v2.core.accounts.update(account, {"display_name": "Tea"})
    assert told(listening) == ["v2.core.account.updated", "account.updated"]
    client.v2.core.accounts.update(account, {"display_name": "Tea"})
    assert told(listening) == []
    onboard(listening, account)
    changed = ["v2.core.account[identity].updated", "v2.core.account[requirements].updated"]
    told_v1 = ["account.updated", "capability.updated", "account.external_account.created"]
    assert told(listening) == [*changed, *statuses, *told_v1]
    recipient: Any = {"capabilities": {"bank_accounts": {"local": {"requested": True}}}}
    client.v2.core.accounts.update(account, {"configuration": {"recipient": recipient}})
    assert told(listening) == [f"{RECIPIENT}.updated", f"{RECIPIENT}.capability_status_updated"]
    client.v2.core.accounts.close(account, {"applied_configurations": ["recipient"]})
    assert told(listening) == ["v2.core.account.closed"]


def test_a_thin_event_leads_to_its_data_and_its_account(listening: Simulator, client: stripe.StripeClient) -> None:
    account = ready_seller(listening, client)
    (thin, *_) = [each for each in listening.take_deliveries() if each.event_type.endswith("status_updated")]
    told_of: Any = stripe.v2.core.EventNotification.from_json(thin.body, client)
    assert (str(told_of.context), told_of.related_object.id) == (account, account)
    assert told_of.fetch_event()["data"]["updated_capability"] == "stripe_balance.stripe_transfers"
    assert told_of.fetch_related_object().id == account


def test_a_snapshot_names_its_account_and_what_was(listening: Simulator, client: stripe.StripeClient) -> None:
    account = ready_seller(listening, client)
    (event,) = client.v1.events.list({"type": "account.updated"}, {"stripe_account": account}).data
    assert (event.account, event.data.object["id"]) == (account, account)
    assert event.data.to_dict()["previous_attributes"]["capabilities"] == {"transfers": "inactive"}


@pytest.mark.parametrize("status", ["restricted", "rejected", "pending", "unsupported"])
def test_a_status_can_be_ordered_and_taken_back(listening: Simulator, client: stripe.StripeClient, status: str) -> None:
    account = ready_seller(listening, client)
    listening.take_deliveries()
    path = f"/_simulator/accounts/{account}/capabilities"
    listening.request("POST", path, {"status": status, "code": "rejected_fraud", "resolution": "contact_stripe"})
    assert transfers_status(client, account) == {
        "status": status,
        "status_details": [{"code": "rejected_fraud", "resolution": "contact_stripe"}],
    }
    assert not receives(listening, account)
    assert told(listening) == [f"{RECIPIENT}.capability_status_updated", "account.updated", "capability.updated"]
    listening.request("POST", path, {"status": "computed"})
    assert transfers_status(client, account)["status"] == "active"
    for wrong in ({"status": "asleep"}, {"status": "active", "capability": "card_payments"}):
        assert listening.request("POST", path, wrong).status == 400


def test_a_closed_account_can_be_read_and_nothing_else(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = ready_seller(simulator, client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v2.core.accounts.close(account, {"applied_configurations": ["merchant"]})
    assert refused.value.code == "configs_must_match_to_close"
    client.v2.core.accounts.close(account, {"applied_configurations": ["recipient"]})
    assert client.v2.core.accounts.retrieve(account).closed
    assert not receives(simulator, account)
    assert client.v2.core.accounts.list().data == []
    assert [each.id for each in client.v2.core.accounts.list({"closed": True}).data] == [account]
    with pytest.raises(stripe.InvalidRequestError, match="closed"):
        client.v2.core.accounts.update(account, {"display_name": "x"})
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve(account)
    with pytest.raises(stripe.PermissionError):
        client.v1.products.list(options={"stripe_account": account})


def test_accounts_of_api_v1_by_controller_and_by_type(client: stripe.StripeClient) -> None:
    own = client.v1.accounts.create(
        {
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "none"},
                "requirement_collection": "application",
            },
            "capabilities": {"transfers": {"requested": True}},
            "business_type": "individual",
            "individual": {"first_name": "Ada", "last_name": "Byron"},
            "external_account": "btok_us_verified",
            "tos_acceptance": {"date": 1_800_000_000, "ip": "127.0.0.1"},
            "email": "ada@example.test",
        }
    )
    assert (own.to_dict()["capabilities"], own.to_dict()["tos_acceptance"]["date"]) == (
        {"transfers": "active"},
        1_800_000_000,
    )
    express = client.v1.accounts.create({"type": "express", "capabilities": {"card_payments": {"requested": True}}})
    assert (express.type, express.charges_enabled) == ("express", False)
    assert [each.id for each in client.v1.accounts.list().data] == [express.id, own.id]
    assert client.v1.accounts.delete(own.id).deleted
    assert [each.id for each in client.v1.accounts.list().data] == [express.id]
    for params in (
        {"type": "express", "controller": {"fees": {"payer": "application"}}},
        {"controller": {"stripe_dashboard": {"type": "express"}}},
        {"controller": {"requirement_collection": "application"}},
    ):
        wrong: Any = params
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.accounts.create(wrong)


def test_an_account_sees_itself_and_no_other(simulator: Simulator, client: stripe.StripeClient) -> None:
    one, other = ready_seller(simulator, client), ready_seller(simulator, client)
    as_one: Any = {"stripe_account": one}
    assert client.v1.accounts.retrieve(one, options=as_one).id == one
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve(other, options=as_one)
