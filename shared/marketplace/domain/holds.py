"""How long a merchant's money may be kept back."""

from datetime import datetime, timedelta
from typing import Final

from marketplace.domain.errors import InvalidReleaseDate

# Stripe lets a platform hold money for 90 days in most countries (https://docs.stripe.com/connect/manual-payouts).
LONGEST_HOLD: Final = timedelta(days=90)
REFUND_NOTICE: Final = timedelta(days=1)  # at least that long before a refund by policy it is told
HOLD_NEAR: Final = timedelta(days=7)  # before that limit: told ahead


def require_release_date(release_at: datetime | None, now: datetime) -> None:
    """Refuse a date that is over, or later than money may be held.

    Raises:
        InvalidReleaseDate.
    """
    if release_at is not None and not now < release_at <= now + LONGEST_HOLD:
        raise InvalidReleaseDate(f"a release is at most {LONGEST_HOLD.days} days ahead")


def refund_date(limit: datetime | None, *, told: datetime | None, now: datetime) -> datetime | None:
    """When what waits is refunded: at its limit, and never before it was told for ``REFUND_NOTICE``.

    ``told`` is the date that was told before: a limit that has come nearer since moves it forward, within the notice.
    """
    if limit is None:
        return None
    soonest = max(limit, now + REFUND_NOTICE)
    return min(told, soonest) if told is not None and limit <= told else soonest
