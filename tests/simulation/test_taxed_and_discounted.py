"""Sales whose tax and discounts only the completed order tells: each with its books, and Stripe's, to the cent."""

import random
from typing import Any

import pytest

from marketplace.domain.errors import (
    CombinationRefused,
    DiscountNotUsable,
    InvalidBasket,
    NotFound,
    OutcomeUnknown,
    TransactionNotRefundable,
)
from marketplace.domain.ledger import balances, is_of_others
from marketplace.domain.merchants import Merchant
from marketplace.domain.portions import TaxLiability
from marketplace.domain.promotions import Coupon
from marketplace.domain.transactions import CaptureMethod, ChargeType, TransactionStatus
from marketplace.operations import Operation
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.captures import capture
from marketplace.services.checkout import CheckoutSession, create_checkout_session
from marketplace.services.promotion_codes import NewCode, create_code
from marketplace.services.session_terms import SessionTerms, ShippingOption

from .market import GERMANY, OPERATOR, SHOP, Market


def taxed(market: Market) -> Market:
    """A platform that collects VAT in Germany."""
    market.collect_tax()
    return market


def sell(market: Market, amounts: dict[Merchant, int], *, currency: str = "usd", key: str = "sale",
         behavior: str = "exclusive", **terms: Any) -> CheckoutSession:  # fmt: skip
    return market.sell_cart(amounts, currency=currency, key=key, tax_behavior=behavior, **terms)


def pay(market: Market, session: CheckoutSession, **form: str) -> None:
    market.submit(str(session.checkout_session_id), card="4242424242424242", **(GERMANY | form))
    market.take_in(*market.events())


def journal(market: Market, transaction_id: str) -> dict[str, int]:
    return {account: amount for (account, _), amount in balances(market.books(transaction_id).entries).items()}


def assert_proven(market: Market, *sales: str, topped_up: int = 0) -> None:
    """The books hold, are at rest, and say of the platform's balance what Stripe says."""
    for sale in sales:
        assert market.violations(sale) == []
        assert market.unsettled(sale) == []
    (currency,) = market.ledger_balance() or {"usd": 0}
    assert market.ledger_balance().get(currency, 0) == market.stripe_balance().get(currency, 0) - topped_up


def topped_up(market: Market, amount: int = 500_000, currency: str = "usd") -> int:
    """The platform has money of its own, for what it adds to discounted sales; how much."""
    market.order("/v1/topups", amount=amount, currency=currency)
    market.advance(60)
    return amount


VAT = "tax_payable:de.country.vat"


@pytest.mark.parametrize("charge_type", [None, ChargeType.DESTINATION])
def test_tax_on_top_is_the_platform_s_and_the_merchant_has_what_it_has_without(charge_type: ChargeType | None) -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    session = sell(market, {clay: 10_000}, automatic_tax=True, charge_type=charge_type)
    pay(market, session)
    books = market.books(session.transaction_id)
    assert books.payment.captured == 11_900
    assert market.stripe_balance(clay.account_id) == {"usd": 9_000}
    found = journal(market, session.transaction_id)
    assert (found[VAT], found["platform_revenue"]) == (-1_900, -1_000)
    assert_proven(market, session.transaction_id)
    assert books.transaction.charge_type is (charge_type or ChargeType.SEPARATE)
    assert market.calls.count(Operation.REVERSE_TRANSFER) == (1 if charge_type else 0)


@pytest.mark.parametrize("charge_type", [None, ChargeType.DESTINATION])
def test_tax_in_the_price_is_taken_out_of_it_first(charge_type: ChargeType | None) -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    session = sell(market, {clay: 11_900}, behavior="inclusive", automatic_tax=True, charge_type=charge_type)
    pay(market, session)
    assert market.stripe_balance(clay.account_id) == {"usd": 9_000}
    assert journal(market, session.transaction_id)[VAT] == -1_900
    assert_proven(market, session.transaction_id)


