"""Subscriptions and invoices with tax and discounts: split as sales are, to the cent, whenever their events come."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from marketplace.domain.catalog import Price, TaxBehavior
from marketplace.domain.errors import CombinationRefused, DiscountNotUsable, InvalidBasket, NotAllowed, NotFound
from marketplace.domain.fees import FeePolicy
from marketplace.domain.invoices import InvoiceLine
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.promotions import Coupon, Duration
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import ChargeType, TransactionStatus
from marketplace.services.invoice_acts import create_credit_note, finalize_invoice, pay_invoice
from marketplace.services.invoice_reading import list_of_subscription, read_invoice
from marketplace.services.invoices import NewInvoice, create_invoice
from marketplace.services.promotion_codes import NewCode, create_code
from marketplace.services.subscription_changes import Proration, SubscriptionChange, change_subscription
from marketplace.services.subscriptions import NewSubscription, create_subscription_session, stored_subscription

from .market import GERMANY, OPERATOR, SHOP, Event, Market
from .subscribing import ANN, EXACT, MONTHLY, PERCENT, customer, let_pass, once, price_of, seller, subscribe
from .subscribing import ledger as ledger_of
from .test_crashes import each_step
from .test_subscriptions import stripe_customer
from .test_tax_report import report
from .test_taxed_and_discounted import topped_up

DAY = 24 * 3_600
VAT = "tax_payable:de.country.vat"
EXCLUSIVE, INCLUSIVE = TaxBehavior.EXCLUSIVE, TaxBehavior.INCLUSIVE
OWN = 500_000  # what the platform has beside its sales


def prepared(policy: FeePolicy = EXACT, **money: Any) -> tuple[Market, Merchant]:
    """A platform that collects VAT in Germany and has money of its own; who sells, and a buyer in Berlin."""
    market = Market(money=MoneyPolicy(**money))
    market.collect_tax()
    topped_up(market, OWN)
    merchant = seller(market, policy)
    market.order(f"/v1/customers/{customer(market).stripe_customer_id}", address=GERMANY)
    market.take_in(*market.events())
    return market, merchant


def begun(market: Market, price: Price, *, code: str = "", **terms: Any) -> Subscription:
    """A subscription that the buyer has begun, its first events taken in."""
    session = subscribe(market, price, **terms)
    address = GERMANY if terms.get("automatic_tax") else {}
    entered = {"code": code} if code else {}
    market.submit(str(session.checkout_session_id), card="4242424242424242", **address, **entered)
    market.take_in(*market.events())
    return stored_subscription(market.ports, session.subscription_id)


def require_proven(market: Market) -> None:
    """Every sale's books hold and are at rest, and the ledger says what Stripe's balance does."""
    for books in market.all_transactions():
        assert market.violations(books.transaction.id) == []
        assert market.unsettled(books.transaction.id) == []
    assert market.ledger_balance().get("usd", 0) == market.stripe_balance().get("usd", 0) - OWN


def of_merchant(market: Market, merchant: Merchant) -> int:
    """What the merchant has at Stripe."""
    return market.stripe_balance(merchant.account_id).get("usd", 0)


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


def card_of(market: Market) -> str:
    """Saved details of the buyer."""
    path = "/v1/payment_methods/pm_card_visa/attach"
    return str(market.order(path, customer=stripe_customer(market))["id"])


def billed(market: Market, merchant: Merchant, *lines: InvoiceLine, **terms: Any) -> str:
    """An invoice that was made, finalized and charged; by its id here."""
    wanted = NewInvoice(
        merchant_id=merchant.id, customer_id=ANN.subject, currency="usd", lines=lines, metadata={}, **terms
    )
    ports = market.ports
    made = create_invoice(ports, OPERATOR, wanted, once(OPERATOR, "POST /invoices"))
    finalize_invoice(ports, OPERATOR, made.id, once(OPERATOR, "finalize"))
    card = card_of(market)
    pay_invoice(ports, OPERATOR, made.id, payment_method_id=card, paid_elsewhere=False, once=once(OPERATOR, "pay"))
    market.take_in(*market.events())
    return made.id


@pytest.mark.parametrize("asked", [None, 1_500])
def test_an_invoice_has_lines_of_both_ways_to_tax_a_coupon_and_a_fee(asked: int | None) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
    lines = (
        InvoiceLine(description="Table", unit_amount=10_000, tax_behavior="exclusive"),
        InvoiceLine(description="Chair", unit_amount=2_975, quantity=2, tax_behavior="inclusive"),
    )
    invoice_id = billed(market, merchant, *lines, automatic_tax=True, coupon_id=coupon.id, application_fee_amount=asked)
    (books,) = market.all_transactions()
    assert books.payment.captured == 9_000 + 1_710 + 5_355
    found = ledger_of(market)
    assert (found[VAT], found[f"promotions:{coupon.id}"]) == (-1_710 - 855, 750)
    net = 9_000 + 4_500 + 750
    fee = 1_425 if asked is None else round(asked * net / 15_950)
    assert of_merchant(market, merchant) == net - fee
    shown = read_invoice(market.ports, OPERATOR, invoice_id)
    assert (shown.subtotal, shown.discount, shown.tax, shown.total) == (15_950, 1_595, 1_710 + 855, 16_065)
    require_proven(market)


def test_an_invoice_of_many_lines_is_read_page_by_page() -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=10_000)
    lines = [
        InvoiceLine(description=f"Day {day}", unit_amount=1_000 + day, tax_behavior="exclusive") for day in range(25)
    ]
    billed(market, merchant, *lines, automatic_tax=True, coupon_id=coupon.id)
    (invoice,) = market.at_stripe("/v1/invoices")
    assert invoice["lines"]["has_more"]
    found = ledger_of(market)
    assert -found[VAT] == sum(tax["amount"] for tax in invoice["total_taxes"])
    whole = sum(line.amount for line in lines)
    assert found[f"promotions:{coupon.id}"] == sum(each["amount"] for each in invoice["total_discount_amounts"])
    assert of_merchant(market, merchant) == whole - PERCENT.fee(whole, "usd")
    require_proven(market)


@pytest.mark.parametrize("policy", [EXACT, PERCENT], ids=["exact", "percent"])
def test_a_coupon_of_the_dashboard_on_a_subscription_that_stripe_splits_is_the_platform_s(policy: FeePolicy) -> None:
    market, merchant = prepared(policy)
    subscription = begun(market, price_of(market, merchant, 10_000))
    market.order("/v1/coupons", id="theirs", percent_off="30", duration="forever")
    market.order(f"/v1/subscriptions/{subscription.stripe_subscription_id}", discounts=[{"coupon": "theirs"}])
    let_pass(market, 33, step_hours=1)
    first, renewal = market.all_transactions()
    is_told = policy is PERCENT
    assert renewal.transaction.charge_type is (ChargeType.DESTINATION if is_told else ChargeType.SEPARATE)
    assert (first.payment.captured, renewal.payment.captured) == (10_000, 7_000)
    assert of_merchant(market, merchant) == 2 * (10_000 - policy.fee(10_000, "usd"))
    assert ledger_of(market)["promotions:theirs"] == 3_000
    require_proven(market)
    market.refund(renewal.transaction.id, 2_000, key="a")
    market.refund(renewal.transaction.id, None, key="b")
    market.take_in(*market.events())
    assert of_merchant(market, merchant) == 10_000 - policy.fee(10_000, "usd")
    assert "promotions:theirs" not in ledger_of(market)
    require_proven(market)


@pytest.mark.parametrize("is_heard_of", [False, True])
@pytest.mark.parametrize("more", [2_000, -2_000])
def test_a_draft_that_changes_after_it_was_told_its_fee_is_evened_out(more: int, is_heard_of: bool) -> None:
    market, merchant = prepared(EXACT)
    subscription = begun(market, price_of(market, merchant, 10_000))
    market.advance(30 * DAY + 1_800)
    market.take_in(*market.events())
    draft = market.at_stripe("/v1/invoices")[0]
    assert draft["status"] == "draft"
    stripe_customer_id = stripe_customer(market)
    market.order("/v1/invoiceitems", customer=stripe_customer_id, invoice=draft["id"], amount=more, currency="usd")
    told = market.events()
    if is_heard_of:  # and told its fee anew, before it is finalized
        market.take_in(*told)
    market.advance(2 * DAY)
    market.take_in(*market.events(), *told)
    market.come_to_rest()
    renewal = market.all_transactions()[1]
    assert renewal.transaction.charge_type is ChargeType.DESTINATION
    assert renewal.payment.captured == 10_000 + more
    assert (renewal.shares != {}) is not is_heard_of
    fee = EXACT.fee(10_000 + more, "usd")
    assert of_merchant(market, merchant) == 20_000 + more - EXACT.fee(10_000, "usd") - fee
    assert subscription.id == renewal.transaction.subscription_id
    require_proven(market)
    market.refund(renewal.transaction.id, 1_234, key="a")
    market.refund(renewal.transaction.id, None, key="b")
    market.take_in(*market.events())
    market.come_to_rest()
    assert of_merchant(market, merchant) == 10_000 - EXACT.fee(10_000, "usd")
    require_proven(market)


def test_tax_that_a_draft_turned_out_to_have_is_no_merchant_s() -> None:
    """Somebody switched tax on in the Dashboard after the draft was told its fee."""
    market, merchant = prepared(EXACT)
    begun(market, price_of(market, merchant, 10_000, tax_behavior=INCLUSIVE))
    market.advance(30 * DAY + 1_800)
    market.take_in(*market.events())
    draft = market.at_stripe("/v1/invoices")[0]
    market.order(f"/v1/invoices/{draft['id']}", automatic_tax={"enabled": True})
    market.events()  # lost
    market.advance(2 * DAY)
    market.take_in(*market.events())
    renewal = market.all_transactions()[1]
    assert renewal.transaction.charge_type is ChargeType.DESTINATION
    assert ledger_of(market)[VAT] == -1_597
    net = 10_000 - 1_597
    assert of_merchant(market, merchant) == 10_000 - EXACT.fee(10_000, "usd") + net - EXACT.fee(net, "usd")
    require_proven(market)


@pytest.mark.parametrize("credit", [1, 2_678, 8_033])
def test_what_the_customer_s_balance_paid_has_its_part_of_everything(credit: int) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
    path = f"/v1/customers/{stripe_customer(market)}/balance_transactions"
    market.order(path, amount=-credit, currency="usd")
    line = InvoiceLine(description="Table", unit_amount=10_000, tax_behavior="exclusive")
    billed(market, merchant, line, automatic_tax=True, coupon_id=coupon.id)
    (books,) = market.all_transactions()
    captured = books.payment.captured or 0
    assert captured == 10_710 - credit
    found = ledger_of(market)
    assert -found[VAT] == round(1_710 * captured / 10_710)
    assert found[f"promotions:{coupon.id}"] == round(500 * captured / 10_710)
    net = captured + found[VAT] + found[f"promotions:{coupon.id}"]
    assert of_merchant(market, merchant) == net - PERCENT.fee(net, "usd")
    require_proven(market)


def test_what_the_customer_s_balance_paid_all_of_is_no_sale() -> None:
    market, merchant = prepared(PERCENT)
    path = f"/v1/customers/{stripe_customer(market)}/balance_transactions"
    market.order(path, amount=-50_000, currency="usd")
    coupon = market.coupon(percent_off="10", platform_basis_points=10_000)
    line = InvoiceLine(description="Table", unit_amount=10_000)
    wanted = NewInvoice(merchant_id=merchant.id, customer_id=ANN.subject, currency="usd", lines=(line,),
                        coupon_id=coupon.id)  # fmt: skip
    made = create_invoice(market.ports, OPERATOR, wanted, once(OPERATOR, "POST"))
    finalize_invoice(market.ports, OPERATOR, made.id, once(OPERATOR, "finalize"))
    market.take_in(*market.events())
    assert market.all_transactions() == []
    assert of_merchant(market, merchant) == 0


@pytest.mark.parametrize("proration", [Proration.AT_ONCE, Proration.NEXT_INVOICE])
def test_a_proration_is_taxed_and_discounted_by_its_lines(proration: Proration) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=10_000, duration=Duration.FOREVER)
    price = price_of(market, merchant, 10_000, tax_behavior=EXCLUSIVE)
    subscription = begun(market, price, automatic_tax=True, coupon_id=coupon.id)
    let_pass(market, 15, step_hours=12)
    wanted = SubscriptionChange(quantity=3, proration=proration)
    change_subscription(market.ports, ANN, subscription.id, wanted, once(ANN, "PATCH"))
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
    wanted = SubscriptionChange(price_id=other.id, proration=Proration.AT_ONCE)
    change_subscription(market.ports, ANN, subscription.id, wanted, once(ANN, "PATCH"))
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


def mixed(market: Market, merchant: Merchant) -> Coupon:
    """107.10 paid by a first invoice: 100.00 less 10 percent, half of that the platform's, and 19 percent tax."""
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000, duration=Duration.FOREVER)
    begun(market, price_of(market, merchant, 10_000, tax_behavior=EXCLUSIVE), automatic_tax=True, coupon_id=coupon.id)
    return coupon


