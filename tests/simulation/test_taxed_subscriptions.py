"""Subscriptions with tax and discounts: each of their invoices is split as a sale is, to the cent."""

from dataclasses import replace
from typing import Any

import pytest

from marketplace.domain.catalog import TaxBehavior
from marketplace.domain.errors import CombinationRefused, DiscountNotUsable, InvalidBasket, NotAllowed, NotFound
from marketplace.domain.fees import FeePolicy
from marketplace.domain.invoices import InvoiceLine
from marketplace.domain.promotions import Duration
from marketplace.domain.transactions import ChargeType, TransactionStatus
from marketplace.services.invoice_reading import list_of_subscription
from marketplace.services.invoices import NewInvoice, create_invoice
from marketplace.services.promotion_codes import NewCode, create_code
from marketplace.services.subscription_changes import Proration
from marketplace.services.subscriptions import NewSubscription, create_subscription_session

from .market import GERMANY, OPERATOR, SHOP
from .subscribing import ANN, EXACT, MONTHLY, PERCENT, change, let_pass, once, price_of, subscribe
from .subscribing import ledger as ledger_of
from .taxed_billing import EXCLUSIVE, INCLUSIVE, VAT, begun, billed, of_merchant, prepared, require_proven


@pytest.mark.parametrize("policy", [EXACT, PERCENT], ids=["exact", "percent"])
@pytest.mark.parametrize("points", [0, 5_000, 10_000])
@pytest.mark.parametrize("behavior", [EXCLUSIVE, INCLUSIVE])
def test_every_invoice_of_a_subscription_is_split_by_the_rules_of_sales(
    policy: FeePolicy, points: int, behavior: TaxBehavior
) -> None:
    """100.00 without tax, 10 percent off, 19 percent tax: 107.10, whether the price has the tax in it or not."""
    market, merchant = prepared(policy)
    price = price_of(market, merchant, 10_000 if behavior is EXCLUSIVE else 11_900, tax_behavior=behavior)
    coupon = market.coupon(percent_off="10", platform_basis_points=points, duration=Duration.FOREVER)
    begun(market, price, automatic_tax=True, coupon_id=coupon.id)
    let_pass(market, 33, step_hours=12)
    assert [books.payment.captured for books in market.all_transactions()] == [10_710, 10_710]
    added = points // 10
    fee = policy.fee(9_000 + added, "usd")
    assert of_merchant(market, merchant) == 2 * (9_000 + added - fee)
    found = ledger_of(market)
    assert (found[VAT], found["platform_revenue"]) == (-2 * 1_710, -2 * fee)
    assert found.get(f"promotions:{coupon.id}", 0) == 2 * added
    used = market.store.redemptions(coupon.id, cursor=None, limit=10).items
    seen = 1_000 if behavior is EXCLUSIVE else 1_190
    assert [(each.discount, each.platform, sum(each.merchants.values())) for each in used] == [
        (seen, added, 1_000 - added)
    ] * 2
    assert {books.transaction.charge_type for books in market.all_transactions()} == {ChargeType.SEPARATE}
    require_proven(market)


@pytest.mark.parametrize(
    ("terms", "paid"),
    [
        ({"duration": Duration.ONCE}, [8_000, 10_000, 10_000]),
        ({"duration": Duration.REPEATING, "duration_in_months": 2}, [8_000, 8_000, 10_000]),
        ({"duration": Duration.FOREVER}, [8_000, 8_000, 8_000]),
    ],
    ids=["once", "repeating", "forever"],
)
def test_a_coupon_takes_off_for_as_long_as_it_says_and_then_the_merchant_has_the_whole(
    terms: dict[str, Any], paid: list[int]
) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="20", platform_basis_points=10_000, **terms)
    begun(market, price_of(market, merchant, 10_000), coupon_id=coupon.id)
    let_pass(market, 64, step_hours=12)
    assert [books.payment.captured for books in market.all_transactions()] == paid
    assert of_merchant(market, merchant) == 3 * 9_000
    assert ledger_of(market)[f"promotions:{coupon.id}"] == 30_000 - sum(paid)
    assert len(market.store.redemptions(coupon.id, cursor=None, limit=10).items) == sum(each < 10_000 for each in paid)
    require_proven(market)


