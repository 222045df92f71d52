"""The 53rd week: from any moment of any year periods are as Stripe counts them, and a change is billed as shown."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketplace.domain.catalog import Interval, Recurring
from marketplace.domain.errors import CreditExceedsInvoice
from marketplace.domain.subscriptions import Subscription
from marketplace.services.subscription_changes import (
    Proration,
    SubscriptionChange,
    change_subscription,
    preview_change,
)
from marketplace.services.subscription_previews import Preview
from marketplace.services.subscriptions import stored_subscription

from .market import Market
from .subscribing import ANN, EXACT, once, price_of, require_books, subscribed

AMOUNT, DEARER = 3_100, 7_777
DRAFTED: Final = timedelta(hours=2)  # the hour of a draft, and its payment
CONSIDERED: Final = timedelta(minutes=10)  # from what is shown to what is asked for
STEPS: Final = 1_000  # parts of a period


class Asked(NamedTuple):
    """A change, so far on through what is left of the period."""

    after: int
    quantity: int
    is_dearer: bool
    proration: Proration


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


ODD_DAYS: Final = (
    utc(2028, 2, 29), utc(2027, 1, 31, 23, 59), utc(2027, 1, 30, 12), utc(2027, 3, 28, 1), utc(2027, 10, 31, 0, 30),
    utc(2027, 12, 31, 23), utc(2032, 12, 29), utc(2099, 12, 31, 12), utc(2027, 8, 31), utc(2028, 1, 1),
)  # fmt: skip
beginnings = st.sampled_from(ODD_DAYS) | st.datetimes(datetime(2027, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001 - as hypothesis wants them
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
recurrings = st.builds(Recurring, interval=st.sampled_from(Interval), interval_count=st.integers(1, 3))
asked = st.builds(
    Asked,
    after=st.integers(0, STEPS - 1),
    quantity=st.integers(1, 4),
    is_dearer=st.booleans(),
    proration=st.sampled_from(Proration),
)


def counted_on(anchor: datetime, recurring: Recurring, number: int) -> datetime:
    """So many intervals after the anchor, by the calendar of UTC: a month that is too short ends with its last day."""
    count = number * recurring.interval_count
    if recurring.interval in {Interval.DAY, Interval.WEEK}:
        return anchor + count * timedelta(days=7 if recurring.interval is Interval.WEEK else 1)
    months = anchor.month - 1 + count * (12 if recurring.interval is Interval.YEAR else 1)
    year, month = anchor.year + months // 12, months % 12 + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, monthrange(year, month)[1]))


def begun(market: Market, beginning: datetime, recurring: Recurring) -> Subscription:
    wait_until(market, beginning)
    return subscribed(market, EXACT, amount=AMOUNT, recurring=recurring)


def wait_until(market: Market, moment: datetime) -> None:
    market.advance(int((moment - market.clock.now()).total_seconds()))
    market.take_in(*market.events())


def period(subscription: Subscription) -> tuple[datetime, datetime]:
    start, end = subscription.current_period_start, subscription.current_period_end
    assert start is not None
    assert end is not None
    return start, end


def totals(market: Market) -> list[int]:
    """What Stripe billed, the first first."""
    return [invoice["total"] for invoice in reversed(market.at_stripe("/v1/invoices"))]


def nearest(amount: int, part: timedelta, whole: timedelta) -> int:
    """The part of an amount that is for a part of the period, to the cent, halves up."""
    seconds, all_seconds = int(part.total_seconds()), int(whole.total_seconds())
    return (2 * amount * seconds + all_seconds) // (2 * all_seconds)


def require_prorated(before: Subscription, after: Subscription, shown: Preview) -> None:
    """What is credited and charged is for the seconds that are left."""
    start, end = period(before)
    old, new = before.unit_amount * before.quantity, after.unit_amount * after.quantity
    left = (end - shown.prorated_at, end - start)
    prorated = sorted(line.amount for line in shown.lines if line.is_proration)
    assert prorated in ([], sorted([-nearest(old, *left), nearest(new, *left)]))
    assert prorated or (old, before.price_id) == (new, after.price_id)


def carry_out(market: Market, subscription: Subscription, wanted: SubscriptionChange) -> tuple[Preview, bool]:
    """Shown, and then made as it was shown, where that leaves no credit; whether it was made."""
    shown = preview_change(market.ports, ANN, subscription.id, wanted)
    agreed = SubscriptionChange(
        price_id=wanted.price_id, quantity=wanted.quantity, proration=wanted.proration, prorated_at=shown.prorated_at
    )
    market.advance(int(CONSIDERED.total_seconds()))
    if wanted.proration is not Proration.NONE and shown.total < 0:
        with pytest.raises(CreditExceedsInvoice):
            change_subscription(market.ports, ANN, subscription.id, agreed, once(ANN, "PATCH"))
        return shown, False
    change_subscription(market.ports, ANN, subscription.id, agreed, once(ANN, "PATCH"))
    market.take_in(*market.events())
    return shown, True


@settings(max_examples=15, deadline=None)
@given(beginning=beginnings, recurring=recurrings, changes=st.lists(asked, min_size=1, max_size=4))
@example(
    utc(2028, 2, 29), Recurring(interval=Interval.YEAR), [Asked(500, 2, True, Proration.AT_ONCE)],
)  # fmt: skip
@example(
    utc(2028, 2, 29), Recurring(interval=Interval.DAY),
    [Asked(994, 1, False, Proration.NEXT_INVOICE), Asked(323, 1, False, Proration.NEXT_INVOICE)],
)  # fmt: skip
@example(
    utc(2027, 1, 31, 23, 59), Recurring(interval=Interval.DAY),
    [Asked(999, 4, False, Proration.NONE), Asked(1, 2, True, Proration.NONE)],
)  # fmt: skip
def test_whatever_is_changed_and_when_the_invoice_is_the_one_that_was_shown(
    beginning: datetime, recurring: Recurring, changes: list[Asked]
) -> None:
    market = Market()
    subscription = begun(market, beginning, recurring)
    dearer = price_of(market, market.merchant(subscription.merchant_id), DEARER, recurring)
    cheaper, is_clean = subscription.price_id, True
    for change in changes:
        before = stored_subscription(market.ports, subscription.id)
        _, end = period(before)
        left = end - CONSIDERED - timedelta(minutes=1) - market.clock.now()
        if left <= timedelta():  # he would still think about it when the next period begins
            break
        wait_until(market, market.clock.now() + left * change.after / STEPS)
        billed = totals(market)
        price_id = dearer.id if change.is_dearer else cheaper
        wanted = SubscriptionChange(price_id=price_id, quantity=change.quantity, proration=change.proration)
        shown, is_made = carry_out(market, before, wanted)
        if not is_made:
            assert totals(market) == billed
            continue
        after = stored_subscription(market.ports, subscription.id)
        assert (after.price_id, after.quantity) == (price_id, change.quantity)
        if is_clean and change.proration is not Proration.NONE:
            require_prorated(before, after, shown)
        is_clean = is_clean and change.proration is Proration.NONE
        if len(totals(market)) > len(billed):
            assert totals(market) == [*billed, shown.total]
    as_it_is = SubscriptionChange(
        quantity=stored_subscription(market.ports, subscription.id).quantity, proration=Proration.NONE
    )
    following = preview_change(market.ports, ANN, subscription.id, as_it_is)
    _, end = period(stored_subscription(market.ports, subscription.id))
    wait_until(market, end + DRAFTED)
    assert totals(market)[-1] == following.total
    market.come_to_rest()
    require_books(market)


@settings(max_examples=15, deadline=None)
@given(beginning=beginnings, recurring=recurrings)
@example(utc(2028, 2, 29), Recurring(interval=Interval.YEAR))
@example(utc(2027, 1, 31, 23, 59), Recurring(interval=Interval.MONTH))
@example(utc(2028, 12, 25), Recurring(interval=Interval.WEEK))
def test_periods_are_counted_from_the_first_in_utc_and_each_is_paid_in_full(
    beginning: datetime, recurring: Recurring
) -> None:
    market = Market()
    subscription = begun(market, beginning, recurring)
    anchor, _ = period(subscription)
    for number in range(1, 6):
        seen = stored_subscription(market.ports, subscription.id)
        assert period(seen) == (counted_on(anchor, recurring, number - 1), counted_on(anchor, recurring, number))
        wait_until(market, period(seen)[1] + DRAFTED)
    assert totals(market) == [AMOUNT] * 6
    market.come_to_rest()
    require_books(market)


@pytest.mark.parametrize("hours", [-11, -5, 0, 2, 14])
def test_a_moment_is_the_same_in_every_time_zone(hours: int) -> None:
    """On the night in which European clocks are set back an hour comes twice: prorated to the second all the same."""
    market = Market()
    subscription = begun(market, utc(2027, 10, 20), Recurring(interval=Interval.MONTH))
    moment = utc(2027, 10, 31, 0, 30)
    wait_until(market, moment)
    there = moment.astimezone(timezone(timedelta(hours=hours)))
    shown = preview_change(market.ports, ANN, subscription.id, SubscriptionChange(quantity=2, prorated_at=there))
    assert shown.prorated_at == moment
    start, end = period(subscription)
    left = nearest(AMOUNT, end - moment, end - start), nearest(2 * AMOUNT, end - moment, end - start)
    assert sorted(line.amount for line in shown.lines) == sorted([-left[0], left[1], 2 * AMOUNT])
