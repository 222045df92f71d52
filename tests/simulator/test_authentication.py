"""3-D Secure, on a page and off session."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.errors import CardError
from local.stripe_simulator.funds import intents
from local.stripe_simulator.values import Object

from .paying import charge_of, context_of, heard, listen, pay, refused

RETURN_URL = "http://shop.test/return"


def on_page(simulator: Simulator, intent: str, *, succeeded: bool) -> Object:
    """End 3-D Secure as a hosted page does."""
    with simulator.store.transaction() as transaction:
        return intents.authenticate(context_of(simulator, transaction), intent, succeeded=succeeded)


def test_three_d_secure_sends_the_buyer_to_a_page_and_the_payment_waits(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    listen(simulator)
    intent = pay(client, payment_method="pm_card_authenticationRequired", return_url=RETURN_URL)
    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    assert intent.next_action.redirect_to_url.url == f"http://127.0.0.1:12111/3ds/{intent.id}"
    assert intent.next_action.redirect_to_url.return_url == RETURN_URL
    assert on_page(simulator, intent.id, succeeded=True)["status"] == "succeeded"
    charge: Any = charge_of(client, intent := client.v1.payment_intents.retrieve(intent.id))
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"
    assert intent.next_action is None
    assert heard(simulator) == [
        *("payment_intent.created", "payment_intent.requires_action"),
        *("charge.succeeded", "payment_intent.succeeded", "charge.updated"),
    ]


def test_three_d_secure_without_a_return_url_is_left_to_stripe_js(client: stripe.StripeClient) -> None:
    intent = pay(client, payment_method="pm_card_threeDSecure2Required")
    assert intent.next_action
    assert intent.next_action.type == "use_stripe_sdk"


def test_a_failed_authentication_asks_for_another_payment_method(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    intent = pay(client, payment_method="pm_card_authenticationRequired")
    listen(simulator)
    assert on_page(simulator, intent.id, succeeded=False)["status"] == "requires_payment_method"
    found = client.v1.payment_intents.retrieve(intent.id)
    assert found.last_payment_error
    assert found.last_payment_error.code == "payment_intent_authentication_failure"
    assert heard(simulator) == ["payment_intent.payment_failed"]
    assert client.v1.charges.list().data == []


def test_a_card_may_be_declined_after_its_authentication(simulator: Simulator, client: stripe.StripeClient) -> None:
    intent = pay(client, payment_method="pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
    with pytest.raises(CardError) as declined:
        on_page(simulator, intent.id, succeeded=True)
    assert declined.value.details["decline_code"] == "insufficient_funds"


def test_off_session_nobody_is_there_to_authenticate(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create().id
    with refused(stripe.CardError) as failure:
        pay(client, payment_method="pm_card_authenticationRequired", off_session=True, customer=customer)
    assert failure.value.code == "authentication_required"
    card = "pm_card_authenticationRequiredSetupForOffSession"
    assert pay(client, payment_method=card, off_session=True, customer=customer).status == "succeeded"
    assert pay(client, payment_method=card, customer=customer).status == "requires_action"
