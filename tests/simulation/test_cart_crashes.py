"""A cart's settlement, refund and debts, the process dying at every step: as if it had not (F02, F10, F16, F17)."""

from marketplace.domain.merchants import Merchant
from marketplace.operations import Operation

from .market import Market
from .test_carts import assert_proven, paid_cart, pay_out
from .test_crashes import each_step, refund_again


def merchants(market: Market) -> list[Merchant]:
    found = market.store.merchants(cursor=None, limit=10).items
    return sorted(found, key=lambda merchant: merchant.name)


def cart_paid_at_stripe(market: Market) -> None:
    sellers = [market.ready_merchant("Clay"), market.ready_merchant("Linen"), market.ready_merchant("Oak")]
    session = market.sell_cart(dict(zip(sellers, (5_000, 3_333, 1_667), strict=True)))
    market.transaction_id = session.transaction_id
    market.pay(session)
    market.waiting = market.events()


def cart_settled(market: Market) -> None:
    cart_paid_at_stripe(market)
    market.take_in(*market.waiting)


def test_f02_a_settlement_that_dies_anywhere_pays_each_merchant_once() -> None:
    died = each_step(cart_paid_at_stripe, lambda market: market.take_in(*market.waiting))
    assert len(died) >= 20
    for step, market in died:
        market.advance(60)
        market.take_in(*market.waiting)  # the queue brings them again
        market.sweep()
        market.sweep()
        paid = [market.stripe_balance(merchant.account_id)["usd"] for merchant in merchants(market)]
        assert paid == [4_500, 3_000, 1_500], step
        assert len(market.at_stripe("/v1/transfers")) == 3
        assert_proven(market, market.transaction_id)


def test_f10_a_refund_that_dies_anywhere_takes_back_from_each_merchant_once() -> None:
    died = each_step(cart_settled, lambda market: market.refund(market.transaction_id, 5_000, key="r"))
    assert len(died) >= 12
    for step, market in died:
        refund_again(market, 5_000)
        left = [market.stripe_balance(merchant.account_id)["usd"] for merchant in merchants(market)]
        assert left == [2_250, 1_500, 750], step
        assert len(market.at_stripe("/v1/refunds")) == 1
        assert_proven(market, market.transaction_id)


def test_f17_pay_connector_1249_a_refund_whose_recovery_dies_anywhere_ends_as_one_debt() -> None:
    def paid_out(market: Market) -> None:
        market.transaction_id, (one, _) = paid_cart(market, 5_000, 5_000)
        pay_out(market, one)

    died = each_step(paid_out, lambda market: market.refund(market.transaction_id, 10_000, key="r"))
    for step, market in died:
        refund_again(market, 10_000)
        short, solvent = merchants(market)
        (debt,) = market.store.debts(short.id, cursor=None, limit=10).items
        assert (debt.amount, debt.rest) == (4_500, 4_500), step
        assert market.store.debts(solvent.id, cursor=None, limit=10).items == ()
        assert market.stripe_balance(solvent.account_id) == {}
        assert_proven(market, market.transaction_id)


def test_f17_a_netting_that_dies_anywhere_pays_a_debt_once() -> None:
    def owing(market: Market) -> None:
        transaction_id, (one, other) = paid_cart(market, 5_000, 5_000)
        pay_out(market, one)
        market.refund(transaction_id, 5_000, key="r", merchant_id=one.id)
        session = market.sell_cart({one: 6_000, other: 6_000}, key="next")
        market.pay(session)
        market.transaction_id, market.waiting = session.transaction_id, market.events()

    for step, market in each_step(owing, lambda market: market.take_in(*market.waiting)):
        market.advance(60)
        market.take_in(*market.waiting)
        market.sweep()
        market.sweep()
        short, _ = merchants(market)
        (debt,) = market.store.debts(short.id, cursor=None, limit=10).items
        assert (debt.netted, debt.rest) == (4_500, 0), step
        assert market.stripe_balance(short.account_id) == {"usd": 900}
        assert_proven(market, market.transaction_id)


def test_eliza_11022_spree_14500_a_transfer_left_for_days_is_looked_for_before_it_is_asked_for_again() -> None:
    """spree#14500, mercur: the key was pruned after a day, and the transfer made again."""
    for step, market in each_step(cart_paid_at_stripe, lambda market: market.take_in(*market.waiting)):
        market.advance(3 * 24 * 3_600)
        market.take_in(*market.waiting)
        market.sweep()
        market.sweep()
        assert len(market.at_stripe("/v1/transfers")) == 3, step
        assert market.calls.count(Operation.CREATE_TRANSFER) <= 4
        assert_proven(market, market.transaction_id)