@pytest.mark.parametrize("by_credit_note", [False, True])
def test_refunds_and_credit_notes_return_everybody_s_part_and_close_at_zero(by_credit_note: bool) -> None:
    market, merchant = prepared(PERCENT)
    coupon = mixed(market, merchant)
    (books,) = market.all_transactions()
    back = 0
    for number, amount in enumerate((5_355, 1, 1_997, 3_357)):
        if by_credit_note:
            invoice_id = str(books.transaction.invoice_id)
            create_credit_note(
                market.ports, OPERATOR, invoice_id, amount=amount, memo=None, once=once(OPERATOR, f"n{number}")
            )
        else:
            market.refund(books.transaction.id, amount, key=f"refund-{number}")
        market.take_in(*market.events())
        market.come_to_rest()
        back += amount
        left = 10_710 - back
        found = ledger_of(market)
        assert abs(-found.get(VAT, 0) - 1_710 * left / 10_710) <= 0.5
        assert abs(found.get(f"promotions:{coupon.id}", 0) - 500 * left / 10_710) <= 0.5
        assert abs(of_merchant(market, merchant) - 8_550 * left / 10_710) <= 1
        require_proven(market)
    assert not {VAT, f"promotions:{coupon.id}", "platform_revenue"} & set(ledger_of(market))
    assert of_merchant(market, merchant) == 0
    market.advance(60)
    assert [(row.collected, row.returned, row.due) for row in report(market, days=30).rows] == [(1_710, 1_710, 0)]


