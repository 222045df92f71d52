"""Time that was paid and is not used: the buyer has it back, whatever Stripe, his bank or a crash does in between."""

from datetime import timedelta

import pytest

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.refunds import RefundStatus
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.services.subscription_endings import WhilePaused, cancel_subscription, pause_subscription
from marketplace.services.subscriptions import stored_subscription

from .market import OPERATOR, Market
from .subscribing import EXACT, cancel, let_pass, once, require_books, stripe_customer, subscribe, subscribed
from .test_crashes import each_step
from .test_outgoing import Stream

FAILED = "subscription.refund_failed"
HALF = range(1_490, 1_501)  # of 30.00, after half a month


def half_used(market: Market) -> Subscription:
    subscription = subscribed(market, EXACT)
    let_pass(market, 15)
    return subscription


def end(market: Market, subscription: Subscription) -> Subscription:
    return cancel(market, subscription, at_period_end=False, prorates=True)


def refuse(market: Market, code: str, times: int = 1) -> None:
    market.simulator.faults.order("error", method="POST", path="/v1/refunds", status=400, code=code, count=times)


def refunds(market: Market) -> list[tuple[RefundStatus, int]]:
    """How the refunds of all sales stand, the first first."""
    found = [refund for books in market.all_transactions() for refund in books.refunds.values()]
    return [(refund.status, refund.amount) for refund in sorted(found, key=lambda refund: refund.id)]


def rest(market: Market, seconds: int = 3_600) -> None:
    """Time passes, the sweep looks, and all comes to rest."""
    look(market, seconds)
    market.come_to_rest()


def look(market: Market, seconds: int) -> None:
    """Time passes, and the sweep looks."""
    market.advance(seconds)
    market.take_in(*market.events())
    assert market.sweep().troubles == []
    market.take_in(*market.events())


def require_returned(market: Market, subscription: Subscription, amount: int) -> None:
    """The buyer has it, once, and nobody looks any more."""
    after = stored_subscription(market.ports, subscription.id)
    assert (after.refund_due, after.refund_failure, after.due_at, after.waits_for) == (0, None, None, None)
    assert sum(each["amount"] for each in market.at_stripe("/v1/refunds") if each["status"] == "succeeded") == amount
    require_books(market)


def test_a_refund_that_stripe_refuses_is_told_and_asked_for_again_after_growing_pauses(market: Market) -> None:
    subscription = half_used(market)
    refuse(market, "charge_disputed", times=3)
    stream = Stream(market)
    ended = end(market, subscription)
    assert (ended.status, ended.refund_failure) == (SubscriptionStatus.CANCELED, "charge_disputed")
    assert ended.refund_due in HALF
    assert ended.waits_for == "the refund of the time that is not used"
    assert stream.counted()[FAILED] == stream.counted()["refund.refused"] == 1
    pauses = []
    for _ in range(3):
        seen = stored_subscription(market.ports, subscription.id)
        assert seen.due_at is not None
        pauses.append(int((seen.due_at - market.clock.now()).total_seconds()))
        look(market, pauses[-1])
    assert pauses == [3_600, 3_600, 7_200]
    assert [status for status, _ in refunds(market)] == [*[RefundStatus.REFUSED] * 3, RefundStatus.SUCCEEDED]
    assert stream.counted()[FAILED] == 1
    market.come_to_rest()
    require_returned(market, subscription, ended.refund_due)


def test_a_refund_that_stripe_does_not_answer_for_is_due_until_it_is_known(market: Market) -> None:
    subscription = half_used(market)
    market.simulator.faults.order("refuse_connection", method="POST", path="/v1/refunds", count=9)
    ended = end(market, subscription)
    assert ended.refund_due in HALF
    assert ended.refund_failure is None
    assert [status for status, _ in refunds(market)] == [RefundStatus.UNKNOWN]
    market.simulator.faults.clear()
    rest(market)
    require_returned(market, subscription, ended.refund_due)


def test_what_a_bank_sends_back_days_later_is_told_as_of_any_refund(market: Market) -> None:
    subscription = subscribed(market, EXACT, card="4000000000005126")  # its refunds fail a while after
    let_pass(market, 15)
    stream = Stream(market)
    assert end(market, subscription).refund_due == 0
    assert refunds(market) == [(RefundStatus.SUCCEEDED, 1_500)]
    let_pass(market, 10)
    assert refunds(market) == [(RefundStatus.FAILED, 1_500)]
    assert stream.counted()["refund.failed"] == 1
    assert stored_subscription(market.ports, subscription.id).refund_due == 0
    require_books(market)


