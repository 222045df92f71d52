"""Proration: what of a period is credited and what is charged, to the second.

https://docs.stripe.com/billing/subscriptions/prorations
"""

from decimal import Decimal

from .. import money


def share(amount: int, period: tuple[int, int], moment: int, currency: str) -> int:
    """What of a period's ``amount`` is for the time from ``moment`` to its end, in minor units, to the half up.

    The rest of it is what is not in this share, so that the two add up: 30.00 of a month of 30 days, after 10 days, is
    20.00.
    """
    begin, end = period
    if moment <= begin:
        return amount
    if moment >= end:
        return 0
    return money.Rounding.HALF_UP.whole(Decimal(amount) * (end - moment) / (end - begin), currency)