def test_a_dispute_takes_tax_and_promotion_back_and_a_win_restores_them() -> None:
    market, merchant = prepared(PERCENT)
    coupon = mixed(market, merchant)
    before = ledger_of(market)
    (charge,) = market.at_stripe("/v1/charges")
    dispute = market.order(f"/_simulator/charges/{charge['id']}/dispute", amount=10_710)
    market.take_in(*market.events())
    assert not {VAT, f"promotions:{coupon.id}", "platform_revenue"} & set(ledger_of(market))
    require_proven(market)
    market.order(f"/_simulator/disputes/{dispute['id']}/decide", outcome="won")
    market.take_in(*market.events())
    market.come_to_rest()
    after = ledger_of(market)
    assert {name: after[name] for name in before if name != "stripe_balance"} == {
        name: amount for name, amount in before.items() if name != "stripe_balance"
    }
    assert of_merchant(market, merchant) == 8_550 - 1_500  # the dispute's fee is not returned


def test_the_report_of_tax_has_what_invoices_collected() -> None:
    market, merchant = prepared(PERCENT)
    mixed(market, merchant)
    billed(market, merchant, InvoiceLine(description="A", unit_amount=999), automatic_tax=True)
    market.advance(60)
    collected = sum(tax["amount"] for each in market.at_stripe("/v1/invoices") for tax in each["total_taxes"])
    (row,) = report(market).rows
    assert (row.jurisdiction, row.collected, row.due) == ("de.country.vat", collected, collected)


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


