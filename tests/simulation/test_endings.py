"""M9: no page that was left open is paid for a merchant that cannot have the money; a cart's neither."""

from collections.abc import Callable

import pytest

from marketplace.domain.commands import CommandKind, CommandStatus
from marketplace.domain.errors import OutcomeUnknown
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.responsibilities import AccountsApi
from marketplace.domain.shares import Hold
from marketplace.domain.transactions import TransactionStatus
from marketplace.services import endings

from .crashes import ProcessDied
from .market import Market
from .test_merchants import close, deauthorize, demand, hear, market_of, onboarded, reject

HOUR = 3_600


def restrict(market: Market, merchant: Merchant) -> None:
    demand(market, merchant, "late", status="past_due")


LOSSES = pytest.mark.parametrize("lose", [reject, deauthorize, close])


def end_all(market: Market) -> None:
    """The sweep, for as long as anything of it is due."""
    for _ in range(12):
        market.sweep()
    market.take_in(*market.events())


def statuses(market: Market) -> list[TransactionStatus]:
    return [books.payment.status for books in market.all_transactions()]


def at_stripe(market: Market) -> set[str]:
    return {each["status"] for each in market.at_stripe("/v1/checkout/sessions")}


@LOSSES
def test_the_open_sessions_of_a_lost_merchant_are_expired(lose: Callable[[Market, Merchant], None]) -> None:
    market = market_of(AccountsApi.V2)
    clay, linen = onboarded(market), onboarded(market, "Linen")
    market.sell(clay, 1_000)
    market.sell_cart({clay: 1_000, linen: 2_000})
    other = market.sell(linen, 3_000, key="other")
    lose(market, clay)
    hear(market, clay)
    end_all(market)
    assert sorted(statuses(market)) == ["expired", "expired", "open"]
    assert market.books(other.transaction_id).payment.status is TransactionStatus.OPEN
    ended = [books.latest_command(CommandKind.EXPIRE_CHECKOUT_SESSION) for books in market.all_transactions()]
    assert [command and command.status for command in ended].count(CommandStatus.SUCCEEDED) == 2


@pytest.mark.parametrize(("waits", "left"), [(False, []), (True, ["open"])])
def test_a_restricted_merchant_s_cart_stays_open_only_where_its_share_may_wait(*, waits: bool, left: list[str]) -> None:
    market = market_of(AccountsApi.V2, money=MoneyPolicy(hold_until_ready=waits))
    clay, linen = onboarded(market), onboarded(market, "Linen")
    market.sell(clay, 1_000)
    market.sell_cart({clay: 1_000, linen: 2_000})
    restrict(market, clay)
    hear(market, clay)
    end_all(market)
    assert sorted(statuses(market)) == ["expired", "expired", "open"][: 2 - len(left)] + left


def test_a_merchant_that_is_ready_again_keeps_what_was_not_ended() -> None:
    market = market_of(AccountsApi.V2)
    clay = onboarded(market)
    market.sell(clay, 1_000)
    restrict(market, clay)
    hear(market, clay)
    demand(market, clay, "late", met=True)
    assert hear(market, clay).due_at is None
    end_all(market)
    assert statuses(market) == [TransactionStatus.OPEN]


def test_many_are_ended_look_by_look_across_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "PAGE", 10)
    monkeypatch.setattr(endings, "MOST_AT_ONCE", 3)
    market = market_of(AccountsApi.V2)
    clay = onboarded(market)
    for number in range(25):
        market.sell(clay, 1_000, key=f"order-{number}")
        market.advance(1)
    reject(market, clay)
    hear(market, clay)
    market.sweep()
    assert statuses(market).count(TransactionStatus.EXPIRED) == 3
    end_all(market)
    assert at_stripe(market) == {"expired"}


def test_a_session_that_is_made_late_is_found_all_the_same() -> None:
    """Stripe did not answer when the sale was planned, and makes the session hours after the merchant was lost."""
    market = market_of(AccountsApi.V2)
    clay, linen = onboarded(market), onboarded(market, "Linen")
    market.simulator.faults.order("server_error", method="POST", path="/v1/checkout/sessions", count=1)
    with pytest.raises(OutcomeUnknown):
        market.sell_cart({clay: 1_000, linen: 2_000})
    reject(market, clay)
    hear(market, clay)
    for _ in range(40):
        market.advance(HOUR // 2)
        market.sweep()
        market.take_in(*market.events())
    assert at_stripe(market) == {"expired"}
    market.advance(60 * HOUR)
    market.sweep()
    assert market.merchant(clay.id).due_at is None


def test_a_sweep_that_dies_anywhere_is_finished_by_the_next() -> None:
    def lost(market: Market) -> None:
        clay = onboarded(market)
        market.sell(clay, 1_000)
        reject(market, clay)
        hear(market, clay)

    for step in range(100):
        market = market_of(AccountsApi.V2)
        lost(market)
        market.fuse.set(step)
        try:
            market.sweep()
        except ProcessDied:
            market.fuse.set(None)
            market.advance(60)
            market.sweep()
            end_all(market)
            assert at_stripe(market) == {"expired"}, step
            continue
        return
    raise AssertionError


def test_a_buyer_who_was_faster_has_paid() -> None:
    market = market_of(AccountsApi.V2)
    clay, linen = onboarded(market), onboarded(market, "Linen")
    session = market.sell_cart({clay: 1_000, linen: 2_000})
    reject(market, clay)
    hear(market, clay)
    market.pay(session)
    end_all(market)
    assert statuses(market) == [TransactionStatus.PAID]
    assert market.books(session.transaction_id).shares[clay.id].hold is Hold.NOT_READY
    assert market.violations(session.transaction_id) == []