@pytest.mark.parametrize("charge_type", [None, ChargeType.DESTINATION])
@pytest.mark.parametrize(
    ("points", "merchant_s", "platform_s"), [(0, 8_100, 900), (10_000, 9_000, 0), (5_000, 8_550, 450)]
)
def test_a_discount_is_borne_by_who_funds_it(
    charge_type: ChargeType | None, points: int, merchant_s: int, platform_s: int
) -> None:
    market = Market()
    clay = market.ready_merchant()
    coupon = market.coupon(percent_off="10", platform_basis_points=points)
    own = topped_up(market)
    session = sell(market, {clay: 10_000}, coupon_id=coupon.id, charge_type=charge_type)
    pay(market, session)
    assert market.books(session.transaction_id).payment.captured == 9_000
    assert market.stripe_balance(clay.account_id) == {"usd": merchant_s}
    found = journal(market, session.transaction_id)
    assert -found.get("platform_revenue", 0) - found.get(f"promotions:{coupon.id}", 0) == platform_s
    assert_proven(market, session.transaction_id, topped_up=own)


def test_a_code_that_the_buyer_enters_is_known_from_the_completed_order() -> None:
    market = Market()
    own = topped_up(market)
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    coupon = market.coupon(percent_off="25", platform_basis_points=5_000)
    create_code(market.ports, OPERATOR, coupon.id, NewCode(code="summer"), market.once("codes", "k"))
    session = sell(market, {clay: 3_333, linen: 6_667}, allow_promotion_codes=True)
    pay(market, session, code="SUMMER")
    books = market.books(session.transaction_id)
    assert books.payment.captured == 7_500
    (used,) = market.store.redemptions(coupon.id, cursor=None, limit=10).items
    assert (used.discount, used.platform, sum(used.merchants.values())) == (2_500, 1_250, 1_250)
    assert sum(share.promotion for share in books.shares.values()) == 1_250
    assert_proven(market, session.transaction_id, topped_up=own)


def test_an_order_that_costs_nothing_is_paid_and_the_platform_sends_what_it_funds() -> None:
    market = Market()
    own = topped_up(market)
    clay = market.ready_merchant()
    coupon = market.coupon(percent_off="100", platform_basis_points=10_000)
    for charge_type in (None, ChargeType.DESTINATION):
        session = sell(market, {clay: 10_000}, coupon_id=coupon.id, charge_type=charge_type, key=f"{charge_type}")
        market.submit(str(session.checkout_session_id))
        market.take_in(*market.events())
        books = market.books(session.transaction_id)
        assert (books.payment.status, books.payment.captured) == (TransactionStatus.PAID, 0)
        assert journal(market, session.transaction_id)[f"promotions:{coupon.id}"] == 10_000
        assert_proven(market, session.transaction_id, topped_up=own)
    assert market.stripe_balance(clay.account_id) == {"usd": 18_000}


def mixed(market: Market, charge_type: ChargeType | None = None) -> tuple[Merchant, CheckoutSession, Coupon]:
    """119.00 with tax in it, 10 percent off, half of that the platform's: 107.10 paid."""
    clay = market.ready_merchant()
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
    session = sell(
        market, {clay: 11_900}, behavior="inclusive", automatic_tax=True, coupon_id=coupon.id, charge_type=charge_type
    )
    pay(market, session)
    return clay, session, coupon


@pytest.mark.parametrize("charge_type", [None, ChargeType.DESTINATION])
def test_the_example_of_the_ledger_s_page(charge_type: ChargeType | None) -> None:
    market = taxed(Market())
    clay, session, coupon = mixed(market, charge_type)
    sale, promotion = session.transaction_id, f"promotions:{coupon.id}"
    assert journal(market, sale) == {"stripe_balance": 2_160, promotion: 500, "platform_revenue": -950, VAT: -1_710}
    assert market.stripe_balance(clay.account_id) == {"usd": 8_550}
    market.refund(sale, 5_355, key="half")
    market.take_in(*market.events())
    assert journal(market, sale) == {"stripe_balance": 1_080, promotion: 250, "platform_revenue": -475, VAT: -855}
    assert market.stripe_balance(clay.account_id) == {"usd": 4_275}
    assert_proven(market, sale)


@pytest.mark.parametrize("charge_type", [None, ChargeType.DESTINATION])
def test_many_refunds_close_at_zero_for_everybody(charge_type: ChargeType | None) -> None:
    market = taxed(Market())
    clay, session, _ = mixed(market, charge_type)
    for number, amount in enumerate((3_333, 1, 2_017, 1, 3, None)):
        market.refund(session.transaction_id, amount, key=f"refund-{number}")
        market.take_in(*market.events())
    assert journal(market, session.transaction_id) == {}
    assert market.stripe_balance(clay.account_id) == {}
    assert_proven(market, session.transaction_id)


