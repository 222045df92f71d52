"""SetupIntents through stripe-python: what is saved, what is declined, who must authenticate, what a mandate says."""

from itertools import product
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.setups import attempts, intents, mandates

from .paying import context_of, heard, listen, pay, refused
from .test_catalog import assert_whole

ONLINE = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "test"}}
MANDATE: dict[str, Any] = {"customer_acceptance": ONLINE}


def customer(client: stripe.StripeClient) -> str:
    return client.v1.customers.create({"name": "Ann"}).id


def set_up(client: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.SetupIntent:
    params: Any = {"payment_method": method, "confirm": True, **more}
    return client.v1.setup_intents.create(params)


def challenge(simulator: Simulator, intent: str, action: str = "complete") -> None:
    assert simulator.request("POST", f"/3ds/{intent}", {"action": action}).status in (200, 303)


def status(client: stripe.StripeClient, intent: str) -> str:
    return client.v1.setup_intents.retrieve(intent).status


def test_a_card_is_saved_for_its_customer(simulator: Simulator, client: stripe.StripeClient) -> None:
    owner = customer(client)
    listen(simulator)
    intent = set_up(client, customer=owner, metadata={"a": "1"}, expand=["latest_attempt", "payment_method"])
    assert_whole(intent)
    assert (intent.status, intent.usage, intent.mandate) == ("succeeded", "off_session", None)
    assert isinstance(intent.latest_attempt, stripe.SetupAttempt)
    assert_whole(intent.latest_attempt)
    assert intent.latest_attempt.status == "succeeded"
    assert isinstance(intent.payment_method, stripe.PaymentMethod)
    assert intent.payment_method.customer == owner
    assert heard(simulator) == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]


def test_a_declined_card_leaves_the_intent_open_and_both_attempts(client: stripe.StripeClient) -> None:
    owner = customer(client)
    intent = client.v1.setup_intents.create({"customer": owner})
    assert intent.status == "requires_payment_method"
    with refused(stripe.CardError) as declined:
        client.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})
    error = declined.value.error
    assert error
    assert (error.code, error.decline_code) == ("card_declined", "insufficient_funds")
    assert error.setup_intent
    assert error.setup_intent.id == intent.id
    failed = client.v1.setup_intents.retrieve(intent.id)
    assert (failed.status, failed.payment_method) == ("requires_payment_method", None)
    assert failed.last_setup_error
    assert failed.last_setup_error.payment_method
    client.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    tried = client.v1.setup_attempts.list({"setup_intent": intent.id}).data
    assert [each.status for each in tried] == ["succeeded", "failed"]
    assert tried[1].setup_error
    assert tried[1].setup_error.decline_code == "insufficient_funds"
    assert len(client.v1.customers.payment_methods.list(owner).data) == 1
    assert len(client.v1.events.list({"type": "setup_intent.setup_failed"}).data) == 1


def test_a_card_set_up_with_its_holder_pays_without_him(simulator: Simulator, client: stripe.StripeClient) -> None:
    owner, card = customer(client), "pm_card_authenticationRequiredOnSetup"
    with refused(stripe.CardError):
        pay(client, payment_method=card, customer=owner, off_session=True)
    intent = set_up(client, card, customer=owner, return_url="http://shop.test/saved")
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    assert str(intent.next_action.redirect_to_url.url).endswith(f"/3ds/{intent.id}")
    answer = simulator.request("POST", f"/3ds/{intent.id}", {"action": "complete"})
    assert f"setup_intent={intent.id}" in answer.headers["Location"]
    assert "redirect_status=succeeded" in answer.headers["Location"]
    saved = str(client.v1.setup_intents.retrieve(intent.id).payment_method)
    assert pay(client, payment_method=saved, customer=owner, off_session=True).status == "succeeded"
    assert pay(client, payment_method=saved, customer=owner).status == "requires_action"
    attempt = client.v1.setup_attempts.list({"setup_intent": intent.id}).data[0]
    assert attempt.payment_method_details.card
    assert attempt.payment_method_details.card.three_d_secure
    assert attempt.payment_method_details.card.three_d_secure.result == "authenticated"


