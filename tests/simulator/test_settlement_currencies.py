"""Settlement in another currency: what is presented in euros and settles in dollars, and back, to the cent."""

from decimal import Decimal

import pytest

from local.stripe_simulator.tariff import UNITED_STATES

from .exchanging import GBP, JPY, amounts, move_rate, movement, open_shop, whole
from .paying import assert_exact, charge_of, pay, refused


def test_a_payment_in_euros_settles_in_dollars() -> None:
    simulator, client = open_shop()
    charge = charge_of(client, pay(client, currency="eur"))
    simulator.run_due()
    booked = movement(
        client, charge_of(client, pay(client, currency="eur", capture_method="automatic")).balance_transaction
    )
    assert (charge.amount, charge.currency) == (10_000, "eur")
    assert (booked.amount, booked.currency, booked.exchange_rate) == (11_600, "usd", 1.16)
    assert (booked.fee, booked.fee_details[0].currency) == (whole(11_600 * Decimal("0.029")) + 30, "usd")
    assert amounts(client) == {"usd": 2 * booked.net}
    assert_exact(simulator)


def test_a_refund_is_booked_at_the_rate_of_its_day() -> None:
    simulator, client = open_shop()
    intent = pay(client, currency="eur")
    simulator.run_due()
    before = amounts(client)["usd"]
    move_rate(simulator, eur="1.25")
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 4_000})
    booked = movement(client, refund.balance_transaction)
    assert (refund.amount, refund.currency) == (4_000, "eur")
    assert (booked.amount, booked.currency, booked.exchange_rate) == (-5_000, "usd", 1.25)
    assert amounts(client)["usd"] == before - 5_000
    assert_exact(simulator)


def test_a_refund_that_fails_comes_back_at_the_rate_of_that_day() -> None:
    simulator, client = open_shop()
    intent = pay(client, currency="eur", payment_method="pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    move_rate(simulator, eur="1.10")
    simulator.advance(10)
    failed = client.v1.refunds.retrieve(refund.id)
    assert movement(client, failed.failure_balance_transaction).amount == 11_000
    assert_exact(simulator)


def test_zero_decimal_money_is_converted_by_its_minor_unit() -> None:
    simulator, client = open_shop()
    booked = movement(
        client, charge_of(client, pay(client, 5_000, currency="jpy", capture_method="automatic")).balance_transaction
    )
    assert (booked.amount, booked.exchange_rate) == (whole(5_000 * JPY * 100), 0.67)
    assert_exact(simulator)


def test_what_settles_in_kuwait_ends_in_zero() -> None:
    simulator, client = open_shop(default_currency="kwd")
    charge = charge_of(client, pay(client, 9_999, capture_method="automatic"))
    booked = movement(client, charge.balance_transaction)
    assert (booked.currency, booked.amount % 10, booked.fee % 10) == ("kwd", 0, 0)
    assert_exact(simulator)


def test_a_currency_that_the_platform_has_a_bank_account_for_is_kept() -> None:
    simulator, client = open_shop(settlement_currencies=frozenset({"eur"}))
    pay(client, currency="eur", capture_method="automatic")
    pay(client, currency="gbp", capture_method="automatic")
    settled = whole(10_000 * GBP)
    assert amounts(client) == {"eur": 10_000 - 320, "usd": settled - whole(settled * Decimal("0.029")) - 30}
    assert_exact(simulator)


def test_the_smallest_charge_is_measured_in_the_currency_that_it_settles_in() -> None:
    _, client = open_shop()
    assert pay(client, 43, currency="eur").amount == 43  # 0.50 dollars
    with refused() as failure:
        pay(client, 42, currency="eur")  # 0.49 dollars
    assert (failure.value.code, failure.value.param) == ("amount_too_small", "amount")


def test_a_dispute_takes_and_gives_back_at_the_rate_of_each_day() -> None:
    simulator, client = open_shop()
    pay(client, currency="eur", payment_method="pm_card_createDispute", capture_method="automatic")
    simulator.run_due()
    (dispute,) = client.v1.disputes.list().data
    assert (dispute.amount, dispute.currency) == (10_000, "eur")
    assert [(each.amount, each.fee, each.currency) for each in dispute.balance_transactions] == [
        (-11_600, 1_500, "usd")
    ]
    move_rate(simulator, eur="1.20")
    simulator.request("POST", f"/_simulator/disputes/{dispute.id}/decide", {"outcome": "won"})
    won = client.v1.disputes.retrieve(dispute.id)
    assert [each.amount for each in won.balance_transactions] == [-11_600, 12_000]
    assert_exact(simulator)


@pytest.mark.parametrize(("spread", "comes", "goes"), [("0", 11_600, 11_600), ("2", 11_368, 11_832)])
def test_a_spread_makes_every_conversion_worse(spread: str, comes: int, goes: int) -> None:
    simulator, client = open_shop(exchange_spread=Decimal(spread))
    intent = pay(client, currency="eur", capture_method="automatic")
    assert movement(client, charge_of(client, intent).balance_transaction).amount == comes
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert movement(client, refund.balance_transaction).amount == -goes
    assert_exact(simulator)


@pytest.mark.parametrize(
    ("method", "currency", "fee"),
    [
        ("pm_card_visa", "usd", 290 + 30),
        ("pm_card_gb", "usd", 440 + 30),
        ("pm_card_visa", "eur", whole(11_600 * Decimal("0.039")) + 30),
        ("pm_card_gb", "eur", whole(11_600 * Decimal("0.054")) + 30),
        ("pm_usBankAccount_success", "usd", 80),
        ("pm_sepaDebit_success_de", "eur", whole(11_600 * Decimal("0.018")) + 30),
    ],
)
def test_the_american_tariff_knows_cards_banks_and_conversions(method: str, currency: str, fee: int) -> None:
    simulator, client = open_shop(tariff=UNITED_STATES)
    intent = pay(client, currency=currency, payment_method=method)
    simulator.advance(10)
    assert movement(client, charge_of(client, intent).balance_transaction).fee == fee
    assert_exact(simulator)


def test_currencies_keep_to_their_steps_and_bounds() -> None:
    _, client = open_shop()
    assert client.v1.payment_intents.create({"amount": 999_999_999_999, "currency": "idr"}).amount == 999_999_999_999
    for currency, amount, code in (
        ("isk", 10_050, "parameter_invalid_integer"),
        ("kwd", 10_005, "parameter_invalid_integer"),
        ("usd", 100_000_000, "amount_too_large"),
        ("idr", 1_000_000_000_000, "amount_too_large"),
    ):
        with refused() as failure:
            client.v1.payment_intents.create({"amount": amount, "currency": currency})
        assert failure.value.code == code
    intent = pay(client, 10_000, currency="kwd")
    with refused(match="multiple of 10"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 5_005})


def test_rates_that_are_none_are_refused() -> None:
    simulator, _ = open_shop()
    for wrong in ({"eur": "0"}, {"eur": "x"}, {"xyz": "1"}):
        assert simulator.request("POST", "/_simulator/exchange_rates", wrong).status == 400
    move_rate(simulator, eur="1.5")
    assert simulator.request("GET", "/_simulator/exchange_rates").json()["eur"] == "1.5"
