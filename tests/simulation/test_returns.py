"""R6, X3: money that a merchant sends back by itself, and balances that arrive where something is owed."""

from typing import Any

import pytest

from marketplace.domain.debts import DebtStatus
from marketplace.domain.ledger import balances, merchant_payable
from marketplace.domain.merchants import Merchant
from marketplace.domain.shares import Hold
from marketplace.services.releases import release

from .market import OPERATOR, Market
from .test_carts import assert_proven, paid_cart
from .test_shortfalls import paid_out, sold


def sends_back(market: Market, merchant: Merchant, amount: int) -> list[Any]:
    """A merchant refunds its own first payment, in its dashboard; gives the events."""
    headers = {"Stripe-Account": str(merchant.account_id)}
    payment = market.simulator.request("GET", "/v1/charges", {}, headers=headers).json()["data"][-1]
    market.as_merchant(merchant, "POST", "/v1/refunds", charge=payment["id"], amount=amount)
    return market.events()


def assert_exact(market: Market, transaction_id: str) -> None:
    """The books hold and say what Stripe says, though something waits."""
    assert market.violations(transaction_id) == []
    assert market.ledger_balance() == market.stripe_balance()


@pytest.mark.parametrize("is_cart", [True, False])
def test_what_a_merchant_sends_back_is_its_own_and_waits_for_an_operator(is_cart: bool) -> None:
    market = Market()
    if is_cart:
        transaction_id, merchants = paid_cart(market, 6_000, 4_000)
        merchant, had = merchants[0], 5_400
    else:
        transaction_id, merchant = sold(market)
        had = 9_000
    returned = sends_back(market, merchant, 2_000)
    market.take_in(*returned, *returned)
    share = market.books(transaction_id).shares[merchant.id]
    assert (share.hold, share.had) == (Hold.RETURNED, had - 2_000)
    assert share.waits_for == "an operator: the merchant returned it"
    assert -balances(market.books(transaction_id).entries)[merchant_payable(merchant.id), "usd"] == 2_000
    assert_exact(market, transaction_id)
    market.come_to_rest()
    assert market.stripe_balance(merchant.account_id)["usd"] == had - 2_000
    once = market.once("release", "again", {}, subject=transaction_id)
    market.order("/v1/topups", amount=10_000, currency="usd")
    market.advance(60)
    release(market.ports, OPERATOR, transaction_id, once, merchant_id=merchant.id)
    assert market.stripe_balance(merchant.account_id)["usd"] == had
    assert market.violations(transaction_id) == []


def test_a_destination_charge_is_sent_back_with_the_fee_that_the_merchant_paid_of_it() -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    market.pay(market.sell(merchant, 2_000, key="later"))  # what is beyond comes from what else it has
    market.take_in(*market.events())
    market.take_in(*sends_back(market, merchant, 10_000))
    assert market.books(transaction_id).shares[merchant.id].had == -1_000
    assert_exact(market, transaction_id)


def test_the_buyer_is_refunded_from_it_and_nothing_more_is_taken() -> None:
    market = Market()
    transaction_id, (merchant, _other) = paid_cart(market, 6_000, 4_000)
    market.take_in(*sends_back(market, merchant, 5_400))
    market.refund(transaction_id, 6_000, key="a", merchant_id=merchant.id)
    market.take_in(*market.events())
    assert market.stripe_balance(merchant.account_id) == {}
    assert len([each for each in market.at_stripe("/v1/transfers") if each["amount_reversed"]]) == 1
    assert_proven(market, transaction_id)


def test_our_own_reversals_are_not_taken_for_returns() -> None:
    market = Market()
    transaction_id, merchants = paid_cart(market, 6_000, 4_000)
    market.refund(transaction_id, 5_000, key="a")
    events = market.events()
    assert "transfer.reversed" in {event["type"] for event in events}
    market.take_in(*events, *events)
    assert [market.books(transaction_id).shares[each.id].hold for each in merchants] == [None, None]
    assert_proven(market, transaction_id)
    destination, merchant = sold(market)
    market.refund(destination, 5_000, key="b")
    market.take_in(*market.events())
    assert merchant.id not in market.books(destination).shares
    assert market.violations(destination) == []


def test_many_returns_of_one_transfer_are_all_taken_in_though_the_event_shows_ten() -> None:
    market = Market()
    transaction_id, (merchant, _other) = paid_cart(market, 6_000, 4_000)
    told = [sends_back(market, merchant, 100) for _ in range(12)]
    market.take_in(*told[-1])
    assert len(market.books(transaction_id).shares[merchant.id].reversals) == 12
    assert_exact(market, transaction_id)


def test_a_debt_is_collected_as_soon_as_the_balance_arrives() -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    paid_out(market, merchant)
    market.refund(transaction_id, 10_000, key="a")
    market.take_in(*market.events())
    session = market.sell(merchant, 20_000, key="later")
    market.pay(session)
    market.advance(8 * 24 * 3_600)
    arrived = [event for event in market.events() if event["type"] == "balance.available"]
    assert {event.get("account") for event in arrived} == {None, merchant.account_id}
    market.take_in(*arrived, *arrived)
    assert [debt.status for debt in market.debts()] == [DebtStatus.SETTLED]
    assert market.violations(transaction_id) == []