def test_a_failed_challenge_asks_for_another_card(simulator: Simulator, client: stripe.StripeClient) -> None:
    intent = set_up(client, "pm_card_authenticationRequired", customer=customer(client))
    assert intent.next_action
    assert intent.next_action.type == "use_stripe_sdk"
    challenge(simulator, intent.id, "fail")
    failed = client.v1.setup_intents.retrieve(intent.id)
    assert failed.last_setup_error
    assert (failed.status, failed.last_setup_error.code) == (
        "requires_payment_method",
        "setup_intent_authentication_failure",
    )
    challenge(simulator, intent.id)  # nothing is asked any more
    assert status(client, intent.id) == "requires_payment_method"


def test_the_request_may_ask_for_a_challenge_or_rule_it_out(client: stripe.StripeClient) -> None:
    asked = set_up(client, payment_method_options={"card": {"request_three_d_secure": "any"}})
    assert asked.status == "requires_action"
    by_mail = set_up(client, "pm_card_authenticationRequired", payment_method_options={"card": {"moto": True}})
    assert by_mail.status == "succeeded"


def test_what_is_declined_at_once_cannot_be_attached_either(client: stripe.StripeClient) -> None:
    owner = customer(client)
    with refused(stripe.CardError) as declined:
        client.v1.payment_methods.attach("pm_card_visa_chargeDeclinedLostCard", {"customer": owner})
    assert declined.value.code == "card_declined"
    attached = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": owner})
    with refused(stripe.CardError):
        pay(client, payment_method=attached.id, customer=owner, off_session=True)


def test_a_customer_pays_by_default_only_with_what_is_his(client: stripe.StripeClient) -> None:
    owner, other = customer(client), customer(client)
    mine = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner}).id
    by_default: Any = {"invoice_settings": {"default_payment_method": mine}}
    with refused(match="must be attached"):
        client.v1.customers.update(other, by_default)
    kept = client.v1.customers.update(owner, by_default)
    assert kept.invoice_settings
    assert kept.invoice_settings.default_payment_method == mine
    client.v1.payment_methods.detach(mine)
    lost = client.v1.customers.retrieve(owner)
    assert lost.invoice_settings
    assert lost.invoice_settings.default_payment_method is None


def test_a_bank_account_is_saved_with_a_mandate(simulator: Simulator, client: stripe.StripeClient) -> None:
    owner, account = customer(client), "pm_usBankAccount_success"
    with refused(match="mandate"):
        set_up(client, account, customer=owner)
    intent = set_up(client, account, customer=owner, mandate_data=MANDATE, expand=["mandate"])
    assert isinstance(intent.mandate, stripe.Mandate)
    assert_whole(intent.mandate)
    assert (intent.mandate.status, intent.mandate.type) == ("active", "multi_use")
    listen(simulator)
    client.v1.payment_methods.detach(str(intent.payment_method))
    assert client.v1.mandates.retrieve(intent.mandate.id).status == "inactive"
    assert heard(simulator) == ["payment_method.detached", "mandate.updated"]
    assert simulator.request("GET", f"/mandates/{intent.mandate.id}").status == 200


def test_a_mandate_for_one_payment_says_which(client: stripe.StripeClient) -> None:
    once = {"amount": 5_000, "currency": "eur"}
    intent = set_up(client, "pm_sepaDebit_success_at", single_use=once, mandate_data=MANDATE)
    assert intent.mandate is None
    mandate = client.v1.mandates.retrieve(str(intent.single_use_mandate))
    assert mandate.single_use
    assert mandate.single_use.to_dict() == once
    with refused(match="single_use"):
        set_up(client, single_use=once)


def test_microdeposits_verify_a_bank_account(simulator: Simulator, client: stripe.StripeClient) -> None:
    slowly = {"us_bank_account": {"verification_method": "microdeposits"}}
    more: Any = {"payment_method_options": slowly, "mandate_data": MANDATE}
    intent = set_up(client, "pm_usBankAccount_success", **more)
    assert intent.next_action
    assert intent.next_action.type == "verify_with_microdeposits"
    verify = client.v1.setup_intents.verify_microdeposits
    with refused() as wrong:
        verify(intent.id, {"amounts": [31, 45]})
    assert wrong.value.code == "payment_method_microdeposit_verification_amounts_mismatch"
    with refused(stripe.APIError, match="fail for good"):
        verify(intent.id, {"descriptor_code": "SM33CC"})
    assert verify(intent.id, {"amounts": [45, 32]}).status == "succeeded"
    with refused() as late:
        verify(intent.id, {"amounts": [32, 45]})
    assert late.value.code == "setup_intent_unexpected_state"
    other = set_up(client, "pm_usBankAccount_success", **more)
    assert simulator.request("GET", f"/microdeposits/{other.id}").status == 200
    assert simulator.request("POST", f"/microdeposits/{other.id}", {"code": "no"}).status == 400
    assert simulator.request("POST", f"/microdeposits/{other.id}", {"code": "SM11AA"}).status == 200
    assert status(client, other.id) == "succeeded"


