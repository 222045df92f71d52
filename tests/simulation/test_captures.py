"""Authorized payments: captured whole or in part, canceled, lapsed; and held shares released in parts."""

from typing import Any

import pytest

from marketplace.domain.errors import (
    CaptureExceedsAuthorized,
    IdempotencyKeyReused,
    NotCapturable,
    NotFound,
    NothingHeld,
    ReleaseExceedsHeld,
)
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.transactions import CaptureMethod, TransactionStatus
from marketplace.services.captures import cancel, capture
from marketplace.services.releases import hold, release

from .market import OPERATOR, Market
from .test_carts import assert_proven, paid_cart
from .test_crashes import each_step


def authorized(market: Market, *amounts: int) -> list[Merchant]:
    """A sale of one merchant or several, its money authorized; its events taken in."""
    merchants = [market.ready_merchant(f"Merchant {number}") for number in range(len(amounts))]
    amounts_of = dict(zip(merchants, amounts, strict=True))
    session = market.sell_cart(amounts_of, capture_method=CaptureMethod.MANUAL)
    market.pay(session)
    market.take_in(*market.events())
    market.transaction_id = session.transaction_id
    return merchants


def do_capture(market: Market, amount: int | None = None, key: str = "capture") -> None:
    body = {"amount": amount}
    capture(
        market.ports,
        OPERATOR,
        market.transaction_id,
        amount,
        market.once("c", key, body, subject=market.transaction_id),
    )
    market.take_in(*market.events())


def do_cancel(market: Market, key: str = "cancel") -> None:
    cancel(market.ports, OPERATOR, market.transaction_id, market.once("x", key, subject=market.transaction_id))
    market.take_in(*market.events())


def do_release(market: Market, *, key: str, **terms: Any) -> None:
    once = market.once("release", key, {**terms}, subject=market.transaction_id)
    release(market.ports, OPERATOR, market.transaction_id, once, **terms)


def have(market: Market, merchants: list[Merchant]) -> list[int]:
    return [market.stripe_balance(merchant.account_id).get("usd", 0) for merchant in merchants]


def status(market: Market) -> TransactionStatus:
    return market.books(market.transaction_id).payment.status


