"""The billing portal: a buyer's link, what it offers, and what he does there."""

from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.subscriptions import SubscriptionStatus
from marketplace.services.billing_portal import portal_url
from marketplace.services.subscriptions import stored_subscription

from .market import SHOP, Market
from .subscribing import ANN, invoices, let_pass, require_books, subscribed


def test_a_buyer_ends_his_subscription_in_the_portal_with_the_period(market: Market) -> None:
    subscription = subscribed(market)
    url = portal_url(market.ports, ANN, ANN.subject, SHOP)
    page = "/p/session/" + url.partition("/p/session/")[2]
    form = {"action": "cancel", "subscription": subscription.stripe_subscription_id}
    assert market.simulator.request("POST", page, form).status in {200, 303}
    market.take_in(*market.events())
    assert stored_subscription(market.ports, subscription.id).cancel_at_period_end
    let_pass(market, 32)
    assert stored_subscription(market.ports, subscription.id).status is SubscriptionStatus.CANCELED
    assert len(invoices(market)) == 1
    require_books(market)


def test_the_portal_offers_what_the_policy_says_and_is_configured_once() -> None:
    market = Market(money=MoneyPolicy(portal_cancels=False))
    subscription = subscribed(market)
    urls = [portal_url(market.ports, ANN, ANN.subject, SHOP) for _ in range(3)]
    assert len(set(urls)) == 3
    (configuration,) = market.at_stripe("/v1/billing_portal/configurations")
    offered = {name for name, feature in configuration["features"].items() if feature["enabled"]}
    assert offered == {"invoice_history", "payment_method_update"}
    page = "/p/session/" + urls[0].partition("/p/session/")[2]
    form = {"action": "cancel", "subscription": subscription.stripe_subscription_id}
    assert market.simulator.request("POST", page, form).status >= 400
