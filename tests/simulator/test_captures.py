"""Authorizations: captured whole or in part, canceled, or left to lapse."""

from typing import Any

import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import assert_exact, balance, booked, charge_of, heard, listen, pay, pay_seller, refused
from .shop import ready_seller

DAY = 24 * 3600


def test_part_of_an_authorization_is_captured_and_the_rest_let_go(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    """https://docs.stripe.com/reports/reporting-categories: the whole is booked, and the rest reversed with its fee."""
    listen(simulator)
    intent = pay(client, capture_method="manual")
    assert (intent.status, intent.amount_capturable, booked(client)) == ("requires_capture", 10_000, [])
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 7_000})
    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 7_000, 0)
    charge = charge_of(client, captured)
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (7_000, 3_000, False)
    fee_of_7000 = 233  # 2.9% of 70.00 and 0.30
    assert booked(client) == [("charge", 10_000, 320, 9_680), ("refund", -3_000, fee_of_7000 - 320, -3_000 + 320 - 233)]
    assert balance(client) == (0, 7_000 - fee_of_7000)
    assert heard(simulator) == [
        *("payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated"),
        *("charge.captured", "payment_intent.succeeded"),
    ]
    with refused(match="already succeeded|status of succeeded") as failure:
        client.v1.payment_intents.capture(intent.id)
    assert failure.value.code == "payment_intent_unexpected_state"
    assert_exact(simulator)


def test_more_than_was_authorized_cannot_be_captured(client: stripe.StripeClient) -> None:
    intent = pay(client, capture_method="manual")
    with refused() as failure:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 10_001})
    assert (failure.value.code, failure.value.param) == ("amount_too_large", "amount_to_capture")


def test_an_authorization_that_nobody_captures_lapses(simulator: Simulator, client: stripe.StripeClient) -> None:
    intent = pay(client, capture_method="manual")
    details: Any = charge_of(client, intent).payment_method_details
    assert details.card.capture_before == START + 7 * DAY
    listen(simulator)
    simulator.move_clock_to(details.card.capture_before)
    found = client.v1.payment_intents.retrieve(intent.id)
    assert (found.status, found.cancellation_reason) == ("canceled", "automatic")
    assert charge_of(client, found).refunded
    assert heard(simulator) == ["charge.expired", "payment_intent.canceled"]
    assert booked(client) == []


def test_what_was_not_paid_is_canceled_and_what_was_is_not(simulator: Simulator, client: stripe.StripeClient) -> None:
    listen(simulator)
    held = pay(client, capture_method="manual")
    canceled = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
    assert heard(simulator)[3:] == ["charge.refunded", "payment_intent.canceled"]
    for intent in (held, pay(client)):
        with refused(match="You cannot cancel") as failure:
            client.v1.payment_intents.cancel(intent.id)
        assert failure.value.code == "payment_intent_unexpected_state"
        with refused(match="You cannot confirm"):
            client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert_exact(simulator)


def test_a_capture_settles_on_its_own_fee_and_never_on_more_than_it_takes(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    held = pay_seller(client, seller, fee=1_000, capture_method="manual")
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 6_000, "application_fee_amount": 600})
    small = pay_seller(client, seller, fee=1_000, capture_method="manual")
    client.v1.payment_intents.capture(small.id, {"amount_to_capture": 900})
    assert booked(client, seller) == [("payment", 6_000, 600, 5_400), ("payment", 900, 900, 0)]
    too_much = pay_seller(client, seller, capture_method="manual")
    with refused(match="greater than the total"):
        client.v1.payment_intents.capture(too_much.id, {"amount_to_capture": 900, "application_fee_amount": 901})
    assert_exact(simulator)