@pytest.mark.parametrize("amounts", [(10_000,), (6_000, 4_000)])
def test_an_authorization_is_no_payment_until_it_is_captured(amounts: tuple[int, ...]) -> None:
    market = Market()
    merchants = authorized(market, *amounts)
    assert status(market) is TransactionStatus.AUTHORIZED
    payment = market.books(market.transaction_id).payment
    assert payment.capture_before == market.in_days(7)
    assert (payment.authorized, payment.captured, have(market, merchants)) == (10_000, None, [0] * len(amounts))
    do_capture(market)
    assert status(market) is TransactionStatus.PAID
    assert have(market, merchants) == [amount * 9 // 10 for amount in amounts]
    assert_proven(market, market.transaction_id)


@pytest.mark.parametrize(("amounts", "expected"), [((10_000,), [4_500]), ((6_000, 4_000), [2_700, 1_800])])
def test_a_part_is_captured_and_every_leg_made_smaller(amounts: tuple[int, ...], expected: list[int]) -> None:
    market = Market()
    merchants = authorized(market, *amounts)
    do_capture(market, 5_000)
    assert have(market, merchants) == expected
    assert market.books(market.transaction_id).payment.captured == 5_000
    assert market.books(market.transaction_id).payment.refundable == 5_000
    assert_proven(market, market.transaction_id)


def test_what_is_canceled_or_lapsed_is_neither_captured_nor_paid() -> None:
    market = Market()
    authorized(market, 10_000)
    do_cancel(market)
    assert status(market) is TransactionStatus.CANCELED
    with pytest.raises(NotCapturable):
        do_capture(market)
    with pytest.raises(NotCapturable):
        do_cancel(market, key="again")
    assert market.unsettled(market.transaction_id) == []
    lapsing = Market()
    authorized(lapsing, 10_000)
    lapsing.advance(8 * 24 * 3_600)
    with pytest.raises(NotCapturable):
        do_capture(lapsing)
    lapsing.take_in(*lapsing.events())
    assert status(lapsing) is TransactionStatus.CANCELED


def test_a_capture_is_within_what_was_authorized_and_happens_once() -> None:
    market = Market()
    authorized(market, 10_000)
    for wrong in (10_001, 99_999):
        with pytest.raises(CaptureExceedsAuthorized):
            do_capture(market, wrong)
    do_capture(market, 7_000)
    do_capture(market, 7_000)
    with pytest.raises(IdempotencyKeyReused):
        do_capture(market, 8_000)
    with pytest.raises(NotCapturable):
        do_capture(market, 1_000, key="another")
    with pytest.raises(NotCapturable):
        do_cancel(market)


@pytest.mark.parametrize("captures", [True, False])
def test_as_the_deadline_nears_it_is_captured_or_left_to_lapse_by_policy(captures: bool) -> None:
    market = Market(money=MoneyPolicy(captures_at_deadline=captures))
    authorized(market, 10_000)
    for _ in range(9):
        market.advance(24 * 3_600 - 1)
        market.sweep()
        market.take_in(*market.events())
    assert status(market) is (TransactionStatus.PAID if captures else TransactionStatus.CANCELED)
    assert market.unsettled(market.transaction_id) == []


def test_a_capture_that_dies_anywhere_is_made_once() -> None:
    def act(market: Market) -> None:
        body = {"amount": 5_000}
        once = market.once("c", "capture", body, subject=market.transaction_id)
        capture(market.ports, OPERATOR, market.transaction_id, 5_000, once)

    for step, market in each_step(lambda market: authorized(market, 6_000, 4_000), act):
        market.advance(60)
        market.sweep()
        do_capture(market, 5_000)
        market.sweep()
        market.take_in(*market.events())
        assert market.books(market.transaction_id).payment.captured == 5_000, step
        assert_proven(market, market.transaction_id)


def test_an_escrow_is_released_in_two_parts() -> None:
    market = Market()
    market.transaction_id, merchants = paid_cart(market, 6_000, 4_000, hold=True)
    assert have(market, merchants) == [0, 0]
    do_release(market, key="1", merchant_id=merchants[0].id, amount=2_000)
    do_release(market, key="1", merchant_id=merchants[0].id, amount=2_000)  # the same request again
    assert have(market, merchants) == [2_000, 0]
    with pytest.raises(ReleaseExceedsHeld):
        do_release(market, key="2", merchant_id=merchants[0].id, amount=3_401)
    with pytest.raises(NotFound):
        do_release(market, key="3", merchant_id=market.ready_merchant("Stranger").id)
    do_release(market, key="4")
    assert have(market, merchants) == [5_400, 3_600]
    with pytest.raises(NothingHeld):
        do_release(market, key="5")
    assert_proven(market, market.transaction_id)


def test_an_escrow_is_released_at_its_date_and_can_be_held_on() -> None:
    market = Market()
    market.transaction_id, merchants = paid_cart(market, 6_000, 4_000, release_at=market.in_days(5))
    once = market.once("hold", "h", subject=market.transaction_id)
    hold(market.ports, OPERATOR, market.transaction_id, once, merchant_id=merchants[1].id, release_at=market.in_days(9))
    market.advance(6 * 24 * 3_600)
    market.sweep()
    assert have(market, merchants) == [5_400, 0]
    market.advance(4 * 24 * 3_600)
    market.sweep()
    assert have(market, merchants) == [5_400, 3_600]
    assert_proven(market, market.transaction_id)


def test_a_refund_of_what_was_released_in_part_takes_back_only_what_was_sent_too_much() -> None:
    market = Market()
    market.transaction_id, (one, other) = paid_cart(market, 10_000, 1_000, hold=True)
    do_release(market, key="1", merchant_id=one.id, amount=4_000)
    market.refund(market.transaction_id, 3_000, key="r", merchant_id=one.id)
    assert have(market, [one]) == [4_000]  # 2,300 of 9,000 - 2,700 are still held
    market.refund(market.transaction_id, 5_000, key="s", merchant_id=one.id)
    assert have(market, [one]) == [1_800]
    do_release(market, key="2")
    assert have(market, [one, other]) == [1_800, 900]
    market.take_in(*market.events())
    assert_proven(market, market.transaction_id)
