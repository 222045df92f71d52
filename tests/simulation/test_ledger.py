"""The ledger at any moment: what a closing and the journal after it say is what adding up every entry says."""

from collections import Counter
from contextlib import suppress
from datetime import datetime

import pytest

from marketplace.domain.closings import Balances
from marketplace.domain.errors import InvalidPeriod, NotAllowed, Unavailable
from marketplace.domain.principals import Principal, Role
from marketplace.services import ledger
from marketplace.services.ledger import close, trial_balance

from .crashes import ProcessDied
from .market import OPERATOR, Market
from .test_carts import paid_cart

HOUR = 3_600


def added_up(market: Market, until: datetime) -> Balances:
    """Every entry that was booked before a moment, read one by one."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in market.store._items.values():
        if "gsi_booked_at" in row and row["gsi_booked_at"]["S"] < until.isoformat(timespec="microseconds").replace(
            "+00:00", "Z"
        ):
            for account, currency, amount, *_ in (line["L"] for line in row["lines"]["L"]):
                sums[account["S"], currency["S"]] += int(amount["N"])
    return {key: amount for key, amount in sums.items() if amount}


def balances_at(market: Market, at: datetime | None = None) -> Balances:
    return trial_balance(market.ports, OPERATOR, at).balances


def a_day(market: Market) -> list[datetime]:
    """Sales and refunds over a day; the moments between them."""
    moments = []
    sale, merchants = paid_cart(market, 6_000, 4_000)
    for number in range(6):
        market.advance(4 * HOUR)
        market.take_in(*market.events())
        moments.append(market.clock.now())
        market.advance(1)
        market.refund(sale, 500 + number, key=f"r{number}")
        market.pay(market.sell(merchants[0], 3_000, key=f"s{number}"))
        market.take_in(*market.events())
    market.advance(HOUR)
    market.take_in_balance_transactions()
    market.advance(HOUR)
    return [*moments, market.clock.now()]


@pytest.mark.parametrize("closes", [False, True])
def test_the_balances_at_any_moment_are_the_sum_of_what_was_booked_before_it(market: Market, closes: bool) -> None:
    moments = a_day(market)
    if closes:
        assert close(market.ports, has_time=lambda: True) == 1
    for moment in moments:
        found = balances_at(market, moment)
        assert found == added_up(market, moment)
        assert sum(found.values()) == 0
    assert balances_at(market)["stripe_balance", "usd"] == market.stripe_balance()["usd"]


def test_hourly_closings_say_the_same_and_idle_hours_make_none() -> None:
    market, closings = Market(), 0
    sale, _ = paid_cart(market, 6_000, 4_000)
    moments = []
    for number in range(30):
        market.advance(HOUR)
        if number % 5 == 0:
            market.refund(sale, 100, key=f"r{number}")
            market.take_in(*market.events())
        closings += close(market.ports, has_time=lambda: True)
        moments.append(market.clock.now())
    assert closings == 8  # six hours with refunds, the first with the sale among them, and one a day at least
    for moment in moments:
        assert balances_at(market, moment) == added_up(market, moment)


def test_one_account_is_read_alone(market: Market) -> None:
    moments = a_day(market)
    close(market.ports, has_time=lambda: True)
    whole = added_up(market, moments[-1])
    for account in {account for account, _ in whole}:
        found = trial_balance(market.ports, OPERATOR, account=account).balances
        assert found == {key: amount for key, amount in whole.items() if key[0] == account}
    assert trial_balance(market.ports, OPERATOR, account="losses").balances == {}


def test_more_than_can_be_read_at_once_is_closed_in_steps(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MOST_OPEN", 10)
    monkeypatch.setattr(ledger.up_to, "__kwdefaults__", {"most": 10})
    monkeypatch.setattr(ledger, "PAGE", 4)
    moments = a_day(market)
    with pytest.raises(Unavailable):
        balances_at(market)
    market.advance(HOUR)
    assert close(market.ports, has_time=lambda: True) > 3
    for moment in moments:
        assert balances_at(market, moment) == added_up(market, moment)


def test_a_closing_that_dies_anywhere_is_made_by_the_next_run() -> None:
    template = Market()
    moments = a_day(template)
    template.store.before = template.store.after = template.fuse.around_store
    template.fuse.set(None)
    with suppress(ProcessDied):
        close(template.fork().ports, has_time=lambda: True)
    for step in range(30):
        market = template.fork()
        market.store.before = market.store.after = market.fuse.around_store
        market.fuse.set(step)
        with suppress(ProcessDied):
            close(market.ports, has_time=lambda: True)
        market.fuse.set(None)
        close(market.ports, has_time=lambda: True)
        for moment in moments:
            assert balances_at(market, moment) == added_up(market, moment)


def test_the_future_is_not_known_and_the_ledger_is_the_operator_s(market: Market) -> None:
    with pytest.raises(InvalidPeriod):
        balances_at(market, market.in_days(1))
    for role in (Role.MERCHANT, Role.BUYER):
        with pytest.raises(NotAllowed):
            trial_balance(market.ports, Principal(role=role, subject="x"))
