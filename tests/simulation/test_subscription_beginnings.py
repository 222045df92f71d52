"""Subscriptions begun on Stripe's page: what can be, whose it is, and the first invoice, a sale split to the cent."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.errors import FilterRequired, InvalidBasket, NotAllowed, NotFound, PriceNotForSale
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.principals import Principal, Role
from marketplace.domain.subscriptions import SubscriptionStatus
from marketplace.services.catalog import update_price
from marketplace.services.events import EventOutcome
from marketplace.services.invoice_reading import ListedInvoice, list_invoices, list_of_subscription
from marketplace.services.subscriptions import (
    NewSubscription,
    create_subscription_session,
    list_subscriptions,
    read_subscription,
    stored_subscription,
)

from .market import OPERATOR, SHOP, Market
from .subscribing import (
    ANN,
    BEN,
    DESTINATION,
    EXACT,
    FEE,
    PERCENT,
    SEPARATE,
    balance,
    customer,
    invoices,
    let_pass,
    once,
    price_of,
    require_books,
    sales,
    seller,
    stripe_customer,
    subscribe,
    subscribed,
)
from .test_crashes import each_step


def test_a_buyer_subscribes_and_his_first_invoice_is_a_sale_settled_after_its_payment(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    assert (subscription.status, subscription.customer_id) == (SubscriptionStatus.ACTIVE, ANN.subject)
    (invoice,) = invoices(market)
    assert (invoice.status, invoice.amount_paid) == (InvoiceStatus.PAID, 3_000)
    (books,) = market.all_transactions()
    assert (books.transaction.id, books.transaction.subscription_id) == (invoice.transaction_id, subscription.id)
    assert sales(market) == [(SEPARATE, 3_000, FEE)]
    let_pass(market, 3)
    require_books(market)
    assert balance(market, subscription) == 3_000 - FEE


def test_a_trial_is_free_and_then_paid(market: Market) -> None:
    subscription = subscribed(market, EXACT, recurring=Recurring(interval=Interval.MONTH, trial_period_days=10))
    assert (subscription.status, sales(market)) == (SubscriptionStatus.TRIALING, [])
    (free,) = invoices(market)
    assert (free.status, free.transaction_id, free.due_at) == (InvoiceStatus.PAID, None, None)
    assert [each.transaction_id for each in listed(market, subscription.id)] == [None]
    let_pass(market, 12, step_hours=1)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.ACTIVE
    assert sales(market) == [(DESTINATION, 3_000, FEE)]
    require_books(market)


def listed(market: Market, subscription_id: str) -> Sequence[ListedInvoice]:
    return list_of_subscription(market.ports, OPERATOR, subscription_id, cursor=None, limit=10).items


def test_what_was_paid_elsewhere_or_not_at_all_is_listed_without_a_sale(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    market.order(f"/v1/subscriptions/{subscription.stripe_subscription_id}", collection_method="send_invoice",
                 days_until_due=10)  # fmt: skip
    let_pass(market, 32)
    assert [each.transaction_id is None for each in listed(market, subscription.id)] == [True, False]
    market.order(f"/v1/invoices/{listed(market, subscription.id)[0].stripe_invoice_id}/pay", paid_out_of_band=True)
    market.take_in(*market.events())
    renewal = listed(market, subscription.id)[0]
    assert (renewal.status, renewal.transaction_id) == (InvoiceStatus.PAID, None)
    assert len(sales(market)) == 1


def test_a_subscription_that_nobody_has_begun_has_no_invoices(market: Market) -> None:
    other = subscribed(market, EXACT)
    session = subscribe(market, price_of(market, market.merchant(other.merchant_id), 500))
    assert len(listed(market, other.id)) == 1
    assert listed(market, session.subscription_id) == ()


def test_a_session_that_nobody_subscribes_in_expires(market: Market) -> None:
    price = price_of(market, seller(market))
    customer(market)
    session = subscribe(market, price)
    assert stored_subscription(market.ports, session.subscription_id).status is SubscriptionStatus.OPEN
    market.advance(25 * 3_600)
    market.take_in(*market.events())
    expired = stored_subscription(market.ports, session.subscription_id)
    assert (expired.status, expired.due_at) == (SubscriptionStatus.EXPIRED, None)


def test_a_merchant_that_is_not_ready_is_sold_for_where_that_is_allowed_and_paid_when_it_is() -> None:
    market = Market(money=MoneyPolicy(hold_until_ready=True))
    price = price_of(market, seller(market, PERCENT))
    merchant = market.only_merchant()
    customer(market)
    market.set_capability(merchant, "restricted")
    market.take_in(*market.events())
    session = subscribe(market, price)
    market.submit(str(session.checkout_session_id), card="4242424242424242")
    market.take_in(*market.events())
    assert sales(market) == [(SEPARATE, 3_000, 300)]
    assert market.stripe_balance(merchant.account_id) == {}
    market.set_capability(merchant, "active")
    market.take_in(*market.events())
    let_pass(market, 2)
    assert market.stripe_balance(merchant.account_id) == {"usd": 2_700}
    require_books(market)


def test_a_subscription_that_dies_anywhere_is_begun_once() -> None:
    def prepare(market: Market) -> None:
        price_of(market, seller(market))
        customer(market)

    def act(market: Market) -> None:
        (product,) = market.store.products(market.only_merchant().id, cursor=None, limit=1).items
        (price,) = market.store.prices(product.id, cursor=None, limit=1).items
        wanted = NewSubscription(price_id=price.id, quantity=1, success_url=SHOP, cancel_url=SHOP)
        key = market.once("POST /checkout/sessions", "once")
        create_subscription_session(market.ports, OPERATOR, replace(wanted, customer_id=ANN.subject), key)

    died = each_step(prepare, act)
    assert len(died) >= 6
    for step, market in died:
        market.advance(60)
        act(market)
        assert len(market.at_stripe("/v1/checkout/sessions")) == 1, step


def test_a_subscription_whose_metadata_was_copied_changes_nothing(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    copied = market.order(
        "/v1/subscriptions", customer=stripe_customer(market), metadata={"subscription_id": subscription.id},
        items=[{"price": market.at_stripe("/v1/prices")[0]["id"]}],
        default_payment_method=market.order(
            "/v1/payment_methods/pm_card_visa/attach", customer=stripe_customer(market))["id"],
    )  # fmt: skip
    outcomes = market.take_in(*[each for each in market.events() if each["type"].startswith(("customer.s", "invoice"))])
    assert set(outcomes) == {EventOutcome.IGNORED}
    assert stored_subscription(market.ports, subscription.id).stripe_subscription_id != copied["id"]
    assert len(market.all_transactions()) == 1


def test_everybody_sees_his_own(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    merchant = Principal(role=Role.MERCHANT, subject="m", merchant_id=subscription.merchant_id)
    other = Principal(role=Role.MERCHANT, subject="o", merchant_id="merchant-" + 26 * "0")
    for caller in (OPERATOR, ANN, merchant):
        assert read_subscription(market.ports, caller, subscription.id).id == subscription.id
        (listed,) = list_of_subscription(market.ports, caller, subscription.id, cursor=None, limit=10).items
        assert (listed.amount_paid, listed.id) == (3_000, invoices(market)[0].id)
        assert listed.hosted_invoice_url
        assert listed.invoice_pdf
        assert listed.transaction_id == market.all_transactions()[0].transaction.id
    for caller in (BEN, other):
        with pytest.raises(NotFound):
            read_subscription(market.ports, caller, subscription.id)
        with pytest.raises(NotFound):
            list_of_subscription(market.ports, caller, subscription.id, cursor=None, limit=10)
    for caller, found in ((ANN, 1), (merchant, 1), (BEN, 0), (other, 0)):
        terms: dict[str, Any] = {"merchant_id": None, "customer_id": None, "cursor": None, "limit": 10}
        assert len(list_subscriptions(market.ports, caller, **terms).items) == found
        assert len(list_invoices(market.ports, caller, **terms).items) == found
    with pytest.raises(FilterRequired):
        list_subscriptions(market.ports, OPERATOR, merchant_id=None, customer_id=None, cursor=None, limit=10)
    with pytest.raises(NotFound):
        list_subscriptions(market.ports, BEN, merchant_id=None, customer_id=ANN.subject, cursor=None, limit=10)
    theirs = subscription.merchant_id
    with pytest.raises(NotFound):
        list_subscriptions(market.ports, other, merchant_id=theirs, customer_id=None, cursor=None, limit=10)
    assert list_of_subscription(market.ports, ANN, subscription.id, cursor=None, limit=1).cursor is None


def test_what_cannot_be_subscribed_to_is_refused(market: Market) -> None:
    price = price_of(market, seller(market))
    wanted = NewSubscription(price_id=price.id, quantity=1, success_url=SHOP, cancel_url=SHOP)

    def begin(caller: Principal = ANN, **other: Any) -> None:
        create_subscription_session(market.ports, caller, replace(wanted, **other), once(caller, "POST"))

    with pytest.raises(NotFound):
        begin()  # no customer yet
    customer(market)
    with pytest.raises(NotAllowed):
        begin(trial_days=30)
    with pytest.raises(InvalidBasket):
        begin(quantity=0)
    with pytest.raises(NotFound):
        begin(price_id="price-" + 26 * "0" + "-" + 26 * "0")
    update_price(market.ports, OPERATOR, price.id, once(OPERATOR, "PATCH"), active=False, tax_behavior=None)
    with pytest.raises(PriceNotForSale):
        begin()
    assert market.at_stripe("/v1/checkout/sessions") == []
