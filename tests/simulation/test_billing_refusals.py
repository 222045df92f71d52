"""What billing refuses, and what it must leave alone."""

from typing import Any

import pytest

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.errors import (
    FeeExceedsAmount,
    InvalidAmount,
    InvalidBasket,
    MerchantNotReady,
    NotFound,
    StripeRefused,
    SubscriptionNotChangeable,
)
from marketplace.domain.invoices import InvoiceLine, InvoiceStatus
from marketplace.domain.subscriptions import SubscriptionStatus
from marketplace.services.catalog import NewPrice, ProductDetails, create_price, create_product
from marketplace.services.events import EventOutcome
from marketplace.services.invoice_acts import create_credit_note, pay_invoice
from marketplace.services.invoice_reading import list_invoices
from marketplace.services.invoices import create_invoice
from marketplace.services.subscription_changes import Proration
from marketplace.services.subscriptions import stored_subscription

from .market import OPERATOR, Market
from .subscribing import (
    ANN,
    BEN,
    DECLINED_LATER,
    EXACT,
    PERCENT,
    at_stripe,
    cancel,
    change,
    customer,
    invoices,
    let_pass,
    once,
    price_of,
    require_books,
    seller,
    stripe_customer,
    subscribed,
)
from .test_invoices import TOTAL, card_of, draft, finalized, pay, prepared, wanted


def credit(market: Market, amount: int) -> None:
    create_credit_note(
        market.ports, OPERATOR, invoices(market)[0].id, amount=amount, memo=None, once=once(OPERATOR, "n")
    )


def test_a_request_for_an_invoice_is_answered_again_when_there_could_be_none_any_more(market: Market) -> None:
    merchant, _ = prepared(market)
    asked, key = wanted(market), once(OPERATOR, "POST /invoices")
    made = create_invoice(market.ports, OPERATOR, asked, key)
    market.set_capability(merchant, "restricted")
    market.take_in(*market.events())
    assert create_invoice(market.ports, OPERATOR, asked, key).id == made.id
    with pytest.raises(MerchantNotReady):
        create_invoice(market.ports, OPERATOR, asked, once(OPERATOR, "POST /invoices"))


def test_an_invoice_that_stripe_refuses_to_make_is_over(market: Market) -> None:
    prepared(market)
    market.simulator.faults.order("error", method="POST", path="/v1/invoices", status=400)
    with pytest.raises(StripeRefused):
        draft(market)
    (refused,) = invoices(market)
    assert (refused.status, refused.changed_by, refused.due_at) == (InvoiceStatus.REFUSED, None, None)


def test_no_line_has_a_fee_above_its_amount_although_the_whole_would_bear_it(market: Market) -> None:
    prepared(market)
    lines = (
        InvoiceLine(description="Nail", unit_amount=100, fee=101), InvoiceLine(description="A table", unit_amount=900),
    )  # fmt: skip
    with pytest.raises(FeeExceedsAmount):
        draft(market, lines=lines)


def test_an_invoice_advances_by_nobody_s_hand_but_ours_and_takes_up_nothing_that_waits(market: Market) -> None:
    _, buyer = prepared(market)
    market.order(
        f"/v1/customers/{buyer.stripe_customer_id}",
        invoice_settings={"default_payment_method": card_of(market, buyer)},
    )
    market.order("/v1/invoiceitems", customer=buyer.stripe_customer_id, amount=777, currency="usd")
    draft(market)
    let_pass(market, 3)
    assert [(each.status, each.total) for each in invoices(market)] == [(InvoiceStatus.DRAFT, TOTAL)]
    finalized(market)
    let_pass(market, 3)
    assert sorted(each.status for each in invoices(market)) == [InvoiceStatus.DRAFT, InvoiceStatus.OPEN]
    assert market.at_stripe("/v1/charges") == []


def test_no_more_is_credited_than_an_invoice_was_of(market: Market) -> None:
    prepared(market)
    finalized(market)
    for amount in (0, TOTAL + 1):
        with pytest.raises(InvalidAmount):
            credit(market, amount)
    assert market.at_stripe("/v1/credit_notes") == []


def test_a_buyer_s_list_has_none_of_his_drafts(market: Market) -> None:
    prepared(market)
    made = draft(market)
    whose: dict[str, Any] = {"merchant_id": None, "customer_id": ANN.subject, "cursor": None, "limit": 10}
    assert [each.id for each in list_invoices(market.ports, OPERATOR, **whose).items] == [made.id]
    assert list_invoices(market.ports, ANN, **whose).items == ()


