"""R1: refunds by line item: at what was paid for it, each item once, every line closed at zero."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.domain.errors import LineExceedsRest, NotFound, RefundExceedsRest, TransactionNotRefundable
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.refunds import Refund, RefundStatus
from marketplace.domain.transactions import CaptureMethod
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.captures import capture
from marketplace.services.checkout import create_checkout_session
from marketplace.services.refunds import RefundRequest, request_refund

from .market import OPERATOR, SHOP, Market
from .test_carts import assert_proven


def sold(
    market: Market, *lines: tuple[Merchant, int, int], currency: str = "usd", card: str = "4242424242424242"
) -> str:
    """A paid sale of lines: the merchant, what one costs, how many."""
    items = tuple(
        InlineItem(name="Cup", unit_amount=amount, currency=currency, quantity=quantity, merchant_id=merchant.id)
        for merchant, amount, quantity in lines
    )
    basket = Basket(items=items, success_url=f"{SHOP}/thanks", cancel_url=SHOP, metadata={})
    session = create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "order"))
    market.pay(session, card)
    market.take_in(*market.events())
    return session.transaction_id


def give_back(
    market: Market, transaction_id: str, lines: Mapping[int, int | None], *, key: str, caller: Principal = OPERATOR
) -> Refund:
    request = RefundRequest(transaction_id=transaction_id, lines=lines)
    once = market.once(f"refund {transaction_id}", key, {"lines": sorted(lines.items())}, subject=transaction_id)
    made = request_refund(market.ports, caller, request, once)
    market.take_in(*market.events())
    return made


def test_a_line_of_a_cart_is_refunded_by_its_own_merchant_alone() -> None:
    market = Market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    sale = sold(market, (clay, 2_000, 3), (linen, 1_000, 2), (clay, 500, 1))
    refund = give_back(market, sale, {0: 2, 1: 1}, key="a")
    assert (refund.amount, [(part.merchant_id, part.amount, part.fee) for part in refund.parts]) == (
        5_000,
        [(clay.id, 4_000, 400), (linen.id, 1_000, 100)],
    )
    assert [market.stripe_balance(each.account_id)["usd"] for each in (clay, linen)] == [5_850 - 3_600, 1_800 - 900]
    assert give_back(market, sale, {0: 2, 1: 1}, key="a").id == refund.id  # the same request again
    rest = give_back(market, sale, {0: None, 1: None, 2: None}, key="b")
    assert [(line.line, line.quantity) for line in rest.lines] == [(0, 1), (1, 1), (2, 1)]
    assert [market.stripe_balance(each.account_id) for each in (clay, linen)] == [{}, {}]
    assert_proven(market, sale)


def test_more_of_a_line_than_is_left_is_refused() -> None:
    market = Market()
    sale = sold(market, (market.ready_merchant(), 2_000, 2))
    give_back(market, sale, {0: 1}, key="a")
    for lines in ({0: 2}, {0: 0}):
        with pytest.raises(LineExceedsRest):
            give_back(market, sale, lines, key="b")
    for lines in ({1: 1}, {-1: 1}):
        with pytest.raises(NotFound):
            give_back(market, sale, lines, key="c")
    give_back(market, sale, {0: None}, key="d")
    with pytest.raises(TransactionNotRefundable):
        give_back(market, sale, {0: None}, key="e")


def test_a_line_whose_refund_fails_later_can_be_refunded_again() -> None:
    market = Market()
    sale = sold(market, (market.ready_merchant(), 2_000, 2), card="4000000000005126")
    give_back(market, sale, {0: 2}, key="a")
    market.advance(24 * 3_600)
    market.take_in(*market.events())
    assert [refund.status for refund in market.books(sale).refunds.values()] == [RefundStatus.FAILED]
    assert give_back(market, sale, {0: None}, key="b").amount == 4_000


def test_what_other_refunds_took_of_a_merchant_s_part_is_not_given_back_by_lines() -> None:
    market = Market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    sale = sold(market, (clay, 2_000, 1), (linen, 2_000, 1))
    market.refund(sale, 500, key="r", merchant_id=clay.id)
    with pytest.raises(RefundExceedsRest):
        give_back(market, sale, {0: 1}, key="a")
    assert give_back(market, sale, {1: 1}, key="b").amount == 2_000


def test_a_merchant_of_a_cart_refunds_its_own_lines_alone() -> None:
    market = Market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    sale = sold(market, (clay, 2_000, 1), (linen, 1_000, 1))
    seller = Principal(role=Role.MERCHANT, subject="seller", merchant_id=linen.id)
    with pytest.raises(NotFound):
        give_back(market, sale, {0: 1}, key="a", caller=seller)
    assert give_back(market, sale, {1: 1}, key="b", caller=seller).parts[0].merchant_id == linen.id


def test_of_what_was_captured_less_a_line_is_its_part() -> None:
    market = Market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    items = tuple(
        InlineItem(name="Cup", unit_amount=2_000, currency="usd", quantity=3, merchant_id=each.id)
        for each in (clay, linen)
    )
    basket = Basket(
        items=items, success_url=f"{SHOP}/thanks", cancel_url=SHOP, metadata={}, capture_method=CaptureMethod.MANUAL
    )
    session = create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "order"))
    market.pay(session)
    market.take_in(*market.events())
    sale = session.transaction_id
    capture(market.ports, OPERATOR, sale, 2_000, market.once("capture", "c", subject=sale))
    market.take_in(*market.events())
    refunds = [give_back(market, sale, {0: 1}, key=f"{number}").amount for number in range(3)]
    assert (refunds, sum(refunds)) == ([333, 334, 333], 1_000)
    assert_proven(market, sale)


@settings(max_examples=15, deadline=None)
@given(
    lines=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 700), st.integers(1, 4)), min_size=1, max_size=4),
    currency=st.sampled_from(["usd", "jpy", "kwd"]),
    data=st.data(),
)
def test_line_by_line_in_any_order_everything_goes_back_to_the_cent(
    lines: list[tuple[int, int, int]], currency: str, data: st.DataObject
) -> None:
    market = Market()
    merchants = [market.ready_merchant(f"Merchant {number}") for number in range(3)]
    scale = 10 if currency == "kwd" else 1
    sale = sold(
        market, *((merchants[who], (100 + unit) * scale, count) for who, unit, count in lines), currency=currency
    )
    wanted = data.draw(st.permutations([(n, 1) for n, (_, _, count) in enumerate(lines) for _ in range(count)]))
    for key, (number, count) in enumerate(wanted):
        give_back(market, sale, {number: count}, key=str(key))
    market.sweep()  # the fee of a destination charge, to the last cent
    market.take_in(*market.events())
    books = market.books(sale)
    assert (books.payment.refundable, books.payment.refund_reserved) == (0, books.payment.captured)
    assert [market.stripe_balance(each.account_id) for each in merchants] == [{}, {}, {}]
    assert_proven(market, sale)
