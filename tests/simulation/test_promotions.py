"""Coupons and promotion codes at Stripe, by commands; restricted, ended, taken; and what they have cost whom."""

from datetime import timedelta
from typing import Any

import pytest

from marketplace.domain.catalog import Product
from marketplace.domain.commands import Command, CommandStatus
from marketplace.domain.errors import (
    CodeTaken,
    DiscountNotUsable,
    InvalidCoupon,
    MarketplaceError,
    NotAllowed,
    NotFound,
    StripeRefused,
)
from marketplace.domain.ids import owner_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.promotions import Coupon, Duration, PromotionCode
from marketplace.services.baskets import Basket, CatalogItem
from marketplace.services.catalog import NewPrice, ProductDetails, create_price, create_product
from marketplace.services.checkout import CheckoutSession, create_checkout_session
from marketplace.services.coupons import (
    NewCoupon,
    create_coupon,
    deactivate_coupon,
    list_coupons,
    list_redemptions,
    read_coupon,
)
from marketplace.services.promotion_codes import NewCode, create_code, list_codes, switch_code

from .crashes import ProcessDied
from .market import OPERATOR, SHOP, Market
from .test_taxed_and_discounted import assert_proven, pay, sell


def merchant_user(merchant: Merchant) -> Principal:
    return Principal(role=Role.MERCHANT, subject="user-1", merchant_id=merchant.id)


def product_of(market: Market, merchant: Merchant, name: str) -> tuple[Product, str]:
    """A product with a price of 10.00, and the price's id."""
    once = market.once("products", f"{merchant.id} {name}")
    product = create_product(market.ports, OPERATOR, merchant.id, ProductDetails(), name, once)
    price_once = market.once("prices", f"{merchant.id} {name}")
    price = create_price(market.ports, OPERATOR, product.id, NewPrice(unit_amount=1_000, currency="usd"), price_once)
    return product, price.id


def buy(market: Market, *prices: str, key: str = "sale", **terms: Any) -> CheckoutSession:
    items = tuple(CatalogItem(price_id=price, quantity=1) for price in prices)
    basket = Basket(items=items, success_url=f"{SHOP}/thanks", cancel_url=SHOP, metadata={}, **terms)
    return create_checkout_session(market.ports, OPERATOR, basket, market.once("sessions", key))


def code_of(market: Market, coupon_id: str, code: str = "SUMMER", key: str = "code", **terms: Any) -> PromotionCode:
    return create_code(market.ports, OPERATOR, coupon_id, NewCode(code=code, **terms), market.once("codes", key))


def test_a_coupon_and_its_code_are_stripe_s_too() -> None:
    market = Market()
    ends = market.in_days(30)
    coupon = market.coupon(
        percent_off="12.5", duration=Duration.REPEATING, duration_in_months=3, max_redemptions=10,
        redeem_by=ends, platform_basis_points=2_500,
    )  # fmt: skip
    (made,) = market.at_stripe("/v1/coupons")
    assert (made["id"], made["percent_off"], made["duration_in_months"]) == (coupon.id, 12.5, 3)
    assert made["redeem_by"] == int(ends.timestamp())
    assert coupon.is_usable
    code = code_of(market, coupon.id, "summer-10", minimum_amount=5_000, minimum_amount_currency="usd",
                   first_time_transaction=True, expires_at=market.in_days(7), max_redemptions=5)  # fmt: skip
    (at_stripe,) = market.at_stripe("/v1/promotion_codes")
    assert (at_stripe["id"], at_stripe["code"]) == (code.stripe_promotion_code_id, "SUMMER-10")
    assert at_stripe["restrictions"]["minimum_amount"] == 5_000
    assert list_codes(market.ports, OPERATOR, coupon.id, cursor=None, limit=5).items == (code,)
    assert code_of(market, coupon.id, "summer-10", minimum_amount=5_000, minimum_amount_currency="usd",
                   first_time_transaction=True, expires_at=market.in_days(7), max_redemptions=5) == code  # fmt: skip


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"percent_off": "10", "amount_off": 100, "currency": "usd"},
        {"percent_off": "0"},
        {"percent_off": "100.01"},
        {"percent_off": "1.234"},
        {"amount_off": 100},
        {"percent_off": "10", "currency": "usd"},
        {"percent_off": "10", "duration": Duration.REPEATING},
        {"percent_off": "10", "duration_in_months": 2},
        {"percent_off": "10", "max_redemptions": 0},
        {"percent_off": "10", "platform_basis_points": 10_001},
        {"percent_off": "10", "platform_basis_points": -1},
    ],
)
def test_what_is_no_coupon_is_refused_before_stripe_hears_of_it(terms: dict[str, Any]) -> None:
    market = Market()
    with pytest.raises(InvalidCoupon):
        market.coupon(**terms)
    assert market.calls == []


