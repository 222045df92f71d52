"""What merchants may do with their money by themselves: the operator's decisions, in one table. Operators may all."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Self

from marketplace.domain.components import COMPONENTS, SHOWN
from marketplace.domain.errors import NotAllowed
from marketplace.domain.payout_schedules import MOST_DELAY_DAYS, Interval, PayoutSchedule


class MerchantRights(NamedTuple):
    """The decisions, as a deployment's parameter ``MerchantRights`` names them in JSON; those left out are as here.

    ``intervals`` are the payout intervals that merchants choose among, ``least_delay_days`` is from how many days on
    they may choose the delay (None: not at all), ``minimum_balances`` lets them say what automatic payouts leave.
    ``payouts`` and ``instant_payouts`` let them ask for a payout now. ``components`` are the embedded components that
    they may ask for, with the features of each.
    """

    intervals: tuple[Interval, ...] = (Interval.DAILY, Interval.WEEKLY, Interval.MONTHLY)
    least_delay_days: int | None = None
    minimum_balances: bool = True
    payouts: bool = False
    instant_payouts: bool = False
    components: Mapping[str, frozenset[str]] = SHOWN

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The rights that the names and values of a JSON object say.

        Raises:
            ValueError: a name that is none of these, or a value of another kind.
        """
        unknown = sorted(set(given) - set(cls._fields))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: known are {', '.join(cls._fields)}")
        return cls(**{name: _READ[name](value) for name, value in given.items()})


def require_allowed(before: PayoutSchedule, after: PayoutSchedule, rights: MerchantRights) -> None:
    """Refuse a merchant what the operator keeps to itself; what stays as it is needs no right.

    An account on an interval that merchants may not choose was put there by an operator, and they may not leave it.

    Raises:
        NotAllowed.
    """
    if after.days != before.days:
        kept = [each for each in (before.interval, after.interval) if each not in rights.intervals]
        if kept:
            raise NotAllowed(f"merchants change the schedule among: {', '.join(rights.intervals) or 'none'}")
    if after.delay_days != before.delay_days:
        least = rights.least_delay_days
        if least is None or (after.delay_days is None or after.delay_days < least):
            raise NotAllowed("delay_days are the operator's" if least is None else f"delay_days are at least {least}")
    if after.minimum_balances != before.minimum_balances and not rights.minimum_balances:
        raise NotAllowed("minimum_balances are the operator's")


def _boolean(given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError("minimum_balances, payouts and instant_payouts are true or false")  # noqa: TRY004 - of JSON
    return given


def _intervals(given: object) -> tuple[Interval, ...]:
    if not (isinstance(given, list) and set(map(str, given)) <= set(Interval)):
        raise ValueError(f"intervals is a list of {', '.join(Interval)}")
    return tuple(map(Interval, given))


def _days(given: object) -> int | None:
    is_number = isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_DELAY_DAYS
    if not (given is None or is_number):
        raise ValueError(f"least_delay_days is null, or from 0 to {MOST_DELAY_DAYS}")
    return given  # type: ignore[return-value]  # judged above


def _components(given: object) -> Mapping[str, frozenset[str]]:
    if not isinstance(given, Mapping):
        raise ValueError("components is an object of components, each with a list of features")  # noqa: TRY004 - of JSON
    for name, features in given.items():
        if name not in COMPONENTS or not (isinstance(features, list) and set(map(str, features)) <= COMPONENTS[name]):
            known = ", ".join(sorted(COMPONENTS.get(name, COMPONENTS))) or "no features"
            raise ValueError(f"components: {name} is none, or has other features; known are {known}")
    return {name: frozenset(features) for name, features in given.items()}


_READ: Final[Mapping[str, Callable[[object], Any]]] = {
    "intervals": _intervals,
    "least_delay_days": _days,
    "minimum_balances": _boolean,
    "payouts": _boolean,
    "instant_payouts": _boolean,
    "components": _components,
}
