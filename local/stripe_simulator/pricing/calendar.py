"""Months of the calendar, counted from a moment."""

import calendar
from datetime import UTC, datetime

_MONTHS_OF_A_YEAR = 12


def months_later(moment: int, months: int, *, day: int | None = None) -> int:
    """The same day and time some months later, or the month's last day where it has no such day.

    ``day`` is the day of the month to have, where it is not the moment's own.

    >>> months_later(1_706_659_200, 1) - 1_706_659_200  # from January 31 to February 29, 2024
    2505600
    """
    begin = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(begin.month - 1 + months, _MONTHS_OF_A_YEAR)
    year, month = begin.year + year, month + 1
    day = min(day or begin.day, calendar.monthrange(year, month)[1])
    return int(begin.replace(year=year, month=month, day=day).timestamp())
