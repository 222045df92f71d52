"""Taxed and discounted sales, the process dying at every step of settlement and refund: as if it had not (F02, F10)."""

import pytest

from marketplace.domain.transactions import ChargeType
from marketplace.operations import Operation

from .market import GERMANY, Market
from .test_crashes import each_step, refund_again
from .test_taxed_and_discounted import VAT, assert_proven, journal, mixed, sell, taxed

KINDS = (None, ChargeType.DESTINATION)


def paid_at_stripe(market: Market, charge_type: ChargeType | None) -> None:
    """81.00 net of a merchant-funded tenth, 15.39 tax on top; its events not heard of yet."""
    taxed(market)
    clay = market.ready_merchant()
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
    session = sell(market, {clay: 10_000}, automatic_tax=True, coupon_id=coupon.id, charge_type=charge_type)
    market.transaction_id = session.transaction_id
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)
    market.waiting = market.events()


@pytest.mark.parametrize("charge_type", KINDS)
def test_f02_a_settlement_that_dies_anywhere_moves_tax_and_discount_once(charge_type: ChargeType | None) -> None:
    died = each_step(lambda market: paid_at_stripe(market, charge_type), lambda market: market.take_in(*market.waiting))
    assert len(died) >= 10
    for step, market in died:
        market.advance(60)
        market.take_in(*market.waiting)
        market.sweep()
        market.sweep()
        assert market.stripe_balance(market.only_merchant().account_id) == {"usd": 8_550}, step
        assert journal(market, market.transaction_id)[VAT] == -1_710
        assert market.calls.count(Operation.REVERSE_TRANSFER) <= (2 if charge_type else 0)
        assert len(market.at_stripe("/v1/transfers")) == 1
        assert_proven(market, market.transaction_id)


@pytest.mark.parametrize("charge_type", KINDS)
def test_f10_a_refund_that_dies_anywhere_returns_tax_and_takes_from_each_once(charge_type: ChargeType | None) -> None:
    def settled(market: Market) -> None:
        taxed(market)
        _, session, _ = mixed(market, charge_type)
        market.transaction_id = session.transaction_id

    died = each_step(settled, lambda market: market.refund(market.transaction_id, 5_355, key="r"))
    assert len(died) >= 8
    for step, market in died:
        refund_again(market, 5_355)
        assert market.stripe_balance(market.only_merchant().account_id) == {"usd": 4_275}, step
        assert journal(market, market.transaction_id)[VAT] == -855
        assert len(market.at_stripe("/v1/refunds")) == 1
        assert_proven(market, market.transaction_id)


@pytest.mark.parametrize("charge_type", KINDS)
def test_a_settlement_whose_events_are_all_lost_is_found_by_the_sweep(charge_type: ChargeType | None) -> None:
    market = Market()
    paid_at_stripe(market, charge_type)
    market.advance(26 * 3_600)
    market.sweep()
    market.sweep()
    assert market.stripe_balance(market.only_merchant().account_id) == {"usd": 8_550}
    assert_proven(market, market.transaction_id)
