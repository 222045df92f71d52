"""No history of payments, refunds, reversals and failures loses or makes a cent, however parts are rounded."""

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.funds.balances import BALANCES
from local.stripe_simulator.funds.exactness import examine
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.money import Rounding
from local.stripe_simulator.state import State

from .conftest import START
from .paying import assert_exact, charge_of, pay_seller
from .shop import ready_seller

BOTH: Any = {"reverse_transfer": True, "refund_application_fee": True}
HALF = Fraction(1, 2)


def floor(share: Fraction) -> int:
    return share.numerator // share.denominator


def half_up(share: Fraction) -> int:
    return floor(share + HALF)


def half_even(share: Fraction) -> int:
    return round(share)


MODES: list[tuple[Rounding, Callable[[Fraction], int]]] = [
    (Rounding.DOWN, floor),
    (Rounding.HALF_UP, half_up),
    (Rounding.HALF_EVEN, half_even),
]


def open_shop(
    rounding: Rounding, *, closes: bool, overdraws: bool = False
) -> tuple[Simulator, stripe.StripeClient, str]:
    chosen = Settings(rounding=rounding, last_refund_closes=closes, reversals_overdraw=overdraws)
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=chosen)
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    return simulator, client, ready_seller(simulator, client)


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize(("rounding", "rounded"), MODES)
@settings(max_examples=20, deadline=None)
@given(data=st.data(), amount=st.integers(50, 99_999))
def test_partial_refunds_in_any_parts_are_proportional_and_exact(
    rounding: Rounding, rounded: Callable[[Fraction], int], closes: bool, data: st.DataObject, amount: int
) -> None:
    simulator, client, seller = open_shop(rounding, closes=closes)
    fee = data.draw(st.integers(0, amount), label="fee")
    pay_seller(client, seller)  # what rounding leaves with the platform, the seller has to have from elsewhere
    intent = pay_seller(client, seller, amount, fee)
    charge = charge_of(client, intent)
    returned, left = 0, amount
    for step in range(data.draw(st.integers(1, 5), label="refunds")):
        part = data.draw(st.integers(1, left), label=f"part {step}")
        expected = min(rounded(Fraction(fee * part, amount)), fee - returned)
        left -= part
        if part == amount or (closes and not left):
            expected = fee - returned
        params: Any = {"charge": charge.id, "amount": part, "reverse_transfer": True}
        params["refund_application_fee"] = fee > 0
        client.v1.refunds.create(params)
        returned += expected
        if fee:
            assert client.v1.application_fees.retrieve(str(charge.application_fee)).amount_refunded == returned
        assert client.v1.transfers.retrieve(str(charge.transfer)).amount_reversed == amount - left
        assert_exact(simulator)
        if not left:
            break
    assert client.v1.charges.retrieve(charge.id).refunded == (left == 0)


def dispute_or_decide(data: st.DataObject, simulator: Simulator, client: stripe.StripeClient, _seller: str) -> None:
    charge = data.draw(st.sampled_from(client.v1.charges.list().data))
    order = {"amount": data.draw(st.integers(1, 5_000)), "inquiry": data.draw(st.booleans())}
    simulator.request("POST", f"/_simulator/charges/{charge.id}/dispute", order)
    outcome = data.draw(st.sampled_from(["won", "lost", "escalated", "closed", "undecided"]))
    for found in client.v1.disputes.list().data:
        simulator.request("POST", f"/_simulator/disputes/{found.id}/decide", {"outcome": outcome})


def pay_out_and_perhaps_fail(
    data: st.DataObject, simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    params: Any = {"amount": data.draw(st.integers(1, 5_000)), "currency": "usd"}
    made = client.v1.payouts.create(params, {"stripe_account": seller})
    if data.draw(st.booleans()):
        simulator.request("POST", f"/_simulator/payouts/{made.id}/fail", {})


def change_schedule(data: st.DataObject, _simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    payouts = {"schedule": {"interval": data.draw(st.sampled_from(["daily", "manual"]))}}
    params: Any = {"payments": {"payouts": payouts, "debit_negative_balances": True}}
    client.v1.balance_settings.update(params, {"stripe_account": seller} if data.draw(st.booleans()) else {})


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_history_is_exact_at_every_step(data: st.DataObject) -> None:
    simulator, client, seller = open_shop(Rounding.HALF_UP, closes=True, overdraws=data.draw(st.booleans()))
    methods = ["pm_card_visa", "pm_card_bypassPending", "pm_card_refundFail", "pm_card_pendingRefund"]
    methods += ["pm_usBankAccount_success", "pm_usBankAccount_noAccount"]
    charges: list[str] = []

    def do_pay() -> None:
        amount = data.draw(st.integers(50, 20_000))
        intent = pay_seller(client, seller, amount, amount // 10, payment_method=data.draw(st.sampled_from(methods)))
        charges.append(str(intent.latest_charge))

    def do_refund() -> None:
        flags: Any = data.draw(st.sampled_from([{}, {"reverse_transfer": True}, BOTH]))
        params: Any = {"charge": data.draw(st.sampled_from(charges)), "amount": amount_of(), **flags}
        client.v1.refunds.create(params)

    def do_reverse() -> None:
        found = client.v1.transfers.list().data
        client.v1.transfers.reversals.create(data.draw(st.sampled_from(found)).id, {"amount": amount_of()})

    def do_transfer() -> None:
        client.v1.transfers.create({"amount": amount_of(), "currency": "usd", "destination": seller})

    def do_wait() -> None:
        simulator.advance(data.draw(st.sampled_from([1, 5, 86_400, 3 * 86_400])))

    def do_more() -> None:
        step = data.draw(st.sampled_from([dispute_or_decide, pay_out_and_perhaps_fail, change_schedule]))
        step(data, simulator, client, seller)

    def amount_of() -> int:
        return data.draw(st.integers(1, 5_000))

    do_pay()
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from([do_pay, do_refund, do_reverse, do_transfer, do_wait, do_more]))
        if step is do_reverse and not client.v1.transfers.list().data:
            continue
        with suppress(stripe.InvalidRequestError):  # what Stripe would refuse changes nothing
            step()
        assert_exact(simulator)


def test_the_examination_finds_a_cent_that_is_not_there(simulator: Simulator, client: stripe.StripeClient) -> None:
    pay_seller(client, ready_seller(simulator, client))
    simulator.run_due()
    with simulator.store.transaction() as transaction:
        state = State(transaction, simulator.platform)
        kept = state.get(BALANCES, "usd")
        state.update(BALANCES, kept, {"available": kept["available"] + 1})
    finding = examine(simulator.store)
    assert finding.books["usd"].difference == -1
    assert len(finding.errors) == 2
