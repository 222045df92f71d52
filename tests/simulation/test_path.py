"""The whole path of a sale over the simulator, with every sum computed here."""

from dataclasses import replace

import pytest

from local.stripe_simulator.money import Rounding
from local.stripe_simulator.settings import Settings
from marketplace.domain.errors import (
    CheckoutSessionNotOpen,
    IdempotencyKeyReused,
    MerchantNotReady,
    RefundExceedsRest,
    StripeRefused,
)
from marketplace.domain.ledger import balances, merchant_payable
from marketplace.domain.refunds import RefundStatus
from marketplace.domain.transactions import TransactionStatus
from marketplace.operations import Operation
from marketplace.services.accounts import NewMerchant
from marketplace.services.checkout import expire_checkout_session, read_checkout_session
from marketplace.services.merchants import create_merchant

from .market import OPERATOR, Market

STRIPE_FEE = 320  # 2.9 % + 30 of 100.00


def test_a_sale_is_paid_split_and_booked(market: Market) -> None:
    merchant = market.ready_merchant()
    session = market.sell(merchant, 10_000)
    market.pay(session)
    market.take_in(*market.events())
    assert market.books(session.transaction_id).payment.is_settled
    market.take_in_balance_transactions()

    books = market.books(session.transaction_id)
    payment = books.payment
    assert payment.status is TransactionStatus.PAID
    assert (payment.captured, payment.application_fee_amount, payment.processing_fee) == (10_000, 1_000, STRIPE_FEE)
    assert payment.payment_intent_id
    assert payment.payment_intent_status == "succeeded"
    assert books.leg.account_id == merchant.account_id
    assert balances(books.entries) == {
        ("stripe_balance", "usd"): 1_000 - STRIPE_FEE,
        ("platform_revenue", "usd"): -1_000,
        ("processor_fees", "usd"): STRIPE_FEE,
    }
    assert market.violations(session.transaction_id) == []
    assert market.unsettled(session.transaction_id) == []
    assert market.stripe_balance() == {"usd": 1_000 - STRIPE_FEE}
    assert market.stripe_balance(merchant.account_id) == {"usd": 9_000}


def test_a_part_and_then_the_rest_go_back_to_the_cent(market: Market) -> None:
    merchant = market.ready_merchant()
    session = market.sell(merchant, 9_999)
    market.pay(session)
    market.take_in(*market.events())
    for amount in (3_333, 3_333, None):
        refund = market.refund(session.transaction_id, amount, key=f"refund-{amount}-{len(market.calls)}")
        assert refund.status is RefundStatus.SUCCEEDED
        market.take_in(*market.events())
        market.sweep()
        assert market.violations(session.transaction_id) == []

    market.take_in_balance_transactions()
    books = market.books(session.transaction_id)
    assert sum(refund.amount for refund in books.refunds.values()) == 9_999
    assert sum(refund.fee for refund in books.refunds.values()) == 1_000
    fee = round(9_999 * 0.029) + 30
    assert balances(books.entries) == {("stripe_balance", "usd"): -fee, ("processor_fees", "usd"): fee}
    assert market.stripe_balance() == {"usd": -fee}
    assert market.stripe_balance(merchant.account_id) == {}


@pytest.mark.parametrize("rounding", list(Rounding))
def test_however_stripe_rounds_the_merchant_has_nothing_left_in_the_end(rounding: Rounding) -> None:
    """polar: 90 of 100 refunded as 33, 33, 34 gave back 88. MultiVendorX#976: the commission was wrong after a part."""
    market = Market(settings=Settings(rounding=rounding))
    merchant = market.ready_merchant()
    session = market.sell(merchant, 100)
    market.pay(session)
    market.take_in(*market.events())
    for number, (amount, merchants_share_left) in enumerate(((33, 60), (33, 31), (34, 0))):
        market.refund(session.transaction_id, amount, key=f"r{number}")
        market.take_in(*market.events())
        market.sweep()
        assert market.violations(session.transaction_id) == []
        assert market.stripe_balance(merchant.account_id).get("usd", 0) == merchants_share_left
    books = market.books(session.transaction_id)
    assert market.stripe_balance(merchant.account_id) == {}
    assert books.fee_returned() == 10
    assert (merchant_payable(merchant.id), "usd") not in balances(books.entries)
    assert market.unsettled(session.transaction_id) == []


