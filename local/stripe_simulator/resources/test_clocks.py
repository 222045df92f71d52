"""Test clocks: the time of some customers' billing, moved by hand. https://docs.stripe.com/api/test_clocks"""

from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..invoices.moments import CLOCK_TASKS, TEST_CLOCKS
from ..resources.customers import CUSTOMERS, remove
from ..routing import Routes
from ..values import Object

routes = Routes(TEST_CLOCKS, CLOCK_TASKS)
_PATH: Final = "/v1/test_helpers/test_clocks"
_LIFE_SECONDS: Final = 30 * 24 * 3_600
MOST_STEPS: Final = 10_000  # of one advance: two years of a daily subscription have some 2,200


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """A clock that stands at a moment."""
    params = context.params
    clock = {
        "id": context.ids.new("clock"),
        "object": "test_helpers.test_clock",
        "created": context.clock.now(),
        "deletes_after": context.clock.now() + _LIFE_SECONDS,
        "frozen_time": params["frozen_time"],
        "livemode": False,
        "name": params.get("name") or None,
        "status": "ready",
        "status_details": {},
    }
    context.state.insert(TEST_CLOCKS, clock)
    context.emit("test_helpers.test_clock.created", clock)
    return clock


@routes.api("GET", _PATH + "/{test_clock}")
def retrieve(context: Context, test_clock: str) -> Object:
    """The clock as it stands."""
    return context.state.get(TEST_CLOCKS, test_clock)


@routes.api("GET", _PATH)
def list_clocks(context: Context) -> Object:
    """Clocks, newest first."""
    return context.list(TEST_CLOCKS)


@routes.api("DELETE", _PATH + "/{test_clock}")
def delete(context: Context, test_clock: str) -> Object:
    """Delete a clock with its customers."""
    clock = context.state.get(TEST_CLOCKS, test_clock)
    for customer in list(context.state.select(CUSTOMERS, {"test_clock": test_clock})):
        remove(context, customer)
    for task in list(context.state.select(CLOCK_TASKS, {"test_clock": test_clock})):
        context.state.delete(CLOCK_TASKS, task["id"])
    context.state.delete(TEST_CLOCKS, test_clock)
    context.emit("test_helpers.test_clock.deleted", clock)
    return {"id": test_clock, "object": "test_helpers.test_clock", "deleted": True}


@routes.api("POST", _PATH + "/{test_clock}/advance")
def advance(context: Context, test_clock: str) -> Object:
    """Move the clock forward; what falls due on the way is done after the answer, each at its time."""
    clock, to = context.state.get(TEST_CLOCKS, test_clock), context.params["frozen_time"]
    if clock["status"] != "ready":
        raise InvalidRequestError("The test clock is advancing already.", code="clock_advancement_underway")
    if to <= clock["frozen_time"]:
        raise InvalidParameterError("The new time must be after the clock's frozen time.", param="frozen_time")
    moving = context.state.update(TEST_CLOCKS, clock, {"status": "advancing", "frozen_time": to})
    moving = context.state.update(TEST_CLOCKS, moving, {"_moment": clock["frozen_time"]})
    context.emit("test_helpers.test_clock.advancing", moving)
    context.schedule("test_clock.step", at=context.clock.now(), test_clock=test_clock, steps=0)
    return moving


@routes.due("test_clock.step")
def step(context: Context, test_clock: str, steps: int) -> None:
    """Do the next thing that falls due by a clock that is advancing; when there is none, it is ready."""
    clock = context.state.find(TEST_CLOCKS, test_clock)
    if clock is None:
        return
    waiting = context.state.select(CLOCK_TASKS, {"test_clock": test_clock}, ascending=True)
    due = sorted((task for task in waiting if task["at"] <= clock["frozen_time"]), key=lambda task: task["at"])
    if not due or steps >= MOST_STEPS:
        status = "ready" if not due else "internal_failure"
        ready = context.state.update(TEST_CLOCKS, clock, {"status": status, "_moment": None})
        context.emit(f"test_helpers.test_clock.{'ready' if not due else 'internal_failure'}", ready)
        return
    task: Object = due[0]
    at = max(task["at"], clock["_moment"] or 0)
    context.state.update(TEST_CLOCKS, clock, {"_moment": at})
    context.state.delete(CLOCK_TASKS, task["id"])
    arguments: dict[str, Any] = dict(task["arguments"])
    now = context.clock.now()
    context.schedule(task["name"], at=now, **arguments)
    context.schedule("test_clock.step", at=now, test_clock=test_clock, steps=steps + 1)