def test_an_intent_is_changed_until_it_is_done_and_canceled_once(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    owner = customer(client)
    intent = client.v1.setup_intents.create({})
    changed = client.v1.setup_intents.update(
        intent.id, {"customer": owner, "description": "x", "payment_method": "pm_card_authenticationRequired"}
    )
    assert (changed.status, changed.customer, changed.description) == ("requires_confirmation", owner, "x")
    assert client.v1.setup_intents.confirm(intent.id).status == "requires_action"
    listen(simulator)
    canceled = client.v1.setup_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert heard(simulator) == ["setup_intent.canceled"]
    assert client.v1.setup_attempts.list({"setup_intent": intent.id}).data[0].status == "abandoned"
    late = f"/v1/setup_intents/{intent.id}"
    for path, params in ((f"{late}/cancel", {}), (f"{late}/confirm", {}), (late, {"customer": owner})):
        answer = simulator.request("POST", path, params)
        assert (answer.status, answer.json()["error"]["code"]) == (400, "setup_intent_unexpected_state")
    noted = client.v1.setup_intents.update(intent.id, {"metadata": {"a": "1"}}).metadata
    assert noted
    assert noted.to_dict() == {"a": "1"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"confirm": True}, "missing a payment method"),
        ({"return_url": "http://shop.test/"}, "confirm"),
        ({"customer": "cus_none"}, "No such customer"),
        ({"attach_to_self": True, "customer": "OWNER"}, "attach_to_self"),
        ({"flow_directions": ["inbound"]}, "attach_to_self"),
        ({"allowed_payment_method_types": ["sepa_debit"], "payment_method": "pm_card_visa", "confirm": True}, "allows"),
        ({"payment_method": "FOREIGN", "confirm": True}, "belongs to a customer"),
    ],
)
def test_what_stripe_refuses_is_refused(client: stripe.StripeClient, change: dict[str, Any], said: str) -> None:
    owner = customer(client)
    foreign = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner}).id
    named = {"OWNER": owner, "FOREIGN": foreign}
    params: Any = {name: named.get(value, value) if isinstance(value, str) else value for name, value in change.items()}
    with refused(match=said):
        client.v1.setup_intents.create(params)


def test_an_account_may_keep_a_payment_method_for_itself(client: stripe.StripeClient) -> None:
    own = set_up(client, attach_to_self=True, flow_directions=["inbound"])
    set_up(client)
    assert own.attach_to_self
    assert own.flow_directions == ["inbound"]
    assert [each.id for each in client.v1.setup_intents.list({"attach_to_self": True}).data] == [own.id]
    found = client.v1.setup_intents.list({"payment_method": str(own.payment_method)}).data
    assert [each.id for each in found] == [own.id]


def test_whoever_opened_an_intent_hears_of_its_outcomes(simulator: Simulator, client: stripe.StripeClient) -> None:
    seen: list[str] = []
    intents.watches("test")(lambda _context, intent: seen.append(intent["status"]))
    with simulator.store.transaction() as transaction:
        intent = intents.open_intent(context_of(simulator, transaction), {}, watcher="test")["id"]
    with refused(match="Checkout Session"):
        client.v1.setup_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    with simulator.store.transaction() as transaction:
        context = context_of(simulator, transaction)
        intents.cancel(context, context.state.get(intents.SETUP_INTENTS, intent), None)
    assert seen == ["canceled"]


def test_nothing_goes_where_its_table_does_not_lead(simulator: Simulator) -> None:
    statuses = intents.TRANSITIONS
    with simulator.store.transaction() as transaction:
        context = context_of(simulator, transaction)
        for start, end in product(statuses, statuses):
            intent = intents.open_intent(context, {})
            intent = context.state.update(intents.SETUP_INTENTS, intent, {"status": start})
            if end in statuses[start]:
                assert intents.move(context, intent, end)["status"] == end
            else:
                with pytest.raises(LookupError, match="cannot go"):
                    intents.move(context, intent, end)
    for table in (statuses, attempts.TRANSITIONS, mandates.TRANSITIONS):
        assert set().union(*table.values()) <= set(table)
