"""Refunds that the balance does not cover: pending until somebody tops it up, or failed when nobody does."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START
from .paying import assert_exact, balance, heard, listen, pay, pay_seller
from .shop import ready_seller

DAY = 86_400
STRIPE_FEE = 320


def open_shop(*, waits: bool = True) -> tuple[Simulator, stripe.StripeClient, stripe.PaymentIntent]:
    """A platform that has paid out all it had of a payment of 100.00."""
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(refunds_wait_for_funds=waits))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    intent = pay(client, payment_method="pm_card_bypassPending")
    simulator.run_due()
    client.v1.payouts.create({"amount": 10_000 - STRIPE_FEE, "currency": "usd"})
    return simulator, client, intent


def refund(client: stripe.StripeClient, intent: stripe.PaymentIntent, amount: int) -> stripe.Refund:
    return client.v1.refunds.create({"payment_intent": intent.id, "amount": amount})


def top_up(simulator: Simulator, client: stripe.StripeClient, amount: int) -> None:
    client.v1.topups.create({"amount": amount, "currency": "usd"})
    simulator.advance(3)


def states(client: stripe.StripeClient, *refunds: stripe.Refund) -> list[tuple[str | None, str | None]]:
    found = [client.v1.refunds.retrieve(each.id) for each in refunds]
    return [(each.status, getattr(each, "pending_reason", None)) for each in found]


def test_refunds_wait_in_their_order_until_the_balance_covers_them() -> None:
    simulator, client, intent = open_shop()
    listen(simulator)
    first, second = refund(client, intent, 6_000), refund(client, intent, 1_000)
    assert states(client, first, second) == [("pending", "insufficient_funds")] * 2
    assert (first.balance_transaction, balance(client)) == (None, (0, 0))
    assert client.v1.charges.retrieve(str(first.charge)).amount_refunded == 7_000
    assert_exact(simulator)
    top_up(simulator, client, 5_999)
    assert states(client, first, second) == [("pending", "insufficient_funds")] * 2
    heard(simulator)
    top_up(simulator, client, 1)
    simulator.run_due()
    assert states(client, first, second) == [("succeeded", None), ("pending", "insufficient_funds")]
    assert [each for each in heard(simulator) if "refund" in each][:2] == ["refund.updated", "charge.refund.updated"]
    assert balance(client) == (0, 0)
    assert_exact(simulator)
    top_up(simulator, client, 1_500)
    simulator.run_due()
    assert (states(client, second), balance(client)) == ([("succeeded", None)], (500, 0))
    assert_exact(simulator)


def test_a_refund_that_nobody_covers_fails_and_can_be_asked_for_again() -> None:
    simulator, client, intent = open_shop()
    listen(simulator)
    made = refund(client, intent, 10_000)
    simulator.advance(30 * DAY)
    failed = client.v1.refunds.retrieve(made.id)
    assert (failed.status, failed.failure_reason, failed.balance_transaction) == ("failed", "insufficient_funds", None)
    assert not hasattr(failed, "failure_balance_transaction")
    assert "refund.failed" in heard(simulator)
    assert client.v1.charges.retrieve(str(made.charge)).amount_refunded == 0
    assert_exact(simulator)
    top_up(simulator, client, 10_000)
    assert refund(client, intent, 10_000).status == "succeeded"
    assert_exact(simulator)


def test_without_the_setting_the_balance_goes_below_zero() -> None:
    simulator, client, intent = open_shop(waits=False)
    assert refund(client, intent, 4_000).status == "succeeded"
    assert balance(client) == (-4_000, 0)
    assert_exact(simulator)


@pytest.mark.parametrize("payer", ["transfer", "platform"])
def test_a_reversal_can_cover_the_refund_that_it_is_made_for(payer: str) -> None:
    simulator, client, _ = open_shop()
    seller = ready_seller(simulator, client)
    intent = pay_seller(client, seller, fee=0, payment_method="pm_card_bypassPending")
    simulator.run_due()
    top_up(simulator, client, STRIPE_FEE)
    flags: Any = {"payment_intent": intent.id, "reverse_transfer": payer == "transfer"}
    made = client.v1.refunds.create(flags)
    assert made.status == ("succeeded" if payer == "transfer" else "pending")
    assert_exact(simulator)
