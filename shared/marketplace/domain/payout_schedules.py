"""When a merchant's balance is paid out by itself, and Stripe's rules for that.

https://docs.stripe.com/connect/manage-payout-schedule, https://docs.stripe.com/api/balance-settings
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidPayoutSchedule
from marketplace.domain.money import smallest_payable
from marketplace.domain.payouts import LARGEST_PAYOUT
from marketplace.domain.stripe_objects import Object

MOST_DELAY_DAYS: Final = 31
DAYS_OF_MONTH: Final = range(1, 32)  # what a month does not have is its last day
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday")  # banks move nothing on the others
MOST_CURRENCIES: Final = 50


class Interval(StrEnum):
    """How often what is available leaves. MANUAL: when it is asked for."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    MANUAL = "manual"


@dataclass(frozen=True, kw_only=True)
class PayoutSchedule:
    """When payouts leave, what they leave behind (minor units by currency), and how late money becomes available.

    ``weekly_days`` are names, ``monthly_days`` from 1 to 31. ``delay_days`` None is as soon as Stripe allows, which
    ``usual_delay_days`` says where Stripe was read.
    """

    interval: Interval
    weekly_days: tuple[str, ...] = ()
    monthly_days: tuple[int, ...] = ()
    delay_days: int | None = None
    minimum_balances: Mapping[str, int] = field(default_factory=dict)
    usual_delay_days: int | None = None

    @property
    def days(self) -> tuple[Interval, tuple[str, ...], tuple[int, ...]]:
        """The days on which payouts leave."""
        return self.interval, self.weekly_days, self.monthly_days


def require_possible(schedule: PayoutSchedule) -> None:
    """Refuse what Stripe would refuse, before it is asked.

    Raises:
        InvalidPayoutSchedule, UnknownCurrency.
    """
    for interval, days, name, known in (
        (Interval.WEEKLY, schedule.weekly_days, "weekly_days", WEEKDAYS),
        (Interval.MONTHLY, schedule.monthly_days, "monthly_days", DAYS_OF_MONTH),
    ):
        if bool(days) is not (schedule.interval is interval):
            raise InvalidPayoutSchedule(f"{name} are for payouts that leave {interval}, which need them")
        if any(day not in known for day in days) or len(set(days)) < len(days):
            raise InvalidPayoutSchedule(f"{name} are each one of {known[0]} to {known[-1]}, once")
    if schedule.delay_days is not None and not 0 <= schedule.delay_days <= MOST_DELAY_DAYS:
        raise InvalidPayoutSchedule(f"delay_days are from 0 to {MOST_DELAY_DAYS}")
    if len(schedule.minimum_balances) > MOST_CURRENCIES:
        raise InvalidPayoutSchedule(f"minimum_balances are of at most {MOST_CURRENCIES} currencies")
    for currency, amount in schedule.minimum_balances.items():
        step = smallest_payable(currency)
        if not 0 < amount <= LARGEST_PAYOUT or amount % step:
            raise InvalidPayoutSchedule(f"a minimum balance in {currency} is a positive multiple of {step}")


def params_of(before: PayoutSchedule, after: PayoutSchedule) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/balance_settings`), so that nothing of ``before`` is left."""
    days = {
        **({"weekly_payout_days": list(after.weekly_days)} if after.weekly_days else {}),
        **({"monthly_payout_days": list(after.monthly_days)} if after.monthly_days else {}),
    }
    minimums: dict[str, int | str] = dict.fromkeys(before.minimum_balances, "") | dict(after.minimum_balances)
    payouts = {"schedule": {"interval": after.interval.value, **days}}
    kept = {"minimum_balance_by_currency": minimums} if minimums else {}
    delay = "" if after.delay_days is None else after.delay_days
    timing = {} if after.delay_days == before.delay_days else {"settlement_timing": {"delay_days_override": delay}}
    return {"payments": {"payouts": {**payouts, **kept}, **timing}}


def as_at_stripe(settings: Object) -> PayoutSchedule:
    """What Balance Settings say."""
    payouts, timing = settings["payments"]["payouts"] or {}, settings["payments"]["settlement_timing"] or {}
    schedule = payouts.get("schedule") or {}
    return PayoutSchedule(
        interval=Interval(schedule.get("interval") or Interval.DAILY),
        weekly_days=tuple(schedule.get("weekly_payout_days") or ()),
        monthly_days=tuple(schedule.get("monthly_payout_days") or ()),
        delay_days=timing.get("delay_days_override"),
        minimum_balances=dict(payouts.get("minimum_balance_by_currency") or {}),
        usual_delay_days=timing.get("delay_days"),
    )
