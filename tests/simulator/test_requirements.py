"""What is asked of accounts in time, capabilities one by one, and how a platform and an account part."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import heard, listen, pay_seller, refused
from .shop import ready_seller

NAME, V1_NAME = "identity.individual.documents.primary_verification", "individual.verification.document"
HOUR = 3_600


@pytest.fixture
def seller(simulator: Simulator, client: stripe.StripeClient) -> str:
    return ready_seller(simulator, client)


def order(simulator: Simulator, account: str, what: str = "requirements", **more: Any) -> int:
    return simulator.request("POST", f"/_simulator/accounts/{account}/{what}", more).status


def ask(simulator: Simulator, account: str, **more: Any) -> None:
    assert order(simulator, account, name=NAME, v1_name=V1_NAME, **more) == 200


def requirements(client: stripe.StripeClient, account: str) -> Any:
    return client.v1.accounts.retrieve(account).requirements


def test_what_is_due_in_time_restricts_nothing_until_its_deadline(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    ask(simulator, seller, deadline=START + HOUR)
    found = requirements(client, seller)
    assert (found.currently_due, found.past_due, found.eventually_due) == ([V1_NAME], [], [V1_NAME])
    assert (found.current_deadline, found.disabled_reason) == (START + HOUR, None)
    include: Any = {"include": ["requirements"]}
    shown: Any = client.v2.core.accounts.retrieve(seller, include).requirements
    assert (shown.entries[0].description, shown.entries[0].minimum_deadline.status) == (NAME, "currently_due")
    assert shown.summary.minimum_deadline.time is not None
    pay_seller(client, seller)
    listen(simulator)
    simulator.advance(HOUR)
    late = requirements(client, seller)
    assert (late.currently_due, late.past_due, late.current_deadline) == ([V1_NAME], [V1_NAME], None)
    assert late.disabled_reason == "requirements.past_due"
    told = heard(simulator)
    assert ("seller: account.updated" in told, "seller: capability.updated" in told) == (True, True)
    with refused(match="capabilities"):
        pay_seller(client, seller)
    ask(simulator, seller, met=True)
    assert requirements(client, seller).past_due == []
    pay_seller(client, seller)


def test_what_is_due_eventually_is_only_said(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    ask(simulator, seller, status="eventually_due")
    found = requirements(client, seller)
    assert (found.currently_due, found.eventually_due, found.disabled_reason) == ([], [V1_NAME], None)
    pay_seller(client, seller)


def test_more_time_moves_the_deadline(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    ask(simulator, seller, deadline=START + HOUR)
    ask(simulator, seller, deadline=START + 2 * HOUR)
    simulator.advance(HOUR)
    assert requirements(client, seller).past_due == []
    simulator.advance(HOUR)
    assert requirements(client, seller).past_due == [V1_NAME]


def test_orders_that_say_nothing_are_refused(simulator: Simulator, seller: str) -> None:
    for wrong in ({}, {"name": "a", "status": "soon"}, {"name": "a", "deadline": "tomorrow"}):
        assert order(simulator, seller, **wrong) == 400


def test_capabilities_are_read_and_requested_one_by_one(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    capabilities = client.v1.accounts.capabilities
    (transfers,) = capabilities.list(seller).data
    assert (transfers.id, transfers.status, transfers.requested, transfers.requested_at) == (
        *("transfers", "active"),
        *(True, START),
    )
    with refused(match="No such capability"):
        capabilities.retrieve(seller, "card_payments")
    simulator.advance(60)
    made: Any = capabilities.update(seller, "card_payments", {"requested": True})
    assert (made.status, made.requested_at, made.account) == ("active", START + 60, seller)
    assert {each.id for each in capabilities.list(seller).data} == {"transfers", "card_payments"}
    ask(simulator, seller, status="past_due")
    late: Any = capabilities.retrieve(seller, "card_payments")
    assert (late.status, late.requirements.past_due) == ("inactive", [V1_NAME])
    assert late.requirements.disabled_reason == "requirements.fields_needed"
    assert capabilities.update(seller, "card_payments", {"requested": False}).status == "unrequested"
    assert [each.id for each in capabilities.list(seller).data] == ["transfers"]


@pytest.mark.parametrize(
    ("reason", "disabled"),
    [
        ("fraud_other", "rejected.platform_fraud"),
        ("terms_of_service", "rejected.platform_terms_of_service"),
        ("other", "rejected.platform_other"),
    ],
)
@pytest.mark.parametrize(("action", "is_paid"), [("pause", False), ("none", True)])
def test_a_platform_rejects_an_account_and_takes_that_back(
    client: stripe.StripeClient, seller: str, reason: str, disabled: str, action: Any, is_paid: bool
) -> None:
    rejected: Any = client.v1.accounts.reject(seller, {"reason": reason, "payouts_action": action})
    assert (rejected.requirements.disabled_reason, rejected.payouts_enabled) == (disabled, is_paid)
    with refused(match="capabilities"):
        pay_seller(client, seller)
    back: Any = client.v1.accounts.unreject(seller)
    assert (back.requirements.disabled_reason, back.payouts_enabled) == (None, True)
    with refused(match="rejected by your platform"):
        client.v1.accounts.unreject(seller)
    with refused(match="Invalid reason"):
        client.v1.accounts.reject(seller, {"reason": "dislike"})


def test_an_account_that_leaves_is_out_of_reach(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    listen(simulator)
    assert order(simulator, seller, "deauthorize") == 200
    (delivery,) = [each for each in simulator.take_deliveries() if "deauthorized" in each.event_type]
    assert (delivery.event_type, delivery.account) == ("account.application.deauthorized", seller)
    assert delivery.body.count(b'"object":"application"') + delivery.body.count(b'"object": "application"') == 1
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve(seller)
    with pytest.raises(stripe.PermissionError):
        client.v1.balance.retrieve({}, {"stripe_account": seller})
    with refused(match="No such account"):
        client.v2.core.accounts.retrieve(seller)
    closed: Any = {"closed": True}
    assert client.v2.core.accounts.list(closed).data == []
    assert client.v1.accounts.list().data == []
    with refused(match="No such destination"):
        pay_seller(client, seller)


def test_an_account_finds_itself(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    own: Any = client.v1.accounts.retrieve_current()
    assert (own.id, own.controller.to_dict(), own.charges_enabled) == (simulator.platform, {"type": "account"}, True)
    assert client.v1.accounts.retrieve(simulator.platform).id == simulator.platform
    assert client.v1.accounts.retrieve_current({}, {"stripe_account": seller}).id == seller


def test_every_way_to_give_a_bank_account_is_told(simulator: Simulator, client: stripe.StripeClient) -> None:
    listen(simulator)
    custom: Any = {"stripe_dashboard": {"type": "none"}, "fees": {"payer": "application"}}
    custom |= {"losses": {"payments": "application"}, "requirement_collection": "application"}
    made = client.v1.accounts.create({"controller": custom, "external_account": "btok_us_verified"})
    client.v1.accounts.update(made.id, {"external_account": "btok_us_verified"})
    told = [each for each in heard(simulator) if "external_account" in each]
    assert told == [f"seller: account.external_account.{what}" for what in ("created", "deleted", "created")]