@pytest.mark.parametrize("entered", [False, True])
def test_a_code_is_named_by_the_buyer_s_request_or_entered_on_the_page(entered: bool) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="25", platform_basis_points=5_000)
    create_code(market.ports, OPERATOR, coupon.id, NewCode(code="tea"), market.once("codes", "k"))
    price = price_of(market, merchant, 10_000)
    if entered:
        subscription = begun(market, price, allow_promotion_codes=True, code="TEA")
    else:
        subscription = begun(market, price, promotion_code="tea")
    assert subscription.coupon_id == (None if entered else coupon.id)
    assert of_merchant(market, merchant) == 8_750 - 875
    assert ledger_of(market)[f"promotions:{coupon.id}"] == 1_250
    require_proven(market)


@pytest.mark.parametrize(("points", "own"), [(10_000, 9_000), (0, 0), (3_333, 3_000)])
def test_an_invoice_of_which_all_was_taken_off_is_a_sale_and_the_platform_sends_what_it_funds(
    points: int, own: int
) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="100", platform_basis_points=points)
    subscription = begun(market, price_of(market, merchant, 10_000, tax_behavior=EXCLUSIVE), coupon_id=coupon.id,
                         automatic_tax=True)  # fmt: skip
    (books,) = market.all_transactions()
    assert (books.payment.status, books.payment.captured) == (TransactionStatus.PAID, 0)
    assert of_merchant(market, merchant) == own
    (used,) = market.store.redemptions(coupon.id, cursor=None, limit=10).items
    assert (used.discount, used.platform) == (10_000, points)
    (listed,) = list_of_subscription(market.ports, OPERATOR, subscription.id, cursor=None, limit=10).items
    assert listed.transaction_id == books.transaction.id
    require_proven(market)
    let_pass(market, 33, step_hours=12)
    assert of_merchant(market, merchant) == own + 9_000
    require_proven(market)


def test_a_trial_is_no_sale_and_what_follows_it_is_taxed() -> None:
    market, merchant = prepared(PERCENT)
    trial = replace(MONTHLY, trial_period_days=3)
    begun(market, price_of(market, merchant, 10_000, trial, tax_behavior=EXCLUSIVE), automatic_tax=True)
    assert market.all_transactions() == []
    let_pass(market, 5, step_hours=12)
    assert [books.payment.captured for books in market.all_transactions()] == [11_900]
    assert of_merchant(market, merchant) == 9_000
    require_proven(market)


@pytest.mark.parametrize("proration", [Proration.AT_ONCE, Proration.NEXT_INVOICE])
def test_a_proration_is_taxed_and_discounted_by_its_lines(proration: Proration) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=10_000, duration=Duration.FOREVER)
    price = price_of(market, merchant, 10_000, tax_behavior=EXCLUSIVE)
    subscription = begun(market, price, automatic_tax=True, coupon_id=coupon.id)
    let_pass(market, 15, step_hours=12)
    change(market, subscription, ANN, quantity=3, proration=proration)
    let_pass(market, 20, step_hours=12)
    invoices = [each for each in market.at_stripe("/v1/invoices") if each["status"] == "paid"]
    assert len(invoices) == (3 if proration is Proration.AT_ONCE else 2)
    asked = sum(each["subtotal"] for each in invoices)
    assert any(line["amount"] < 0 for each in invoices for line in each["lines"]["data"])
    found = ledger_of(market)
    assert -found[VAT] == sum(tax["amount"] for each in invoices for tax in each["total_taxes"])
    assert found[f"promotions:{coupon.id}"] == sum(
        off["amount"] for each in invoices for off in each["total_discount_amounts"]
    )
    assert of_merchant(market, merchant) == asked + found["platform_revenue"]
    assert abs(asked / 10 + found["platform_revenue"]) <= 1
    require_proven(market)


