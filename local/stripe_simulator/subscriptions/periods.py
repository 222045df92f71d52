"""Billing periods: counted from their anchor, so that month ends and leap days never make them drift.

https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from ..pricing.calendar import months_later

_MONTHS: Final = {"month": 1, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}


class Interval(NamedTuple):
    """How long a price is for: ``month`` 3 times is a quarter."""

    unit: str
    times: int = 1


def boundary(anchor: int, interval: Interval, number: int, *, day: int | None = None) -> int:
    """The begin of the period of this number; 0 begins at the anchor, and numbers may be negative.

    ``day`` is the day of the month that is meant where the anchor's month is too short for it.

    >>> anchor = int(datetime(2024, 1, 31, tzinfo=UTC).timestamp())
    >>> [datetime.fromtimestamp(boundary(anchor, Interval("month"), n), UTC).day for n in (1, 2, 3)]
    [29, 31, 30]
    """
    if interval.unit in _MONTHS:
        return months_later(anchor, _MONTHS[interval.unit] * interval.times * number, day=day)
    days = timedelta(days=_DAYS[interval.unit] * interval.times * number)
    return int((datetime.fromtimestamp(anchor, UTC) + days).timestamp())


def period_at(anchor: int, interval: Interval, moment: int, *, day: int | None = None) -> tuple[int, int]:
    """The period that a moment lies in: its begin, and its end, which is the next one's begin."""
    number = _guess(anchor, interval, moment)
    while boundary(anchor, interval, number, day=day) > moment:
        number -= 1
    while boundary(anchor, interval, number + 1, day=day) <= moment:
        number += 1
    return boundary(anchor, interval, number, day=day), boundary(anchor, interval, number + 1, day=day)


def anchor_by(config: Mapping[str, int | None], start: int) -> int:
    """The next moment that has the day of the month (and month) of a ``billing_cycle_anchor_config``; ``start`` counts.

    Hour, minute and second are those of ``start`` unless they are said.
    """
    begin, day = datetime.fromtimestamp(start, UTC), int(config["day_of_month"] or 1)
    hour, minute, second = (
        getattr(begin, name) if (said := config.get(name)) is None else said for name in ("hour", "minute", "second")
    )
    year_before = datetime(begin.year - 1, config.get("month") or 1, 1, hour, minute, second, tzinfo=UTC)
    unit = "year" if config.get("month") else "month"
    earlier, later = period_at(int(year_before.timestamp()), Interval(unit), start, day=day)
    return start if earlier == start else later


def _guess(anchor: int, interval: Interval, moment: int) -> int:
    """A number near the period's, so that it is found in a few steps however far the anchor is."""
    days = (moment - anchor) / 86_400
    length = _DAYS.get(interval.unit, 30.44 * _MONTHS.get(interval.unit, 1)) * interval.times
    return int(days // length)