@pytest.mark.parametrize("charge_type", [None, ChargeType.DESTINATION])
def test_a_dispute_gives_tax_and_promotion_back_and_a_win_restores_them(charge_type: ChargeType | None) -> None:
    market = taxed(Market())
    clay, session, _ = mixed(market, charge_type)
    before = journal(market, session.transaction_id)
    (charge,) = market.at_stripe("/v1/charges")
    dispute = market.order(f"/_simulator/charges/{charge['id']}/dispute", amount=10_710)
    market.take_in(*market.events())
    lost = journal(market, session.transaction_id)
    assert [name for name in lost if is_of_others(name) or name == "platform_revenue"] == []
    assert_proven(market, session.transaction_id)
    market.order(f"/_simulator/disputes/{dispute['id']}/decide", outcome="won")
    market.take_in(*market.events())
    market.come_to_rest()
    after = journal(market, session.transaction_id)
    assert {name: after.get(name, 0) for name in before if name != "stripe_balance"} == {
        name: amount for name, amount in before.items() if name != "stripe_balance"
    }
    assert market.violations(session.transaction_id) == []
    assert market.unsettled(session.transaction_id) == []
    assert market.stripe_balance(clay.account_id) == {"usd": 8_550 - 1_500}  # the dispute's fee is not returned


@pytest.mark.parametrize("takes_transfer_along", [False, True])
def test_a_refund_of_the_dashboard_takes_no_tax_of_the_merchant_s(takes_transfer_along: bool) -> None:
    market = taxed(Market())
    clay, session, _ = mixed(market, ChargeType.DESTINATION)
    intent = market.books(session.transaction_id).payment.payment_intent_id
    market.order("/v1/refunds", payment_intent=intent, amount=5_355, reverse_transfer=takes_transfer_along)
    market.take_in(*market.events())
    market.come_to_rest()
    assert market.stripe_balance(clay.account_id) == {"usd": 4_275}
    assert journal(market, session.transaction_id)[VAT] == -855
    assert market.violations(session.transaction_id) == []
    assert market.unsettled(session.transaction_id) == []


def test_what_is_captured_in_part_has_its_part_of_tax_and_promotion() -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
    terms: dict[str, Any] = {"automatic_tax": True, "coupon_id": coupon.id, "capture_method": CaptureMethod.MANUAL}
    sales = []
    for charge_type in (None, ChargeType.DESTINATION):
        session = sell(market, {clay: 10_000}, charge_type=charge_type, key=f"{charge_type}", **terms)
        pay(market, session)
        sale = session.transaction_id
        capture(market.ports, OPERATOR, sale, 5_355, market.once("capture", "k", {}, subject=sale))
        market.take_in(*market.events())
        found = journal(market, sale)
        assert (found[VAT], found[f"promotions:{coupon.id}"], found["platform_revenue"]) == (-855, 250, -475)
        sales.append(sale)
    assert market.stripe_balance(clay.account_id) == {"usd": 2 * 4_275}
    assert_proven(market, *sales)


def test_tax_and_discount_follow_events_in_any_order_and_number() -> None:
    for charge_type in (None, ChargeType.DESTINATION):
        market = taxed(Market())
        clay = market.ready_merchant()
        coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
        session = sell(market, {clay: 10_000}, automatic_tax=True, coupon_id=coupon.id, charge_type=charge_type)
        market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)
        events = market.events()
        ends = []
        for seed in range(12):
            world = market.fork()
            order = random.Random(seed).sample(events * 2, len(events) * 2)
            world.take_in(*order)
            world.take_in(*world.events())
            assert world.violations(session.transaction_id) == []
            assert world.unsettled(session.transaction_id) == []
            ends.append(world.positions())
        assert all(end == ends[0] for end in ends)


