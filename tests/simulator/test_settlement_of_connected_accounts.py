"""Accounts that keep another currency than the platform: transfers, fees and reversals, each converted once."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator.tariff import UNITED_STATES

from .exchanging import EUR, GBP, amounts, european, move_rate, movement, open_shop, whole
from .paying import assert_exact, charge_of, pay, pay_seller, refused
from .shop import ready_seller

BOTH: Any = {"reverse_transfer": True, "refund_application_fee": True}


def test_a_destination_charge_is_converted_for_the_platform_and_again_for_the_seller() -> None:
    simulator, client = open_shop()
    seller = european(simulator, client)
    charge = charge_of(client, pay_seller(client, seller, fee=1_000, currency="gbp", capture_method="automatic"))
    transfer = client.v1.transfers.retrieve(str(charge.transfer))
    assert (transfer.amount, transfer.currency) == (13_300, "usd")
    payment = client.v1.charges.retrieve(str(transfer.destination_payment), {}, {"stripe_account": seller})
    assert (payment.amount, payment.currency, payment.application_fee_amount) == (13_300, "usd", 1_330)
    rate = (1 / EUR).quantize(Decimal("0.000001"))
    booked = movement(client, payment.balance_transaction, seller)
    assert (booked.amount, booked.currency, booked.exchange_rate) == (whole(13_300 * rate), "eur", float(rate))
    assert (booked.fee, booked.fee_details[0].type) == (whole(1_330 * rate), "application_fee")
    fee = client.v1.application_fees.retrieve(str(charge.application_fee))
    assert (fee.amount, fee.currency) == (1_330, "usd")
    assert movement(client, fee.balance_transaction).amount == 1_330
    assert_exact(simulator)
    client.v1.refunds.create(BOTH | {"charge": charge.id})
    assert amounts(client, seller) == {"eur": 0}
    assert_exact(simulator)


def test_a_reversal_after_the_rate_moved_takes_more_or_less_of_the_seller() -> None:
    simulator, client = open_shop()
    seller = european(simulator, client)
    pay_seller(client, seller, fee=0)
    charge = charge_of(client, pay_seller(client, seller, fee=0))
    simulator.run_due()
    before = amounts(client, seller)["eur"]
    move_rate(simulator, eur="1.00")
    reversal = client.v1.transfers.reversals.create(
        str(charge_of(client, pay_seller(client, seller)).transfer), {"amount": 1}
    )
    assert reversal.currency == "usd"
    transfer = client.v1.charges.retrieve(charge.id).transfer
    client.v1.transfers.reversals.create(str(transfer), {"amount": 5_000})
    assert before - amounts(client, seller)["eur"] == 5_000 - 9_000 + 1
    assert_exact(simulator)


def test_a_settlement_merchant_decides_the_currency() -> None:
    simulator, client = open_shop()
    merchant = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    recipient = {"recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}}
    seller = european(simulator, client, configuration={**merchant, **recipient})
    intent = pay_seller(client, seller, fee=1_000, currency="gbp", on_behalf_of=seller, capture_method="automatic")
    charge = charge_of(client, intent)
    booked = movement(client, charge.balance_transaction)
    rate = (GBP / EUR).quantize(Decimal("0.00001"))
    assert (booked.currency, booked.amount) == ("eur", whole(10_000 * rate))
    transfer = client.v1.transfers.retrieve(str(charge.transfer))
    assert (transfer.currency, transfer.amount) == ("eur", booked.amount)
    arrived = movement(
        client,
        client.v1.charges.retrieve(
            str(transfer.destination_payment), {}, {"stripe_account": seller}
        ).balance_transaction,
        seller,
    )
    assert (arrived.amount, arrived.exchange_rate) == (booked.amount, None)
    fee = client.v1.application_fees.retrieve(str(charge.application_fee))
    assert (fee.currency, movement(client, fee.balance_transaction).currency) == ("eur", "usd")
    assert_exact(simulator)


def test_a_direct_charge_settles_where_it_is_and_its_fee_on_the_platform() -> None:
    simulator, client = open_shop()
    merchant = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    seller = european(simulator, client, configuration=merchant)
    params: Any = {"amount": 10_000, "currency": "gbp", "confirm": True, "application_fee_amount": 500}
    params |= {"payment_method": "pm_card_visa", "capture_method": "automatic", "expand": ["latest_charge"]}
    intent: Any = client.v1.payment_intents.create(params, {"stripe_account": seller})
    booked = movement(client, intent.latest_charge.balance_transaction, seller)
    rate = (GBP / EUR).quantize(Decimal("0.00001"))
    assert (booked.currency, booked.amount) == ("eur", whole(10_000 * rate))
    assert booked.fee == whole(booked.amount * Decimal("0.029")) + 30 + whole(500 * rate)
    (fee,) = client.v1.application_fees.list().data
    assert (fee.amount, fee.currency, movement(client, fee.balance_transaction).amount) == (500, "gbp", 665)
    assert_exact(simulator)
    client.v1.application_fees.refunds.create(fee.id)
    assert amounts(client) == {"usd": 0}
    assert_exact(simulator)


def test_a_transfer_is_in_the_currency_that_its_charge_settled_in() -> None:
    simulator, client = open_shop()
    seller = european(simulator, client)
    charge = charge_of(client, pay(client, currency="eur", capture_method="automatic"))
    source: Any = {"destination": seller, "source_transaction": charge.id}
    for wrong, message in (
        ({"currency": "eur", "amount": 5_000}, r"balance transaction \(usd\) was different"),
        ({"currency": "usd", "amount": 11_601}, "must not exceed the source amount of 11600 usd"),
    ):
        with refused(match=message):
            client.v1.transfers.create(source | wrong)
    whole_charge = client.v1.transfers.create(source | {"currency": "usd"})
    assert whole_charge.amount == 11_600
    assert amounts(client, seller) == {"eur": whole(11_600 * (1 / EUR).quantize(Decimal("0.000001")))}
    assert_exact(simulator)


def test_a_seller_with_a_bank_account_in_a_currency_keeps_it() -> None:
    simulator, client = open_shop()
    seller = european(simulator, client)
    details = {"object": "bank_account", "country": "US", "currency": "usd", "account_number": "000123456789"}
    bank: Any = {"external_account": {**details, "routing_number": "110000000"}}
    client.v1.accounts.external_accounts.create(seller, bank)
    pay_seller(client, seller, fee=0, capture_method="automatic")
    assert amounts(client, seller) == {"usd": 10_000}
    simulator.advance(3 * 86_400)
    client.v1.payouts.create({"amount": 10_000, "currency": "usd"}, {"stripe_account": seller})
    assert amounts(client, seller) == {"usd": 0}
    assert_exact(simulator)


def test_a_partial_capture_is_converted_to_the_cent() -> None:
    simulator, client = open_shop()
    seller = ready_seller(simulator, client)
    intent = pay_seller(client, seller, 9_999, 333, currency="eur", capture_method="manual")
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 3_333})
    charge = charge_of(client, captured)
    kept = whole(9_999 * EUR) - whole(6_666 * EUR)
    assert client.v1.transfers.retrieve(str(charge.transfer)).amount == kept
    assert_exact(simulator)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_history_of_payments_in_several_currencies_loses_a_cent(data: st.DataObject) -> None:
    simulator, client = open_shop(reversals_overdraw=True, tariff=UNITED_STATES)
    sellers = [european(simulator, client), ready_seller(simulator, client)]
    for _ in range(data.draw(st.integers(1, 8))):
        seller, currency = data.draw(st.sampled_from(sellers)), data.draw(st.sampled_from(["usd", "eur", "jpy", "gbp"]))
        amount = data.draw(st.integers(100, 50_000))
        intent = pay_seller(client, seller, amount, amount // 7, currency=currency)
        if data.draw(st.booleans()):
            move_rate(simulator, eur=str(data.draw(st.decimals("0.8", "1.6", places=4))))
        if data.draw(st.booleans()):
            part = data.draw(st.integers(1, amount))
            client.v1.refunds.create(BOTH | {"payment_intent": intent.id, "amount": part})
        assert_exact(simulator)
