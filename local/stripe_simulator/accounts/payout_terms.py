"""When and how an account's balance is paid out: what Balance Settings and API v1's ``settings.payouts`` both change.

    interval                      manual, daily, weekly, monthly
    weekly_payout_days            names of weekdays
    monthly_payout_days           from 1 to 31; what a month does not have is its last day
    minimum_balance_by_currency   what automatic payouts leave, in minor units
    delay_days_override           until what the account is paid becomes available; None for the simulator's setting
    debit_negative_balances       whether the account's bank is asked for what the account owes
    statement_descriptor

A connected account has them in its record, the platform as an object of its own.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..shelves import Collection
from ..values import Object
from .record import ACCOUNTS, payout_defaults

PLATFORM_TERMS: Final = Collection("_payout_terms")
PAYOUT_RUNS: Final = Collection("_payout_run")
"""On each account ``{id, at}``: the next moment at which it is looked at for automatic payouts."""

MANUAL, DAILY, WEEKLY, MONTHLY = "manual", "daily", "weekly", "monthly"
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAXIMUM_DELAY_DAYS: Final = 31
_DAY_SECONDS: Final = 24 * 3_600
_RUN_AT_SECONDS: Final = 3_600  # after midnight UTC, when all that matures that night has
_ONLY: Final = "payouts"


def read(context: Context) -> Object:
    """The terms of the context's account."""
    platform = context.on_platform().state
    if context.is_platform:
        return platform.find(PLATFORM_TERMS, _ONLY) or payout_defaults(context.settings.payout_interval)
    terms: Object = platform.get(ACCOUNTS, context.account)["_record"]["payouts"]
    return terms


def changed(before: Object, given: Mapping[str, Any]) -> dict[str, Any]:
    """The terms with what was given, which has their names.

    Raises:
        InvalidParameterError: a schedule without its days, or a delay that is too long.
    """
    after = {**before, **given}
    if after["interval"] not in (WEEKLY, MONTHLY):
        after |= {"weekly_payout_days": None, "monthly_payout_days": None}
    for interval, name in ((WEEKLY, "weekly_payout_days"), (MONTHLY, "monthly_payout_days")):
        if after["interval"] != interval:
            after[name] = None
        elif not after[name]:
            raise InvalidParameterError(
                f"Give `{name}` when the interval is `{interval}`.", code="parameter_missing", param=name
            )
    if any(not 1 <= day <= MAXIMUM_DELAY_DAYS for day in after["monthly_payout_days"] or ()):
        raise InvalidParameterError("Days of the month are from 1 to 31.", param="monthly_payout_days")
    delay = after["delay_days_override"]
    if delay is not None and not 0 <= delay <= MAXIMUM_DELAY_DAYS:
        raise InvalidParameterError(
            f"The delay must be at most {MAXIMUM_DELAY_DAYS} days.", param="delay_days_override"
        )
    return after


def keep_for_platform(context: Context, terms: Object) -> None:
    """Keep the platform's own terms."""
    kept = {**terms, "id": _ONLY}
    if context.state.find(PLATFORM_TERMS, _ONLY):
        context.state.replace(PLATFORM_TERMS, kept)
    else:
        context.state.insert(PLATFORM_TERMS, kept)


def is_payout_day(terms: Object, moment: int) -> bool:
    """Whether automatic payouts leave on the day of that moment, UTC."""
    day = datetime.fromtimestamp(moment, UTC)
    if terms["interval"] == WEEKLY:
        return WEEKDAYS[day.weekday()] in terms["weekly_payout_days"]
    if terms["interval"] == MONTHLY:
        last = monthrange(day.year, day.month)[1]
        return day.day in {min(each, last) for each in terms["monthly_payout_days"]}
    return bool(terms["interval"] == DAILY)


def delay_days(context: Context) -> int:
    """How many days after a payment to the account its money is available."""
    override: int | None = read(context)["delay_days_override"]
    return context.settings.settlement_delay_seconds // _DAY_SECONDS if override is None else override


def expect_run(context: Context) -> None:
    """Look at the account in the coming night, if its terms let money move by itself and nobody will yet."""
    terms = read(context)
    if terms["interval"] == MANUAL and not terms["debit_negative_balances"]:
        return
    if context.state.find(PAYOUT_RUNS, _ONLY):
        return
    runs_before = (context.clock.now() - _RUN_AT_SECONDS) // _DAY_SECONDS
    at = (runs_before + 1) * _DAY_SECONDS + _RUN_AT_SECONDS
    context.state.insert(PAYOUT_RUNS, {"id": _ONLY, "at": at})
    context.schedule("payout.run", at=at)


def begin_run(context: Context) -> Object:
    """Take the note of the run that is due now, and give the terms."""
    context.state.delete(PAYOUT_RUNS, _ONLY)
    return read(context)
