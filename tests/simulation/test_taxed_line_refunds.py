"""R1, R2: lines of taxed, discounted and changed baskets are refunded at what was paid for each, with its own tax."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from marketplace.domain.errors import (
    LineExceedsRest,
    NotFound,
    RefundExceedsRest,
    TransactionNotRefundable,
    Unavailable,
)
from marketplace.domain.ledger import balances
from marketplace.domain.merchants import Merchant
from marketplace.domain.portions import TaxLiability
from marketplace.domain.refunds import Refund
from marketplace.domain.transactions import CaptureMethod, ChargeType
from marketplace.operations import Operation
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.captures import capture
from marketplace.services.checkout import create_checkout_session

from .market import GERMANY, OPERATOR, SHOP, Market
from .test_crashes import each_step
from .test_line_refunds import give_back

VAT = "de.country.vat"
UNTAXED = "txcd_00000000"  # https://docs.stripe.com/tax/tax-codes
TOPPED_UP = 500_000


def a_market() -> Market:
    market = Market()
    market.collect_tax()
    market.order("/v1/topups", amount=TOPPED_UP, currency="usd")
    market.advance(60)
    return market


def thing(merchant: Merchant, amount: int, quantity: int = 1, **more: Any) -> InlineItem:
    return InlineItem(
        name="Thing", unit_amount=amount, currency="usd", quantity=quantity, merchant_id=merchant.id,
        **{"tax_behavior": "exclusive"} | more,
    )  # fmt: skip


def sold(market: Market, *items: InlineItem, quantities: Mapping[int, int] | None = None, **terms: Any) -> str:
    """A paid sale; ``quantities`` are what the buyer made of some lines."""
    asked: dict[str, Any] = {"automatic_tax": True} | terms
    basket = Basket(items=items, success_url=SHOP, cancel_url=SHOP, metadata={}, **asked)
    session = create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "order"))
    lines = market.at_stripe(f"/v1/checkout/sessions/{session.checkout_session_id}/line_items")
    changed = {f"quantity_{lines[line]['id']}": str(count) for line, count in (quantities or {}).items()}
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY, **changed)
    market.take_in(*market.events())
    market.transaction_id = session.transaction_id
    return session.transaction_id


def taxes(refund: Refund) -> int:
    return sum(part.tax for part in refund.parts)


def assert_closed(market: Market, sale: str) -> None:
    """Nobody has anything of it any more, and the books are at rest."""
    market.come_to_rest()
    books = market.books(sale)
    left = {account for (account, _), amount in balances(books.entries).items() if amount}
    assert left <= {"stripe_balance", "processor_fees"}  # Stripe keeps its fee
    assert [market.stripe_balance(leg.account_id) for leg in books.transaction.legs] == [{}] * len(books.shares)
    assert market.violations(sale) == []
    assert market.unsettled(sale) == []
    assert market.ledger_balance()["usd"] == market.stripe_balance()["usd"] - TOPPED_UP


@pytest.mark.parametrize("liability", TaxLiability)
@pytest.mark.parametrize("charge_type", [None, ChargeType.DESTINATION])
def test_a_line_gives_back_its_own_tax_and_not_the_average(
    charge_type: ChargeType | None, liability: TaxLiability
) -> None:
    market = a_market()
    clay = market.ready_merchant()
    market.collect_tax(clay)
    lines = (thing(clay, 5_000), thing(clay, 3_000, tax_code=UNTAXED), thing(clay, 2_000))
    sale = sold(market, *lines, charge_type=charge_type, tax_liability=liability)
    refunds = [give_back(market, sale, {line: None}, key=str(line)) for line in (1, 0)]
    assert [(refund.amount, taxes(refund), refund.fee) for refund in refunds] == [(3_000, 0, 300), (5_950, 950, 500)]
    assert market.violations(sale) == []
    rest = give_back(market, sale, {2: None}, key="rest")
    assert (rest.amount, taxes(rest), rest.fee) == (2_380, 380, 200)
    assert_closed(market, sale)


def test_items_one_by_one_are_rounded_on_their_line_and_close_at_what_was_paid_for_it() -> None:
    market = a_market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    sale = sold(market, thing(clay, 333, 3), thing(linen, 777, 2))
    refunds = [give_back(market, sale, {0: 1}, key=str(number)) for number in range(3)]
    assert [(each.amount, taxes(each)) for each in refunds] == [(396, 63), (397, 64), (396, 63)]  # 11.89 with 1.90
    with pytest.raises(LineExceedsRest):
        give_back(market, sale, {0: 1}, key="more")
    assert market.stripe_balance(clay.account_id) == {}
    give_back(market, sale, {1: None}, key="others")
    assert_closed(market, sale)


def test_a_discount_on_one_line_comes_back_with_that_line() -> None:
    """10 percent off the first line alone, the platform's own: 90.00 of 100.00; the other line of 50.00 had none."""
    market = a_market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    coupon = market.coupon(percent_off="10", platform_basis_points=10_000)
    sale = sold(market, thing(clay, 10_000), thing(linen, 5_000), coupon_id=coupon.id, automatic_tax=False)
    refund = give_back(market, sale, {1: None}, key="b")
    assert (refund.amount, refund.parts[0].promotions) == (4_500, {coupon.id: 500})
    refund = give_back(market, sale, {0: None}, key="a")
    assert (refund.amount, refund.parts[0].promotions, refund.fee) == (9_000, {coupon.id: 1_000}, 1_000)
    assert_closed(market, sale)