def test_the_ledger_says_what_stripe_says_after_each_step(market: Market) -> None:
    merchant = market.ready_merchant()
    sessions = [market.sell(merchant, amount, key=f"order-{amount}") for amount in (10_000, 777, 50)]
    for session in sessions:
        market.pay(session)
        market.take_in(*market.events())
    market.refund(sessions[0].transaction_id, 4_000, key="a")
    market.refund(sessions[1].transaction_id, None, key="b")
    market.take_in(*market.events())
    market.take_in_balance_transactions()
    entries = [entry for session in sessions for entry in market.books(session.transaction_id).entries]
    assert balances(entries)["stripe_balance", "usd"] == market.stripe_balance()["usd"]


def test_calls_to_stripe_are_as_few_as_promised(market: Market) -> None:
    merchant = market.ready_merchant()
    market.calls.clear()
    session = market.sell(merchant, 10_000)
    assert market.calls == [Operation.CREATE_CHECKOUT_SESSION]
    market.pay(session)
    market.calls.clear()
    market.take_in(*market.events())
    assert market.calls == []
    market.calls.clear()
    market.refund(session.transaction_id, 1_000, key="r")
    assert market.calls == [Operation.CREATE_REFUND]
    market.calls.clear()
    market.take_in(*market.events())
    assert market.calls == []


def test_a_merchant_that_is_not_ready_cannot_be_sold_for(market: Market) -> None:
    wanted = NewMerchant(name="Slow", contact_email="s@example.com", country="us", currencies=("usd",), fee_policy=None)
    merchant = create_merchant(market.ports, OPERATOR, wanted, market.once("merchant", "slow"))
    market.calls.clear()
    with pytest.raises(MerchantNotReady):
        market.sell(merchant, 100)
    assert market.calls == []


def test_an_expired_session_cannot_be_paid_and_a_paid_one_not_expired(market: Market) -> None:
    merchant = market.ready_merchant()
    ended, paid = market.sell(merchant, 100, key="a"), market.sell(merchant, 100, key="b")
    assert expire_checkout_session(market.ports, OPERATOR, ended.transaction_id).status is TransactionStatus.EXPIRED
    assert expire_checkout_session(market.ports, OPERATOR, ended.transaction_id).status is TransactionStatus.EXPIRED
    market.pay(paid)
    with pytest.raises(CheckoutSessionNotOpen):
        expire_checkout_session(market.ports, OPERATOR, paid.transaction_id)
    market.take_in(*market.events())
    assert read_checkout_session(market.ports, OPERATOR, paid.transaction_id).status is TransactionStatus.PAID
    assert read_checkout_session(market.ports, OPERATOR, ended.transaction_id).url is None


def test_a_session_that_nobody_pays_expires_by_itself(market: Market) -> None:
    session = market.sell(market.ready_merchant(), 100)
    market.advance(25 * 3600)
    market.take_in(*market.events())
    assert market.books(session.transaction_id).payment.status is TransactionStatus.EXPIRED


def test_the_sweep_learns_what_lost_webhooks_would_have_told(market: Market) -> None:
    merchant = market.ready_merchant()
    paid, left = market.sell(merchant, 10_000, key="a"), market.sell(merchant, 100, key="b")
    market.pay(paid)
    market.events()  # lost
    market.advance(26 * 3600)
    market.events()  # lost
    market.sweep()
    assert market.books(paid.transaction_id).payment.is_settled
    assert market.books(left.transaction_id).payment.status is TransactionStatus.EXPIRED
    assert market.unsettled(paid.transaction_id) == []
    assert market.sweep().looked_at == 0