def test_what_does_not_go_together_is_refused_before_stripe_hears_of_it() -> None:
    market = Market()
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    coupon = market.coupon(amount_off=100, currency="usd")
    asked = len(market.calls)
    with pytest.raises(CombinationRefused):
        sell(market, {clay: 1_000}, coupon_id=coupon.id, allow_promotion_codes=True)
    with pytest.raises(InvalidBasket):
        sell(market, {clay: 1_000, linen: 1_000}, charge_type=ChargeType.DESTINATION, automatic_tax=True)
    with pytest.raises(DiscountNotUsable):
        sell(market, {clay: 1_000}, currency="jpy", coupon_id=coupon.id)
    with pytest.raises(NotFound):
        sell(market, {clay: 1_000}, promotion_code="NOPE")
    with pytest.raises(InvalidBasket):
        sell(market, {clay: 1_000}, promotion_code="NOPE", coupon_id=coupon.id)
    assert len(market.calls) == asked


def test_where_all_is_taken_off_shipping_falls_on_the_merchants_as_was_planned() -> None:
    market = Market()
    own = topped_up(market)
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    coupon = market.coupon(percent_off="100", platform_basis_points=0)
    shipped = SessionTerms(shipping_countries=("DE",), shipping_options=(ShippingOption(name="Post", amount=500),))
    session = sell(market, {clay: 3_000, linen: 2_000}, coupon_id=coupon.id, terms=shipped)
    pay(market, session, **{f"shipping_{name}": value for name, value in GERMANY.items()})
    books = market.books(session.transaction_id)
    assert [books.shares[each.id].amount for each in (clay, linen)] == [300, 200]
    assert_proven(market, session.transaction_id, topped_up=own)


def shipped(behavior: str, amount: int = 500) -> SessionTerms:
    option = ShippingOption(name="Post", amount=amount, tax_code="txcd_92010001", tax_behavior=behavior)
    return SessionTerms(shipping_countries=("DE",), shipping_options=(option,))


def pay_shipped(market: Market, session: CheckoutSession) -> None:
    pay(market, session, **{f"shipping_{name}": value for name, value in GERMANY.items()})


@pytest.mark.parametrize(("behavior", "price"), [("exclusive", 500), ("inclusive", 595)])
@pytest.mark.parametrize("liability", TaxLiability)
def test_the_tax_on_shipping_is_told_from_what_is_shared_of_it(
    behavior: str, price: int, liability: TaxLiability
) -> None:
    """100.00 and 5.00 for shipping, and 19 percent of both: 19.95 of 124.95; the fee is a tenth of 105.00."""
    market = taxed(Market())
    clay = market.ready_merchant()
    market.collect_tax(clay)
    terms: dict[str, Any] = {"automatic_tax": True, "tax_liability": liability}
    session = sell(market, {clay: 10_000}, terms=shipped(behavior, price), **terms)
    pay_shipped(market, session)
    share = market.books(session.transaction_id).shares[clay.id]
    assert (share.amount, share.tax, share.fee) == (12_495, 1_995, 1_050)
    is_merchant_s = liability is TaxLiability.MERCHANT
    assert journal(market, session.transaction_id).get(VAT, 0) == (0 if is_merchant_s else -1_995)
    assert market.stripe_balance(clay.account_id) == {"usd": 9_450 + (1_995 if is_merchant_s else 0)}
    for number, amount in enumerate((3_333, 1, None)):
        market.refund(session.transaction_id, amount, key=f"refund-{number}")
        market.take_in(*market.events())
    assert market.stripe_balance(clay.account_id) == {}
    assert VAT not in journal(market, session.transaction_id)
    assert_proven(market, session.transaction_id)


def test_taxed_shipping_falls_on_the_merchants_of_a_cart_with_its_tax() -> None:
    market = taxed(Market())
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    session = sell(market, {clay: 2_000, linen: 1_000}, automatic_tax=True, terms=shipped("exclusive", 100))
    pay_shipped(market, session)
    shares = market.books(session.transaction_id).shares
    assert [(shares[each.id].amount, shares[each.id].tax) for each in (clay, linen)] == [(2_459, 393), (1_230, 196)]
    assert journal(market, session.transaction_id)[VAT] == -589
    assert_proven(market, session.transaction_id)