def test_what_the_buyer_made_of_the_basket_is_what_is_refunded_of_it() -> None:
    market = a_market()
    clay = market.ready_merchant()
    bounds = {"bounds": (0, 9)}
    lines = (thing(clay, 1_000, 2, **bounds), thing(clay, 500, 2, **bounds), thing(clay, 700, 2, **bounds))
    sale = sold(market, *lines, quantities={0: 5, 1: 0}, automatic_tax=False)
    with pytest.raises(NotFound):
        give_back(market, sale, {1: None}, key="none")
    refund = give_back(market, sale, {0: 4}, key="a")
    assert (refund.amount, refund.fee) == (4_000, 400)
    assert give_back(market, sale, {2: None, 0: None}, key="b").amount == 2_400
    assert_closed(market, sale)


def test_of_what_was_captured_less_a_line_is_its_part_with_its_part_of_the_tax() -> None:
    market = a_market()
    clay = market.ready_merchant()
    lines = (thing(clay, 6_000), thing(clay, 4_000, tax_code=UNTAXED))
    sale = sold(market, *lines, capture_method=CaptureMethod.MANUAL)
    capture(market.ports, OPERATOR, sale, 5_570, market.once("capture", "c", subject=sale))  # half of 111.40
    market.take_in(*market.events())
    refund = give_back(market, sale, {0: None}, key="a")
    assert (refund.amount, taxes(refund)) == (3_570, 570)
    give_back(market, sale, {1: None}, key="b")
    assert_closed(market, sale)


def test_lines_and_amounts_together_give_back_no_more_than_was_paid_and_close() -> None:
    market = a_market()
    clay = market.ready_merchant()
    sale = sold(market, thing(clay, 100), thing(clay, 900, tax_code=UNTAXED))
    market.refund(sale, 100, key="by-amount")
    market.take_in(*market.events())
    refund = give_back(market, sale, {1: None}, key="line")
    assert (refund.amount, taxes(refund)) == (900, 0)
    with pytest.raises(RefundExceedsRest):
        give_back(market, sale, {0: None}, key="too-much")
    small = market.refund(sale, 10, key="small")  # of 19 that are left 17 are tax
    market.take_in(*market.events())
    assert taxes(small) <= small.amount
    assert market.violations(sale) == []
    market.refund(sale, None, key="rest")
    market.take_in(*market.events())
    assert_closed(market, sale)


def test_an_amount_after_a_line_has_the_tax_of_what_that_line_left() -> None:
    market = a_market()
    clay = market.ready_merchant()
    sale = sold(market, thing(clay, 100), thing(clay, 900, tax_code=UNTAXED))
    give_back(market, sale, {1: None}, key="untaxed")
    refunds = [market.refund(sale, amount, key=f"{amount}") for amount in (60, 59)]  # of 119 that are left, 19 are tax
    market.take_in(*market.events())
    assert [taxes(refund) for refund in refunds] == [10, 9]
    assert_closed(market, sale)


