"""R6: refunds that nobody asked us for, of the Dashboard for example, are taken in and recovered by policy."""

from typing import Any

import pytest

from marketplace.domain.errors import RefundExceedsRest, TransactionNotRefundable
from marketplace.domain.ledger import LOSSES, balances
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.refunds import RefundStatus

from .crashes import ProcessDied
from .market import Market
from .test_carts import assert_proven, paid_cart

STEP_BEFORE_STRIPE = 4  # a refund is on record with its command, and Stripe not yet asked


def refund_elsewhere(market: Market, transaction_id: str, amount: int, **flags: Any) -> None:
    intent = market.books(transaction_id).payment.payment_intent_id
    market.order("/v1/refunds", payment_intent=intent, amount=amount, **flags)
    market.take_in(*market.events())


def sold(market: Market) -> str:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    market.take_in(*market.events())
    return session.transaction_id


@pytest.mark.parametrize("flags", [{}, {"reverse_transfer": True}])
def test_subscribie_585_a_destination_charge_s_merchant_bears_its_part_whoever_refunds(flags: dict[str, Any]) -> None:
    """Without ``reverse_transfer`` the platform would have paid alone: it is recovered by a reversal of ours."""
    market = Market()
    transaction_id = sold(market)
    refund_elsewhere(market, transaction_id, 4_000, **flags)
    (merchant,) = market.store.merchants(cursor=None, limit=2).items
    kept = 10_000 - 1_000 - (4_000 if flags else 3_600)  # Stripe's reversal takes no part of the fee into account
    assert market.stripe_balance(merchant.account_id) == {"usd": kept}
    books = market.books(transaction_id)
    assert books.payment.refundable == 6_000
    assert [refund.status for refund in books.refunds.values()] == [RefundStatus.SUCCEEDED]
    assert_proven(market, transaction_id)


def test_the_dashboard_may_be_faster_than_what_was_asked_for_here() -> None:
    """Both are on record until Stripe refuses ours; nothing is refunded twice."""
    market = Market()
    transaction_id = sold(market)
    market.fuse.set(STEP_BEFORE_STRIPE)
    with pytest.raises(ProcessDied):
        market.refund(transaction_id, 10_000, key="ours")
    market.fuse.set(None)
    refund_elsewhere(market, transaction_id, 4_000)
    books = market.books(transaction_id)
    assert (books.payment.refund_reserved, books.payment.refundable) == (14_000, 0)
    assert market.violations(transaction_id) == []
    market.advance(3_600)
    market.sweep()
    books = market.books(transaction_id)
    assert sorted(refund.status for refund in books.refunds.values()) == [RefundStatus.REFUSED, RefundStatus.SUCCEEDED]
    assert books.payment.refundable == 6_000
    assert market.violations(transaction_id) == []


def test_a_cart_s_merchants_bear_it_in_proportion() -> None:
    market = Market()
    transaction_id, merchants = paid_cart(market, 6_000, 4_000)
    refund_elsewhere(market, transaction_id, 5_000)
    assert [market.stripe_balance(each.account_id)["usd"] for each in merchants] == [2_700, 1_800]
    found = tuple(market.books(transaction_id).refunds.values())
    for whose in (None, *(each.id for each in merchants)):
        assert market.store.refunds(whose, cursor=None, limit=5).items == found
    assert_proven(market, transaction_id)


def test_where_the_platform_bears_them_the_merchants_keep_theirs() -> None:
    market = Market(money=MoneyPolicy(recovers_foreign_refunds=False))
    transaction_id, merchants = paid_cart(market, 6_000, 4_000)
    refund_elsewhere(market, transaction_id, 5_000)
    assert [market.stripe_balance(each.account_id)["usd"] for each in merchants] == [5_400, 3_600]
    assert balances(market.books(transaction_id).entries)[LOSSES, "usd"] == 5_000
    assert_proven(market, transaction_id)


def test_it_counts_in_what_is_left_to_refund() -> None:
    market = Market()
    transaction_id = sold(market)
    refund_elsewhere(market, transaction_id, 7_000)
    with pytest.raises(RefundExceedsRest):
        market.refund(transaction_id, 3_001, key="a")
    market.refund(transaction_id, 3_000, key="b")
    with pytest.raises(TransactionNotRefundable):
        market.refund(transaction_id, 1, key="c")
    market.take_in(*market.events())
    assert market.violations(transaction_id) == []


FAILS_LATER = "4000000000005126"


def test_a_second_refund_of_the_whole_tells_that_the_first_one_failed() -> None:
    """Its event may overtake that of the failure: who bears what is decided by what Stripe says, once that is read."""
    market = Market()
    transaction_id, merchants = paid_cart(market, 6_000, 4_000, card=FAILS_LATER)
    refund_elsewhere(market, transaction_id, 10_000)
    market.advance(60)
    failures = market.events()
    intent = market.books(transaction_id).payment.payment_intent_id
    market.order("/v1/refunds", payment_intent=intent, amount=10_000)
    second = market.events()
    market.take_in(*second)
    assert market.violations(transaction_id) == []
    market.take_in(*failures)
    assert [refund.status for refund in market.books(transaction_id).refunds.values()] == [
        RefundStatus.FAILED,
        RefundStatus.SUCCEEDED,
    ]
    assert LOSSES not in {account for account, _ in balances(market.books(transaction_id).entries)}
    assert_proven(market, transaction_id)
    assert [market.stripe_balance(each.account_id) for each in merchants] == [{}, {}]


def test_a_refund_of_what_was_disputed_tells_that_the_dispute_was_won() -> None:
    market = Market()
    transaction_id, merchants = paid_cart(market, 6_000, 4_000)
    charge = market.books(transaction_id).payment.charge_id
    dispute = market.order(f"/_simulator/charges/{charge}/dispute", amount=5_000)["id"]
    market.take_in(*market.events())
    market.order(f"/_simulator/disputes/{dispute}/decide", outcome="won")
    won = market.events()
    refund_elsewhere(market, transaction_id, 10_000)
    assert market.violations(transaction_id) == []
    market.take_in(*won)
    market.come_to_rest()
    assert_proven(market, transaction_id)
    assert [market.stripe_balance(each.account_id) for each in merchants] == [{}, {}]


def test_what_a_bank_takes_beyond_what_was_refunded_is_the_platform_s_loss() -> None:
    market = Market()
    transaction_id, _ = paid_cart(market, 6_000, 4_000)
    refund_elsewhere(market, transaction_id, 7_000)
    charge = market.books(transaction_id).payment.charge_id
    market.order(f"/_simulator/charges/{charge}/dispute", amount=10_000)
    market.take_in(*market.events())
    assert balances(market.books(transaction_id).entries)[LOSSES, "usd"] == 7_000
    assert_proven(market, transaction_id)