def test_an_asynchronous_payment_is_paid_only_when_the_money_is_there(market: Market) -> None:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay_by_bank(session, succeeds=True)
    market.take_in(*market.events())
    assert market.books(session.transaction_id).payment.status is TransactionStatus.PROCESSING
    assert market.books(session.transaction_id).entries == ()
    market.advance(7 * 24 * 3600)
    market.take_in(*market.events())
    assert market.books(session.transaction_id).payment.is_settled


def test_an_asynchronous_payment_that_fails_is_never_paid(market: Market) -> None:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay_by_bank(session, succeeds=False)
    market.advance(7 * 24 * 3600)
    market.take_in(*market.events())
    books = market.books(session.transaction_id)
    assert books.payment.status is TransactionStatus.FAILED
    assert books.entries == ()


def test_f22_solidus_stripe_265_a_refund_that_fails_later_is_refundable_again(market: Market) -> None:
    merchant = market.ready_merchant()
    session = market.sell(merchant, 10_000)
    market.pay(session, card="4000000000005126")  # refunds of it succeed and fail later
    market.take_in(*market.events())
    refund = market.refund(session.transaction_id, 4_000, key="r")
    market.advance(7 * 24 * 3600)
    market.take_in(*market.events())
    books = market.books(session.transaction_id)
    assert books.refunds[refund.id].status is RefundStatus.FAILED
    assert books.payment.refundable == 10_000
    assert balances(books.entries).get((merchant_payable(merchant.id), "usd"), 0) == 0
    assert market.stripe_balance(merchant.account_id) == {"usd": 9_000}  # the merchant is restored
    assert market.violations(session.transaction_id) == []


def test_what_stripe_refuses_is_refundable_again(market: Market) -> None:
    merchant = market.ready_merchant()
    session = market.sell(merchant, 10_000)
    market.pay(session)
    market.take_in(*market.events())
    intent = market.books(session.transaction_id).payment.payment_intent_id
    market.simulator.request("POST", "/v1/refunds", {"payment_intent": intent})  # in the Dashboard, unknown to us
    with pytest.raises(StripeRefused) as refused:
        market.refund(session.transaction_id, 4_000, key="r")
    assert refused.value.code == "charge_already_refunded"
    books = market.books(session.transaction_id)
    assert [refund.status for refund in books.refunds.values()] == [RefundStatus.REFUSED]
    assert books.payment.refund_reserved == 0
    assert market.violations(session.transaction_id) == []


def test_liberapay_1533_a_key_with_two_amounts_is_refused_and_its_refund_stands(market: Market) -> None:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    market.take_in(*market.events())
    first = market.refund(session.transaction_id, 1_000, key="one")
    with pytest.raises(IdempotencyKeyReused):
        market.refund(session.transaction_id, 2_000, key="one")
    again = market.refund(session.transaction_id, 1_000, key="one")
    assert replace(again, version=first.version) == first
    assert [refund["amount"] for refund in market.at_stripe("/v1/refunds")] == [1_000]


def test_over_refund_is_refused(market: Market) -> None:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    market.take_in(*market.events())
    market.refund(session.transaction_id, 6_000, key="a")
    with pytest.raises(RefundExceedsRest):
        market.refund(session.transaction_id, 4_001, key="b")


def test_f18_subscribie_585_alf_io_739_a_refund_reverses_the_transfer_and_asks_for_no_fee_where_none_was(
    market: Market,
) -> None:
    free = Market(fee_percent="0")
    merchant = free.ready_merchant()
    session = free.sell(merchant, 10_000)
    free.pay(session)
    free.take_in(*free.events())
    free.refund(session.transaction_id, None, key="r")
    (refund,) = free.at_stripe("/v1/refunds")
    assert refund["transfer_reversal"]
    assert free.stripe_balance(merchant.account_id) == {}
    assert replace(free.books(session.transaction_id).leg, fee=0).fee == 0
