"""Refunds: what goes back to the buyer, what the seller and the platform give for it, and what can go wrong."""

from itertools import product
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.funds import refunds
from local.stripe_simulator.funds.records import REFUNDS

from .paying import assert_exact, balance, booked, charge_of, context_of, heard, listen, pay, pay_seller, refused
from .shop import ready_seller

BOTH: Any = {"reverse_transfer": True, "refund_application_fee": True}


@pytest.fixture
def seller(simulator: Simulator, client: stripe.StripeClient) -> str:
    return ready_seller(simulator, client)


def refund(client: stripe.StripeClient, intent: stripe.PaymentIntent, **more: Any) -> stripe.Refund:
    params: Any = {"payment_intent": intent.id, **more}
    return client.v1.refunds.create(params)


def test_a_refund_takes_the_sellers_share_and_the_fee_with_it(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    """100.00 with a fee of 10.00; 33.33 go back: 33.33 of the transfer, 3.33 of the fee."""
    intent = pay_seller(client, seller)
    made = refund(client, intent, amount=3_333, metadata={"why": "x"}, reason="requested_by_customer", **BOTH)
    assert (made.status, made.amount, made.metadata and made.metadata.to_dict()) == ("succeeded", 3_333, {"why": "x"})
    assert booked(client)[3:] == [
        ("application_fee_refund", -333, 0, -333),
        ("transfer_refund", 3_333, 0, 3_333),
        ("refund", -3_333, 0, -3_333),
    ]
    assert booked(client, seller)[1:] == [("adjustment", 333, 0, 333), ("payment_refund", -3_333, 0, -3_333)]
    assert (balance(client, seller), balance(client)) == ((0, 9_000 - 3_333 + 333), (0, 680 - 333))
    found: Any = client.v1.refunds.retrieve(made.id, {"expand": ["transfer_reversal", "charge.application_fee"]})
    assert (found.transfer_reversal.amount, found.transfer_reversal.source_refund) == (3_333, made.id)
    assert [each.amount for each in found.charge.application_fee.refunds.data] == [333]
    listed: Any = client.v1.refunds.list({"expand": ["data.charge.application_fee"]}).data[0]
    assert listed.charge.application_fee.amount_refunded == 333
    assert_exact(simulator)


def test_the_rest_closes_transfer_and_fee_to_the_cent(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    intent = pay_seller(client, seller, 9_999, fee=1_001)
    for amount in (3_333, 3_333, None):
        refund(client, intent, **({} if amount is None else {"amount": amount}), **BOTH)
    charge = charge_of(client, intent)
    transfer = client.v1.transfers.retrieve(str(charge.transfer))
    fee = client.v1.application_fees.retrieve(str(charge.application_fee))
    assert (charge.refunded, transfer.reversed, fee.refunded) == (True, True, True)
    assert [each.amount for each in fee.refunds.data] == [
        333,
        334,
        334,
    ]  # 333.67 each, to the half up; the last the rest
    stripe_fee = 320  # 2.9% of 99.99 is 2.90, and 0.30; never returned
    assert (balance(client, seller), balance(client)) == ((0, 0), (0, -stripe_fee))
    with refused(match="has already been refunded") as failure:
        refund(client, intent)
    assert (failure.value.code, failure.value.http_status) == ("charge_already_refunded", 400)
    assert_exact(simulator)


def test_the_seller_keeps_what_nobody_asks_back(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    intent = pay_seller(client, seller)
    refund(client, intent)
    assert (balance(client, seller), balance(client)) == ((0, 9_000), (0, 680 - 10_000))
    other = pay_seller(client, seller)
    refund(client, other, amount=5_000, reverse_transfer=True)
    assert balance(client, seller) == (0, 9_000 + 4_000)
    assert_exact(simulator)


def test_a_refund_that_takes_the_transfer_along_takes_only_its_own_part(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    intent = pay_seller(client, seller, fee=None)
    refund(client, intent, amount=4_000)
    refund(client, intent, amount=6_000, reverse_transfer=True)
    assert balance(client, seller) == (0, 4_000)
    assert_exact(simulator)


def test_what_a_refund_tells_and_in_which_order(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    intent = pay_seller(client, seller)
    listen(simulator)
    made = refund(client, intent, **BOTH)
    assert heard(simulator) == [
        *("application_fee.refunded", "transfer.reversed", "charge.refunded", "refund.created"),
        *("refund.updated", "charge.refund.updated"),
    ]
    details: Any = client.v1.refunds.retrieve(made.id).destination_details
    assert (details.card.reference_status, len(details.card.reference)) == ("available", 23)
    client.v1.refunds.update(made.id, {"metadata": {"a": "1"}})
    assert heard(simulator) == ["refund.updated", "charge.refund.updated"]


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        ({"amount": 10_001}, "amount", "greater than charge amount"),
        ({"amount": 0}, "amount", "greater than or equal to 1"),
        ({"amount": -5}, "amount", "greater than or equal to 0"),
        ({"reverse_transfer": True}, "reverse_transfer", "which has none"),
        ({"refund_application_fee": True}, "refund_application_fee", "which has none"),
        ({"charge": "ch_x"}, "charge", "should be provided"),
        ({"reason": "because"}, "reason", "must be one of"),
    ],
)
def test_what_cannot_be_refunded_is_refused(
    client: stripe.StripeClient, more: dict[str, Any], param: str, message: str
) -> None:
    intent = pay(client)
    with refused(match=message) as failure:
        refund(client, intent, **more)
    assert (failure.value.param, failure.value.http_status) == (param, 400)
    assert client.v1.refunds.list({"payment_intent": intent.id}).data == []


def test_a_refund_names_an_existing_charge(client: stripe.StripeClient) -> None:
    for more in ({}, {"charge": "ch_none"}, {"payment_intent": "pi_none"}):
        with refused():
            client.v1.refunds.create(more)  # type: ignore[arg-type]  # what is wrong is the point
    held = pay(client, capture_method="manual")
    with refused() as failure:
        client.v1.refunds.create({"charge": str(held.latest_charge)})
    assert failure.value.code == "charge_not_refundable"


def test_a_fee_does_not_come_back_without_the_transfer(client: stripe.StripeClient, seller: str) -> None:
    """https://docs.stripe.com/connect/destination-charges#issue-refunds"""
    intent = pay_seller(client, seller)
    with refused(match="must also reverse the transfer") as failure:
        refund(client, intent, refund_application_fee=True)
    assert failure.value.param == "refund_application_fee"


def test_a_seller_without_the_money_stops_the_whole_refund(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    intent = pay_seller(client, seller)
    client.v1.transfers.reversals.create(str(charge_of(client, intent).transfer), {"amount": 9_000})
    before = booked(client)
    with refused() as failure:
        refund(client, intent, reverse_transfer=True)
    assert failure.value.code == "balance_insufficient"
    assert booked(client) == before
    assert client.v1.refunds.list().data == []
    assert refund(client, intent).status == "succeeded"
    assert_exact(simulator)


def test_a_refund_may_fail_after_it_succeeded_and_the_platform_has_its_money_again(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    intent = pay_seller(client, seller, payment_method="pm_card_refundFail")
    made = refund(client, intent, **BOTH)
    assert made.status == "succeeded"
    listen(simulator)
    simulator.advance(3)
    found = client.v1.refunds.retrieve(made.id, {"expand": ["failure_balance_transaction"]})
    assert (found.status, found.failure_reason) == ("failed", "expired_or_canceled_card")
    returned: Any = found.failure_balance_transaction
    assert (returned.type, returned.net, returned.reporting_category) == ("refund_failure", 10_000, "refund_failure")
    assert heard(simulator) == ["refund.updated", "charge.refund.updated", "refund.failed"]
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    available, pending = balance(client)
    assert (available, pending, balance(client, seller)) == (10_000, -320, (0, 0))  # the seller got nothing again
    assert refund(client, intent).status == "succeeded"
    assert_exact(simulator)


def test_a_refund_may_be_pending_first(simulator: Simulator, client: stripe.StripeClient) -> None:
    intent = pay(client, payment_method="pm_card_pendingRefund")
    made = refund(client, intent, amount=1)
    assert made.status == "pending"
    with refused(match="status of pending") as failure:
        client.v1.refunds.cancel(made.id)
    assert failure.value.http_status == 400
    listen(simulator)
    simulator.advance(3)
    assert client.v1.refunds.retrieve(made.id).status == "succeeded"
    assert heard(simulator) == ["refund.updated", "charge.refund.updated"]
    assert_exact(simulator)


def test_a_refund_goes_nowhere_that_its_table_does_not_name(simulator: Simulator, client: stripe.StripeClient) -> None:
    made = refund(client, pay(client), amount=1)
    with simulator.store.transaction() as transaction:
        context = context_of(simulator, transaction)
        stored = context.state.get(REFUNDS, made.id)
        for start, end in product(refunds.TRANSITIONS, refunds.TRANSITIONS):
            item = context.state.update(REFUNDS, stored, {"status": start})
            if end in refunds.TRANSITIONS[start]:
                assert refunds.advance(context, item, end)["status"] == end
            else:
                with pytest.raises(LookupError, match="cannot go"):
                    refunds.advance(context, item, end)
