"""R3, F17: a merchant whose balance does not cover its part of a refund, under each of the operator's policies."""

from typing import Any

import pytest

from marketplace.domain.debts import DebtStatus
from marketplace.domain.errors import MerchantShort
from marketplace.domain.ledger import LOSSES, balances, merchant_debt
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy, Shortfall
from marketplace.domain.refunds import RefundStatus
from marketplace.operations import Operation

from .crashes import ProcessDied
from .market import Market
from .test_carts import assert_proven, paid_cart


def paid_out(market: Market, merchant: Merchant, *, leaving: int = 0) -> None:
    """The merchant has its money at its bank."""
    market.advance(8 * 24 * 3_600)
    leaves = market.stripe_balance(merchant.account_id)["usd"] - leaving
    if leaves:
        market.as_merchant(merchant, "POST", "/v1/payouts", amount=leaves, currency="usd")
    market.order("/v1/topups", amount=50_000, currency="usd")  # what the platform refunds with
    market.advance(3 * 24 * 3_600)
    market.take_in(*market.events())


def sold(market: Market) -> tuple[str, Merchant]:
    """A destination charge of 100.00, of which the merchant's 90.00 are at its bank."""
    merchant = market.ready_merchant()
    market.onboard(merchant)
    session = market.sell(merchant, 10_000)
    market.pay(session)
    market.take_in(*market.events())
    return session.transaction_id, merchant


def assert_books_hold(market: Market, transaction_id: str) -> None:
    assert market.violations(transaction_id) == []
    assert market.unsettled(transaction_id) == []


def test_f17_a_destination_charge_s_buyer_is_refunded_and_the_merchant_owes_its_part() -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    paid_out(market, merchant, leaving=2_000)
    refund = market.refund(transaction_id, 10_000, key="a")
    assert refund.status is RefundStatus.SUCCEEDED
    assert [each["amount"] for each in market.at_stripe("/v1/refunds")] == [10_000]
    market.take_in(*market.events())
    books = market.books(transaction_id)
    assert books.payment.refundable == 0
    assert market.debts_open() == 9_000
    assert balances(books.entries)[merchant_debt(merchant.id), "usd"] == 9_000
    assert_books_hold(market, transaction_id)
    again = market.refund(transaction_id, 10_000, key="a")
    assert again.id == refund.id
    assert len(market.at_stripe("/v1/refunds")) == 1


def test_its_debt_is_collected_when_the_merchant_has_sold_again() -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    paid_out(market, merchant)
    market.refund(transaction_id, 10_000, key="a")
    session = market.sell(merchant, 20_000, key="later")
    market.pay(session)
    market.advance(8 * 24 * 3_600)
    market.take_in(*market.events())
    market.sweep()
    market.advance(24 * 3_600)
    market.sweep()
    market.take_in(*market.events())
    assert [debt.status for debt in market.debts()] == [DebtStatus.SETTLED]
    assert market.stripe_balance(merchant.account_id)["usd"] == 18_000 - 9_000
    assert_books_hold(market, transaction_id)


@pytest.mark.parametrize("leaving", [0, 8_999, 9_000])
def test_where_the_policy_is_to_refuse_nobody_is_refunded_and_the_shortfall_is_said(leaving: int) -> None:
    market = Market(money=MoneyPolicy(shortfall=Shortfall.REFUSE))
    transaction_id, merchant = sold(market)
    paid_out(market, merchant, leaving=leaving)
    before = market.books(transaction_id)
    if leaving == 9_000:
        market.refund(transaction_id, 10_000, key="a")
        return
    with pytest.raises(MerchantShort) as refused:
        market.refund(transaction_id, 10_000, key="a")
    assert (refused.value.merchant_id, refused.value.shortfall) == (merchant.id, 9_000 - leaving)
    assert market.books(transaction_id) == before
    assert market.at_stripe("/v1/refunds") == []


