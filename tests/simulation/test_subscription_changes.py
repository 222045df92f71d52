"""Changes of subscriptions: what a change costs is shown first, and the money of each follows to the cent."""

import pytest

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.errors import (
    CreditExceedsInvoice,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    RequestUnderWay,
    SubscriptionNotChangeable,
)
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.principals import Principal, Role
from marketplace.domain.subscriptions import SubscriptionStatus
from marketplace.services.subscription_changes import (
    Proration,
    SubscriptionChange,
    preview_change,
)
from marketplace.services.subscription_endings import (
    WhilePaused,
    cancel_subscription,
    pause_subscription,
    resume_subscription,
)
from marketplace.services.subscriptions import stored_subscription

from .crashes import ProcessDied
from .market import OPERATOR, Market
from .subscribing import (
    ANN,
    BEN,
    EXACT,
    PERCENT,
    at_stripe,
    cancel,
    change,
    invoices,
    let_pass,
    once,
    price_of,
    require_books,
    seller,
    subscribed,
)

YEARLY = Recurring(interval=Interval.YEAR)


def paid(market: Market) -> list[int]:
    """What the buyer paid, invoice by invoice."""
    return [each.amount_paid for each in invoices(market)]


def test_what_a_preview_shows_is_what_is_billed(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    let_pass(market, 10)
    wanted = SubscriptionChange(quantity=3)
    preview = preview_change(market.ports, ANN, subscription.id, wanted)
    assert any(line.is_proration and line.amount < 0 for line in preview.lines)
    assert len(invoices(market)) == 1
    assert stored_subscription(market.ports, subscription.id).quantity == 1
    market.advance(3_600)
    changed = change(market, subscription, ANN, quantity=3, prorated_at=preview.prorated_at)
    assert changed.quantity == 3
    let_pass(market, 25)
    assert paid(market) == [3_000, preview.total]
    require_books(market)


def test_a_change_at_once_is_charged_at_once_and_split_exactly(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    dearer = price_of(market, market.merchant(subscription.merchant_id), 9_000)
    let_pass(market, 10)
    changed = change(market, subscription, price_id=dearer.id, proration=Proration.AT_ONCE)
    assert (changed.price_id, changed.unit_amount) == (dearer.id, 9_000)
    let_pass(market, 3)
    _, second = market.all_transactions()
    assert second.transaction.fee == EXACT.fee(second.transaction.amount, "usd")
    assert 3_900 < second.transaction.amount < 4_100  # 60.00 for two thirds of the month
    require_books(market)


def test_a_change_that_would_leave_a_credit_is_refused_and_made_without_proration(market: Market) -> None:
    subscription = subscribed(market, EXACT, amount=100_000, recurring=YEARLY)
    cheaper = price_of(market, market.merchant(subscription.merchant_id), 1_000)
    let_pass(market, 10)
    with pytest.raises(CreditExceedsInvoice):
        change(market, subscription, price_id=cheaper.id)
    assert stored_subscription(market.ports, subscription.id).unit_amount == 100_000
    assert change(market, subscription, price_id=cheaper.id, proration=Proration.NONE).unit_amount == 1_000
    let_pass(market, 3)
    assert at_stripe(market, f"/v1/customers/{market.at_stripe('/v1/customers')[0]['id']}")["balance"] == 0
    require_books(market)


def test_nothing_is_collected_while_a_subscription_is_paused(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    paused = pause_subscription(
        market.ports, OPERATOR, subscription.id, WhilePaused.VOID, None, once(OPERATOR, "pause")
    )
    assert paused.paused == "void"
    let_pass(market, 40)
    assert [each.status for each in invoices(market)] == [InvoiceStatus.PAID, InvoiceStatus.VOID]
    assert resume_subscription(market.ports, OPERATOR, subscription.id, once(OPERATOR, "resume")).paused is None
    let_pass(market, 30)
    assert paid(market) == [3_000, 0, 3_000]
    require_books(market)


def test_a_cancellation_at_the_end_of_the_period_is_taken_back_or_comes_about(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    assert cancel(market, subscription, at_period_end=True).cancel_at_period_end
    assert not resume_subscription(market.ports, ANN, subscription.id, once(ANN, "r")).cancel_at_period_end
    cancel(market, subscription, at_period_end=True)
    let_pass(market, 35)
    ended = stored_subscription(market.ports, subscription.id)
    assert (ended.status, ended.due_at) == (SubscriptionStatus.CANCELED, None)
    assert paid(market) == [3_000]
    with pytest.raises(SubscriptionNotChangeable):
        cancel(market, subscription, at_period_end=True)


def test_time_that_is_not_used_any_more_is_refunded_by_everybody_who_had_the_money(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    let_pass(market, 15)
    ended = cancel(market, subscription, at_period_end=False, prorates=True)
    assert (ended.status, ended.refund_due) == (SubscriptionStatus.CANCELED, 0)
    market.take_in(*market.events())
    market.come_to_rest()
    (books,) = market.all_transactions()
    (refund,) = books.refunds.values()
    assert 1_490 <= refund.amount <= 1_500
    assert market.store.refunds(subscription.merchant_id, cursor=None, limit=5).items == (refund,)
    require_books(market)
    account = market.merchant(subscription.merchant_id).account_id
    assert market.stripe_balance(account)["usd"] == 2_883 - (refund.amount - refund.fee)


def test_a_cancellation_that_dies_anywhere_refunds_once() -> None:
    for step in range(80):
        market = Market()
        subscription = subscribed(market, EXACT)
        let_pass(market, 9)
        market.fuse.set(step)
        try:
            cancel(market, subscription, at_period_end=False, prorates=True)
        except ProcessDied:
            died = True
        else:
            died = False
        market.fuse.set(None)
        market.advance(60)
        market.take_in(*market.events())
        market.come_to_rest()
        if stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.CANCELED:
            assert len(market.at_stripe("/v1/refunds")) == 1, step
            require_books(market)
        if not died:
            return
    raise AssertionError("the cancellation has more steps than the test looks at")


def test_another_merchant_takes_a_subscription_over_with_its_own_terms(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    linen = seller(market, PERCENT, "Linen House")
    price = price_of(market, linen, 5_000)
    with pytest.raises(NotFound):
        change(market, subscription, ANN, price_id=price.id, proration=Proration.NONE)
    with pytest.raises(SubscriptionNotChangeable):
        change(market, subscription, price_id=price.id)
    taken = change(market, subscription, price_id=price.id, proration=Proration.NONE)
    assert (taken.merchant_id, taken.unit_amount, taken.terms_to_be) == (linen.id, 5_000, None)
    let_pass(market, 40)
    require_books(market)
    assert [books.transaction.legs[0].merchant_id for books in market.all_transactions()] == [
        subscription.merchant_id,
        linen.id,
    ]
    assert market.stripe_balance(linen.account_id) == {"usd": 4_500}


def test_who_may_change_what(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    merchant = Principal(role=Role.MERCHANT, subject="m", merchant_id=subscription.merchant_id)
    other = Principal(role=Role.MERCHANT, subject="o", merchant_id="merchant-" + 26 * "0")
    with pytest.raises(NotAllowed):
        change(market, subscription, merchant, quantity=2)
    with pytest.raises(NotAllowed):
        pause_subscription(market.ports, ANN, subscription.id, WhilePaused.VOID, None, once(ANN, "p"))
    for stranger in (BEN, other):
        with pytest.raises((NotFound, NotAllowed)):
            change(market, subscription, stranger, quantity=2)
        with pytest.raises(NotFound):
            resume_subscription(market.ports, stranger, subscription.id, once(stranger, "r"))


def test_two_changes_at_once_are_one(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    market.simulator.faults.order("server_error", method="POST", path="/v1/subscriptions/*")
    with pytest.raises(OutcomeUnknown):
        change(market, subscription, quantity=2)
    with pytest.raises(RequestUnderWay):
        change(market, subscription, quantity=3)
    market.advance(3_600)
    market.sweep()
    market.sweep()
    assert change(market, subscription, quantity=3).quantity == 3


def test_a_request_that_comes_again_with_its_key_is_answered_again_when_the_subscription_has_ended(
    market: Market,
) -> None:
    subscription = subscribed(market, EXACT)
    keys = {name: once(OPERATOR, name) for name in ("pause", "resume", "at_period_end", "now")}
    for _ in range(2):
        pause_subscription(market.ports, OPERATOR, subscription.id, WhilePaused.VOID, None, keys["pause"])
        resume_subscription(market.ports, OPERATOR, subscription.id, keys["resume"])
        for name in ("at_period_end", "now"):
            cancel_subscription(
                market.ports,
                OPERATOR,
                subscription.id,
                at_period_end=name == "at_period_end",
                prorates=name == "now",
                once=keys[name],
            )
        assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.CANCELED
    (books,) = market.all_transactions()
    assert len(books.refunds) == 1
