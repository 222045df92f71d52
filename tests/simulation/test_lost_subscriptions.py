"""A merchant is lost: nothing more is collected for it, or its subscriptions are ended and what is left is refunded."""

import pytest

from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.subscriptions import SubscriptionStatus
from marketplace.operations import Operation
from marketplace.services import lost_subscriptions
from marketplace.services.subscription_endings import resume_subscription
from marketplace.services.subscriptions import stored_subscription

from .market import OPERATOR, Market
from .subscribing import EXACT, invoices, let_pass, once, subscribe, subscribed


def lose(market: Market) -> None:
    """Stripe will not have the merchant any more."""
    market.set_capability(market.only_merchant(), "rejected")
    market.take_in(*market.events())
    market.advance(120)
    assert market.sweep().troubles == []
    market.take_in(*market.events())


def test_nothing_is_collected_for_a_merchant_that_was_lost() -> None:
    market = Market()
    subscription = subscribed(market, EXACT)
    lose(market)
    assert stored_subscription(market.ports, subscription.id).paused == "void"
    let_pass(market, 35)
    assert [each.amount_paid for each in invoices(market)] == [3_000, 0]
    assert len(market.at_stripe("/v1/charges")) == 1


def test_by_policy_its_subscriptions_are_ended_and_the_rest_of_the_period_is_refunded() -> None:
    market = Market(money=MoneyPolicy(cancels_lost_subscriptions=True))
    subscription = subscribed(market, EXACT)
    let_pass(market, 15)
    lose(market)
    ended = stored_subscription(market.ports, subscription.id)
    assert (ended.status, ended.refund_due) == (SubscriptionStatus.CANCELED, 0)
    (books,) = market.all_transactions()
    (refund,) = books.refunds.values()
    assert 1_400 < refund.amount <= 1_500
    assert market.violations(books.transaction.id) == []


def test_however_many_subscriptions_it_has_each_is_paused_once(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_subscriptions, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(lost_subscriptions, "PAGE", 3)
    first = subscribed(market, EXACT)
    (price,) = market.store.prices(first.product_id, cursor=None, limit=1).items
    ids = [first.id]
    for _ in range(6):
        session = subscribe(market, price)
        market.submit(str(session.checkout_session_id), card="4242424242424242")
        ids.append(session.subscription_id)
    market.take_in(*market.events())
    lose(market)
    assert [stored_subscription(market.ports, each).paused for each in ids].count("void") == 2
    resumed = next(each for each in ids if stored_subscription(market.ports, each).paused)
    resume_subscription(market.ports, OPERATOR, resumed, once(OPERATOR, "resume"))
    for _ in range(4):
        market.advance(60)
        assert market.sweep().troubles == []
    assert {each for each in ids if stored_subscription(market.ports, each).paused is None} == {resumed}
    assert market.calls.count(Operation.UPDATE_SUBSCRIPTION) == 8


def test_the_subscriptions_of_a_merchant_that_is_not_lost_go_on(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    market.set_capability(market.only_merchant(), "restricted")
    market.take_in(*market.events())
    market.advance(120)
    market.sweep()
    assert stored_subscription(market.ports, subscription.id).paused is None