def first_invoice(market: Market, merchant: Merchant) -> None:
    price = price_of(market, merchant, 10_000, tax_behavior=INCLUSIVE)
    coupon = market.coupon(percent_off="33", platform_basis_points=3_333, duration=Duration.FOREVER)
    session = subscribe(market, price, automatic_tax=True, coupon_id=coupon.id)
    market.take_in(*market.events())
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)


def renewal(market: Market, merchant: Merchant) -> None:
    mixed(market, merchant)
    market.advance(31 * DAY)


def free_renewal(market: Market, merchant: Merchant) -> None:
    coupon = market.coupon(percent_off="100", platform_basis_points=5_000, duration=Duration.FOREVER)
    begun(market, price_of(market, merchant, 10_000), coupon_id=coupon.id)
    market.advance(31 * DAY)


def stale_draft(market: Market, merchant: Merchant) -> None:
    """A renewal whose draft changed after it was told its fee."""
    begun(market, price_of(market, merchant, 10_000))
    market.advance(30 * DAY + 1_800)
    market.take_in(*market.events())
    (draft,) = [each for each in market.at_stripe("/v1/invoices") if each["status"] == "draft"]
    customer_id = stripe_customer(market)
    market.order("/v1/invoiceitems", customer=customer_id, invoice=draft["id"], amount=2_000, currency="usd")
    market.events()  # lost
    market.advance(2 * DAY)


