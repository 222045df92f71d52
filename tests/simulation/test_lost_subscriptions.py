"""A merchant is lost: nothing more is collected for it, or its subscriptions are ended and what is left is refunded."""

from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.subscriptions import SubscriptionStatus
from marketplace.services.subscriptions import stored_subscription

from .market import Market
from .subscribing import EXACT, invoices, let_pass, subscribed


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


def test_the_subscriptions_of_a_merchant_that_is_not_lost_go_on(market: Market) -> None:
    subscription = subscribed(market, EXACT)
    market.set_capability(market.only_merchant(), "restricted")
    market.take_in(*market.events())
    market.advance(120)
    market.sweep()
    assert stored_subscription(market.ports, subscription.id).paused is None
