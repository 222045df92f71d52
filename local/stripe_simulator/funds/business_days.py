"""Days on which banks work: Monday to Friday when the settings say so, otherwise all. Holidays are not known.

https://docs.stripe.com/payouts#payout-timing
"""

from datetime import UTC, datetime
from typing import Final

from ..context import Context

DAY_SECONDS: Final = 24 * 3_600
_SATURDAY: Final = 5


def days_later(context: Context, midnight: int, days: int) -> int:
    """The midnight that comes so many working days after one; none after, the first that is one itself."""
    moment = _on_or_after(context, midnight)
    for _ in range(days):
        moment = _on_or_after(context, moment + DAY_SECONDS)
    return moment


def _on_or_after(context: Context, midnight: int) -> int:
    moment = midnight
    while context.settings.business_days and datetime.fromtimestamp(moment, UTC).weekday() >= _SATURDAY:
        moment += DAY_SECONDS
    return moment
