"""Payouts of merchants on the simulator: asked for once whatever crashes, followed wherever they were made."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from marketplace.domain.errors import (
    IdempotencyKeyReused,
    InstantPayoutUnavailable,
    InvalidAmount,
    NotAllowed,
    NotFound,
    PayoutExceedsBalance,
    PayoutsNotAllowed,
)
from marketplace.domain.merchant_rights import MerchantRights
from marketplace.domain.merchants import Merchant
from marketplace.domain.outgoing import events_of
from marketplace.domain.payouts import Payout, PayoutMethod, PayoutStatus
from marketplace.domain.principals import Principal, Role
from marketplace.operations import Operation
from marketplace.ports import Change, Create
from marketplace.services.events import EventOutcome
from marketplace.services.payouts import PayoutRequest, list_payouts, read_payout, request_payout
from marketplace.services.reconciliation import reconcile

from .market import OPERATOR, Event, Market
from .test_crashes import each_step

DAY = 24 * 3_600
AT_ONCE = "4000000000000077"  # its money is available immediately: https://docs.stripe.com/testing#available-balance


def funded(market: Market, amount: int = 10_000) -> Merchant:
    """A merchant with 90.00 available and a bank account, whose events are taken in."""
    merchant = market.ready_merchant()
    market.onboard(merchant)
    market.pay(market.sell(merchant, amount), card=AT_ONCE)
    market.advance(1)
    market.take_in(*market.events())
    assert market.stripe_balance(merchant.account_id) == {"usd": amount * 9 // 10}
    return merchant


def only_merchant(market: Market) -> Merchant:
    return market.only_merchant()


def as_user(merchant: Merchant) -> Principal:
    return Principal(role=Role.MERCHANT, subject="seller", merchant_id=merchant.id)


def pay_out(
    market: Market, amount: int = 9_000, *, key: str = "p", caller: Principal = OPERATOR, currency: str = "usd",
    method: PayoutMethod = PayoutMethod.STANDARD,
) -> Payout:  # fmt: skip
    merchant = market.only_merchant()
    wanted = PayoutRequest(amount=amount, currency=currency, method=method)
    once = market.once(f"POST /merchants/{merchant.id}/payouts", key, {"amount": amount, "method": method})
    return request_payout(market.ports, caller, merchant.id, wanted, once)


def payouts(market: Market) -> list[Payout]:
    return list(list_payouts(market.ports, OPERATOR, market.only_merchant().id, cursor=None, limit=100).items)


def at_stripe(market: Market) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = market.as_merchant(market.only_merchant(), "GET", "/v1/payouts")["data"]
    return found


def heard(market: Market) -> list[Event]:
    """The events about payouts that Stripe would deliver now."""
    return [event for event in market.events() if event["type"].startswith("payout.")]


def test_a_payout_is_asked_for_on_the_merchant_s_own_account_and_followed_to_its_bank() -> None:
    market = Market()
    merchant = funded(market)
    payout = pay_out(market)
    assert (payout.status, payout.amount, payout.is_automatic) == (PayoutStatus.PENDING, 9_000, False)
    (made,) = at_stripe(market)
    assert (made["id"], made["metadata"]["payout_id"]) == (payout.stripe_payout_id, payout.id)
    assert market.stripe_balance(merchant.account_id) == {}
    market.advance(3 * DAY)
    market.take_in(*market.events())
    assert [each.status for each in payouts(market)] == [PayoutStatus.PAID]


def test_spree_14622_a_payout_that_fails_after_it_was_paid_is_not_dropped() -> None:
    market = Market()
    merchant = funded(market)
    payout = pay_out(market)
    market.advance(3 * DAY)
    market.order(f"/_simulator/payouts/{payout.stripe_payout_id}/fail", failure_code="account_closed")
    told = heard(market)
    assert [event["type"] for event in told][-2:] == ["payout.paid", "payout.failed"]
    for order in permutations(told):
        twin = market.fork()
        before = {item.id: item for item in payouts(twin)}
        names: list[str] = []
        after = payout
        for event in order:
            twin.take_in(event)
            (after,) = payouts(twin)
            names += [each.type for each in events_of(before[after.id], after, at=market.clock.now())]
            before = {after.id: after}
        assert (after.status, after.failure) == (PayoutStatus.FAILED, "account_closed")
        assert after.came_back
        assert names.count("payout.failed") == 1
        assert twin.take_in(*order) == [EventOutcome.DUPLICATE] * len(order)
    market.advance(1)
    assert market.stripe_balance(merchant.account_id) == {"usd": 9_000}  # and it can be paid out again


def test_payouts_that_nobody_asked_for_here_are_listed_too_and_the_platform_s_are_not() -> None:
    market = Market()
    merchant = funded(market)
    market.as_merchant(merchant, "POST", "/v1/payouts", amount=4_000, currency="usd")
    told = heard(market)
    assert market.take_in(*told) == [EventOutcome.APPLIED] * len(told)
    (payout,) = payouts(market)
    assert (payout.command_id, payout.amount, payout.status) == (None, 4_000, PayoutStatus.PENDING)
    market.order("/v1/payouts", amount=500, currency="usd")
    own = heard(market)
    assert own
    assert set(market.take_in(*own)) == {EventOutcome.IGNORED}
    assert [each.id for each in payouts(market)] == [payout.id]


def test_payouts_whose_events_never_came_are_taken_in_by_the_reconciliation_as_they_stand() -> None:
    market = Market()
    merchant = funded(market)
    asked = pay_out(market, 3_000)
    made = market.as_merchant(merchant, "POST", "/v1/payouts", amount=4_000, currency="usd")
    market.advance(3 * DAY)
    market.order(f"/_simulator/payouts/{made['id']}/fail", failure_code="account_closed")
    lost = market.events()
    for _ in range(2):
        market.advance(60)
        reconcile(market.ports, has_time=lambda: True, settled_after=timedelta(), is_asked=True)
        listed = {each.stripe_payout_id: each.status for each in payouts(market)}
        assert listed == {asked.stripe_payout_id: PayoutStatus.PAID, made["id"]: PayoutStatus.FAILED}
    before = payouts(market)
    market.take_in(*lost)  # and when they come after all, they say nothing new
    assert payouts(market) == before


def test_a_payout_whose_event_comes_while_the_reconciliation_takes_it_in_is_one_payout() -> None:
    market = Market()
    merchant = funded(market)
    market.as_merchant(merchant, "POST", "/v1/payouts", amount=4_000, currency="usd")
    market.advance(60)
    under_way = heard(market)

    def overtaken(call: str, changes: tuple[Change, ...]) -> None:
        if under_way and any(isinstance(change, Create) and isinstance(change.item, Payout) for change in changes):
            market.take_in(under_way.pop())

    market.store.before = overtaken
    done = reconcile(market.ports, has_time=lambda: True, settled_after=timedelta(), is_asked=True)
    assert (done.troubles, under_way) == ([], [])
    assert [each.amount for each in payouts(market)] == [4_000]


def test_a_merchant_s_metadata_do_not_make_its_own_payout_the_one_that_was_asked_for() -> None:
    market = Market()
    merchant = funded(market)
    payout = pay_out(market, 3_000)
    told = market.as_merchant(
        merchant, "POST", "/v1/payouts", amount=3_000, currency="usd", metadata={"payout_id": payout.id}
    )
    market.take_in(*market.events())
    listed = {each.stripe_payout_id: each for each in payouts(market)}
    assert (len(listed), listed[payout.stripe_payout_id].id) == (2, payout.id)
    assert listed[told["id"]].command_id is None


REFUSED: dict[str, tuple[Callable[[Market], object], type[Exception], str]] = {
    "more than is available": (lambda market: pay_out(market, 9_001), PayoutExceedsBalance, "less than this"),
    "instantly, to a bank that does not": (
        lambda market: pay_out(market, 100, method=PayoutMethod.INSTANT), InstantPayoutUnavailable, "no instant"
    ),
    "forints that are not whole": (lambda market: pay_out(market, 150, currency="huf"), InvalidAmount, "100"),
    "nothing": (lambda market: pay_out(market, 0), InvalidAmount, "from 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_paid_out_is_refused_in_words_and_nothing_moves(case: str) -> None:
    market = Market()
    merchant = funded(market)
    act, kind, words = REFUSED[case]
    for _ in range(2):
        with pytest.raises(kind, match=words):
            act(market)
    assert at_stripe(market) == []
    assert market.stripe_balance(merchant.account_id) == {"usd": 9_000}
    assert all(each.status is PayoutStatus.REFUSED for each in payouts(market))


def test_an_account_whose_payouts_stripe_has_stopped_is_told_so() -> None:
    market = Market()
    merchant = funded(market)
    market.order(
        f"/_simulator/accounts/{merchant.account_id}/capabilities",
        capability="stripe_balance.payouts",
        status="restricted",
    )
    with pytest.raises(PayoutsNotAllowed):
        pay_out(market, 100)


def test_a_merchant_pays_out_only_where_the_operator_lets_it_and_only_its_own() -> None:
    market = Market()
    merchant = funded(market)
    own, other = as_user(merchant), Principal(role=Role.MERCHANT, subject="s", merchant_id="merchant-" + 26 * "0")
    with pytest.raises(NotAllowed):
        pay_out(market, 100, caller=own)
    market.ports = market.ports._replace(policy=market.ports.policy._replace(rights=MerchantRights(payouts=True)))
    with pytest.raises(NotAllowed):
        pay_out(market, 100, caller=own, method=PayoutMethod.INSTANT)
    market.calls.clear()
    with pytest.raises(NotFound):
        pay_out(market, 100, caller=other)
    assert market.calls == []
    payout = pay_out(market, 100, caller=own)
    assert read_payout(market.ports, own, merchant.id, payout.id).id == payout.id
    for caller, of in ((other, merchant.id), (own, "merchant-" + 26 * "0"), (other, other.merchant_id or "")):
        with pytest.raises(NotFound):
            read_payout(market.ports, caller, of, payout.id)


def test_one_key_is_one_payout_and_another_body_is_refused() -> None:
    market = Market()
    funded(market)
    assert pay_out(market, 4_000).id == pay_out(market, 4_000).id
    with pytest.raises(IdempotencyKeyReused):
        pay_out(market, 5_000)
    assert len(at_stripe(market)) == 1
    assert pay_out(market, 4_000, key="another").id != pay_out(market, 4_000).id


def test_a_payout_that_dies_anywhere_is_made_once() -> None:
    died = each_step(funded, pay_out)
    assert len(died) >= 8
    for step, market in died:
        market.advance(60)
        market.sweep()
        payout = pay_out(market)
        market.take_in(*market.events())
        (made,) = at_stripe(market)
        assert payouts(market)[0].stripe_payout_id == made["id"], step
        assert [each.id for each in payouts(market)] == [payout.id]


def test_a_payout_that_died_may_be_heard_of_before_it_is_finished() -> None:
    for step, market in each_step(funded, pay_out):
        market.take_in(*market.events())
        market.advance(60)
        assert market.sweep().troubles == []
        market.advance(3 * DAY)
        market.take_in(*market.events())
        assert [each["id"] for each in at_stripe(market)] == [each.stripe_payout_id for each in payouts(market)], step
        assert all(each.status is PayoutStatus.PAID for each in payouts(market))


def test_a_payout_left_for_days_is_looked_for_before_it_is_asked_for_again() -> None:
    for step, market in each_step(funded, pay_out):
        market.advance(3 * DAY)  # Stripe has forgotten the idempotency key
        market.calls.clear()
        assert market.sweep().troubles == []
        assert len(at_stripe(market)) == len(payouts(market)), step
        if Operation.CREATE_PAYOUT in market.calls:
            assert market.calls.index(Operation.LIST_PAYOUTS) < market.calls.index(Operation.CREATE_PAYOUT)


def test_an_event_of_a_payout_whose_processing_died_is_applied_when_it_comes_again() -> None:
    def prepare(market: Market) -> None:
        merchant = funded(market)
        market.as_merchant(merchant, "POST", "/v1/payouts", amount=4_000, currency="usd")
        market.waiting = heard(market)

    for step, market in each_step(prepare, lambda market: market.take_in(*market.waiting)):
        market.take_in(*market.waiting)
        assert [each.amount for each in payouts(market)] == [4_000], step


def test_a_payout_without_an_answer_is_unknown_and_never_failed() -> None:
    market = Market()
    funded(market)
    market.simulator.faults.order("server_error", method="POST", path="/v1/payouts", done=True)
    payout = pay_out(market)
    assert payout.status is PayoutStatus.UNKNOWN
    market.advance(600)
    market.sweep()
    assert [each.status for each in payouts(market)] == [PayoutStatus.PENDING]
    assert len(at_stripe(market)) == 1
