"""Items of a subscription, one by one, and the anchor that their periods are counted from."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from local.stripe_simulator import Simulator
from local.stripe_simulator.subscriptions.periods import Interval, anchor_by, boundary

from .billing import assert_exact, billed, customer, heard, invoices, listen, recurring, subscribe
from .conftest import START
from .paying import refused


def amounts(client: stripe.StripeClient, buyer: str) -> list[int]:
    """What is pending for a customer."""
    return sorted(item.amount for item in client.v1.invoice_items.list({"customer": buyer, "pending": True}).data)


def half_way(simulator: Simulator, made: stripe.Subscription) -> None:
    item = made["items"].data[0]
    simulator.move_clock_to((item.current_period_start + item.current_period_end) // 2)


def test_items_come_change_and_go_with_prorations(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = subscribe(client, buyer, recurring(client, 3_000))
    half_way(simulator, made)
    listen(simulator)
    items = client.v1.subscription_items
    added = items.create({"subscription": made.id, "price": recurring(client, 1_000), "quantity": 2})
    assert (added.quantity, added.subscription, amounts(client, buyer)) == (2, made.id, [1_000])
    items.update(added.id, {"quantity": 4})
    assert amounts(client, buyer) == [-1_000, 1_000, 2_000]
    items.update(added.id, {"quantity": 1, "proration_behavior": "none", "metadata": {"seat": "7"}})
    assert amounts(client, buyer) == [-1_000, 1_000, 2_000]
    assert items.retrieve(added.id).quantity == 1
    assert {each.id for each in items.list({"subscription": made.id}).data} == {added.id, made["items"].data[0].id}
    told = [each for each in heard(simulator) if each.startswith("customer")]
    assert told == ["customer.subscription.updated"] * 3
    items.delete(added.id)
    assert amounts(client, buyer) == [-1_000, -500, 1_000, 2_000]
    assert len(client.v1.subscriptions.retrieve(made.id)["items"].data) == 1
    assert_exact(simulator)


def test_discounts_and_taxes_of_an_item_change_too(simulator: Simulator, client: stripe.StripeClient) -> None:
    made = subscribe(client, customer(client), recurring(client, 3_000))
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False}).id
    item = made["items"].data[0]
    client.v1.subscription_items.update(
        item.id, {"discounts": [{"coupon": coupon}], "tax_rates": [rate], "proration_behavior": "none"}
    )
    simulator.move_clock_to(item.current_period_end)
    assert invoices(client, made.id)[-1].total == 1_650
    client.v1.subscription_items.update(item.id, {"discounts": "", "tax_rates": "", "proration_behavior": "none"})
    simulator.advance(32 * 24 * 3_600)
    assert invoices(client, made.id)[-1].total == 3_000


def test_the_last_item_the_same_price_and_too_many_are_refused(client: stripe.StripeClient) -> None:
    price = recurring(client, 3_000)
    made = subscribe(client, customer(client), price)
    items = client.v1.subscription_items
    with refused(match="at least one active item"):
        items.delete(made["items"].data[0].id)
    with refused(match="multiple subscription items with the same price"):
        items.create({"subscription": made.id, "price": price})
    with refused(match="currency"):
        items.create({"subscription": made.id, "price": recurring(client, 1_000, currency="eur")})
    for number in range(19):
        items.create({"subscription": made.id, "price": recurring(client, 100 + number)})
    with refused(match="at most 20 items"):
        items.create({"subscription": made.id, "price": recurring(client, 1)})


@pytest.mark.parametrize(("behavior", "first"), [("create_prorations", 1_000), ("none", 0)])
def test_a_first_period_that_is_shorter_costs_its_part_or_nothing(
    simulator: Simulator, client: stripe.StripeClient, behavior: str, first: int
) -> None:
    price = recurring(client, 3_100)  # the month before the anchor, January 25, has 31 days
    anchor = START + 10 * 24 * 3_600
    with refused(match="later than next natural billing date"):
        subscribe(client, customer(client), price, billing_cycle_anchor=START + 32 * 24 * 3_600)
    with refused(match="cannot be earlier"):
        subscribe(client, customer(client), price, billing_cycle_anchor=START - 1)
    made = subscribe(client, customer(client), price, billing_cycle_anchor=anchor, proration_behavior=behavior)
    item = made["items"].data[0]
    assert (item.current_period_start, item.current_period_end, made.billing_cycle_anchor) == (START, anchor, anchor)
    assert billed(client, made.id) == [("subscription_create", "paid", first)]
    simulator.move_clock_to(anchor)
    assert billed(client, made.id)[-1] == ("subscription_cycle", "draft", 3_100)
    renewed = client.v1.subscriptions.retrieve(made.id)["items"].data[0]
    assert datetime.fromtimestamp(renewed.current_period_end, UTC).strftime("%m-%d") == "02-25"


def test_the_last_day_of_every_month_stays_the_last(simulator: Simulator, client: stripe.StripeClient) -> None:
    made = subscribe(
        client, customer(client), recurring(client, 3_000), billing_cycle_anchor_config={"day_of_month": 31, "hour": 6},
        proration_behavior="none",
    )  # fmt: skip
    assert made.billing_cycle_anchor_config is not None
    assert (made.billing_cycle_anchor_config.day_of_month, made.billing_cycle_anchor_config.hour) == (31, 6)
    ends = []
    for _ in range(6):
        end = client.v1.subscriptions.retrieve(made.id)["items"].data[0].current_period_end
        ends.append(datetime.fromtimestamp(end, UTC).strftime("%m-%d %H"))
        simulator.move_clock_to(end)
    assert ends == ["01-31 06", "02-28 06", "03-31 06", "04-30 06", "05-31 06", "06-30 06"]
    with refused(match="only specify one"):
        subscribe(
            client, customer(client), recurring(client, 1), billing_cycle_anchor=START,
            billing_cycle_anchor_config={"day_of_month": 1},
        )  # fmt: skip
    with refused(match="monthly and yearly"):
        subscribe(
            client, customer(client), recurring(client, 1, "week"), billing_cycle_anchor_config={"day_of_month": 1}
        )


@given(
    start=st.integers(1_000_000_000, 2_500_000_000), day=st.integers(1, 31), month=st.none() | st.integers(1, 12),
    hour=st.none() | st.integers(0, 23),
)  # fmt: skip
def test_the_anchor_is_the_next_such_day_and_its_periods_have_no_gap(
    start: int, day: int, month: int | None, hour: int | None
) -> None:
    anchor = anchor_by({"day_of_month": day, "month": month, "hour": hour}, start)
    date, begin = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(start, UTC)
    assert start <= anchor <= start + (367 if month else 32) * 24 * 3_600
    assert date.day <= day
    assert date.month == (month or date.month)
    assert (date.hour, date.minute) == (begin.hour if hour is None else hour, begin.minute)
    interval = Interval("year" if month else "month")
    boundaries = [boundary(anchor, interval, number, day=day) for number in range(-14, 14)]
    assert boundaries[14] == anchor
    for earlier, later in pairwise(boundaries):
        assert later > earlier
        length = datetime.fromtimestamp(later, UTC) - datetime.fromtimestamp(earlier, UTC)
        assert length.days in ({365, 366} if month else {28, 29, 30, 31})


def test_what_is_not_simulated_of_a_beginning_says_so(client: stripe.StripeClient) -> None:
    buyer, price = customer(client), recurring(client, 3_000)
    wanted: list[dict[str, Any]] = [
        {"backdate_start_date": START - 100},
        {"trial_period_days": 7, "billing_cycle_anchor": START + 100},
    ]
    for terms in wanted:
        with pytest.raises(stripe.APIError, match="does not implement"):
            subscribe(client, buyer, price, **terms)
