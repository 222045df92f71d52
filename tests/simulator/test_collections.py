"""What an account owes for 180 days, its platform pays."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Settings, Simulator
from local.stripe_simulator.clock import Clock
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .exchanging import amounts, european
from .paying import assert_exact, balance, booked, pay_seller
from .shop import ready_seller

DAY = 86_400
STRIPE_FEE = 320


def owing(*, losses: str = "application", **more: Any) -> tuple[Simulator, stripe.StripeClient, str]:
    """A merchant that owes 100.00 after a refund of a direct charge that it had paid out."""
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(**more))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    merchant: Any = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    terms: Any = {"fees_collector": losses, "losses_collector": losses}
    full: Any = {"dashboard": "full" if losses == "stripe" else "express"}
    defaults: Any = {"currency": "usd", "responsibilities": terms}
    account = ready_seller(simulator, client, configuration=merchant, defaults=defaults, **full)
    at: Any = {"stripe_account": account}
    params: Any = {"amount": 10_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_bypassPending"}
    charged = client.v1.payment_intents.create(params, at)
    simulator.run_due()
    client.v1.payouts.create({"amount": 10_000 - STRIPE_FEE, "currency": "usd"}, at)
    client.v1.refunds.create({"payment_intent": charged.id}, at)
    return simulator, client, account


def test_the_platform_pays_what_was_owed_for_180_days() -> None:
    simulator, client, account = owing()
    simulator.advance(180 * DAY - 1)
    assert (balance(client, account), balance(client)) == ((-10_000, 0), (-10_000, 0))  # kept as a reserve
    simulator.advance(1)
    assert (balance(client, account), balance(client)) == ((0, 0), (-10_000, 0))
    assert booked(client)[-2:] == [
        ("connect_collection_transfer", -10_000, 0, -10_000),
        ("reserve_transaction", 10_000, 0, 10_000),
    ]
    assert booked(client, account)[-1] == ("connect_collection_transfer", 10_000, 0, 10_000)
    (moved,) = client.v1.balance_transactions.list({"type": "connect_collection_transfer"}).data
    shown: Any = client.v1.balance_transactions.retrieve(moved.id, {"expand": ["source"]})
    assert (shown.source.object, shown.source.amount, shown.source.destination) == (moved.type, 10_000, account)
    assert shown.reporting_category == "connect_collection_transfer"
    assert_exact(simulator)


def test_the_days_count_from_the_last_time_that_the_balance_fell_below_zero() -> None:
    simulator, client, account = owing()
    simulator.advance(170 * DAY)
    params: Any = {"amount": 20_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_bypassPending"}
    earned = client.v1.payment_intents.create(params, {"stripe_account": account})
    simulator.run_due()
    client.v1.refunds.create({"payment_intent": earned.id}, {"stripe_account": account})
    owed = balance(client, account)[0]
    assert owed < 0
    simulator.advance(179 * DAY)
    assert balance(client, account)[0] == owed
    simulator.advance(DAY)
    assert balance(client, account)[0] == 0
    assert_exact(simulator)


def test_the_platform_pays_nothing_for_accounts_whose_losses_stripe_bears() -> None:
    simulator, client, account = owing(losses="stripe")
    simulator.advance(200 * DAY)
    assert (balance(client, account), balance(client)) == ((-10_000, 0), (0, 0))
    assert_exact(simulator)


@pytest.mark.parametrize("rate", ["1.16", "2"])
def test_what_is_owed_in_another_currency_is_kept_and_paid_in_the_platforms(rate: str) -> None:
    simulator = Simulator(
        clock=Clock.standing(START), seed=7, settings=Settings(converts_currencies=True, reversals_overdraw=True)
    )
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    seller = european(simulator, client)
    intent = pay_seller(client, seller, 11_600, 0, payment_method="pm_card_bypassPending")
    simulator.run_due()
    client.v1.payouts.create({"amount": 10_000, "currency": "eur"}, {"stripe_account": seller})
    before = amounts(client)["usd"]
    client.v1.refunds.create({"payment_intent": intent.id, "reverse_transfer": True})
    assert (amounts(client, seller), amounts(client)["usd"]) == ({"eur": -10_000}, before - 11_600)
    reserved: Any = client.v1.balance.retrieve().connect_reserved
    assert [(each.amount, each.currency) for each in reserved] == [(10_000, "eur"), (0, "usd")]
    simulator.request("POST", "/_simulator/exchange_rates", {"eur": rate})
    simulator.advance(180 * DAY)
    assert (amounts(client, seller), amounts(client)["usd"]) == ({"eur": 0}, before - 11_600)
    assert_exact(simulator)