@pytest.mark.parametrize("seed", range(6))
def test_any_refunds_of_any_order_close_at_zero(seed: int) -> None:
    chance = random.Random(seed)
    market = a_market()
    sellers = [market.ready_merchant(f"Seller {number}") for number in range(2)]
    coupon = market.coupon(percent_off="15", platform_basis_points=chance.choice([0, 3_333, 10_000]))
    behavior = chance.choice(["exclusive", "inclusive"])
    lines = [
        thing(chance.choice(sellers), chance.randint(101, 3_000), chance.randint(1, 3), tax_behavior=behavior,
              tax_code=chance.choice([UNTAXED, None]))
        for _ in range(4)
    ]  # fmt: skip
    lines[0] = thing(sellers[0], 1_999, 3, tax_behavior=behavior)
    lines[1] = thing(sellers[1], 1_001, 2, tax_behavior=behavior)
    sale = sold(market, *lines, coupon_id=coupon.id)
    for number in range(8):
        if chance.random() < 0.5:
            left = market.books(sale).payment.refundable
            market.refund(sale, chance.randint(1, max(1, left // 3)), key=f"amount-{number}")
            market.take_in(*market.events())
        else:
            try:
                give_back(market, sale, {chance.randrange(4): 1}, key=f"line-{number}")
            except (LineExceedsRest, RefundExceedsRest):
                continue
        assert market.violations(sale) == []
    market.refund(sale, None, key="rest")
    market.take_in(*market.events())
    assert_closed(market, sale)


def test_f10_a_refund_of_lines_that_dies_anywhere_is_one_refund_of_their_own_tax() -> None:
    def prepared(market: Market) -> None:
        market.collect_tax()
        market.order("/v1/topups", amount=TOPPED_UP, currency="usd")
        market.advance(60)
        clay = market.ready_merchant()
        sold(market, thing(clay, 5_000), thing(clay, 5_000, tax_code=UNTAXED))

    died = each_step(prepared, lambda market: give_back(market, market.transaction_id, {0: None}, key="r"))
    assert len(died) >= 8
    for step, market in died:
        market.advance(60)
        market.sweep()
        refund = give_back(market, market.transaction_id, {0: None}, key="r")
        market.sweep()
        market.take_in(*market.events())
        assert (refund.amount, taxes(refund), len(market.at_stripe("/v1/refunds"))) == (5_950, 950, 1), step
        assert market.stripe_balance(market.only_merchant().account_id) == {"usd": 4_500}
        assert market.violations(market.transaction_id) == []
        assert market.unsettled(market.transaction_id) == []


def test_the_order_is_read_once_for_lines_and_never_for_an_amount() -> None:
    market = a_market()
    clay = market.ready_merchant()
    sale = sold(market, thing(clay, 1_000, 3))
    before = market.calls.count(Operation.LIST_SESSION_LINE_ITEMS)
    market.refund(sale, 119, key="amount")
    assert market.calls.count(Operation.LIST_SESSION_LINE_ITEMS) == before
    give_back(market, sale, {0: 1}, key="line")
    assert market.calls.count(Operation.LIST_SESSION_LINE_ITEMS) == before + 1


def test_without_stripe_nothing_is_refunded_by_lines() -> None:
    market = a_market()
    clay = market.ready_merchant()
    sale = sold(market, thing(clay, 1_000, 3))
    market.simulator.faults.order("refuse_connection", method="GET", path="/v1/checkout/sessions*", count=9)
    with pytest.raises(Unavailable):
        give_back(market, sale, {0: 1}, key="line")
    market.simulator.faults.clear()
    assert market.books(sale).refunds == {}
    assert give_back(market, sale, {0: 1}, key="line").amount == 1_190


def test_before_it_is_settled_nobody_knows_what_a_line_was_paid() -> None:
    market = a_market()
    clay = market.ready_merchant()
    basket = Basket(
        items=(thing(clay, 1_000, 2, bounds=(1, 5)),), success_url=SHOP, cancel_url=SHOP, metadata={}
    )  # fmt: skip
    session = create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "order"))
    market.submit(str(session.checkout_session_id), card="4242424242424242")
    events = market.events()
    market.take_in(*(event for event in events if event["type"] != "charge.updated"))
    with pytest.raises(TransactionNotRefundable):
        give_back(market, session.transaction_id, {0: 1}, key="early")
    market.take_in(*events)
    assert give_back(market, session.transaction_id, {0: 1}, key="later").amount == 1_000
