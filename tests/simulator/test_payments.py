"""PaymentIntents: test cards, declines, and the steps to a payment."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import assert_exact, booked, charge_of, heard, listen, pay, refused

DAY = 24 * 3600
DECLINES = [
    ("pm_card_visa_chargeDeclined", "4000000000000002", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "4000000000009995", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "4000000000009987", "card_declined", "lost_card"),
    ("pm_card_visa_chargeDeclinedStolenCard", "4000000000009979", "card_declined", "stolen_card"),
    ("pm_card_chargeDeclinedExpiredCard", "4000000000000069", "expired_card", None),
    ("pm_card_chargeDeclinedIncorrectCvc", "4000000000000127", "incorrect_cvc", None),
    ("pm_card_chargeDeclinedProcessingError", "4000000000000119", "processing_error", None),
    ("pm_card_radarBlock", "4100000000000019", "card_declined", "fraudulent"),
]


@pytest.mark.parametrize(
    ("name", "brand", "funding"),
    [
        ("pm_card_visa", "visa", "credit"),
        ("pm_card_visa_debit", "visa", "debit"),
        ("pm_card_mastercard", "mastercard", "credit"),
        ("pm_card_amex", "amex", "credit"),
        ("pm_card_discover", "discover", "credit"),
    ],
)
def test_good_cards_pay(client: stripe.StripeClient, name: str, brand: str, funding: str) -> None:
    intent = pay(client, payment_method=name)
    assert intent.status == "succeeded"
    details = charge_of(client, intent).payment_method_details
    assert details
    assert details.card
    assert (details.card.brand, details.card.funding) == (brand, funding)


@pytest.mark.parametrize(("name", "number", "code", "decline_code"), DECLINES)
def test_a_declined_attempt_is_an_error_and_stays_on_record(
    simulator: Simulator, client: stripe.StripeClient, name: str, number: str, code: str, decline_code: str | None
) -> None:
    listen(simulator)
    with refused(stripe.CardError) as failure:
        pay(client, payment_method=name)
    error = failure.value.error
    assert error
    assert (failure.value.http_status, error.type, error.code, error["decline_code"] if decline_code else None) == (
        *(402, "card_error", code),
        decline_code,
    )
    assert error.payment_intent
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert intent.last_payment_error
    charge: Any = intent.latest_charge
    assert (intent.status, intent.payment_method, intent.last_payment_error.code) == (
        *("requires_payment_method", None),
        code,
    )
    assert (charge.id, charge.status, charge.paid, charge.failure_code) == (error.charge, "failed", False, code)
    assert heard(simulator) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert booked(client) == []
    card: Any = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    typed = client.v1.payment_methods.create({"type": "card", "card": card})
    with refused(stripe.CardError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": typed.id})
    assert client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    assert_exact(simulator)


def test_a_declined_attempt_is_replayed_under_its_key(simulator: Simulator) -> None:
    params = {"amount": 500, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa_chargeDeclined"}
    answers = [
        simulator.request("POST", "/v1/payment_intents", params, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert answers[0].body == answers[1].body
    assert len(simulator.request("GET", "/v1/payment_intents").json()["data"]) == 1


def test_an_intent_is_completed_step_by_step(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 1_000, "currency": "USD"})
    assert (intent.status, intent.currency) == ("requires_payment_method", "usd")
    with refused(match="missing a payment method"):
        client.v1.payment_intents.confirm(intent.id)
    changed = client.v1.payment_intents.update(
        intent.id, {"amount": 1_500, "payment_method": "pm_card_visa", "metadata": {"a": "1"}}
    )
    assert (changed.status, changed.amount) == ("requires_confirmation", 1_500)
    paid = client.v1.payment_intents.confirm(intent.id)
    assert (paid.status, paid.amount_received) == ("succeeded", 1_500)
    with refused(match="could not be updated"):
        client.v1.payment_intents.update(intent.id, {"amount": 2_000})
    assert client.v1.payment_intents.update(intent.id, {"description": "x"}).description == "x"
    with refused(match="only be passed when `confirm`"):
        client.v1.payment_intents.create({"amount": 1_000, "currency": "usd", "return_url": "http://a.test/"})


def test_a_saved_card_belongs_to_its_customer(client: stripe.StripeClient) -> None:
    customer, other = client.v1.customers.create().id, client.v1.customers.create().id
    intent = pay(client, customer=customer, setup_future_usage="off_session")
    (saved,) = client.v1.customers.payment_methods.list(customer).data
    assert saved.id == intent.payment_method
    with refused(match="belongs to a customer"):
        pay(client, payment_method=saved.id, customer=other)
    assert pay(client, payment_method=saved.id, customer=customer, off_session=True).status == "succeeded"
    assert [item.id for item in client.v1.payment_intents.list({"customer": other}).data] == []
    assert client.v1.payment_methods.detach(saved.id).customer is None


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": 2019}, "invalid_expiry_year"),
        ({"cvc": "99"}, "invalid_cvc"),
    ],
)
def test_a_card_that_cannot_be_one_is_refused(client: stripe.StripeClient, card: dict[str, Any], code: str) -> None:
    good: Any = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    assert client.v1.payment_methods.create({"type": "card", "card": good}).type == "card"
    bad: Any = {**good, **card}
    with refused(stripe.CardError) as failure:
        client.v1.payment_methods.create({"type": "card", "card": bad})
    assert (failure.value.http_status, failure.value.code) == (402, code)


def test_cards_that_are_not_simulated_or_no_test_cards_never_pay(client: stripe.StripeClient) -> None:
    with refused(stripe.APIError, match="does not implement") as failure:
        pay(client, payment_method="pm_card_createCe3EligibleDispute")
    assert failure.value.http_status == 501
    with refused(match="No such PaymentMethod"):
        pay(client, payment_method="pm_nothing")
    real: Any = {"number": "4012888888881881", "exp_month": 1, "exp_year": 2040}
    method = client.v1.payment_methods.create({"type": "card", "card": real})
    with refused(stripe.CardError) as declined:
        pay(client, payment_method=method.id)
    assert declined.value.error
    assert declined.value.error["decline_code"] == "test_mode_live_card"


def test_a_state_in_a_file_goes_on_where_it_stopped(tmp_path: Any) -> None:
    def open_one() -> tuple[Simulator, stripe.StripeClient]:
        found = Simulator(clock=Clock.standing(START), database=tmp_path / "state.sqlite")
        return found, stripe.StripeClient("sk_test_1", http_client=InProcessClient(found))

    simulator, client = open_one()
    held = pay(client, capture_method="manual")
    debited = pay(client, payment_method="pm_usBankAccount_success")
    paid = pay(client)
    simulator.run_due()
    simulator.close()
    simulator, client = open_one()
    assert client.v1.payment_intents.capture(held.id).status == "succeeded"
    simulator.advance(3 * DAY)
    assert client.v1.payment_intents.retrieve(debited.id).status == "succeeded"
    client.v1.refunds.create({"payment_intent": paid.id})
    assert_exact(simulator)
    simulator.close()
