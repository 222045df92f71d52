"""ConfirmationTokens through stripe-python: made by a test helper, good for one confirmation."""

from typing import Any

import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import assert_exact, refused
from .test_catalog import assert_whole

HOURS = 3_600


def token(client: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.ConfirmationToken:
    params: Any = {"payment_method": method, **more}
    return client.v1.test_helpers.confirmation_tokens.create(params)


def test_a_payment_is_confirmed_with_what_the_buyer_entered(simulator: Simulator, client: stripe.StripeClient) -> None:
    shipping = {"name": "Ann", "address": {"line1": "1 High St", "country": "US"}}
    made = token(client, shipping=shipping, setup_future_usage="on_session", return_url="http://shop.test/back")
    assert_whole(made)
    assert made.expires_at == START + 12 * HOURS
    assert made.payment_method_preview
    assert made.payment_method_preview.card
    assert made.payment_method_preview.card.last4 == "4242"
    customer = client.v1.customers.create({}).id
    params: Any = {"amount": 1_000, "currency": "usd", "customer": customer, "confirm": True}
    params["confirmation_token"] = made.id
    intent = client.v1.payment_intents.create(params)
    assert (intent.status, intent.setup_future_usage) == ("succeeded", "on_session")
    assert intent.shipping
    assert intent.shipping.name == "Ann"
    assert client.v1.confirmation_tokens.retrieve(made.id).payment_intent == intent.id
    assert len(client.v1.customers.payment_methods.list(customer).data) == 1
    with refused(match="already been used"):
        client.v1.payment_intents.create(params)
    assert_exact(simulator)


def test_the_request_counts_more_than_its_token(client: stripe.StripeClient) -> None:
    made = token(client, "pm_card_authenticationRequired", return_url="http://shop.test/token")
    params: Any = {"amount": 1_000, "currency": "usd"}
    intent = client.v1.payment_intents.create(params)
    asked: Any = {"confirmation_token": made.id, "return_url": "http://shop.test/request"}
    confirmed = client.v1.payment_intents.confirm(intent.id, asked)
    assert confirmed.next_action
    assert confirmed.next_action.redirect_to_url
    assert confirmed.next_action.redirect_to_url.return_url == "http://shop.test/request"
    params["confirmation_token"] = made.id
    with refused(match="confirm"):
        client.v1.payment_intents.create(params)


def test_a_setup_is_confirmed_with_the_mandate_that_a_token_brings(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    made, late = token(client, "pm_usBankAccount_success"), token(client)
    intent = client.v1.setup_intents.create({"confirm": True, "confirmation_token": made.id})
    assert (intent.status, intent.mandate is None) == ("succeeded", False)
    assert client.v1.confirmation_tokens.retrieve(made.id).setup_intent == intent.id
    simulator.advance(12 * HOURS)
    with refused(match="has expired"):
        client.v1.setup_intents.create({"confirm": True, "confirmation_token": late.id})
