"""Subscription schedules: begun, moved from phase to phase, and ended.

https://docs.stripe.com/api/subscription_schedules
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, UnsupportedError
from ..funds.fees import application_id
from ..invoices.moments import now_for, schedule_for
from ..invoices.records import customer_of
from ..metadata import merged
from ..routing import Routes
from ..schedules import phases as planning
from ..schedules import running
from ..schedules.records import (
    ACTIVE,
    NOT_STARTED,
    RELEASED,
    SCHEDULES,
    is_open,
)
from ..subscriptions import beginning, changing, cycling
from ..subscriptions.records import RENEWING, SUBSCRIPTIONS
from ..values import Object
from .customers import before_deletion

routes = Routes(SCHEDULES)
_PATH: Final = "/v1/subscription_schedules"
_UNSUPPORTED: Final = ("billing_mode", "customer_account", "pause_schedules")
_NOT_WITH_A_SUBSCRIPTION: Final = ("customer", "default_settings", "end_behavior", "phases", "start_date")


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Plan phases for a new subscription, now or later, or take over one that there is."""
    context.unsupported(*_UNSUPPORTED)
    params = context.params
    if "from_subscription" in params:
        return _take_over(context, params["from_subscription"])
    for name in ("customer", "phases"):
        if not params.get(name):
            raise InvalidParameterError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    customer = beginning.buyer(context, params["customer"])
    now = now_for(context, customer)
    start: int = now if params.get("start_date", "now") == "now" else params["start_date"]
    if start < now:
        raise UnsupportedError("a start_date that has passed")
    phases = planning.build(context, params["phases"], start)
    running.require_trial_first(phases)
    schedule = context.state.insert(SCHEDULES, _blank(context, customer, now, phases))
    if start > now:
        schedule_for(context, customer, "subscription_schedule.start", at=start, schedule=schedule["id"], turn=0)
    else:
        schedule = running.start(context, schedule)
    context.emit("subscription_schedule.created", schedule)
    return schedule


@routes.api("GET", _PATH + "/{schedule}")
def retrieve(context: Context, schedule: str) -> Object:
    """The schedule as it stands."""
    return context.state.get(SCHEDULES, schedule)


@routes.api("GET", _PATH)
def list_schedules(context: Context) -> Object:
    """Schedules, newest first."""
    context.unsupported("canceled_at", "completed_at", "customer_account", "released_at")
    return context.list(SCHEDULES, {name: context.params.get(name) for name in ("customer", "scheduled")})


@routes.api("POST", _PATH + "/{schedule}")
def update(context: Context, schedule: str) -> Object:
    """Other phases from the current one on, other settings, another end."""
    context.unsupported(*_UNSUPPORTED)
    before, params = _require_open(context, schedule, "update"), context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "end_behavior" in params:
        changes["end_behavior"] = _end_behavior(params)
    if "default_settings" in params:
        given, settings = params["default_settings"], before["default_settings"]
        changes["default_settings"] = planning.default_settings(context, given, settings)
    if "phases" in params:
        changes["phases"] = running.replanned(context, before, params["phases"])
    after = context.state.update(SCHEDULES, before, changes)
    if after["status"] == ACTIVE and {"phases", "default_settings"} & set(params):
        behavior = params.get("proration_behavior")
        after = running.enter(context, after, running.phase_at(context, after), behavior=behavior)
    elif after["status"] == NOT_STARTED and "phases" in params:
        after = _replan_start(context, after)
    if after != before:
        context.emit("subscription_schedule.updated", after, previous=before)
    return after


@routes.api("POST", _PATH + "/{schedule}/release")
def release(context: Context, schedule: str) -> Object:
    """Leave the subscription to itself. ``preserve_cancel_date`` changes nothing: no schedule sets one here."""
    found = _require_open(context, schedule, "release")
    at = now_for(context, customer_of(context, found["customer"]))
    return running.let_go(context, found, RELEASED, {"released_at": at})


@routes.api("POST", _PATH + "/{schedule}/cancel")
def cancel(context: Context, schedule: str) -> Object:
    """End the schedule, and its subscription with it."""
    found, params = _require_open(context, schedule, "cancel"), context.params
    canceled = running.cancel(context, found, "canceled")
    subscription = context.state.find(SUBSCRIPTIONS, found["subscription"]) if found["subscription"] else None
    if subscription is not None and subscription["status"] in RENEWING:
        bills, prorates = params.get("invoice_now", True), params.get("prorate", True)
        changing.cancel(context, subscription, invoice_now=bills, prorate=prorates, details=None)
    return canceled


@routes.due("subscription_schedule.start")
def start_in_time(context: Context, schedule: str, turn: int) -> None:
    """A schedule's ``start_date`` has come."""
    found = context.state.get(SCHEDULES, schedule)
    if found["status"] == NOT_STARTED and found["_turn"] == turn:
        context.emit("subscription_schedule.updated", running.start(context, found), previous=found)