def test_what_somebody_refunds_meanwhile_counts(market: Market) -> None:
    subscription = half_used(market)
    refuse(market, "charge_disputed")
    due = end(market, subscription).refund_due
    (books,) = market.all_transactions()
    market.refund(books.transaction.id, 500, key="by hand")
    market.order("/v1/refunds", charge=books.payment.charge_id, amount=300)  # in the Dashboard
    rest(market)
    assert sorted(amount for _, amount in refunds(market)) == sorted([due, 500, 300, due - 800])
    require_returned(market, subscription, due)


def test_where_all_that_was_paid_is_refunded_nothing_is_due_any_more(market: Market) -> None:
    subscription = half_used(market)
    refuse(market, "charge_disputed")
    end(market, subscription)
    (books,) = market.all_transactions()
    market.refund(books.transaction.id, None, key="by hand")
    rest(market)
    require_returned(market, subscription, 3_000)


def test_while_a_bank_disputes_it_the_refund_waits_and_is_made_when_the_merchant_has_won(market: Market) -> None:
    subscription = half_used(market)
    (books,) = market.all_transactions()
    disputed = market.order(f"/_simulator/charges/{books.payment.charge_id}/dispute", amount=3_000)
    market.take_in(*market.events())
    ended = end(market, subscription)
    assert (ended.refund_failure, refunds(market)) == ("not_refundable", [])
    market.order(f"/_simulator/disputes/{disputed['id']}/decide", outcome="won")
    market.take_in(*market.events())
    rest(market)
    require_returned(market, subscription, ended.refund_due)


@pytest.mark.parametrize("refusals", [0, 1])
def test_an_end_that_dies_anywhere_refunds_once(refusals: int) -> None:
    key = once(OPERATOR, "end")

    def prepare(market: Market) -> None:
        half_used(market)
        refuse(market, "charge_disputed", times=refusals) if refusals else None

    def act(market: Market) -> None:
        (subscription,) = (each for each in market.store.snapshot().values() if isinstance(each, Subscription))
        cancel_subscription(market.ports, OPERATOR, subscription.id, at_period_end=False, prorates=True, once=key)

    died = each_step(prepare, act)
    assert len(died) > 30
    for step, market in died:
        if refusals:
            look(market, 60)
        else:
            market.advance(60)
        act(market)
        assert refunds(market), step  # whoever asks again does not wait for the sweep
        rest(market)
        (subscription,) = (each for each in market.store.snapshot().values() if isinstance(each, Subscription))
        assert subscription.status is SubscriptionStatus.CANCELED, step
        (made,) = market.at_stripe("/v1/refunds")
        assert 800 < made["amount"] <= 1_500, step  # asked for again, it is days later where it died before all
        require_returned(market, subscription, made["amount"])


def test_of_another_subscription_of_the_buyer_nothing_is_refunded(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    let_pass(market, 15)
    (price,) = market.store.prices(subscription.product_id, cursor=None, limit=1).items
    market.submit(str(subscribe(market, price).checkout_session_id), card="4242424242424242")
    market.take_in(*market.events())
    end(market, subscription)
    rest(market)
    refunded = {books.transaction.subscription_id: len(books.refunds) for books in market.all_transactions()}
    assert refunded.pop(subscription.id) == 1
    assert set(refunded.values()) == {0}
    require_returned(market, subscription, 1_500)


def test_time_that_was_not_paid_is_not_refunded(market: Market) -> None:
    """Stripe credits it all the same: an earlier month, which was used, would be refunded for it."""
    subscription = subscribed(market, EXACT)
    declined = market.order("/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=stripe_customer(market))
    at = f"/v1/subscriptions/{subscription.stripe_subscription_id}"
    market.order(at, default_payment_method=declined["id"])
    let_pass(market, 31)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.PAST_DUE
    assert end(market, subscription).refund_due == 0
    rest(market)
    assert refunds(market) == []


def test_what_is_a_draft_is_not_paid_yet(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    assert subscription.current_period_end is not None
    after = subscription.current_period_end + timedelta(minutes=30)
    market.advance(int((after - market.clock.now()).total_seconds()))
    assert end(market, subscription).refund_due == 0
    rest(market)
    assert refunds(market) == []


def test_nothing_is_refunded_of_a_month_whose_invoice_is_void(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    pause_subscription(market.ports, OPERATOR, subscription.id, WhilePaused.VOID, None, once(OPERATOR, "pause"))
    let_pass(market, 35)
    assert end(market, subscription).refund_due == 0


def test_a_trial_ends_at_once_without_a_refund(market: Market) -> None:
    subscription = subscribed(market, EXACT, recurring=Recurring(interval=Interval.MONTH, trial_period_days=10))
    ended = end(market, subscription)
    assert (ended.status, ended.refund_due) == (SubscriptionStatus.CANCELED, 0)
