"""Subscriptions: begun on Stripe's page, renewed, and every paid invoice a sale that is split to the cent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.errors import (
    FilterRequired,
    InvalidBasket,
    NotAllowed,
    NotFound,
    PriceNotForSale,
)
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.ledger import PLATFORM_REVENUE
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.principals import Principal, Role
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.domain.transactions import ChargeType
from marketplace.services.catalog import update_price
from marketplace.services.catch_up import catch_up
from marketplace.services.events import EventOutcome
from marketplace.services.invoice_reading import list_invoices, list_of_subscription
from marketplace.services.subscription_changes import (
    Proration,
    SubscriptionChange,
    change_subscription,
    preview_change,
)
from marketplace.services.subscription_endings import (
    cancel_subscription,
)
from marketplace.services.subscriptions import (
    NewSubscription,
    create_subscription_session,
    list_subscriptions,
    read_subscription,
    stored_subscription,
)

from .market import OPERATOR, SHOP, Event, Market, ids_of
from .subscribing import (
    ANN,
    BEN,
    DECLINED_LATER,
    EXACT,
    PERCENT,
    at_stripe,
    customer,
    invoices,
    ledger,
    let_pass,
    once,
    price_of,
    require_books,
    seller,
    subscribe,
    subscribed,
)
from .test_crashes import each_step

SEPARATE, DESTINATION = ChargeType.SEPARATE, ChargeType.DESTINATION
FEE = 117  # of 30.00 under EXACT: 2.9 percent and 0.30


def sales(market: Market) -> list[tuple[ChargeType, int, int]]:
    """How each paid invoice was charged, for how much, with which fee."""
    found = [books.transaction for books in market.all_transactions()]
    return [(each.charge_type, each.amount, each.fee) for each in found]


def balance(market: Market, subscription: Subscription) -> int:
    """What the merchant has at Stripe."""
    account = market.merchant(subscription.merchant_id).account_id
    return market.stripe_balance(account).get("usd", 0)


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


def test_renewals_are_split_exactly_while_their_invoices_are_drafts(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    let_pass(market, 63, step_hours=1)
    assert sales(market) == [(SEPARATE, 3_000, FEE), (DESTINATION, 3_000, FEE), (DESTINATION, 3_000, FEE)]
    require_books(market)
    assert balance(market, subscription) == 3 * (3_000 - FEE)


def test_a_percentage_that_stripe_can_be_told_is_told_once(market: Market) -> None:
    subscription = subscribed(market, PERCENT)
    let_pass(market, 33)
    assert sales(market) == [(DESTINATION, 3_000, 300)] * 2
    require_books(market)
    assert balance(market, subscription) == 2 * 2_700


def test_a_draft_that_is_heard_of_too_late_is_settled_after_its_payment(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    market.advance(40 * 24 * 3_600)
    market.take_in(*market.events())
    assert sales(market) == [(SEPARATE, 3_000, FEE)] * 2
    let_pass(market, 3)
    require_books(market)
    assert balance(market, subscription) == 2 * (3_000 - FEE)


def test_a_fee_that_stripe_refuses_to_set_is_settled_after_the_payment(market: Market) -> None:
    subscribed(market, EXACT)
    market.simulator.faults.order("error", method="POST", path="/v1/invoices/*", status=400, count=9)
    let_pass(market, 35, step_hours=1)
    assert sales(market) == [(SEPARATE, 3_000, FEE)] * 2
    require_books(market)


def test_a_draft_that_changes_after_it_was_told_its_fee_is_told_again(market: Market) -> None:
    subscribed(market, EXACT)
    while not any(each.status is InvoiceStatus.DRAFT for each in invoices(market)):
        let_pass(market, 0, hours=1, step_hours=1)
    draft = invoices(market)[-1]
    assert draft.split_amount == 3_000
    market.order(f"/v1/invoices/{draft.stripe_invoice_id}/add_lines", lines=[{"amount": 2_000, "description": "More"}])
    market.take_in(*market.events())
    let_pass(market, 3, step_hours=1)
    assert sales(market)[1:] == [(DESTINATION, 5_000, EXACT.fee(5_000, "usd"))]
    require_books(market)


def test_a_trial_is_free_and_then_paid(market: Market) -> None:
    subscription = subscribed(market, EXACT, recurring=Recurring(interval=Interval.MONTH, trial_period_days=10))
    assert (subscription.status, sales(market)) == (SubscriptionStatus.TRIALING, [])
    (free,) = invoices(market)
    assert (free.status, free.transaction_id, free.due_at) == (InvoiceStatus.PAID, None, None)
    let_pass(market, 12, step_hours=1)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.ACTIVE
    assert sales(market) == [(DESTINATION, 3_000, FEE)]
    require_books(market)


def test_a_session_that_nobody_subscribes_in_expires(market: Market) -> None:
    price = price_of(market, seller(market))
    customer(market)
    session = subscribe(market, price)
    assert stored_subscription(market.ports, session.subscription_id).status is SubscriptionStatus.OPEN
    market.advance(25 * 3_600)
    market.take_in(*market.events())
    expired = stored_subscription(market.ports, session.subscription_id)
    assert (expired.status, expired.due_at) == (SubscriptionStatus.EXPIRED, None)


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


def first_payment(market: Market) -> None:
    price = price_of(market, seller(market, EXACT))
    customer(market)
    session = subscribe(market, price)
    market.take_in(*market.events())
    market.submit(str(session.checkout_session_id), card="4242424242424242")


def drafted(market: Market) -> None:
    """A month later, within the hour in which the next invoice is a draft."""
    subscribed(market, EXACT)
    market.advance(30 * 24 * 3_600 + 1_800)


def renewal(market: Market) -> None:
    subscribed(market, EXACT)
    market.advance(31 * 24 * 3_600)


def percent_renewal(market: Market) -> None:
    subscribed(market, PERCENT)
    market.advance(31 * 24 * 3_600)


def split_renewal(market: Market) -> None:
    drafted(market)
    market.take_in(*market.events())
    market.advance(24 * 3_600)


def orders(events: list[Event]) -> list[tuple[Event, ...]]:
    """All of those of the events about invoices and charges, with what else there is before and after."""
    moving = [each for each in events if each["type"] in MOVING]
    others = [each for each in events if each["type"] not in MOVING]
    return [(*others, *order) for order in permutations(moving)] + [(*moving[::-1], *others)]


MOVING = {"invoice.paid", "invoice.finalized", "charge.updated", "customer.subscription.updated", "charge.succeeded"}
TRIAL = Recurring(interval=Interval.MONTH, trial_period_days=3)


STORIES = [first_payment, renewal, percent_renewal, split_renewal]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_i8_any_order_of_the_events_ends_in_the_same(story: Callable[[Market], None]) -> None:
    market = Market()
    story(market)
    events = market.events()
    market.fork()
    states = []
    for order in orders(events):
        twin = market.fork()
        twin.take_in(*order)
        twin.take_in(*order)  # and once more, all of them
        twin.take_in(*twin.events())
        states.append((twin.state(), ids_of(list(order))))
    assert len(states) > 20
    for state, types in states[1:]:
        assert state == states[0][0], types


def test_what_was_lost_is_found_by_the_sweep_or_caught_up_with() -> None:
    for finds in (lambda market: market.sweep(), lambda market: catch_up(market.ports, has_time=lambda: True)):
        market = Market()
        subscribed(market, EXACT)
        market.advance(33 * 24 * 3_600)
        market.events()  # lost, all of them
        finds(market)
        market.take_in(*market.events())
        let_pass(market, 3)
        assert sales(market) == [(SEPARATE, 3_000, FEE)] * 2
        require_books(market)


def test_an_event_that_dies_anywhere_ends_as_if_it_had_not() -> None:
    for story in (first_payment, drafted, renewal):
        for step, market in each_step(story, lambda market: market.take_in(*keep(market))):
            market.take_in(*market.waiting)
            market.sweep()
            market.come_to_rest()
            assert [fee for _, _, fee in sales(market)] == [FEE] * len(sales(market)), step
            assert len(sales(market)) == len(market.at_stripe("/v1/charges"))
            require_books(market)


def keep(market: Market) -> list[Event]:
    """The events under way, which come again when they were not answered."""
    market.waiting = market.waiting or market.events()
    return market.waiting


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


def stripe_customer(market: Market) -> str:
    """Ann, as Stripe calls her."""
    return str(market.at_stripe("/v1/customers")[0]["id"])


def test_a_year_of_a_subscription_ends_with_every_cent_where_it_belongs(market: Market) -> None:
    """From a first payment through a price change, a failed renewal, a refund and an end, by the day."""
    subscription = subscribed(market, EXACT)
    account = market.merchant(subscription.merchant_id).account_id
    dearer = price_of(market, market.merchant(subscription.merchant_id), 4_500)
    let_pass(market, 100, step_hours=12)
    wanted = SubscriptionChange(price_id=dearer.id, proration=Proration.NEXT_INVOICE)
    change_subscription(market.ports, ANN, subscription.id, wanted, once(ANN, "PATCH"))
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
    cancel_subscription(
        market.ports, ANN, subscription.id, at_period_end=True, prorates=False, once=once(ANN, "cancel")
    )
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


YEARS = [
    (datetime(2027, 1, 31, 23, 30, tzinfo=UTC), Interval.MONTH),
    (datetime(2028, 2, 29, tzinfo=UTC), Interval.YEAR),
]


@pytest.mark.parametrize(("start", "interval"), YEARS)
def test_periods_over_month_ends_and_leap_days_are_stripe_s_and_every_change_is_paid_in_full(
    market: Market, start: datetime, interval: Interval
) -> None:
    market.advance(int((start - market.clock.now()).total_seconds()))
    market.take_in(*market.events())
    subscription = subscribed(market, EXACT, amount=3_100, recurring=Recurring(interval=interval))
    ends = subscription.current_period_end
    assert ends is not None
    assert (ends.month, ends.day) == (2, 28)  # of January 31 and of a leap day
    market.advance(int((ends - market.clock.now()).total_seconds() / 2))
    market.take_in(*market.events())
    wanted = SubscriptionChange(quantity=2, proration=Proration.AT_ONCE)
    shown = preview_change(market.ports, ANN, subscription.id, wanted)
    change_subscription(
        market.ports, ANN, subscription.id, replace(wanted, prorated_at=shown.prorated_at), once(ANN, "PATCH")
    )
    let_pass(market, 3)
    assert [amount for _, amount, _ in sales(market)] == [3_100, shown.total]
    assert abs(shown.total - 1_550) <= 1  # half of it, for twice as much
    require_books(market)


def test_a_week_is_paid_53_times_in_a_year_of_53(market: Market) -> None:
    subscribed(market, PERCENT, amount=1_000, recurring=Recurring(interval=Interval.WEEK))
    for _ in range(52):
        market.advance(7 * 24 * 3_600)
        market.take_in(*market.events())
    let_pass(market, 3)
    assert sales(market) == [(DESTINATION, 1_000, 100)] * 53
    require_books(market)


def stored_method(market: Market, subscription: Subscription) -> str:
    """What Stripe charges for it."""
    found = at_stripe(market, f"/v1/subscriptions/{subscription.stripe_subscription_id}")
    return str(found["default_payment_method"])
