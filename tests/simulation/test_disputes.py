"""Disputes of destination and separate charges: taken from the merchants, given back on a win, never twice."""

from collections.abc import Callable

import pytest

from marketplace.domain.disputes import DisputeStatus
from marketplace.domain.errors import TransactionNotRefundable
from marketplace.domain.ledger import LOSSES, balances
from marketplace.domain.shares import Hold

from .market import Market
from .test_carts import assert_proven, paid_cart, pay_out

FEE = 1_500  # Stripe's, of every dispute, in the simulator's settings


def dispute(market: Market, transaction_id: str, amount: int, *, inquiry: bool = False) -> str:
    """A buyer's bank disputes a part of the payment; its events are taken in."""
    charge = market.books(transaction_id).payment.charge_id
    made = market.order(f"/_simulator/charges/{charge}/dispute", amount=amount, reason="fraudulent", inquiry=inquiry)
    market.take_in(*market.events())
    return str(made["id"])


def decide(market: Market, dispute_id: str, outcome: str) -> None:
    market.order(f"/_simulator/disputes/{dispute_id}/decide", outcome=outcome)
    market.take_in(*market.events())


def destination(market: Market) -> str:
    session = market.sell(market.ready_merchant("Merchant 0"), 10_000)
    market.pay(session)
    market.take_in(*market.events())
    return session.transaction_id


def cart(market: Market) -> str:
    return paid_cart(market, 6_000, 4_000)[0]


def merchants_have(market: Market) -> list[int]:
    found = sorted(market.store.merchants(cursor=None, limit=10).items, key=lambda merchant: merchant.name)
    return [market.stripe_balance(merchant.account_id).get("usd", 0) for merchant in found]


@pytest.mark.parametrize("sale", [destination, cart])
def test_a_dispute_takes_the_money_and_its_fee_from_the_merchants_and_a_win_gives_the_money_back(
    sale: Callable[[Market], str],
) -> None:
    market = Market()
    transaction_id = sale(market)
    before = sum(merchants_have(market))
    found = dispute(market, transaction_id, 10_000)
    market.sweep()
    assert sum(merchants_have(market)) == 0  # 90.00 of 90.00; the fee of 15.00 becomes a debt
    assert market.violations(transaction_id) == []
    assert sum(debt.rest for debt in market.debts()) == FEE
    decide(market, found, "won")
    market.come_to_rest()
    assert sum(merchants_have(market)) == before - FEE
    assert market.debts_open() == 0
    assert_proven(market, transaction_id)


@pytest.mark.parametrize("sale", [destination, cart])
def test_a_lost_dispute_of_a_part_stays_with_the_merchants_in_proportion(sale: Callable[[Market], str]) -> None:
    market = Market()
    transaction_id = sale(market)
    before = sum(merchants_have(market))
    found = dispute(market, transaction_id, 5_000)
    decide(market, found, "lost")
    assert sum(merchants_have(market)) == before - 4_500 - FEE
    (known,) = market.books(transaction_id).disputes.values()
    assert known.status is DisputeStatus.LOST
    assert_proven(market, transaction_id)


def test_an_inquiry_moves_nothing_and_stops_releases_until_it_is_closed() -> None:
    market = Market()
    transaction_id, (one, _) = paid_cart(market, 6_000, 4_000, release_at=market.in_days(10))
    found = dispute(market, transaction_id, 10_000, inquiry=True)
    market.advance(11 * 24 * 3_600)
    market.sweep()
    assert merchants_have(market) == [0, 0]
    assert market.books(transaction_id).shares[one.id].hold is Hold.DISPUTED
    decide(market, found, "closed")
    market.sweep()
    assert merchants_have(market) == [5_400, 3_600]
    assert_proven(market, transaction_id)


def test_a_disputed_payment_is_not_refunded() -> None:
    market = Market()
    transaction_id = cart(market)
    dispute(market, transaction_id, 5_000)
    with pytest.raises(TransactionNotRefundable):
        market.refund(transaction_id, 1_000, key="r")


def test_gumroad_4372_what_was_refunded_is_not_taken_from_the_merchant_again() -> None:
    """F21: a dispute after a refund bears on what is left; what the bank takes beyond it is the platform's loss."""
    market = Market()
    transaction_id, (one, other) = paid_cart(market, 6_000, 4_000)
    market.refund(transaction_id, 6_000, key="r", merchant_id=one.id)
    market.take_in(*market.events())
    found = dispute(market, transaction_id, 10_000)
    market.sweep()
    assert merchants_have(market) == [0, 0]
    decide(market, found, "lost")
    assert balances(market.books(transaction_id).entries)[LOSSES, "usd"] == 6_000
    assert market.violations(transaction_id) == []
    assert {debt.merchant_id for debt in market.debts()} == {other.id}


def test_a_dispute_after_the_payout_is_a_debt_and_a_win_restores_what_was_taken() -> None:
    market = Market()
    transaction_id, (one, other) = paid_cart(market, 6_000, 4_000)
    pay_out(market, one)
    found = dispute(market, transaction_id, 10_000)
    market.sweep()
    assert sorted(debt.rest for debt in market.debts()) == sorted([5_400, 900, 600])
    market.order("/v1/topups", amount=10_000, currency="usd")  # what the merchants owe is missing on the platform
    decide(market, found, "won")
    market.come_to_rest()
    assert market.violations(transaction_id) == []
    assert market.stripe_balance(other.account_id) == {"usd": 3_600 - 600}


def test_several_disputes_of_one_charge_never_take_more_than_there_is() -> None:
    market = Market()
    transaction_id = cart(market)
    first = dispute(market, transaction_id, 4_000)
    second = dispute(market, transaction_id, 6_000)
    assert market.violations(transaction_id) == []
    decide(market, first, "lost")
    decide(market, second, "won")
    market.come_to_rest()
    assert sum(merchants_have(market)) - market.debts_open() == 9_000 - 3_600 - 2 * FEE
    assert market.violations(transaction_id) == []