def test_a_code_is_one_promotion_s_until_that_ends() -> None:
    market = Market()
    first, second = market.coupon("one", percent_off="10"), market.coupon("two", percent_off="20")
    code = code_of(market, first.id)
    with pytest.raises(CodeTaken):
        code_of(market, second.id, "Summer", key="again")
    switched = switch_code(market.ports, OPERATOR, code.id, market.once("switch", "off"), active=False)
    assert not switched.active
    later = code_of(market, second.id, "Summer", key="later")
    with pytest.raises(CodeTaken):
        switch_code(market.ports, OPERATOR, code.id, market.once("switch", "on"), active=True)
    ready = market.ready_merchant()
    session = sell(market, {ready: 1_000}, promotion_code="summer")
    pay(market, session)
    assert market.books(session.transaction_id).payment.captured == 800
    assert later.active


def test_a_merchant_s_own_is_for_its_products_at_its_cost_and_nobody_else_s_affair() -> None:
    market = Market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    (vase, vase_price), (cloth, cloth_price) = product_of(market, clay, "Vase"), product_of(market, linen, "Cloth")
    wanted = NewCoupon(name="Vases", percent_off="50", product_ids=(vase.id,))
    coupon = create_coupon(market.ports, merchant_user(clay), wanted, market.once("coupons", "own"))
    for terms in ({"product_ids": (cloth.id,)}, {"product_ids": ()}, {"platform_basis_points": 1}):
        refused = NewCoupon(**{"name": "x", "percent_off": "50", "product_ids": (vase.id,)} | terms)
        with pytest.raises((NotAllowed, NotFound)):
            create_coupon(market.ports, merchant_user(clay), refused, market.once("coupons", repr(terms)))
    with pytest.raises(NotFound):
        read_coupon(market.ports, merchant_user(linen), coupon.id)
    assert list_coupons(market.ports, merchant_user(clay), merchant_id=linen.id, cursor=None, limit=5).items == (
        coupon,
    )
    with pytest.raises(DiscountNotUsable):
        buy(market, cloth_price, coupon_id=coupon.id)
    session = buy(market, vase_price, cloth_price, coupon_id=coupon.id)
    pay(market, session)
    books = market.books(session.transaction_id)
    assert books.payment.captured == 1_500
    assert [books.shares[each.id].own for each in (clay, linen)] == [450, 900]
    (used,) = list_redemptions(market.ports, merchant_user(clay), coupon.id, cursor=None, limit=5).items
    assert (used.discount, used.platform, used.merchants) == (500, 0, {clay.id: 500})
    assert_proven(market, session.transaction_id)


def test_a_coupon_that_ended_is_for_nothing_any_more_and_its_codes_with_it() -> None:
    market = Market()
    ready = market.ready_merchant()
    coupon = market.coupon(percent_off="10")
    code_of(market, coupon.id)
    ended = deactivate_coupon(market.ports, OPERATOR, coupon.id, market.once("end", "k"))
    assert not ended.active
    assert deactivate_coupon(market.ports, OPERATOR, coupon.id, market.once("end", "other")) == ended
    assert market.at_stripe("/v1/coupons") == []
    with pytest.raises(DiscountNotUsable):
        sell(market, {ready: 1_000}, coupon_id=coupon.id)
    with pytest.raises(DiscountNotUsable):
        sell(market, {ready: 1_000}, promotion_code="SUMMER")


def test_one_that_ran_out_at_stripe_is_stripe_s_no() -> None:
    market = Market()
    ready = market.ready_merchant()
    coupon = market.coupon(percent_off="10", max_redemptions=1)
    pay(market, sell(market, {ready: 1_000}, coupon_id=coupon.id))
    with pytest.raises(StripeRefused):
        sell(market, {ready: 1_000}, coupon_id=coupon.id, key="second")


def test_wherever_it_dies_a_coupon_and_its_code_are_made_once_and_ended_once() -> None:
    for step in range(1, 40):
        market = Market()
        died = False
        market.fuse.set(step)
        try:
            coupon = market.coupon(percent_off="10")
            code = code_of(market, coupon.id)
            deactivate_coupon(market.ports, OPERATOR, coupon.id, market.once("end", "k"))
        except (ProcessDied, MarketplaceError):
            died = True
        market.fuse.set(None)
        market.advance(120)
        assert market.sweep().troubles == []
        coupon = market.coupon(percent_off="10")
        assert len([item for item in market.store.snapshot().values() if isinstance(item, Coupon)]) == 1
        if coupon.active:
            code = code_of(market, coupon.id)
            assert owner_of("code", code.id) == coupon.id
            assert len(market.at_stripe("/v1/promotion_codes")) == 1
            deactivate_coupon(market.ports, OPERATOR, coupon.id, market.once("end", "k"))
        market.advance(int(timedelta(days=2).total_seconds()))
        market.sweep()
        assert market.at_stripe("/v1/coupons") == []
        commands = [item for item in market.store.snapshot().values() if isinstance(item, Command)]
        assert {each.status for each in commands} == {CommandStatus.SUCCEEDED}
        if not died:
            return
    raise AssertionError("more steps than were tried")