def test_an_invoice_whose_metadata_was_copied_changes_nothing(market: Market) -> None:
    _, buyer = prepared(market)
    made = draft(market)
    market.take_in(*market.events())
    before = invoices(market)
    copied = {"customer": buyer.stripe_customer_id, "metadata": {"invoice_id": made.id}}
    another = market.order("/v1/invoices", **copied)
    market.order(f"/v1/invoices/{another['id']}/add_lines", lines=[{"amount": 700, "description": "More"}])
    market.order(f"/v1/invoices/{another['id']}/pay", paid_out_of_band=True)
    assert set(market.take_in(*market.events())) == {EventOutcome.IGNORED}
    assert invoices(market) == before


def test_what_was_paid_elsewhere_is_given_back_elsewhere(market: Market) -> None:
    prepared(market)
    pay(market, finalized(market), elsewhere=True)
    credit(market, 20_000)
    assert [note["amount"] for note in market.at_stripe("/v1/credit_notes")] == [20_000]
    assert market.at_stripe("/v1/refunds") == []


def test_nobody_pays_with_the_details_of_another(market: Market) -> None:
    prepared(market)
    others = card_of(market, customer(market, BEN))
    opened = finalized(market)
    with pytest.raises(NotFound):
        pay_invoice(
            market.ports, OPERATOR, opened.id, payment_method_id=others, paid_elsewhere=False, once=once(OPERATOR, "p")
        )
    assert market.at_stripe("/v1/charges") == []


def test_a_subscription_changes_within_its_currency_for_a_merchant_that_is_ready(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    product = create_product(
        market.ports, OPERATOR, subscription.merchant_id, ProductDetails(description=None), "Tea",
        once(OPERATOR, "product"),
    )  # fmt: skip
    yen = NewPrice(unit_amount=3_000, currency="jpy", recurring=Recurring(interval=Interval.MONTH))
    in_yen = create_price(market.ports, OPERATOR, product.id, yen, once(OPERATOR, "price"))
    with pytest.raises(InvalidBasket):
        change(market, subscription, price_id=in_yen.id)
    for quantity in (0, 1_000_000):
        with pytest.raises(InvalidBasket):
            change(market, subscription, quantity=quantity)
    linen = seller(market, PERCENT, "Linen House")
    price = price_of(market, linen, 5_000)
    market.set_capability(linen, "restricted")
    market.take_in(*market.events())
    with pytest.raises(MerchantNotReady):
        change(market, subscription, price_id=price.id, proration=Proration.NONE)
    assert stored_subscription(market.ports, subscription.id).unit_amount == 3_000


def test_nobody_takes_a_subscription_over_while_the_last_merchant_waits_for_its_money(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    price = price_of(market, seller(market, PERCENT, "Linen House"), 5_000)
    declined = market.order("/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=stripe_customer(market))
    at = f"/v1/subscriptions/{subscription.stripe_subscription_id}"
    market.order(at, default_payment_method=declined["id"])
    let_pass(market, 31)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.PAST_DUE
    with pytest.raises(SubscriptionNotChangeable):
        change(market, subscription, price_id=price.id, proration=Proration.NONE)


def test_with_another_merchant_the_percentage_of_the_last_one_ends(market: Market) -> None:
    subscription = subscribed(market, PERCENT)
    linen = seller(market, EXACT, "Linen House")
    change(market, subscription, price_id=price_of(market, linen, 5_000).id, proration=Proration.NONE)
    found = at_stripe(market, f"/v1/subscriptions/{subscription.stripe_subscription_id}")
    assert (found["transfer_data"], found["application_fee_percent"]) == (None, None)
    let_pass(market, 35)
    market.come_to_rest()
    require_books(market)
    assert market.stripe_balance(linen.account_id) == {"usd": 5_000 - EXACT.fee(5_000, "usd")}


def test_a_change_that_stripe_refuses_leaves_nothing_of_it_and_the_next_one_can_follow(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    linen = seller(market, PERCENT, "Linen House")
    price = price_of(market, linen, 5_000)
    faults = market.simulator.faults
    faults.order("error", method="POST", path="/v1/subscriptions/*", status=400, code="resource_missing")
    with pytest.raises(StripeRefused):
        change(market, subscription, price_id=price.id, proration=Proration.NONE)
    faults.order("error", method="DELETE", path="/v1/subscriptions/*", status=400, code="resource_missing")
    with pytest.raises(StripeRefused):
        cancel(market, subscription, at_period_end=False, prorates=True)
    left = stored_subscription(market.ports, subscription.id)
    assert (left.changed_by, left.terms_to_be, left.refund_due, left.refund_since) == (None, None, 0, None)
    after = change(market, subscription, quantity=2)
    assert (after.quantity, after.merchant_id) == (2, subscription.merchant_id)


def test_what_has_ended_cannot_be_changed(market: Market) -> None:
    subscription = subscribed(market, EXACT, card=DECLINED_LATER, recurring=Recurring(
        interval=Interval.MONTH, trial_period_days=3,
    ))  # fmt: skip
    let_pass(market, 30)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.CANCELED
    with pytest.raises(SubscriptionNotChangeable):
        change(market, subscription, quantity=2)