@pytest.mark.parametrize(("dearer", "own"), [(20_000, None), (9_000, 0)])
def test_a_change_gives_back_what_the_platform_had_added_for_the_rest(dearer: int, own: int | None) -> None:
    """From a price that all was taken off to one that the coupon is not good for."""
    market, merchant = prepared(PERCENT)
    price = price_of(market, merchant, 10_000)
    coupon = market.coupon(
        percent_off="100", platform_basis_points=10_000, duration=Duration.FOREVER, product_ids=(price.product_id,)
    )
    subscription = begun(market, price, coupon_id=coupon.id)
    assert of_merchant(market, merchant) == 9_000
    let_pass(market, 10, step_hours=12)
    other = price_of(market, merchant, dearer)
    change(market, subscription, ANN, price_id=other.id, proration=Proration.AT_ONCE)
    let_pass(market, 2, step_hours=12)
    books = market.all_transactions()[1]
    (share,) = books.shares.values()
    (back,) = share.promotions.values()
    assert back < 0
    net = (books.payment.captured or 0) + back
    assert (share.own, share.fee) == ((net - PERCENT.fee(net, "usd"), PERCENT.fee(net, "usd")) if net > 0 else (0, net))
    if own is not None:
        assert share.own == own
    assert of_merchant(market, merchant) == 9_000 + share.own
    require_proven(market)
    for number, amount in enumerate((1, 333, None)):
        market.refund(books.transaction.id, amount, key=f"refund-{number}")
        market.take_in(*market.events())
    assert of_merchant(market, merchant) == 9_000
    assert ledger_of(market)[f"promotions:{coupon.id}"] == 10_000
    require_proven(market)


def test_by_policy_subscriptions_and_invoices_are_taxed() -> None:
    market, merchant = prepared(PERCENT, automatic_tax=True)
    session = subscribe(market, price_of(market, merchant, 10_000, tax_behavior=EXCLUSIVE))
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)
    market.take_in(*market.events())
    billed(market, merchant, InvoiceLine(description="A", unit_amount=1_000, tax_behavior="exclusive"))
    billed(market, merchant, InvoiceLine(description="A", unit_amount=1_000), automatic_tax=False)
    assert sorted(books.payment.captured or 0 for books in market.all_transactions()) == [1_000, 1_190, 11_900]
    require_proven(market)


def test_what_does_not_go_together_is_refused_before_stripe_is_asked() -> None:
    market, merchant = prepared(PERCENT)
    price, other = price_of(market, merchant), price_of(market, merchant)
    coupon = market.coupon(percent_off="10")
    restricted = market.coupon("two", percent_off="10", product_ids=(other.product_id,))
    wanted = NewSubscription(price_id=price.id, quantity=1, success_url=SHOP, cancel_url=SHOP)
    bill = NewInvoice(merchant_id=merchant.id, customer_id=ANN.subject, currency="usd",
                      lines=(InvoiceLine(description="A", unit_amount=1_000),))  # fmt: skip
    asked = len(market.calls)
    with pytest.raises(CombinationRefused):
        subscribe(market, price, coupon_id=coupon.id, allow_promotion_codes=True)
    with pytest.raises(DiscountNotUsable):
        subscribe(market, price, coupon_id=restricted.id)
    with pytest.raises(NotFound):
        subscribe(market, price, promotion_code="NOPE")
    with pytest.raises(InvalidBasket):
        subscribe(market, price, promotion_code="NOPE", coupon_id=coupon.id)
    for terms in ({"automatic_tax": True}, {"coupon_id": coupon.id}, {"allow_promotion_codes": True}):
        with pytest.raises(NotAllowed):
            create_subscription_session(market.ports, ANN, replace(wanted, **terms), once(ANN, "POST"))
    with pytest.raises(DiscountNotUsable):
        create_invoice(market.ports, OPERATOR, replace(bill, coupon_id=restricted.id), once(OPERATOR, "POST"))
    assert len(market.calls) == asked