def refunded(market: Market, merchant: Merchant) -> None:
    """A renewal, of which a part is refunded in the Dashboard and another disputed, all of it unheard of."""
    renewal(market, merchant)
    charge = market.at_stripe("/v1/charges")[0]["id"]
    market.order("/v1/refunds", charge=charge, amount=3_000)
    market.order(f"/_simulator/charges/{charge}/dispute", amount=2_000)


SETTLES = {"invoice.paid", "charge.updated"}
STORIES = [first_invoice, renewal, free_renewal, stale_draft, refunded]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_i8_events_in_any_order_and_number_end_in_the_same(story: Callable[[Market, Merchant], None]) -> None:
    market, merchant = prepared(EXACT)
    story(market, merchant)
    events = market.events()
    market.fork()
    ends = []
    for seed in range(12):
        world = market.fork()
        world.take_in(*random.Random(seed).sample(events * 2, len(events) * 2))
        world.take_in(*world.events())
        for books in world.all_transactions():
            assert world.violations(books.transaction.id) == [], seed
            assert world.unsettled(books.transaction.id) == [], seed
        ends.append(world.positions())
    assert all(end == ends[0] for end in ends)


@pytest.mark.parametrize("story", STORIES[:4], ids=lambda story: story.__name__)
def test_what_was_lost_is_found_by_the_sweep(story: Callable[[Market, Merchant], None]) -> None:
    market, merchant = prepared(EXACT)
    story(market, merchant)
    heard = market.fork()
    heard.take_in(*heard.events())
    heard.take_in(*heard.events())
    sums, own = ledger_of(heard), of_merchant(heard, merchant)
    lost = market.fork()
    lost.events()
    for _ in range(3):
        lost.advance(DAY + 3_600)
        assert lost.sweep().troubles == []
    lost.take_in(*lost.events())
    lost.come_to_rest()
    assert (ledger_of(lost), of_merchant(lost, merchant)) == (sums, own)
    require_proven(lost)


@pytest.mark.parametrize("story", [first_invoice, free_renewal, stale_draft], ids=lambda story: story.__name__)
def test_an_event_that_dies_anywhere_ends_as_if_it_had_not(story: Callable[[Market, Merchant], None]) -> None:
    def prepare(market: Market) -> None:
        market.collect_tax()
        topped_up(market, OWN)
        merchant = seller(market, EXACT)
        customer(market)
        story(market, merchant)

    def keep(market: Market) -> list[Event]:
        market.waiting = market.waiting or [each for each in market.events() if each["type"] in SETTLES]
        return market.waiting

    ends = []
    for step, market in each_step(prepare, lambda market: market.take_in(*keep(market))):
        market.take_in(*market.waiting)
        market.sweep()
        market.come_to_rest()
        require_proven(market)
        ends.append((ledger_of(market), of_merchant(market, market.only_merchant())))
        assert ends[-1] == ends[0], step
    assert len(ends) > 10
