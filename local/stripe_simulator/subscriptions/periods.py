"""Billing periods: counted from their anchor, so that month ends and leap days never make them drift.

https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from ..pricing.calendar import months_later

_MONTHS: Final = {"month": 1, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}


class Interval(NamedTuple):
    """How long a price is for: ``month`` 3 times is a quarter."""

    unit: str
    times: int = 1


def boundary(anchor: int, interval: Interval, number: int) -> int:
    """The begin of the period of this number; 0 begins at the anchor, and numbers may be negative.

    >>> from datetime import UTC, datetime
    >>> anchor = int(datetime(2024, 1, 31, tzinfo=UTC).timestamp())
    >>> [datetime.fromtimestamp(boundary(anchor, Interval("month"), n), UTC).day for n in (1, 2, 3)]
    [29, 31, 30]
    """
    if interval.unit in _MONTHS:
        return months_later(anchor, _MONTHS[interval.unit] * interval.times * number)
    days = timedelta(days=_DAYS[interval.unit] * interval.times * number)
    return int((datetime.fromtimestamp(anchor, UTC) + days).timestamp())


def period_at(anchor: int, interval: Interval, moment: int) -> tuple[int, int]:
    """The period that a moment lies in: its begin, and its end, which is the next one's begin."""
    number = _guess(anchor, interval, moment)
    while boundary(anchor, interval, number) > moment:
        number -= 1
    while boundary(anchor, interval, number + 1) <= moment:
        number += 1
    return boundary(anchor, interval, number), boundary(anchor, interval, number + 1)


def _guess(anchor: int, interval: Interval, moment: int) -> int:
    """A number near the period's, so that it is found in a few steps however far the anchor is."""
    days = (moment - anchor) / 86_400
    length = _DAYS.get(interval.unit, 30.44 * _MONTHS.get(interval.unit, 1)) * interval.times
    return int(days // length)
