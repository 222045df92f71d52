"""How subscriptions and their money end: unpaid, refunded, disputed, after a year."""

import pytest

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.ledger import PLATFORM_REVENUE
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.services.subscription_changes import Proration
from marketplace.services.subscriptions import stored_subscription

from .market import Market
from .subscribing import (
    ANN,
    DECLINED_LATER,
    EXACT,
    at_stripe,
    balance,
    cancel,
    change,
    invoices,
    ledger,
    let_pass,
    price_of,
    require_books,
    sales,
    stripe_customer,
    subscribed,
)

TRIAL = Recurring(interval=Interval.MONTH, trial_period_days=3)


def test_a_renewal_that_fails_is_past_due_and_recovers_by_another_card(market: Market) -> None:
    subscription = subscribed(market, EXACT, card=DECLINED_LATER, recurring=TRIAL)
    let_pass(market, 5, step_hours=1)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.PAST_DUE
    failed = invoices(market)[-1]
    assert (failed.status, failed.attempt_count, sales(market)) == (InvoiceStatus.OPEN, 1, [])
    assert failed.next_payment_attempt is not None
    saved = market.order("/v1/payment_methods/pm_card_visa/attach", customer=stripe_customer(market))
    market.order(f"/v1/invoices/{failed.stripe_invoice_id}/pay", payment_method=saved["id"])
    market.take_in(*market.events())
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.ACTIVE
    assert [amount for _, amount, _ in sales(market)] == [3_000]
    let_pass(market, 3)
    require_books(market)


def test_a_renewal_that_is_never_paid_ends_the_subscription(market: Market) -> None:
    subscription = subscribed(market, EXACT, card=DECLINED_LATER, recurring=TRIAL)
    let_pass(market, 30)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.CANCELED
    assert sales(market) == []


def test_an_old_invoice_is_refunded_like_any_sale(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    let_pass(market, 70, step_hours=1)
    for books in market.all_transactions():
        market.refund(books.transaction.id, 1_000, key=f"a {books.transaction.id}")
        market.refund(books.transaction.id, None, key=f"b {books.transaction.id}")
    market.take_in(*market.events())
    market.come_to_rest()
    require_books(market)
    assert balance(market, subscription) == 0
    assert [books.payment.refundable for books in market.all_transactions()] == [0, 0, 0]


@pytest.mark.parametrize("renewed", [False, True])
def test_a_dispute_and_a_refund_of_the_dashboard_find_their_invoice_before_it_is_heard_of(
    market: Market, renewed: bool
) -> None:
    subscribed(market, EXACT)
    if renewed:
        market.advance(33 * 24 * 3_600)
        market.events()  # lost, all of them
    charge = market.at_stripe("/v1/charges")[0]["id"]
    market.order("/v1/refunds", charge=charge, amount=500)
    market.order(f"/_simulator/charges/{charge}/dispute", amount=700)
    market.take_in(*reversed(market.events()))
    books = next(each for each in market.all_transactions() if each.payment.charge_id == charge)
    assert [refund.amount for refund in books.refunds.values()] == [500]
    assert [dispute.withdrawn for dispute in books.disputes.values()] == [700]
    market.come_to_rest()
    assert market.violations(books.transaction.id) == []


def test_a_year_of_a_subscription_ends_with_every_cent_where_it_belongs(market: Market) -> None:
    """From a first payment through a price change, a failed renewal, a refund and an end, by the day."""
    subscription = subscribed(market, EXACT)
    account = market.merchant(subscription.merchant_id).account_id
    dearer = price_of(market, market.merchant(subscription.merchant_id), 4_500)
    let_pass(market, 100, step_hours=12)
    change(market, subscription, ANN, price_id=dearer.id, proration=Proration.NEXT_INVOICE)
    let_pass(market, 60, step_hours=12)
    declined = market.order("/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=stripe_customer(market))
    good = stored_method(market, subscription)
    at = f"/v1/subscriptions/{subscription.stripe_subscription_id}"
    market.order(at, default_payment_method=declined["id"])
    let_pass(market, 31, step_hours=12)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.PAST_DUE
    market.order(at, default_payment_method=good)
    market.order(f"/v1/invoices/{invoices(market)[-1].stripe_invoice_id}/pay", payment_method=good)
    let_pass(market, 120, step_hours=12)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.ACTIVE
    old = market.all_transactions()[2]
    market.refund(old.transaction.id, 1_000, key="old")
    let_pass(market, 40, step_hours=12)
    cancel(market, subscription, ANN, at_period_end=True)
    let_pass(market, 35, step_hours=12)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.CANCELED
    paid = [books.transaction.amount for books in market.all_transactions()]
    fees = [EXACT.fee(amount, "usd") for amount in paid]
    assert len(paid) >= 12
    assert [books.transaction.fee for books in market.all_transactions()] == fees
    (refund,) = market.books(old.transaction.id).refunds.values()
    require_books(market)
    assert market.stripe_balance(account)["usd"] == sum(paid) - sum(fees) - (refund.amount - refund.fee)
    assert ledger(market)[PLATFORM_REVENUE] == refund.fee - sum(fees)


def stored_method(market: Market, subscription: Subscription) -> str:
    """What Stripe charges for it."""
    found = at_stripe(market, f"/v1/subscriptions/{subscription.stripe_subscription_id}")
    return str(found["default_payment_method"])
