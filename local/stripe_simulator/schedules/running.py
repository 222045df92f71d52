"""How a schedule runs: it begins its subscription, changes it with each phase, and lets it go or ends it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..invoices.moments import now_for, schedule_for
from ..invoices.records import customer_of
from ..resources import subscriptions
from ..subscriptions import beginning, cycling
from ..subscriptions.records import RENEWING, SUBSCRIPTIONS, items_of
from ..values import Object
from . import phases as planning
from .records import ACTIVE, CANCELED, COMPLETED, SCHEDULES, move

EXPIRING_SECONDS: Final = 7 * 24 * 3_600


def start(context: Context, schedule: Object) -> Object:
    """Begin the subscription with the first phase."""
    phase = schedule["phases"][0]
    schedule = context.state.update(SCHEDULES, schedule, {"status": ACTIVE, "current_phase": dates(phase)})
    schedule = plan(context, schedule)
    terms = {name: each for name, each in planning.terms_of(schedule, phase).items() if each is not None}
    params = {**terms, "customer": schedule["customer"], "items": planning.sold_of(phase)}
    way = None if _can_pay(context, schedule, params) else "pending"
    made = beginning.begin(context, params, first_payment=way)  # type: ignore[arg-type]  # one of its words
    context.state.update(SUBSCRIPTIONS, made, {"schedule": schedule["id"]})
    return context.state.update(SCHEDULES, schedule, {"subscription": made["id"]})


def enter(context: Context, schedule: Object, phase: Mapping[str, Any], *, behavior: str | None = None) -> Object:
    """Make the subscription what a phase says.

    The end of the phase is noted before those of its periods: it comes first where both are one moment, and the period
    that begins then is billed by the next phase.
    """
    schedule = context.state.update(SCHEDULES, schedule, {"current_phase": dates(phase)})
    schedule = plan(context, schedule)
    subscription = context.state.get(SUBSCRIPTIONS, schedule["subscription"])
    terms = {name: "" if each is None else each for name, each in planning.terms_of(schedule, phase).items()}
    terms.pop("trial_end", None)  # of the first phase alone, which the subscription began with
    items = planning.changed_items(items_of(context.state, subscription), phase)
    changes = {"items": items} if items else {}
    params = {**terms, **changes, "proration_behavior": behavior or phase["proration_behavior"]}
    subscriptions.change(replace(context, params=params), subscription["id"])
    return context.state.get(SCHEDULES, schedule["id"])


def plan(context: Context, schedule: Object) -> Object:
    """Note when the current phase ends, and that the schedule will."""
    turn, current = schedule["_turn"] + 1, schedule["current_phase"]
    schedule = context.state.update(SCHEDULES, schedule, {"_turn": turn})
    customer = customer_of(context, schedule["customer"])
    moments = {"subscription_schedule.phase": current["end_date"]}
    warned = schedule["phases"][-1]["end_date"] - EXPIRING_SECONDS
    if current["start_date"] <= warned < current["end_date"] and warned > now_for(context, customer):
        moments["subscription_schedule.expiring"] = warned
    for name, at in moments.items():
        schedule_for(context, customer, name, at=at, schedule=schedule["id"], turn=turn)
    return schedule


def finish(context: Context, schedule: Object) -> None:
    """The last phase is over: the subscription goes on by itself, or ends."""
    at = schedule["current_phase"]["end_date"]
    if schedule["end_behavior"] != "cancel":
        let_go(context, schedule, COMPLETED, {"completed_at": at})
        return
    move(context, schedule, COMPLETED, {"completed_at": at, "current_phase": None}, COMPLETED)
    subscription = context.state.get(SUBSCRIPTIONS, schedule["subscription"])
    if subscription["status"] in RENEWING:
        cycling.end(context, subscription, reason="cancellation_requested")


def let_go(context: Context, schedule: Object, status: str, changes: Mapping[str, Any]) -> Object:
    """Let the subscription go on by itself; the schedule is ``status``."""
    if schedule["subscription"]:
        subscription = context.state.get(SUBSCRIPTIONS, schedule["subscription"])
        freed = context.state.update(SUBSCRIPTIONS, subscription, {"schedule": None})
        context.emit("customer.subscription.updated", freed, previous=subscription)
    gone = {"current_phase": None, "released_subscription": schedule["subscription"], "subscription": None}
    return move(context, schedule, status, {**gone, **changes}, status)


def cancel(context: Context, schedule: Object, event: str) -> Object:
    """The schedule canceled, its subscription not yet; told of as ``event``."""
    at = now_for(context, customer_of(context, schedule["customer"]))
    return move(context, schedule, CANCELED, {"canceled_at": at, "current_phase": None}, event)


def phase_at(context: Context, schedule: Object) -> dict[str, Any]:
    """The phase that a schedule is in now."""
    now = now_for(context, customer_of(context, schedule["customer"]))
    found: dict[str, Any] = next(each for each in schedule["phases"] if each["start_date"] <= now < each["end_date"])
    return found


def replanned(context: Context, schedule: Object, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The phases as a request says them, those that are over before them."""
    current = schedule["current_phase"]
    first = given[0].get("start_date") if given else None
    known = [phase["start_date"] for phase in schedule["phases"]]
    now = now_for(context, customer_of(context, schedule["customer"]))
    if current is None:
        start = known[0] if first is None else first
        if not isinstance(start, int) or start <= now:
            raise UnsupportedError("phases that begin a schedule now")
        phases = planning.build(context, given, start)
        require_trial_first(phases)
        return phases
    if first is None or first not in known or first > current["start_date"]:
        raise InvalidParameterError(
            "The phases must include the current phase, with the `start_date` that it has.",
            param="phases[0][start_date]",
        )
    phases = [each for each in schedule["phases"] if each["start_date"] < first]
    phases += planning.build(context, given, first)
    require_trial_first(phases)
    if phases[-1]["end_date"] <= now or all(each["start_date"] != current["start_date"] for each in phases):
        raise InvalidParameterError("The current phase ends in the future.", param="phases")
    return phases


def require_trial_first(phases: Sequence[Mapping[str, Any]]) -> None:
    """Refuse trials of later phases, which are not simulated.

    Raises:
        UnsupportedError.
    """
    if any(phase["trial_end"] for phase in phases[1:]):
        raise UnsupportedError("a trial after the first phase")


def _can_pay(context: Context, schedule: Object, params: Mapping[str, Any]) -> bool:
    """Whether there is anything to pay the first invoice with; else it waits for the buyer, as an incomplete one."""
    if params["collection_method"] == "send_invoice" or "default_payment_method" in params:
        return True
    customer = customer_of(context, schedule["customer"])
    return bool((customer.get("invoice_settings") or {}).get("default_payment_method"))


def dates(phase: Mapping[str, Any]) -> dict[str, int]:
    """``current_phase``."""
    return {"end_date": phase["end_date"], "start_date": phase["start_date"]}
