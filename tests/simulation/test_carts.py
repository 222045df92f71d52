"""Carts: one charge, several merchants, a transfer each; what is held, refunded, owed, and paid again."""

from typing import Any

import pytest

from marketplace.domain.ledger import balances
from marketplace.domain.merchants import Merchant
from marketplace.domain.movements import MovementStatus
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.shares import Hold, Share
from marketplace.domain.transactions import ChargeType, TransactionStatus
from marketplace.operations import Operation

from .market import Market


def three(market: Market) -> tuple[Merchant, Merchant, Merchant]:
    return market.ready_merchant("Clay"), market.ready_merchant("Linen"), market.ready_merchant("Oak")


def paid_cart(
    market: Market, *amounts: int, card: str = "4242424242424242", **terms: Any
) -> tuple[str, list[Merchant]]:
    """A cart of as many merchants, paid, its events taken in."""
    merchants = [market.ready_merchant(f"Merchant {number}") for number in range(len(amounts))]
    session = market.sell_cart(dict(zip(merchants, amounts, strict=True)), **terms)
    market.pay(session, card)
    market.take_in(*market.events())
    return session.transaction_id, merchants


def share_of(market: Market, transaction_id: str, merchant: Merchant) -> Share:
    return market.books(transaction_id).shares[merchant.id]


def assert_proven(market: Market, transaction_id: str, *merchants: Merchant) -> None:
    """The books hold, are at rest, and say of the platform's balance what Stripe says."""
    assert market.violations(transaction_id) == []
    assert market.unsettled(transaction_id) == []
    ledger = market.ledger_balance()
    assert ledger == market.stripe_balance()


def test_a_cart_is_one_charge_and_a_transfer_for_each_merchant() -> None:
    market = Market()
    transaction_id, merchants = paid_cart(market, 5_000, 3_333, 1_667)
    assert [market.stripe_balance(merchant.account_id)["usd"] for merchant in merchants] == [4_500, 3_000, 1_500]
    assert market.calls.count(Operation.CREATE_TRANSFER) == 3
    (charge,) = market.at_stripe("/v1/charges")
    assert {each["source_transaction"] for each in market.at_stripe("/v1/transfers")} == {charge["id"]}
    books = market.books(transaction_id)
    assert books.transaction.charge_type is ChargeType.SEPARATE
    assert books.payment.status is TransactionStatus.PAID
    assert_proven(market, transaction_id)


def test_one_that_is_not_ready_is_held_while_the_others_are_paid_and_is_paid_when_it_is() -> None:
    market = Market(money=MoneyPolicy(hold_until_ready=True))
    clay, linen, oak = three(market)
    market.set_capability(oak, "restricted")
    market.take_in(*market.events())
    session = market.sell_cart({clay: 3_000, linen: 3_000, oak: 3_000})
    market.pay(session)
    market.take_in(*market.events())
    held = share_of(market, session.transaction_id, oak)
    assert held.hold is Hold.NOT_READY
    assert [market.stripe_balance(each.account_id).get("usd", 0) for each in (clay, linen, oak)] == [2_700, 2_700, 0]
    market.set_capability(oak, "active")
    market.take_in(*market.events())
    market.advance(7 * 3_600)
    market.sweep()
    assert market.stripe_balance(oak.account_id) == {"usd": 2_700}
    assert_proven(market, session.transaction_id)


def test_90_of_100_refunded_as_33_33_34_takes_back_30_29_31() -> None:
    market = Market()
    transaction_id, (one, _) = paid_cart(market, 100, 9_900)
    taken = []
    for number, amount in enumerate((33, 33, 34)):
        before = market.stripe_balance(one.account_id).get("usd", 0)
        market.refund(transaction_id, amount, key=f"r{number}", merchant_id=one.id)
        taken.append(before - market.stripe_balance(one.account_id).get("usd", 0))
    assert taken == [30, 29, 31]
    assert market.stripe_balance(one.account_id) == {}
    market.take_in(*market.events())
    assert_proven(market, transaction_id)


def test_f19_a_refund_of_everything_in_parts_closes_every_leg_at_zero() -> None:
    market = Market()
    transaction_id, merchants = paid_cart(market, 3_001, 3_333, 3_667)
    for number, amount in enumerate((3_333, 3_333, 3_335)):
        market.refund(transaction_id, amount, key=f"r{number}")
    market.take_in(*market.events())
    assert [market.stripe_balance(merchant.account_id) for merchant in merchants] == [{}, {}, {}]
    assert_proven(market, transaction_id)
    assert market.calls.count(Operation.CREATE_REFUND) == 3
    assert market.calls.count(Operation.REVERSE_TRANSFER) == 9