@routes.due("subscription_schedule.phase")
def change_phase(context: Context, schedule: str, turn: int) -> None:
    """A phase is over: the next one begins, or the schedule is done."""
    found = context.state.get(SCHEDULES, schedule)
    if found["status"] != ACTIVE or found["_turn"] != turn:
        return
    following = [each for each in found["phases"] if each["start_date"] >= found["current_phase"]["end_date"]]
    if not following:
        running.finish(context, found)
        return
    context.emit("subscription_schedule.updated", running.enter(context, found, following[0]), previous=found)


@routes.due("subscription_schedule.expiring")
def warn(context: Context, schedule: str, turn: int) -> None:
    """A schedule ends in seven days."""
    found = context.state.get(SCHEDULES, schedule)
    if found["status"] == ACTIVE and found["_turn"] == turn:
        context.emit("subscription_schedule.expiring", found)


@cycling.after_end
def follow(context: Context, subscription: Object) -> None:
    """A subscription has ended: so has its schedule."""
    found = context.state.find(SCHEDULES, subscription["schedule"]) if subscription["schedule"] else None
    if found is not None and is_open(found):
        is_late = subscription["cancellation_details"]["reason"] == "payment_failed"
        running.cancel(context, found, "aborted" if is_late else "canceled")


@before_deletion
def end_all(context: Context, customer: Object) -> None:
    """Nothing starts for a customer that is deleted."""
    for found in list(context.state.select(SCHEDULES, {"customer": customer["id"], "scheduled": True})):
        running.cancel(context, found, "canceled")


def _take_over(context: Context, subscription_id: str) -> Object:
    """A schedule whose first phase is what a subscription is now."""
    also = [name for name in _NOT_WITH_A_SUBSCRIPTION if name in context.params]
    if also:
        raise InvalidParameterError(f"You cannot set `{also[0]}` if `from_subscription` is set.", param=also[0])
    subscription = context.state.get(SUBSCRIPTIONS, subscription_id, param="from_subscription")
    changing.require_running(subscription)
    if subscription["schedule"]:
        raise InvalidRequestError(
            f"You cannot migrate a subscription that is already attached to a schedule: `{subscription['schedule']}`.",
            param="from_subscription",
        )
    if subscription["status"] not in RENEWING or subscription["cancel_at"]:
        raise UnsupportedError("a schedule from a subscription that is not renewed")
    if subscription["discounts"]:
        raise UnsupportedError("a schedule from a subscription with discounts")
    customer = customer_of(context, subscription["customer"])
    phase = planning.of_subscription(subscription)
    blank = _blank(context, customer, now_for(context, customer), [phase])
    taken = {"status": ACTIVE, "subscription": subscription["id"], "current_phase": running.dates(phase)}
    schedule = context.state.insert(SCHEDULES, {**blank, **taken})
    managed = context.state.update(SUBSCRIPTIONS, subscription, {"schedule": schedule["id"]})
    context.emit("customer.subscription.updated", managed, previous=subscription)
    schedule = running.plan(context, schedule)
    cycling.plan(context, managed)
    context.emit("subscription_schedule.created", schedule)
    return schedule


def _replan_start(context: Context, schedule: Object) -> Object:
    turn, at = schedule["_turn"] + 1, schedule["phases"][0]["start_date"]
    customer = customer_of(context, schedule["customer"])
    schedule_for(context, customer, "subscription_schedule.start", at=at, schedule=schedule["id"], turn=turn)
    return context.state.update(SCHEDULES, schedule, {"_turn": turn})


def _require_open(context: Context, schedule_id: str, act: str) -> Object:
    found = context.state.get(SCHEDULES, schedule_id)
    if not is_open(found):
        raise InvalidRequestError(
            f"You cannot {act} a subscription schedule that is currently in the `{found['status']}` status. It must be "
            "`not_started` or `active`.",
            param="schedule",
        )
    return found


def _end_behavior(params: Mapping[str, Any]) -> str:
    wanted: str = params.get("end_behavior", "release")
    if wanted not in ("release", "cancel"):
        raise UnsupportedError(f"end_behavior {wanted}")
    return wanted


def _blank(context: Context, customer: Object, now: int, phases: Sequence[Object]) -> dict[str, Any]:
    params = context.params
    return {
        "id": context.ids.new("sub_sched"),
        "object": "subscription_schedule",
        "application": None if context.is_platform else application_id(context),
        "billing_mode": {"flexible": None, "type": "flexible"},
        "canceled_at": None,
        "completed_at": None,
        "created": now,
        "current_phase": None,
        "customer": customer["id"],
        "customer_account": None,
        "default_settings": planning.default_settings(context, params.get("default_settings") or {}, None),
        "end_behavior": _end_behavior(params),
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "phases": list(phases),
        "released_at": None,
        "released_subscription": None,
        "status": NOT_STARTED,
        "subscription": None,
        "test_clock": customer.get("test_clock"),
        "_turn": 0,
    }
