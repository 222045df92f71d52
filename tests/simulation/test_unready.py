"""M3, M9: what waits for a merchant that does not become ready goes back to the buyers, where the policy says so."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.holds import REFUND_NOTICE, refund_date
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.refunds import RefundStatus
from marketplace.domain.responsibilities import AccountsApi
from marketplace.domain.shares import Hold

from .market import START, Market
from .test_captures import do_release
from .test_merchants import DAY, demand, hear, market_of, onboarded, reject, unreject
from .test_outgoing import Stream

BOTH = MoneyPolicy(hold_until_ready=True, refund_unready_after_days=30, refund_lost_after_days=7)


def waiting_cart(money: MoneyPolicy) -> tuple[Market, Merchant, Merchant, str]:
    """A cart that was paid: one merchant has its share, the other's waits for it."""
    market = market_of(AccountsApi.V2, money=money)
    clay, linen = onboarded(market), onboarded(market, "Linen")
    session = market.sell_cart({clay: 10_000, linen: 5_000})
    demand(market, clay, "late", status="past_due")
    hear(market, clay)
    market.pay(session)
    market.take_in(*market.events())
    return market, market.merchant(clay.id), linen, session.transaction_id


def days(market: Market, count: int) -> None:
    """So many days, with a look a few times a day, and everything heard."""
    for _ in range(4 * count):
        market.advance(DAY // 4)
        market.sweep()
        market.take_in(*market.events())


def refunds(market: Market, transaction_id: str) -> list[tuple[int, RefundStatus]]:
    found = market.books(transaction_id).refunds.values()
    return [(refund.amount, refund.status) for refund in found]


def test_without_a_policy_it_is_kept_and_sent_when_the_merchant_is_ready() -> None:
    """F32."""
    market, clay, _, sale = waiting_cart(MoneyPolicy(hold_until_ready=True))
    days(market, 60)
    assert refunds(market, sale) == []
    demand(market, clay, "late", met=True)
    hear(market, clay)
    assert market.stripe_balance(clay.account_id) == {"usd": 9_000}
    assert market.unsettled(sale) == []


def test_what_has_waited_for_too_long_is_refunded_and_was_told_ahead() -> None:
    market, clay, linen, sale = waiting_cart(BOTH)
    stream = Stream(market)
    share = market.books(sale).shares[clay.id]
    assert (share.hold, share.refund_at) == (Hold.NOT_READY, market.in_days(30))
    days(market, 29)
    assert refunds(market, sale) == []
    days(market, 2)
    assert refunds(market, sale) == [(10_000, RefundStatus.SUCCEEDED)]
    assert market.stripe_balance(clay.account_id) == {}
    assert market.stripe_balance(linen.account_id) == {"usd": 4_500}
    assert market.books(sale).shares[clay.id].waits_for is None
    assert market.violations(sale) == []
    assert market.unsettled(sale) == []
    assert market.stripe_balance() == market.ledger_balance()
    days(market, 40)
    assert len(refunds(market, sale)) == 1
    assert stream.counted()["refund.succeeded"] == 1


def test_it_is_told_when_it_will_be() -> None:
    market = market_of(AccountsApi.V2, money=BOTH)
    stream = Stream(market)
    clay, linen = onboarded(market), onboarded(market, "Linen")
    session = market.sell_cart({clay: 10_000, linen: 5_000})
    demand(market, clay, "late", status="past_due")
    hear(market, clay)
    market.pay(session)
    market.take_in(*market.events())
    days(market, 3)
    (told,) = [event for event in stream.events() if event.type == "share.refund_scheduled"]
    assert told.detail["object"]["refund_at"] == datetime.fromtimestamp(START + 30 * DAY, UTC).isoformat()
    reject(market, clay)
    hear(market, clay)
    assert stream.counted()["share.refund_scheduled"] == 2
    assert market.books(session.transaction_id).shares[clay.id].refund_at == market.in_days(7)


def test_what_waits_for_a_lost_merchant_is_refunded_sooner() -> None:
    market, clay, _, sale = waiting_cart(BOTH)
    reject(market, clay)
    hear(market, clay)
    days(market, 6)
    assert refunds(market, sale) == []
    days(market, 2)
    assert refunds(market, sale) == [(10_000, RefundStatus.SUCCEEDED)]
    assert market.unsettled(sale) == []


def test_a_merchant_that_is_taken_back_in_time_has_its_share() -> None:
    market, clay, _, sale = waiting_cart(BOTH)
    reject(market, clay)
    hear(market, clay)
    days(market, 6)
    unreject(market, clay)
    demand(market, clay, "late", met=True)
    hear(market, clay)
    days(market, 30)
    assert refunds(market, sale) == []
    assert market.books(sale).shares[clay.id].refund_at is None
    assert market.stripe_balance(clay.account_id) == {"usd": 9_000}


def test_only_what_waits_is_refunded_where_a_part_was_sent() -> None:
    """Of 90.00 that are the merchant's 40.00 were sent; 50.00 wait, and cost the buyer 55.56 with the fee in it."""
    market = market_of(AccountsApi.V2, money=BOTH)
    clay, linen = onboarded(market), onboarded(market, "Linen")
    session = market.sell_cart({clay: 10_000, linen: 5_000}, hold=True)
    market.pay(session)
    market.take_in(*market.events())
    sale = session.transaction_id
    market.transaction_id = sale
    do_release(market, key="part", merchant_id=clay.id, amount=4_000)
    reject(market, clay)
    hear(market, clay)
    do_release(market, key="rest", merchant_id=clay.id)
    days(market, 9)
    (refund,) = market.books(sale).refunds.values()
    assert refund.parts[0].borne_by_merchant == 5_000
    assert (refund.amount, refund.fee) == (5_556, 556)
    assert market.stripe_balance(clay.account_id) == {"usd": 4_000}
    assert market.books(sale).shares[clay.id].waits_for is None
    assert market.debts() == []


def test_a_refund_that_stripe_refuses_is_asked_for_again() -> None:
    market, clay, _, sale = waiting_cart(BOTH)
    reject(market, clay)
    hear(market, clay)
    days(market, 6)
    market.simulator.faults.order("error", method="POST", path="/v1/refunds", status=400, code="balance_insufficient")
    days(market, 3)
    assert [status for _, status in refunds(market, sale)] == [RefundStatus.REFUSED, RefundStatus.SUCCEEDED]
    assert market.unsettled(sale) == []


def test_a_policy_that_comes_late_gives_notice() -> None:
    market, clay, _, sale = waiting_cart(MoneyPolicy(hold_until_ready=True))
    days(market, 50)
    market.ports = market.ports._replace(policy=market.ports.policy._replace(money=BOTH))
    market.advance(DAY // 4)
    market.sweep()
    assert market.books(sale).shares[clay.id].refund_at == market.in_days(1)
    days(market, 2)
    assert len(refunds(market, sale)) == 1


@pytest.mark.parametrize(
    ("limit", "told", "expected"),
    [
        (None, 5, None),
        (30, None, 30),
        (0, None, 1),
        (-9, None, 1),
        (30, 30, 30),
        (0, 0, 0),
        (7, 30, 7),
        (0, 30, 1),
        (30, 7, 30),
    ],
)
def test_a_date_is_never_sooner_than_its_notice(limit: int | None, told: int | None, expected: int | None) -> None:
    now = datetime.fromtimestamp(START, UTC)

    def day(number: int | None) -> datetime | None:
        return None if number is None else now + timedelta(days=number)

    assert timedelta(days=1) == REFUND_NOTICE
    assert refund_date(day(limit), told=day(told), now=now) == day(expected)