def test_where_the_policy_is_to_refuse_a_merchant_that_left_the_platform_covers_nothing() -> None:
    market = Market(money=MoneyPolicy(shortfall=Shortfall.REFUSE))
    transaction_id, merchant = sold(market)
    market.order(f"/_simulator/accounts/{merchant.account_id}/deauthorize")
    with pytest.raises(MerchantShort) as refused:
        market.refund(transaction_id, 10_000, key="a")
    assert (refused.value.merchant_id, refused.value.shortfall) == (merchant.id, 9_000)


def test_in_a_cart_one_read_for_each_merchant_tells_who_is_short() -> None:
    market = Market(money=MoneyPolicy(shortfall=Shortfall.REFUSE))
    transaction_id, (first, second) = paid_cart(market, 6_000, 4_000)
    market.onboard(second)
    paid_out(market, second)
    with pytest.raises(MerchantShort) as refused:
        market.refund(transaction_id, 5_000, key="a")
    assert (refused.value.merchant_id, refused.value.shortfall) == (second.id, 1_800)
    market.calls.clear()
    market.refund(transaction_id, 6_000, key="b", merchant_id=first.id)
    assert market.calls.count(Operation.READ_BALANCE) == 1
    assert market.stripe_balance(first.account_id) == {}


@pytest.mark.parametrize("is_cart", [False, True])
def test_where_the_platform_bears_it_it_is_a_loss_and_nobody_owes(is_cart: bool) -> None:
    market = Market(money=MoneyPolicy(shortfall=Shortfall.PLATFORM_BEARS))
    if is_cart:
        transaction_id, (merchant,) = paid_cart(market, 10_000)
        market.onboard(merchant)
    else:
        transaction_id, merchant = sold(market)
    paid_out(market, merchant)
    market.refund(transaction_id, 10_000, key="a")
    market.take_in(*market.events())
    assert balances(market.books(transaction_id).entries)[LOSSES, "usd"] == 9_000
    assert [(debt.status, debt.written_off) for debt in market.debts()] == [(DebtStatus.WRITTEN_OFF, 9_000)]
    assert market.debts_open() == 0
    assert_books_hold(market, transaction_id)


def test_a_process_that_dies_on_the_way_refunds_once_all_the_same() -> None:
    steps = 0
    for at in range(60):
        market = Market(seed=at + 1)
        transaction_id, merchant = sold(market)
        paid_out(market, merchant)
        market.fuse.set(at)
        try:
            market.refund(transaction_id, 10_000, key="a")
        except ProcessDied:
            steps += 1
        market.fuse.set(None)
        for _ in range(3):
            market.advance(3_600)
            market.sweep()
            market.take_in(*market.events())
        assert [(each["amount"], each["status"]) for each in market.at_stripe("/v1/refunds")] in (
            [],
            [(10_000, "succeeded")],
        )
        if market.at_stripe("/v1/refunds"):
            assert market.debts_open() == 9_000
            assert market.refund(transaction_id, 10_000, key="a").status is RefundStatus.SUCCEEDED
        assert_books_hold(market, transaction_id)
        if at > steps + 2:
            break
    assert steps > 15


def test_the_fee_is_kept_where_the_refund_says_so() -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    paid_out(market, merchant)
    wanted: dict[str, Any] = {"refund_application_fee": False}
    market.refund(transaction_id, 10_000, key="a", **wanted)
    market.take_in(*market.events())
    assert market.debts_open() == 10_000
    assert_books_hold(market, transaction_id)


def test_a_merchant_with_enough_is_reversed_by_stripe_in_one_call() -> None:
    market = Market()
    transaction_id, _ = paid_cart(market, 5_000)
    assert_proven(market, transaction_id)
    transaction_id, _merchant = sold(market)
    market.calls.clear()
    market.refund(transaction_id, 10_000, key="a")
    assert market.calls == [Operation.CREATE_REFUND]
