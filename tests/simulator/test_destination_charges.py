"""Destination charges: who has which money when, and what is told of it."""

import json
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import assert_exact, balance, booked, charge_of, heard, listen, pay, pay_seller, refused
from .shop import new_seller, ready_seller
from .test_catalog import assert_whole

DAY = 24 * 3600
STRIPE_FEE = 320  # 2.9% of 100.00 and 0.30


@pytest.fixture
def seller(simulator: Simulator, client: stripe.StripeClient) -> str:
    return ready_seller(simulator, client)


def test_the_whole_charge_is_transferred_and_the_fee_comes_back(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    intent = pay_seller(client, seller)
    assert (intent.status, intent.amount_received) == ("succeeded", 10_000)
    assert booked(client) == [
        ("charge", 10_000, STRIPE_FEE, 9_680),
        ("transfer", -10_000, 0, -10_000),
        ("application_fee", 1_000, 0, 1_000),
    ]
    assert booked(client, seller) == [("payment", 10_000, 1_000, 9_000)]
    assert balance(client) == (0, 1_000 - STRIPE_FEE)
    assert balance(client, seller) == (0, 9_000)
    assert_exact(simulator)


def test_the_parts_of_a_payment_refer_to_each_other(client: stripe.StripeClient, seller: str) -> None:
    intent = pay_seller(client, seller, metadata={"order": "7"})
    charge = charge_of(client, intent)
    transfer = client.v1.transfers.retrieve(str(charge.transfer))
    fee = client.v1.application_fees.retrieve(str(charge.application_fee))
    on_seller: Any = {"stripe_account": seller}
    payment = client.v1.charges.retrieve(
        str(transfer.destination_payment), {"expand": ["balance_transaction"]}, on_seller
    )
    for item in (intent, charge, transfer, fee, payment.balance_transaction):
        assert isinstance(item, stripe.StripeObject)
        assert_whole(item)
    assert charge.metadata.to_dict() == {"order": "7"}
    assert (transfer.source_transaction, transfer.destination, transfer.amount) == (charge.id, seller, 10_000)
    assert charge.transfer_group == transfer.transfer_group == f"group_{intent.id}"
    assert payment.id.startswith("py_")
    assert (payment.source_transfer, payment.application_fee, payment.application_fee_amount) == (
        transfer.id,
        fee.id,
        1_000,
    )
    assert (fee.account, fee.charge, fee.originating_transaction) == (seller, payment.id, charge.id)
    assert isinstance(payment.balance_transaction, stripe.BalanceTransaction)
    (detail,) = payment.balance_transaction.fee_details
    assert (detail.type, detail.amount, detail.application) == ("application_fee", 1_000, fee.application)


def test_expansion_goes_from_the_intent_to_the_sellers_books(client: stripe.StripeClient, seller: str) -> None:
    intent = pay_seller(client, seller)
    path = "latest_charge.transfer.destination_payment.balance_transaction"
    found = client.v1.payment_intents.retrieve(intent.id, {"expand": [path, "latest_charge.application_fee.charge"]})
    charge: Any = found.latest_charge
    assert charge.transfer.destination_payment.balance_transaction.net == 9_000
    assert charge.application_fee.charge.id == charge.transfer.destination_payment.id
    listed: Any = client.v1.charges.list({"expand": ["data.application_fee", "data.balance_transaction.source"]}).data[
        0
    ]
    assert (listed.application_fee.amount, listed.balance_transaction.source.id) == (1_000, charge.id)


def test_an_asynchronous_capture_brings_its_bookings_with_charge_updated(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    """https://docs.stripe.com/payments/payment-intents/asynchronous-capture"""
    listen(simulator)
    intent = pay_seller(client, seller, expand=["latest_charge"])
    answered: Any = intent.latest_charge
    assert intent.capture_method == "automatic_async"
    assert answered.captured
    assert [answered[name] for name in ("balance_transaction", "application_fee")] == [None, None]
    assert "transfer" not in answered
    deliveries = simulator.deliveries()
    assert heard(simulator) == [
        *("payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "transfer.created"),
        *("seller: payment.created", "application_fee.created", "charge.updated"),
    ]
    bodies = {each.event_type: json.loads(each.body) for each in deliveries}
    succeeded, updated = (bodies[kind]["data"] for kind in ("charge.succeeded", "charge.updated"))
    late = ("balance_transaction", "transfer", "application_fee")
    assert [succeeded["object"].get(name) for name in late] == [None, None, None]
    assert all(updated["object"][name] for name in late)
    assert {name: updated["previous_attributes"][name] for name in late} == dict.fromkeys(late)
    assert bodies["payment.created"]["account"] == seller
    assert bodies["charge.updated"]["request"]["id"] is None
    assert bodies["charge.succeeded"]["request"]["id"]


def test_a_synchronous_capture_has_everything_at_once(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    listen(simulator)
    intent = pay_seller(client, seller, capture_method="automatic", expand=["latest_charge"])
    charge: Any = intent.latest_charge
    assert charge.balance_transaction
    assert charge.transfer
    assert charge.application_fee
    assert "charge.updated" not in heard(simulator)


def test_a_share_is_transferred_instead_of_the_whole(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    pay(
        client,
        transfer_data={
            "destination": seller,
            "amount": 8_765,
            "description": "of order 7",
            "metadata": {"leg": "1"},
            "payment_data": {"description": "Order 7", "metadata": {"order": "7"}},
        },
    )
    assert booked(client) == [("charge", 10_000, STRIPE_FEE, 9_680), ("transfer", -8_765, 0, -8_765)]
    assert booked(client, seller) == [("payment", 8_765, 0, 8_765)]
    (transfer,) = client.v1.transfers.list({"destination": seller}).data
    assert (transfer.description, transfer.metadata.to_dict()) == ("of order 7", {"leg": "1"})
    payment = client.v1.charges.retrieve(str(transfer.destination_payment), {}, {"stripe_account": seller})
    assert (payment.description, payment.metadata.to_dict()) == ("Order 7", {"order": "7"})
    assert_exact(simulator)


def test_pending_money_becomes_available_two_days_later_at_midnight(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    pay_seller(client, seller)
    midnight = (START + 2 * DAY) // DAY * DAY
    (first, *_) = client.v1.balance_transactions.list({"type": "charge"}).data
    assert (first.status, first.available_on, first.reporting_category) == ("pending", midnight, "charge")
    listen(simulator)
    simulator.move_clock_to(midnight - 1)
    assert balance(client, seller) == (0, 9_000)
    simulator.move_clock_to(midnight)
    assert client.v1.balance_transactions.retrieve(first.id).status == "available"
    assert (balance(client), balance(client, seller)) == ((680, 0), (9_000, 0))
    assert sorted(heard(simulator)) == ["balance.available", "seller: balance.available"]
    assert_exact(simulator)


def test_one_test_card_is_available_at_once(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    assert (balance(client), balance(client, seller)) == ((680, 0), (9_000, 0))


def test_a_direct_charge_pays_both_fees_from_the_sellers_side(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    params: Any = {
        "amount": 10_000,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "application_fee_amount": 1_000,
    }
    client.v1.payment_intents.create(params, {"stripe_account": seller})
    simulator.run_due()
    assert booked(client, seller) == [("charge", 10_000, 1_320, 8_680)]
    assert booked(client) == [("application_fee", 1_000, 0, 1_000)]
    assert_exact(simulator)


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        (
            {"application_fee_amount": 10_001, "transfer_data": {"destination": "S"}},
            "application_fee_amount",
            "greater",
        ),
        ({"application_fee_amount": 100}, "application_fee_amount", "Stripe-Account header"),
        (
            {"application_fee_amount": 100, "transfer_data": {"destination": "S", "amount": 50}},
            "application_fee_amount",
            "together",
        ),
        ({"transfer_data": {"destination": "S", "amount": 10_001}}, "transfer_data[amount]", "less than or equal"),
        ({"transfer_data": {"destination": "acct_nobody"}}, "transfer_data[destination]", "No such destination"),
        ({"amount": 49}, "amount", "at least 50"),
        ({"amount": 0}, "amount", "at least 50"),
        ({"amount": 100_000_000}, "amount", "no more than"),
        ({"currency": "xxx"}, "currency", "Invalid currency"),
        ({"currency": "kwd", "amount": 1_001}, "amount", "multiple of 10"),
        ({"customer": "cus_nobody"}, "customer", "No such customer"),
        ({"payment_method_types": ["card"]}, "payment_method_types", "unknown parameter"),
        ({"on_behalf_of": "acct_nobody"}, "on_behalf_of", "No such account"),
    ],
)
def test_what_does_not_fit_together_is_refused_and_leaves_nothing(
    client: stripe.StripeClient, seller: str, more: dict[str, Any], param: str, message: str
) -> None:
    if more.get("transfer_data", {}).get("destination") == "S":
        more = {**more, "transfer_data": {**more["transfer_data"], "destination": seller}}
    with refused(match=message) as failure:
        pay(client, **more)
    assert (failure.value.http_status, failure.value.param) == (400, param)
    assert client.v1.payment_intents.list().data == []


def test_a_seller_who_is_not_ready_is_refused(client: stripe.StripeClient) -> None:
    with refused() as failure:
        pay_seller(client, new_seller(client))
    assert failure.value.code == "insufficient_capabilities_for_transfer"
