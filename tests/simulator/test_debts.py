"""What an account owes: how it comes about, what the platform's balance keeps for it, and how it is paid back."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Settings, Simulator
from local.stripe_simulator.clock import Clock
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import assert_exact, balance, booked, pay_seller, refused
from .shop import ready_seller

DAY = 86_400
STRIPE_FEE = 320  # 2.9% of 100.00, and 0.30


def open_shop(*, overdraws: bool) -> tuple[Simulator, stripe.StripeClient, str, stripe.PaymentIntent]:
    """A seller whose 90.00 of a payment of 100.00 have left for its bank."""
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(reversals_overdraw=overdraws))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    seller = ready_seller(simulator, client)
    intent = pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    client.v1.payouts.create({"amount": 9_000, "currency": "usd"}, {"stripe_account": seller})
    return simulator, client, seller, intent


def refund(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> None:
    client.v1.refunds.create({"payment_intent": intent.id, "reverse_transfer": True, "refund_application_fee": True})


def kept(client: stripe.StripeClient) -> int:
    (found,) = client.v1.balance.retrieve().connect_reserved or []
    return found.amount


def test_a_refund_after_the_payout_is_refused_without_connected_reserves() -> None:
    simulator, client, seller, intent = open_shop(overdraws=False)
    with refused() as failure:
        refund(client, intent)
    assert (failure.value.code, balance(client, seller), kept(client)) == ("balance_insufficient", (0, 0), 0)
    assert_exact(simulator)


def test_what_a_seller_owes_is_kept_of_the_platforms_balance_until_it_earns_it_back() -> None:
    simulator, client, seller, intent = open_shop(overdraws=True)
    refund(client, intent)
    assert (balance(client, seller), kept(client)) == ((-9_000, 0), 9_000)
    assert balance(client) == (-STRIPE_FEE - 9_000, 0)
    assert booked(client)[-2][0] == "reserve_transaction"
    assert_exact(simulator)
    with refused() as failure:
        client.v1.payouts.create({"amount": 1, "currency": "usd"}, {"stripe_account": seller})
    assert failure.value.code == "balance_insufficient"
    pay_seller(client, seller, 5_000, 500, payment_method="pm_card_bypassPending")
    simulator.run_due()
    assert (balance(client, seller), kept(client)) == ((-4_500, 0), 4_500)
    assert_exact(simulator)
    pay_seller(client, seller, 10_000)  # pending money covers debts too
    simulator.run_due()
    assert (balance(client, seller), kept(client)) == ((-4_500, 9_000), 0)
    assert_exact(simulator)


def test_a_debit_of_the_sellers_bank_ends_its_debt() -> None:
    simulator, client, seller, intent = open_shop(overdraws=True)
    params: Any = {"payments": {"debit_negative_balances": True}}
    client.v1.balance_settings.update(params, {"stripe_account": seller})
    refund(client, intent)
    simulator.advance(4 * DAY)
    assert (balance(client, seller), kept(client), balance(client)) == ((0, 0), 0, (-STRIPE_FEE, 0))
    newest = client.v1.payouts.list({}, {"stripe_account": seller}).data[0]
    assert (newest.amount, newest.status) == (-9_000, "paid")
    assert_exact(simulator)


@pytest.mark.parametrize("fails_before_arrival", [True, False])
def test_a_debit_that_the_bank_refuses_leaves_the_debt(fails_before_arrival: bool) -> None:
    simulator, client, seller, intent = open_shop(overdraws=True)
    params: Any = {"payments": {"debit_negative_balances": True}}
    client.v1.balance_settings.update(params, {"stripe_account": seller})
    refund(client, intent)
    simulator.advance(DAY if fails_before_arrival else 3 * DAY)
    newest = client.v1.payouts.list({}, {"stripe_account": seller}).data[0]
    answer = simulator.request("POST", f"/_simulator/payouts/{newest.id}/fail", {"failure_code": "insufficient_funds"})
    assert answer.status == 200
    assert (sum(balance(client, seller)), kept(client)) == (-9_000, 9_000)
    assert_exact(simulator)
    simulator.advance(3 * DAY)
    assert (balance(client, seller), kept(client)) == ((-9_000, 0), 9_000)  # its bank is not asked again
    assert_exact(simulator)


def test_nothing_is_kept_for_accounts_whose_losses_stripe_bears(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    responsibilities = {"fees_collector": "stripe", "losses_collector": "stripe"}
    merchant: Any = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    defaults: Any = {"currency": "usd", "responsibilities": responsibilities}
    account = ready_seller(simulator, client, dashboard="full", configuration=merchant, defaults=defaults)
    charge: Any = {"amount": 10_000, "currency": "usd", "confirm": True, "payment_method": "pm_card_createDispute"}
    client.v1.payment_intents.create(charge, {"stripe_account": account})
    assert balance(client, account) == (0, 10_000 - STRIPE_FEE - 11_500)
    assert kept(client) == 0
    assert_exact(simulator)
