"""M2: a link of ours leads to Stripe's next one however often and late the last was used, by either API."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from local.stripe_simulator.resources.account_links import LINKS
from local.stripe_simulator.state import State
from marketplace.domain.errors import ImpossibleAccount, LinkExpired, MerchantNotReady, StripeRefused
from marketplace.domain.merchants import Collect, LinkUse, Merchant
from marketplace.domain.responsibilities import AccountPolicy, AccountsApi, Dashboard
from marketplace.services.onboarding import begin_onboarding, continue_onboarding

from .market import OPERATOR, SHOP, Market
from .test_merchants import by_both, deauthorize, demand, hear, market_of

OURS = "http://api.test/onboarding"
FIVE_MINUTES = 300


def begin(market: Market, merchant: Merchant, **more: object) -> tuple[str, str]:
    """Stripe's link, and the token of ours behind it."""
    terms = {"return_url": f"{SHOP}/back", "onboarding_url": OURS, **more}
    url, _ = begin_onboarding(market.ports, OPERATOR, merchant.id, **terms)  # type: ignore[arg-type]  # by name
    return url, refreshed(market, url)


def renewed(market: Market, token: str) -> str:
    return continue_onboarding(market.ports, token, onboarding_url=OURS)


def visit(market: Market, url: str) -> str:
    """Where Stripe sends a browser that opens a link."""
    return market.simulator.request("GET", urlsplit(url).path, {}).headers["Location"]


def complete(market: Market, url: str) -> str:
    """Where Stripe sends a browser that has filled in all of its page."""
    return market.simulator.request("POST", urlsplit(url).path, {"action": "complete"}).headers["Location"]


def refreshed(market: Market, url: str) -> str:
    """The token of our link that stands behind one of Stripe's."""
    with market.simulator.store.transaction() as transaction:
        link = State(transaction, market.simulator.platform).get(LINKS, urlsplit(url).path.rsplit("/", 1)[-1])
    return str(link["refresh_url"]).removeprefix(f"{OURS}/")


@by_both
def test_a_used_link_leads_by_ours_to_the_next_one_until_all_is_given(api: AccountsApi) -> None:
    market = market_of(api)
    merchant = market.new_merchant()
    first, token = begin(market, merchant)
    assert visit(market, first).startswith("/connect/onboarding/")
    assert visit(market, first) == f"{OURS}/{token}"
    second = renewed(market, token)
    assert second != first
    assert complete(market, second) == f"{SHOP}/back"
    assert hear(market, merchant).is_ready
    assert complete(market, second) == f"{OURS}/{token}"


@by_both
def test_a_link_that_is_too_old_leads_to_a_new_one_for_seven_days(api: AccountsApi) -> None:
    market = market_of(api)
    merchant = market.new_merchant()
    url, token = begin(market, merchant)
    market.advance(FIVE_MINUTES)
    assert visit(market, url) == f"{OURS}/{token}"
    market.advance(int(timedelta(days=7).total_seconds()) - FIVE_MINUTES - 1)
    assert visit(market, renewed(market, token)).startswith("/connect/onboarding/")
    market.advance(1)
    with pytest.raises(LinkExpired):
        renewed(market, token)
    with pytest.raises(LinkExpired):
        renewed(market, "nobody's")


@by_both
def test_two_browsers_at_once_get_a_link_each(api: AccountsApi) -> None:
    market = market_of(api)
    merchant = market.new_merchant()
    _, token = begin(market, merchant)
    one, other = renewed(market, token), renewed(market, token)
    assert one != other
    assert complete(market, one) == complete(market, other) == f"{SHOP}/back"
    assert hear(market, merchant).is_ready


@by_both
def test_what_is_required_later_is_given_by_an_update_link_where_the_platform_collects_it(api: AccountsApi) -> None:
    market = Market(accounts=AccountPolicy(api=api, dashboard=Dashboard.NONE))
    merchant = market.new_merchant()
    market.onboard(merchant)
    demand(market, hear(market, merchant), "some.day", status="eventually_due")
    assert hear(market, merchant).requirements
    url, _ = begin(market, merchant, use=LinkUse.UPDATE, collect=Collect.EVENTUALLY_DUE)
    complete(market, url)
    assert hear(market, merchant).requirements == ()


@by_both
def test_where_stripe_collects_it_an_onboarding_link_does(api: AccountsApi) -> None:
    market = market_of(api)
    merchant = market.new_merchant()
    with pytest.raises(ImpossibleAccount, match="eventually_due"):
        begin(market, merchant, use=LinkUse.UPDATE)
    url, _ = begin(market, merchant, collect=Collect.EVENTUALLY_DUE)
    assert complete(market, url) == f"{SHOP}/back"


@by_both
def test_there_is_no_link_to_an_account_that_has_left(api: AccountsApi) -> None:
    market = market_of(api)
    merchant = market.new_merchant()
    _, token = begin(market, merchant)
    deauthorize(market, merchant)
    with pytest.raises(StripeRefused):  # nobody has told yet
        renewed(market, token)
    hear(market, merchant)
    with pytest.raises(MerchantNotReady):
        renewed(market, token)
