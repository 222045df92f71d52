"""Money that waits for a manual payout is told of before Stripe lets it stay no longer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.domain.holdings import LIMITS, USUAL_LIMIT, Holding, held_since, looked_at
from marketplace.domain.merchants import Merchant
from marketplace.domain.outgoing import events_of
from marketplace.domain.payout_schedules import Interval, PayoutSchedule
from marketplace.ports import Ref, one
from marketplace.services.holdings import look_at_holding
from marketplace.services.payout_schedules import change_schedule
from marketplace.services.reconciliation import reconcile

from .market import OPERATOR, Market
from .test_payouts import DAY, funded, pay_out

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def line(days_ago: int, net: int, kind: str = "payment", currency: str = "usd") -> Mapping[str, Any]:
    created = int((NOW - timedelta(days=days_ago)).timestamp())
    return {"created": created, "net": net, "type": kind, "currency": currency}


def age(balance: Mapping[str, int], *lines: Mapping[str, Any]) -> int | None:
    since = held_since(balance, lines)
    return None if since is None else (NOW - since).days


def test_what_came_first_leaves_first() -> None:
    history = line(1, 50), line(2, -100, "payout"), line(3, 70), line(9, 80)
    assert age({"usd": 100}, *history) == 3
    assert age({"usd": 50}, *history) == 1
    assert age({"usd": 121}, *history) == 9
    assert age({"usd": 0}, *history) is None
    assert age({"usd": -5}, *history) is None


def test_what_a_bank_sent_back_is_as_old_as_it_was() -> None:
    assert age({"usd": 100}, line(1, 100, "payout_failure"), line(2, -100, "payout"), line(30, 100)) == 30


def test_the_oldest_of_several_currencies_counts() -> None:
    assert age({"usd": 1, "eur": 1}, line(1, 5), line(4, 5), line(6, 5, currency="eur"), line(8, 5)) == 6


@pytest.mark.parametrize("country", ["us", "th", "de"])
def test_it_is_told_ahead_of_the_limit_and_looked_at_no_earlier(country: str) -> None:
    most, ahead = LIMITS.get(country, USUAL_LIMIT)
    holding = Holding(merchant_id="merchant-1", account_id="acct_1", country=country)
    fresh = looked_at(holding, NOW, NOW)
    assert (fresh.is_expiring, fresh.leave_by, fresh.due_at) == (False, NOW + most, NOW + most - ahead)
    near = looked_at(fresh, NOW, NOW + most - ahead)
    assert near.is_expiring
    assert [each.type for each in events_of(fresh, near, at=NOW)] == ["payout.due"]
    assert list(events_of(near, looked_at(near, NOW, NOW + most), at=NOW)) == []
    assert not looked_at(near, None, NOW + most).is_expiring


def held(market: Market, merchant: Merchant) -> Holding:
    found = one(market.store, Ref(Holding, merchant.id))
    assert found is not None
    return found


def test_money_on_a_manual_schedule_is_watched_from_its_first_day_to_its_payout() -> None:
    market = Market()
    merchant = funded(market)
    change_schedule(market.ports, OPERATOR, merchant.id, PayoutSchedule(interval=Interval.DAILY))
    reconcile(market.ports, has_time=lambda: True, settled_after=timedelta(), is_asked=True)
    assert market.sweep().troubles == []
    assert held(market, merchant).held_since is None  # paid out by itself
    begun = market.clock.now()
    change_schedule(market.ports, OPERATOR, merchant.id, PayoutSchedule(interval=Interval.MANUAL))
    assert market.sweep().troubles == []
    watched = held(market, merchant)
    assert watched.held_since is not None
    assert begun - timedelta(minutes=5) < watched.held_since <= begun
    assert not watched.is_expiring
    most, ahead = LIMITS["us"]
    market.advance(int((most - ahead).total_seconds()) + DAY)
    market.sweep()
    assert held(market, merchant).is_expiring
    pay_out(market)
    market.advance(2 * DAY)
    market.sweep()
    assert not held(market, merchant).is_expiring


def test_money_that_is_not_available_yet_makes_none_of_the_older_look_younger() -> None:
    market = Market()
    merchant = funded(market)
    change_schedule(market.ports, OPERATOR, merchant.id, PayoutSchedule(interval=Interval.MANUAL))
    reconcile(market.ports, has_time=lambda: True, settled_after=timedelta(), is_asked=True)
    funded_at = market.clock.now()
    market.advance(10 * DAY)
    market.pay(market.sell(merchant, 10_000, key="another"))
    look_at_holding(market.ports, held(market, merchant))
    since = held(market, merchant).held_since
    assert since is not None
    assert since <= funded_at
