"""Transfers with and without a charge behind them, reversals, and application fees given back by hand."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import assert_exact, balance, booked, charge_of, heard, listen, pay, pay_seller, refused
from .shop import new_seller, ready_seller
from .test_catalog import assert_whole


@pytest.fixture
def seller(simulator: Simulator, client: stripe.StripeClient) -> str:
    return ready_seller(simulator, client)


def send(client: stripe.StripeClient, seller: str, amount: int | None, **more: Any) -> stripe.Transfer:
    amounts = {} if amount is None else {"amount": amount}
    params: Any = {"currency": "usd", "destination": seller, **amounts, **more}
    return client.v1.transfers.create(params)


def test_a_transfer_needs_money_that_is_available(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    pay(client)  # pending for two days
    with refused(match="4000000000000077") as failure:
        send(client, seller, 100)
    assert (failure.value.http_status, failure.value.code) == (400, "balance_insufficient")
    pay(client, payment_method="pm_card_bypassPending")
    listen(simulator)
    transfer = send(client, seller, 9_680, metadata={"leg": "1"}, transfer_group="ORDER7")
    assert_whole(transfer)
    assert heard(simulator) == ["transfer.created", "seller: payment.created"]
    assert balance(client, seller) == (9_680, 0)
    assert balance(client) == (0, 9_680)
    with refused():
        send(client, seller, 1)
    assert [each.id for each in client.v1.transfers.list({"transfer_group": "ORDER7"}).data] == [transfer.id]
    assert client.v1.transfers.update(transfer.id, {"metadata": {"leg": "2"}}).metadata.to_dict() == {"leg": "2"}
    assert_exact(simulator)


def test_a_charge_carries_transfers_before_its_money_is_available_and_not_more_than_itself(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    charge = charge_of(client, pay(client, 10_000))
    first = send(client, seller, 6_000, source_transaction=charge.id)
    assert first.transfer_group == f"group_{charge.payment_intent}"
    assert client.v1.charges.retrieve(charge.id).transfer_group == first.transfer_group
    with refused(match="must not exceed the source amount of 10000") as failure:
        send(client, seller, 4_001, source_transaction=charge.id)
    assert failure.value.param == "amount"
    send(client, seller, 4_000, source_transaction=charge.id)
    assert (balance(client, seller), balance(client)) == ((0, 10_000), (0, -320))
    assert_exact(simulator)


@pytest.mark.parametrize(
    ("more", "param", "message"),
    [
        ({"currency": "eur"}, "currency", "was different from"),
        ({"destination": "acct_nobody"}, "destination", "No such destination"),
        ({"source_transaction": "ch_nothing"}, "source_transaction", "No such charge"),
        ({"amount": 0}, "amount", "greater than or equal to 1"),
        ({"transfer_group": "OTHER"}, "transfer_group", "must be that of"),
    ],
)
def test_a_transfer_that_does_not_fit_its_charge_is_refused(
    client: stripe.StripeClient, seller: str, more: dict[str, Any], param: str, message: str
) -> None:
    charge = charge_of(client, pay(client, transfer_group="ORDER7"))
    params: Any = {
        "amount": 100,
        "currency": "usd",
        "destination": seller,
        "source_transaction": charge.id,
        **more,
    }
    with refused(match=message) as failure:
        client.v1.transfers.create(params)
    assert failure.value.param == param


def test_an_uncaptured_or_unpaid_charge_funds_nothing(client: stripe.StripeClient, seller: str) -> None:
    for intent in (pay(client, capture_method="manual"), pay(client, payment_method="pm_usBankAccount_success")):
        with refused(match="has not been captured"):
            send(client, seller, 100, source_transaction=str(intent.latest_charge))
    with refused() as failure:
        send(client, new_seller(client), 100)
    assert failure.value.code == "insufficient_capabilities_for_transfer"
    with refused(match="Missing required param: amount"):
        send(client, seller, None)


def test_a_transfer_is_reversed_in_parts_and_never_beyond_itself(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    charge = charge_of(client, pay(client))
    transfer = send(client, seller, 5_000, source_transaction=charge.id)
    first = client.v1.transfers.reversals.create(transfer.id, {"amount": 2_000, "metadata": {"why": "x"}})
    assert_whole(first)
    on_seller: Any = {"stripe_account": seller}
    refund = client.v1.refunds.retrieve(str(first.destination_payment_refund), {}, on_seller)
    assert (refund.amount, refund.source_transfer_reversal) == (2_000, first.id)
    with refused(match="greater than unreversed amount"):
        client.v1.transfers.reversals.create(transfer.id, {"amount": 3_001})
    second = client.v1.transfers.reversals.create(transfer.id)
    found = client.v1.transfers.retrieve(transfer.id)
    assert (second.amount, found.amount_reversed, found.reversed) == (3_000, 5_000, True)
    assert [each.id for each in found.reversals.data] == [second.id, first.id]
    assert [each.id for each in client.v1.transfers.reversals.list(transfer.id).data] == [second.id, first.id]
    changed = client.v1.transfers.reversals.update(transfer.id, first.id, {"metadata": {"why": "y"}})
    embedded = client.v1.transfers.retrieve(transfer.id).reversals.data[1]
    assert changed.metadata == embedded.metadata
    with refused(match="already fully reversed"):
        client.v1.transfers.reversals.create(transfer.id)
    assert booked(client)[-1] == ("transfer_refund", 3_000, 0, 3_000)
    assert booked(client, seller)[-1] == ("payment_refund", -3_000, 0, -3_000)
    assert (balance(client, seller), balance(client)) == ((0, 0), (0, 9_680))
    assert_exact(simulator)


def test_a_reversal_needs_the_sellers_balance(simulator: Simulator, client: stripe.StripeClient, seller: str) -> None:
    charge = charge_of(client, pay_seller(client, seller))
    with refused() as failure:
        client.v1.transfers.reversals.create(str(charge.transfer))  # 100.00, and the seller has 90.00
    assert (failure.value.code, failure.value.http_status) == ("balance_insufficient", 400)
    client.v1.transfers.reversals.create(str(charge.transfer), {"amount": 9_000})
    assert balance(client, seller) == (0, 0)
    assert client.v1.transfers.reversals.list(str(charge.transfer)).data[0].amount == 9_000
    assert_exact(simulator)


def test_pending_money_does_not_cover_a_transfer_that_was_available(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    """Each reversal takes from where its transfer went; money of another payment that is still pending is not there."""
    charge = charge_of(client, pay_seller(client, seller, payment_method="pm_card_bypassPending"))
    pay_seller(client, seller, 8_000, fee=None)
    simulator.run_due()
    assert balance(client, seller) == (9_000, 8_000)
    with refused() as failure:
        client.v1.transfers.reversals.create(str(charge.transfer), {"amount": 9_001})
    assert failure.value.code == "balance_insufficient"
    client.v1.transfers.reversals.create(str(charge.transfer), {"amount": 9_000})
    assert balance(client, seller) == (0, 8_000)
    assert_exact(simulator)


def test_a_reversal_takes_its_part_of_the_fee_back_when_asked(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    charge = charge_of(client, pay_seller(client, seller))
    params: Any = {"amount": 2_500, "refund_application_fee": True}
    client.v1.transfers.reversals.create(str(charge.transfer), params)
    fee = client.v1.application_fees.retrieve(str(charge.application_fee))
    assert fee.amount_refunded == 250
    assert balance(client, seller) == (0, 9_000 - 2_500 + 250)
    assert_exact(simulator)


def test_a_fee_is_given_back_in_parts_newest_first(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    charge = charge_of(client, pay_seller(client, seller))
    fee = client.v1.application_fees.list().data[0]
    assert fee.id == charge.application_fee
    listen(simulator)
    refunds = client.v1.application_fees.refunds
    first = refunds.create(fee.id, {"amount": 300})
    assert_whole(first)
    with refused(match="greater than unrefunded amount on fee"):
        refunds.create(fee.id, {"amount": 701})
    second = refunds.create(fee.id)
    found = client.v1.application_fees.retrieve(fee.id)
    assert (found.amount_refunded, found.refunded) == (1_000, True)
    assert [each.id for each in found.refunds.data] == [second.id, first.id]
    assert [each.amount for each in refunds.list(fee.id).data] == [700, 300]
    assert heard(simulator) == ["application_fee.refunded"] * 2
    with refused(match="already been fully refunded"):
        refunds.create(fee.id)
    assert booked(client)[-1] == ("application_fee_refund", -700, 0, -700)
    assert booked(client, seller)[-1] == ("adjustment", 700, 0, 700)
    assert balance(client, seller) == (0, 10_000)
    assert_exact(simulator)


def test_what_a_seller_refunds_himself_goes_to_the_platform(
    simulator: Simulator, client: stripe.StripeClient, seller: str
) -> None:
    charge = charge_of(client, pay_seller(client, seller))
    transfer = client.v1.transfers.retrieve(str(charge.transfer))
    params: Any = {"charge": str(transfer.destination_payment), "amount": 4_000}
    refund = client.v1.refunds.create(params, {"stripe_account": seller})
    assert refund.source_transfer_reversal
    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 4_000
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0
    assert (balance(client, seller), balance(client)) == ((0, 5_000), (0, 680 + 4_000))
    assert_exact(simulator)
