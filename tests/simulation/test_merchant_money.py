"""Dashboards, components and payout schedules on the simulator, whose validators are those of the pinned version."""

from dataclasses import replace

import pytest

from cli.stripe_keys import Group
from marketplace.domain.components import COMPONENTS
from marketplace.domain.errors import NotAllowed, NotFound, StripeRefused
from marketplace.domain.merchant_rights import MerchantRights
from marketplace.domain.merchants import Merchant
from marketplace.domain.payout_schedules import Interval, PayoutSchedule
from marketplace.operations import Operation
from marketplace.ports import StripeUnavailable
from marketplace.services.dashboards import component_session, dashboard_link
from marketplace.services.merchant_balances import MerchantBalance, merchant_balance
from marketplace.services.payout_schedules import change_schedule, read_schedule

from .market import OPERATOR, Market
from .test_payouts import as_user, funded, pay_out

DAILY = PayoutSchedule(interval=Interval.DAILY)


def give(market: Market, **rights: object) -> None:
    """What the operator leaves to merchants."""
    market.ports = market.ports._replace(policy=market.ports.policy._replace(rights=MerchantRights.of(rights)))


def change(market: Market, merchant: Merchant, schedule: PayoutSchedule) -> PayoutSchedule:
    return change_schedule(market.ports, as_user(merchant), merchant.id, schedule)


def test_a_merchant_is_led_into_its_dashboard_once_it_has_told_stripe_all() -> None:
    market = Market()
    merchant = market.ready_merchant()
    with pytest.raises(StripeRefused):
        dashboard_link(market.ports, as_user(merchant), merchant.id)
    market.onboard(merchant)
    links = {dashboard_link(market.ports, as_user(merchant), merchant.id) for _ in range(2)}
    assert len(links) == 2
    assert not any(link in repr(market.store.snapshot()) for link in links)


def test_every_component_with_every_feature_is_one_that_stripe_knows_and_refunds_are_off_in_all() -> None:
    market = Market()
    merchant = market.ready_merchant()
    wanted = {name: sorted(features) for name, features in COMPONENTS.items()}
    session = component_session(market.ports, OPERATOR, merchant.id, wanted)
    assert session.client_secret.startswith("accs_secret_")
    assert session.client_secret not in repr((session, market.store.snapshot()))
    for features in ({}, {"capture_payments": True}):
        made = market.order(
            "/v1/account_sessions",
            account=merchant.account_id,
            components={"payments": {"enabled": True, "features": {"refund_management": False, **features}}},
        )
        assert made["components"]["payments"]["features"]["refund_management"] is False


SCHEDULES = [
    PayoutSchedule(interval=Interval.WEEKLY, weekly_days=("monday", "thursday"), delay_days=7),
    PayoutSchedule(interval=Interval.MONTHLY, monthly_days=(1, 31), minimum_balances={"usd": 5_000, "jpy": 1}),
    PayoutSchedule(interval=Interval.MANUAL, delay_days=31),
    PayoutSchedule(interval=Interval.DAILY, minimum_balances={"eur": 1}),
    DAILY,
]


def test_a_schedule_is_at_stripe_as_it_was_set_and_nothing_of_the_one_before_is_left() -> None:
    market = Market()
    merchant = market.ready_merchant()
    for first in SCHEDULES:
        for schedule in (first, *SCHEDULES):
            with market.keys.of(Group.MERCHANTS):
                made = change_schedule(market.ports, OPERATOR, merchant.id, schedule)
            assert replace(made, usual_delay_days=None) == schedule
            assert read_schedule(market.ports, as_user(merchant), merchant.id) == made


def test_a_change_of_a_schedule_that_gets_no_answer_is_told_and_can_be_asked_for_again() -> None:
    market = Market()
    merchant = market.ready_merchant()
    market.simulator.faults.order("time_out", method="POST", path="/v1/balance_settings", count=None)
    with pytest.raises(StripeUnavailable):
        change_schedule(market.ports, OPERATOR, merchant.id, SCHEDULES[0])
    market.simulator.faults.clear()
    made = change_schedule(market.ports, OPERATOR, merchant.id, SCHEDULES[0])
    assert replace(made, usual_delay_days=None) == SCHEDULES[0]


def test_a_merchant_changes_its_schedule_among_what_the_operator_leaves_to_it() -> None:
    market = Market()
    merchant = market.ready_merchant()
    change_schedule(market.ports, OPERATOR, merchant.id, DAILY)
    weekly, manual = replace(DAILY, interval=Interval.WEEKLY, weekly_days=("friday",)), SCHEDULES[2]
    assert change(market, merchant, weekly).interval is Interval.WEEKLY
    for kept in (replace(weekly, interval=Interval.MANUAL, weekly_days=()), replace(weekly, delay_days=10)):
        with pytest.raises(NotAllowed):
            change(market, merchant, kept)
    give(market, least_delay_days=7, minimum_balances=False)
    assert change(market, merchant, replace(weekly, delay_days=7)).delay_days == 7
    for kept in (replace(weekly, delay_days=6), weekly, replace(weekly, delay_days=7, minimum_balances={"usd": 1})):
        with pytest.raises(NotAllowed):
            change(market, merchant, kept)
    change_schedule(market.ports, OPERATOR, merchant.id, manual)
    with pytest.raises(NotAllowed, match="among"):  # an operator put it there, and there it stays
        change(market, merchant, replace(DAILY, delay_days=31))
    market.calls.clear()
    with pytest.raises(NotFound):
        change_schedule(market.ports, as_user(replace(merchant, id="merchant-" + 26 * "0")), merchant.id, DAILY)
    assert market.calls == []


def test_a_balance_is_stripe_s_with_what_is_owed_to_the_platform() -> None:
    market = Market()
    merchant = funded(market)
    (transaction,) = market.all_transactions()
    pay_out(market)
    market.refund(transaction.transaction.id, 10_000, key="r")
    market.take_in(*market.events())
    (usd,) = merchant_balance(market.ports, as_user(merchant), merchant.id)
    owed = usd.debt - usd.available - usd.pending
    assert owed == 9_000  # of the merchant, on whichever side it stands
    assert usd.debt == sum(debt.rest for debt in market.debts())
    assert isinstance(usd, MerchantBalance)
    assert market.calls[-1] is Operation.READ_BALANCE
