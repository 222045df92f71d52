"""Subscription schedules: phases one after the other, what each bills, and how they end."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.pricing.calendar import months_later

from .billing import DAY, assert_exact, billed, customer, heard, invoices, listen, recurring, subscribe
from .conftest import START
from .shop import ready_seller


def refused(act: Callable[[], object]) -> Any:
    """The refusal of a request."""
    with pytest.raises(stripe.StripeError) as refusal:
        act()
    return refusal.value


MONTH: Mapping[str, Any] = {"interval": "month", "interval_count": 1}


def phase(price: str, months: int = 1, **more: Any) -> dict[str, Any]:
    each = {"price": price, "quantity": more.pop("quantity", 1)}
    return {"items": [each], "duration": {"interval": "month", "interval_count": months}, **more}


def plan(client: stripe.StripeClient, buyer: str, *phases: Any, **more: Any) -> stripe.SubscriptionSchedule:
    params: Any = {"customer": buyer, "start_date": "now", "phases": list(phases), **more}
    return client.v1.subscription_schedules.create(params)


def schedule_of(client: stripe.StripeClient, made: stripe.SubscriptionSchedule) -> stripe.SubscriptionSchedule:
    return client.v1.subscription_schedules.retrieve(made.id)


def subscription_of(client: stripe.StripeClient, made: stripe.SubscriptionSchedule) -> stripe.Subscription:
    name = made.subscription or made.released_subscription
    return client.v1.subscriptions.retrieve(str(name))


def months(number: int) -> int:
    return months_later(int(START), number)


def test_each_phase_bills_what_it_sells_and_the_last_one_goes_on(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    cheap, dear = recurring(client, 1_000), recurring(client, 3_000)
    listen(simulator)
    made = plan(client, customer(client), phase(cheap, 2), phase(dear, 1))
    assert (made.status, made.end_behavior) == ("active", "release")
    assert [(each.start_date, each.end_date) for each in made.phases] == [(START, months(2)), (months(2), months(3))]
    assert made.current_phase is not None
    assert (made.current_phase.start_date, made.current_phase.end_date) == (START, months(2))
    first = subscription_of(client, made)
    assert (first.status, first.schedule) == ("active", made.id)
    told = heard(simulator)
    assert told.index("customer.subscription.created") < told.index("subscription_schedule.created")
    for number in range(1, 5):
        simulator.move_clock_to(months(number) + 60)
    assert [(reason, total) for reason, _, total in billed(client, first.id)] == [
        ("subscription_create", 1_000), ("subscription_cycle", 1_000), ("subscription_cycle", 3_000),
        ("subscription_cycle", 3_000), ("subscription_cycle", 3_000),
    ]  # fmt: skip
    ended = schedule_of(client, made)
    assert (ended.status, ended.completed_at, ended.current_phase) == ("completed", months(3), None)
    assert (ended.subscription, ended.released_subscription) == (None, first.id)
    after = client.v1.subscriptions.retrieve(first.id)
    assert (after.schedule, after.status, after["items"].data[0].price.id) == (None, "active", dear)
    told = [each for each in heard(simulator) if each.startswith("subscription_schedule")]
    assert told == ["subscription_schedule." + each for each in ("updated", "expiring", "completed")]
    assert_exact(simulator)


def test_the_last_phase_may_end_the_subscription(simulator: Simulator, client: stripe.StripeClient) -> None:
    made = plan(client, customer(client), phase(recurring(client, 1_000), 2), end_behavior="cancel")
    simulator.move_clock_to(months(3))
    subscription = subscription_of(client, made)
    assert (subscription.status, subscription.ended_at) == ("canceled", months(2))
    assert [total for _, _, total in billed(client, subscription.id)] == [1_000, 1_000]
    ended = schedule_of(client, made)
    assert (ended.status, ended.subscription, ended.completed_at) == ("completed", subscription.id, months(2))


def test_a_schedule_of_the_future_begins_in_its_time(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer, price = customer(client), recurring(client, 700)
    made = plan(client, buyer, phase(price), start_date=int(START) + 10 * DAY)
    assert (made.status, made.subscription, made.current_phase) == ("not_started", None, None)
    listed = client.v1.subscription_schedules.list
    assert [each.id for each in listed({"scheduled": True}).data] == [made.id]
    simulator.move_clock_to(START + 9 * DAY)
    assert schedule_of(client, made).status == "not_started"
    simulator.move_clock_to(START + 10 * DAY + 60)
    begun = schedule_of(client, made)
    subscription = subscription_of(client, begun)
    assert (begun.status, subscription.start_date) == ("active", START + 10 * DAY)
    assert billed(client, subscription.id) == [("subscription_create", "paid", 700)]
    assert listed({"scheduled": True}).data == []
    assert [each.id for each in listed({"customer": buyer}).data] == [made.id]


@pytest.mark.parametrize(("behavior", "pending"), [("create_prorations", 1_000), ("none", 0)])
def test_a_phase_that_begins_in_a_period_is_prorated_as_it_says(
    simulator: Simulator, client: stripe.StripeClient, behavior: str, pending: int
) -> None:
    """Half of a month of 31 days: half of 1,000 back, half of 3,000 due."""
    cheap, dear = recurring(client, 1_000), recurring(client, 3_000)
    half = int(START) + (months(1) - int(START)) // 2
    buyer = customer(client)
    first = {"items": [{"price": cheap}], "end_date": half}
    made = plan(client, buyer, first, phase(dear, 2, proration_behavior=behavior))
    simulator.move_clock_to(half + 60)
    due = client.v1.invoice_items.list({"customer": buyer, "pending": True}).data
    assert sum(item.amount for item in due) == pending
    simulator.move_clock_to(months(1) + 2 * 3_600)
    subscription = subscription_of(client, schedule_of(client, made))
    assert [total for _, _, total in billed(client, subscription.id)] == [1_000, 3_000 + pending]
    assert_exact(simulator)


def test_items_are_added_changed_and_taken_away_and_what_stays_is_not_prorated(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    base, seats, support = (recurring(client, amount) for amount in (1_000, 200, 50))
    first = {"items": [{"price": base}, {"price": seats, "quantity": 2}], "duration": MONTH}
    second = {"items": [{"price": base}, {"price": seats, "quantity": 5}, {"price": support}], "duration": MONTH}
    third = {"items": [{"price": base}], "duration": MONTH}
    made = plan(client, customer(client), first, second, third)
    kept = {item.price.id: item.id for item in subscription_of(client, made)["items"].data}
    for number in range(1, 4):
        simulator.move_clock_to(months(number) + 60)
    subscription = subscription_of(client, schedule_of(client, made))
    assert [total for _, _, total in billed(client, subscription.id)] == [1_400, 2_050, 1_000, 1_000]
    assert [item.id for item in subscription["items"].data] == [kept[base]]
    assert {len(each.lines.data) for each in invoices(client, subscription.id)} == {1, 2, 3}


def test_another_interval_begins_a_period_of_its_own(simulator: Simulator, client: stripe.StripeClient) -> None:
    monthly, yearly = recurring(client, 1_000), recurring(client, 10_000, "year")
    year = {"items": [{"price": yearly}], "duration": {"interval": "year"}}
    made = plan(client, customer(client), phase(monthly, 1), year)
    simulator.move_clock_to(months(2))
    subscription = subscription_of(client, schedule_of(client, made))
    assert [total for _, _, total in billed(client, subscription.id)] == [1_000, 10_000]
    item = subscription["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (months(1), months(13))


def test_a_trial_is_the_first_phase(simulator: Simulator, client: stripe.StripeClient) -> None:
    price = recurring(client, 900)
    made = plan(client, customer(client), phase(price, trial=True), phase(price))
    subscription = subscription_of(client, made)
    assert (subscription.status, subscription.trial_end) == ("trialing", months(1))
    simulator.move_clock_to(months(1) + 2 * 3_600)
    assert subscription_of(client, made).status == "active"
    assert [total for _, _, total in billed(client, subscription.id)] == [0, 900]


def test_terms_are_the_phase_s_or_else_the_schedule_s(simulator: Simulator, client: stripe.StripeClient) -> None:
    price = recurring(client, 1_000)
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False}).id
    account = ready_seller(simulator, client)
    settings = {"application_fee_percent": 12.5, "transfer_data": {"destination": account}, "description": "Club"}
    second = phase(price, application_fee_percent=20, default_tax_rates=[rate], metadata={"year": "2"})
    made = plan(client, customer(client), phase(price), second, default_settings=settings, metadata={"of": "schedule"})
    first = subscription_of(client, made)
    assert (first.application_fee_percent, first.description, first.metadata.to_dict()) == (12.5, "Club", {})
    assert first.transfer_data is not None
    assert first.transfer_data.destination == account
    simulator.move_clock_to(months(1) + 2 * 3_600)
    later = subscription_of(client, made)
    assert (later.application_fee_percent, later.description, later.metadata.to_dict()) == (20, "Club", {"year": "2"})
    assert [total for _, _, total in billed(client, later.id)] == [1_000, 1_200]
    fees = [fee.amount for fee in client.v1.application_fees.list().data]
    assert fees == [240, 125]
    assert made.metadata is not None
    assert made.metadata.to_dict() == {"of": "schedule"}


def test_a_subscription_is_taken_over_as_it_is_and_planned_on(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    cheap, dear = recurring(client, 1_000), recurring(client, 3_000)
    subscription = subscribe(client, customer(client), cheap)
    schedules = client.v1.subscription_schedules
    made = schedules.create({"from_subscription": subscription.id})
    assert (made.status, made.subscription) == ("active", subscription.id)
    (current,) = made.phases
    assert (current.start_date, current.end_date, current["items"][0].price) == (START, months(1), cheap)
    again = refused(lambda: schedules.create({"from_subscription": subscription.id}))
    assert "already attached to a schedule" in str(again)
    kept: Any = {"items": [{"price": cheap}], "start_date": current.start_date, "end_date": current.end_date}
    simulator.move_clock_to(START + 5 * DAY)
    more: Any = {"phases": [kept, phase(dear, 2)], "end_behavior": "cancel"}
    planned = schedules.update(made.id, more)
    assert [each.end_date for each in planned.phases] == [months(1), months(3)]
    assert client.v1.invoice_items.list({"pending": True}).data == []
    for number in range(1, 4):
        simulator.move_clock_to(months(number) + 2 * 3_600)
    assert [total for _, _, total in billed(client, subscription.id)] == [1_000, 3_000, 3_000]
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert_exact(simulator)


def test_the_current_phase_can_be_changed_at_once(simulator: Simulator, client: stripe.StripeClient) -> None:
    cheap, dear = recurring(client, 1_000), recurring(client, 3_000)
    buyer = customer(client)
    made = plan(client, buyer, phase(cheap, 2))
    half = int(START) + (months(1) - int(START)) // 2
    simulator.move_clock_to(half)
    now: Any = {"items": [{"price": dear}], "start_date": int(START), "end_date": months(2)}
    client.v1.subscription_schedules.update(made.id, {"phases": [now], "proration_behavior": "always_invoice"})
    subscription = subscription_of(client, made)
    assert [total for _, _, total in billed(client, subscription.id)] == [1_000, 1_000]
    assert subscription["items"].data[0].price.id == dear


def test_released_it_leaves_the_subscription_alone(simulator: Simulator, client: stripe.StripeClient) -> None:
    cheap, dear = recurring(client, 1_000), recurring(client, 3_000)
    made = plan(client, customer(client), phase(cheap), phase(dear))
    simulator.move_clock_to(START + DAY)
    freed = client.v1.subscription_schedules.release(made.id)
    assert (freed.status, freed.released_at, freed.subscription) == ("released", START + DAY, None)
    assert freed.released_subscription == made.subscription
    simulator.move_clock_to(months(2) + 2 * 3_600)
    assert [total for _, _, total in billed(client, str(made.subscription))] == [1_000, 1_000, 1_000]
    schedules = client.v1.subscription_schedules
    for error in (refused(lambda: schedules.release(made.id)), refused(lambda: schedules.cancel(made.id))):
        assert "currently in the `released` status" in str(error)


def test_canceled_it_ends_the_subscription_with_it(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = plan(client, buyer, phase(recurring(client, 3_100), 3))
    simulator.move_clock_to(START + 10 * DAY)
    listen(simulator)
    ended = client.v1.subscription_schedules.cancel(made.id)
    assert (ended.status, ended.canceled_at, ended.current_phase) == ("canceled", START + 10 * DAY, None)
    assert subscription_of(client, made).status == "canceled"
    told = heard(simulator)
    assert told.index("subscription_schedule.canceled") < told.index("customer.subscription.deleted")
    later = plan(client, buyer, phase(recurring(client, 100)), start_date=int(START) + 20 * DAY)
    assert client.v1.subscription_schedules.cancel(later.id).status == "canceled"
    simulator.move_clock_to(START + 30 * DAY)
    assert schedule_of(client, later).subscription is None
    assert_exact(simulator)


def test_it_ends_with_its_subscription_or_its_customer(simulator: Simulator, client: stripe.StripeClient) -> None:
    price, buyer, late = recurring(client, 1_000), customer(client), customer(client)
    ended, orphan = plan(client, buyer, phase(price, 3)), plan(client, late, phase(price, 3))
    future = plan(client, late, phase(price), start_date=int(START) + DAY)
    listen(simulator)
    client.v1.subscriptions.cancel(str(ended.subscription))
    assert schedule_of(client, ended).status == "canceled"
    client.v1.customers.delete(late)
    assert {schedule_of(client, each).status for each in (orphan, future)} == {"canceled"}
    told = [each for each in heard(simulator) if each.startswith("subscription_schedule")]
    assert told == ["subscription_schedule.canceled"] * 3
    simulator.move_clock_to(months(4))
    assert_exact(simulator)


def test_one_that_nobody_pays_for_is_aborted(client: stripe.StripeClient, simulator: Simulator) -> None:
    buyer = customer(client)
    made = plan(client, buyer, phase(recurring(client, 1_000), 12))
    broke = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": buyer})
    client.v1.customers.update(buyer, {"invoice_settings": {"default_payment_method": broke.id}})
    listen(simulator)
    simulator.move_clock_to(months(3))
    assert subscription_of(client, made).status == "canceled"
    assert schedule_of(client, made).status == "canceled"
    assert "subscription_schedule.aborted" in heard(simulator)


def test_without_anything_to_pay_with_the_first_invoice_waits_for_the_buyer(client: stripe.StripeClient) -> None:
    made = plan(client, customer(client, None), phase(recurring(client, 1_000)))
    assert subscription_of(client, made).status == "incomplete"


def test_an_update_keeps_the_current_phase(client: stripe.StripeClient, simulator: Simulator) -> None:
    price = recurring(client, 1_000)
    made = plan(client, customer(client), phase(price), phase(price))
    simulator.move_clock_to(months(1) + 60)
    schedules = client.v1.subscription_schedules
    for start in ({}, {"start_date": int(START) + 1}, {"start_date": months(2)}):
        given: Any = {"phases": [phase(price, 5, **start)]}
        error = refused(partial(schedules.update, made.id, given))
        assert error.param == "phases[0][start_date]"
    gap: Any = {"phases": [phase(price, start_date=months(1)), phase(price, start_date=months(3))]}
    assert refused(lambda: schedules.update(made.id, gap)).param == "phases[1][start_date]"
    longer_phases: Any = {"phases": [phase(price, 3, start_date=months(1))]}
    longer = schedules.update(made.id, longer_phases)
    assert [each.end_date for each in longer.phases] == [months(1), months(4)]
    assert longer.current_phase is not None
    assert longer.current_phase.end_date == months(4)


def test_a_month_s_end_stays_one(client: stripe.StripeClient, simulator: Simulator) -> None:
    """Of a clock that stands at January 31: phases of a month each end as the calendar has it."""
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_769_860_800})
    buyer = customer(client, test_clock=clock.id)
    cheap, dear = recurring(client, 1_000), recurring(client, 2_000)
    made = plan(client, buyer, phase(cheap), phase(dear))
    assert made.test_clock == clock.id
    first = made.phases[0].end_date
    assert first == months_later(1_769_860_800, 1)  # February 28
    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": first + 2 * 3_600})
    assert [total for _, _, total in billed(client, str(made.subscription))] == [1_000, 2_000]
    assert_exact(simulator)


def test_one_that_is_taken_over_may_end_with_its_period(simulator: Simulator, client: stripe.StripeClient) -> None:
    subscription = subscribe(client, customer(client), recurring(client, 1_000))
    made = client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    client.v1.subscription_schedules.update(made.id, {"end_behavior": "cancel"})
    simulator.move_clock_to(months(1) + 2 * 3_600)
    assert [total for _, _, total in billed(client, subscription.id)] == [1_000]
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"


def test_a_trial_that_is_over_stays_over(simulator: Simulator, client: stripe.StripeClient) -> None:
    price = recurring(client, 900)
    made = plan(client, customer(client), phase(price, 3, trial_end=months(1)))
    simulator.move_clock_to(months(1) + 2 * 3_600)
    client.v1.subscription_schedules.update(made.id, {"default_settings": {"description": "Club"}})
    subscription = subscription_of(client, made)
    assert (subscription.status, subscription.description) == ("active", "Club")
    simulator.move_clock_to(months(2) + 2 * 3_600)
    assert [total for _, _, total in billed(client, subscription.id)] == [0, 900, 900]


def test_a_planned_price_may_be_sold_no_more_when_its_phase_begins(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    cheap, dear = recurring(client, 1_000), recurring(client, 3_000)
    made = plan(client, customer(client), phase(cheap), phase(dear))
    client.v1.prices.update(dear, {"active": False})
    simulator.move_clock_to(months(1) + 2 * 3_600)
    assert [total for _, _, total in billed(client, str(made.subscription))] == [1_000, 3_000]
