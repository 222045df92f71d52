"""What is asked for by kind of method: captures, challenges, kept methods, longer and larger authorizations."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import assert_exact, charge_of, heard, listen, pay, pay_seller, refused
from .shop import ready_seller

DAY = 86_400


def options(**card: Any) -> dict[str, Any]:
    return {"payment_method_options": {"card": card}}


def details(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> Any:
    found: Any = charge_of(client, intent).payment_method_details
    return found.card


def test_cards_alone_can_be_captured_by_hand(simulator: Simulator, client: stripe.StripeClient) -> None:
    by_hand = options(capture_method="manual")
    by_card = pay(client, **by_hand)
    assert (by_card.status, by_card.capture_method, by_card.amount_capturable) == (
        *("requires_capture", "automatic_async"),
        10_000,
    )
    by_bank = pay(client, payment_method="pm_usBankAccount_success", **by_hand)
    simulator.advance(10)
    assert client.v1.payment_intents.retrieve(by_bank.id).status == "succeeded"
    client.v1.payment_intents.capture(by_card.id)
    assert_exact(simulator)


@pytest.mark.parametrize("value", ["any", "challenge"])
def test_a_challenge_can_be_asked_for_with_any_card(client: stripe.StripeClient, value: str) -> None:
    assert pay(client, **options(request_three_d_secure=value)).status == "requires_action"
    assert pay(client, **options(request_three_d_secure="automatic")).status == "succeeded"
    with refused(stripe.CardError) as failure:
        pay(client, off_session=True, **options(request_three_d_secure=value))
    assert failure.value.code == "authentication_required"


def test_options_are_changed_and_unset(client: stripe.StripeClient) -> None:
    params: Any = {"amount": 1_000, "currency": "usd", **options(capture_method="manual", request_three_d_secure="any")}
    intent = client.v1.payment_intents.create(params)
    unset: Any = options(capture_method="", request_three_d_secure="automatic")
    shown: Any = client.v1.payment_intents.update(intent.id, unset)
    assert shown.payment_method_options.card.to_dict() == {
        "installments": None,
        "request_three_d_secure": "automatic",
    }
    confirm: Any = {"payment_method": "pm_card_visa", **options(capture_method="manual")}
    assert client.v1.payment_intents.confirm(intent.id, confirm).status == "requires_capture"


@pytest.mark.parametrize(("own", "kept"), [("off_session", True), ("none", False)])
def test_a_kind_of_method_can_be_kept_or_not_whatever_the_rest_does(
    client: stripe.StripeClient, own: str, kept: bool
) -> None:
    customer = client.v1.customers.create()
    usage = "on_session" if own == "none" else None
    more: Any = {"setup_future_usage": usage} if usage else {}
    intent = pay(client, customer=customer.id, **options(setup_future_usage=own), **more)
    found = client.v1.payment_methods.retrieve(str(intent.payment_method))
    assert found.customer == (customer.id if kept else None)


def test_options_that_are_not_followed_answer_501_by_name(client: stripe.StripeClient) -> None:
    for kind, name, value in (
        ("card", "request_multicapture", "if_available"),
        ("card", "request_overcapture", "if_available"),
        ("card", "moto", True),
        ("us_bank_account", "verification_method", "microdeposits"),
        ("klarna", "preferred_locale", "en-US"),
    ):
        params: Any = {"amount": 1_000, "currency": "usd", "payment_method_options": {kind: {name: value}}}
        with refused(stripe.APIError, match=name) as failure:
            client.v1.payment_intents.create(params)
        assert failure.value.http_status == 501
    with refused(match="must be one of"):
        pay(client, **options(request_three_d_secure="never"))


@pytest.mark.parametrize(
    ("method", "off_session", "extended", "seconds"),
    [
        ("pm_card_visa", False, False, 7 * DAY),
        ("pm_card_visa", True, False, 4 * DAY + 18 * 3_600),
        ("pm_card_mastercard", True, False, 7 * DAY),
        ("pm_card_visa", False, True, 29 * DAY + 18 * 3_600),
        ("pm_card_amex", False, True, 30 * DAY),
        ("pm_card_jcb", False, True, 7 * DAY),
    ],
)
def test_an_authorization_lasts_as_long_as_its_network_lets_it(
    simulator: Simulator, client: stripe.StripeClient, method: str, off_session: bool, extended: bool, seconds: int
) -> None:
    asked = options(request_extended_authorization="if_available") if extended else {}
    intent = pay(client, capture_method="manual", payment_method=method, off_session=off_session, **asked)
    card = details(client, intent)
    assert card.capture_before == START + seconds
    assert card.extended_authorization.status == ("enabled" if extended else "disabled")
    simulator.advance(seconds - 1)
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    simulator.advance(1)
    assert client.v1.payment_intents.retrieve(intent.id).status == "canceled"


def test_an_authorization_grows_and_is_captured_whole(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    asked = options(request_incremental_authorization="if_available")
    intent = pay_seller(client, seller, 10_000, 1_000, capture_method="manual", **asked)
    assert details(client, intent).incremental_authorization.status == "available"
    listen(simulator)
    grow: Any = {"amount": 15_000, "application_fee_amount": 2_000, "metadata": {"a": "1"}}
    grown = client.v1.payment_intents.increment_authorization(intent.id, grow)
    assert (grown.amount, grown.amount_capturable, grown.metadata["a"]) == (15_000, 15_000, "1")
    assert heard(simulator) == ["charge.updated", "payment_intent.amount_capturable_updated"]
    assert details(client, intent).amount_authorized == 15_000
    for wrong, message in (
        ({"amount": 15_000}, "greater than"),
        ({"amount": 16_000, "application_fee_amount": 16_001}, "fee"),
    ):
        params: Any = wrong
        with refused(match=message):
            client.v1.payment_intents.increment_authorization(intent.id, params)
    client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 14_000})
    charge = charge_of(client, intent)
    assert (charge.amount, charge.amount_captured) == (15_000, 14_000)
    transfer = client.v1.transfers.retrieve(str(charge.transfer))
    assert (transfer.amount, client.v1.application_fees.retrieve(str(charge.application_fee)).amount) == (14_000, 2_000)
    assert_exact(simulator)


def test_only_what_asked_for_it_can_grow(client: stripe.StripeClient) -> None:
    plain = pay(client, capture_method="manual")
    with refused(match="not eligible for incremental"):
        client.v1.payment_intents.increment_authorization(plain.id, {"amount": 20_000})
    paid = pay(client, **options(request_incremental_authorization="if_available"))
    with refused(match="nothing is authorized"):
        client.v1.payment_intents.increment_authorization(paid.id, {"amount": 20_000})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("statement_descriptor", "TEA"),
        ("statement_descriptor", "A" * 23),
        ("statement_descriptor", "TEA <HOUSE>"),
        ("statement_descriptor", "12345"),
        ("statement_descriptor_suffix", "TEA*1"),
        ("statement_descriptor_suffix", "TEA'S"),
        ("statement_descriptor_suffix", "Ä" * 6),
    ],
)
def test_statements_cannot_say_everything(client: stripe.StripeClient, name: str, text: str) -> None:
    params: Any = {"amount": 1_000, "currency": "usd", name: text}
    with refused() as failure:
        client.v1.payment_intents.create(params)
    assert failure.value.param == name


def test_cards_take_a_suffix_and_banks_a_whole_descriptor(client: stripe.StripeClient) -> None:
    assert pay(client, statement_descriptor_suffix="ORDER 1").status == "succeeded"
    with refused(match="statement_descriptor_suffix"):
        pay(client, statement_descriptor="TEA HOUSE")
    assert (
        pay(client, payment_method="pm_usBankAccount_success", statement_descriptor="TEA HOUSE").status == "processing"
    )