def test_a_line_is_refunded_with_its_part_of_shipping_and_of_the_tax_on_it() -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    items = tuple(
        InlineItem(name="Cup", unit_amount=1_000, currency="usd", quantity=1, merchant_id=clay.id,
                   tax_behavior="exclusive")
        for _ in range(2)
    )  # fmt: skip
    basket = Basket(
        items=items, success_url=SHOP, cancel_url=SHOP, metadata={}, automatic_tax=True,
        terms=shipped("exclusive", 100),
    )  # fmt: skip
    session = create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "s"))
    pay_shipped(market, session)
    refunds = [market.refund(session.transaction_id, None, key=f"{line}", lines={line: None}) for line in (0, 1)]
    given = [(refund.amount, refund.parts[0].tax) for refund in refunds]
    assert given == [(1_250, 200), (1_249, 199)]
    market.take_in(*market.events())
    assert market.stripe_balance(clay.account_id) == {}
    assert_proven(market, session.transaction_id)


def test_where_all_is_taken_off_taxed_shipping_falls_on_the_merchants_as_was_planned() -> None:
    market = taxed(Market())
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    coupon = market.coupon(percent_off="100", platform_basis_points=0)
    session = sell(
        market, {clay: 3_000, linen: 2_000}, coupon_id=coupon.id, automatic_tax=True, terms=shipped("exclusive")
    )
    pay_shipped(market, session)
    shares = market.books(session.transaction_id).shares
    assert [(shares[each.id].amount, shares[each.id].tax) for each in (clay, linen)] == [(357, 57), (238, 38)]
    assert_proven(market, session.transaction_id)


def test_a_part_that_is_captured_has_its_part_of_the_tax_on_shipping() -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    terms: dict[str, Any] = {"automatic_tax": True, "capture_method": CaptureMethod.MANUAL}
    session = sell(market, {clay: 10_000}, terms=shipped("exclusive", 2_000), **terms)
    pay_shipped(market, session)
    sale = session.transaction_id
    capture(market.ports, OPERATOR, sale, 7_140, market.once("capture", "k", {}, subject=sale))  # half of 142.80
    market.take_in(*market.events())
    assert journal(market, sale)[VAT] == -1_140
    assert_proven(market, sale)


def test_a_code_that_was_made_in_the_dashboard_is_the_platform_s_own() -> None:
    market = Market()
    own = topped_up(market)
    clay = market.ready_merchant()
    market.order("/v1/coupons", id="theirs", percent_off="10")
    market.order("/v1/promotion_codes", code="HELLO", promotion={"type": "coupon", "coupon": "theirs"})
    session = sell(market, {clay: 10_000}, allow_promotion_codes=True)
    pay(market, session, code="HELLO")
    assert market.stripe_balance(clay.account_id) == {"usd": 9_000}
    assert journal(market, session.transaction_id)["promotions:theirs"] == 1_000
    assert_proven(market, session.transaction_id, topped_up=own)


def test_the_order_is_found_where_the_payment_is_told_of_before_the_session() -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    market.simulator.faults.order("time_out", method="POST", path="/v1/checkout/sessions", count=9)
    with pytest.raises(OutcomeUnknown):
        sell(market, {clay: 10_000}, automatic_tax=True)
    market.simulator.faults.clear()
    (session,) = market.at_stripe("/v1/checkout/sessions")
    market.submit(session["id"], card="4242424242424242", **GERMANY)
    events = market.events()
    market.take_in(*(event for event in events if event["type"].startswith("charge.")))
    (sale,) = market.all_transactions()
    assert sale.payment.checkout_session_id is None
    assert journal(market, sale.transaction.id)[VAT] == -1_900
    market.take_in(*events)
    market.advance(120)
    market.sweep()
    assert_proven(market, sale.transaction.id)


def test_nothing_is_refunded_before_it_is_known_whose_the_payment_is() -> None:
    market = taxed(Market())
    clay = market.ready_merchant()
    session = sell(market, {clay: 10_000}, automatic_tax=True)
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)
    events = market.events()
    market.take_in(*(event for event in events if event["type"] != "charge.updated"))
    assert market.books(session.transaction_id).payment.status is TransactionStatus.PAID
    with pytest.raises(TransactionNotRefundable):
        market.refund(session.transaction_id, 1_190, key="early")
    market.take_in(*events)
    market.refund(session.transaction_id, 1_190, key="later")
    market.take_in(*market.events())
    assert journal(market, session.transaction_id)[VAT] == -1_710
    assert_proven(market, session.transaction_id)