def pay_out(market: Market, merchant: Merchant) -> None:
    """All that a merchant has leaves for its bank."""
    market.onboard(merchant)
    market.advance(3 * 24 * 3_600)
    available = market.stripe_balance(merchant.account_id)["usd"]
    market.as_merchant(merchant, "POST", "/v1/payouts", amount=available, currency="usd")
    market.advance(2 * 24 * 3_600)
    market.take_in(*market.events())


def test_a_refund_after_the_payout_is_a_debt_that_the_next_sale_pays() -> None:
    market = Market()
    transaction_id, (one, other) = paid_cart(market, 5_000, 5_000)
    pay_out(market, one)
    refund = market.refund(transaction_id, 5_000, key="r", merchant_id=one.id)
    (debt,) = market.store.debts(one.id, cursor=None, limit=10).items
    assert (debt.amount, debt.rest, debt.cause) == (4_500, 4_500, refund.id)
    session = market.sell_cart({one: 6_000, other: 6_000}, key="next")
    market.pay(session)
    market.take_in(*market.events())
    (debt,) = market.store.debts(one.id, cursor=None, limit=10).items
    assert (debt.netted, debt.rest, debt.due_at) == (4_500, 0, None)
    assert market.stripe_balance(one.account_id) == {"usd": 5_400 - 4_500}
    assert_proven(market, transaction_id)
    assert_proven(market, session.transaction_id)


def test_a_debt_is_collected_when_a_balance_arrives() -> None:
    market = Market()
    transaction_id, (one, _) = paid_cart(market, 5_000, 5_000)
    pay_out(market, one)
    market.refund(transaction_id, 5_000, key="r", merchant_id=one.id)
    direct = market.sell(one, 8_000, key="destination")  # a destination charge is not netted
    market.pay(direct)
    market.take_in(*market.events())
    market.advance(3 * 24 * 3_600)
    market.sweep()
    (debt,) = market.store.debts(one.id, cursor=None, limit=10).items
    assert (debt.collected, debt.rest) == (4_500, 0)
    assert market.stripe_balance(one.account_id) == {"usd": 7_200 - 4_500}
    assert_proven(market, transaction_id)


def test_f22_a_refund_that_fails_later_gives_the_merchants_back_what_was_taken() -> None:
    market = Market()
    merchants = [market.ready_merchant("Clay"), market.ready_merchant("Linen")]
    session = market.sell_cart(dict.fromkeys(merchants, 5_000))
    market.pay(session, card="4000000000005126")
    market.take_in(*market.events())
    market.advance(3 * 24 * 3_600)
    market.refund(session.transaction_id, 5_000, key="r")
    market.advance(24 * 3_600)
    market.take_in(*market.events())
    assert [market.stripe_balance(merchant.account_id)["usd"] for merchant in merchants] == [4_500, 4_500]
    assert market.books(session.transaction_id).payment.refundable == 10_000
    assert_proven(market, session.transaction_id)


def test_held_shares_are_kept_and_a_refund_before_their_release_reverses_nothing() -> None:
    market = Market()
    transaction_id, (one, _) = paid_cart(market, 5_000, 5_000, hold=True)
    assert share_of(market, transaction_id, one).hold is Hold.BY_HAND
    market.refund(transaction_id, 2_000, key="r", merchant_id=one.id)
    assert market.calls.count(Operation.REVERSE_TRANSFER) == 0
    assert market.stripe_balance(one.account_id) == {}


@pytest.mark.parametrize(("currency", "amounts"), [("jpy", (1_000, 334)), ("kwd", (10_010, 5_000))])
def test_f31_the_steps_of_a_currency_are_kept(currency: str, amounts: tuple[int, ...]) -> None:
    market = Market()
    merchants = [market.ready_merchant("Clay"), market.ready_merchant("Linen")]
    session = market.sell_cart(dict(zip(merchants, amounts, strict=True)), currency=currency)
    market.pay(session)
    market.take_in(*market.events())
    market.refund(session.transaction_id, None, key="all")
    market.take_in(*market.events())
    assert market.violations(session.transaction_id) == []
    shares = market.books(session.transaction_id).shares.values()
    assert {each.status for share in shares for each in share.reversals} == {MovementStatus.SUCCEEDED}
    assert balances(market.books(session.transaction_id).entries).keys() <= {
        ("stripe_balance", currency),
        ("processor_fees", currency),
    }
