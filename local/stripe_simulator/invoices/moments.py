"""The time of billing: a customer's test clock, where it has one, else the simulator's.

A test clock stands until it is advanced; what falls due by it is noted beside it and done when it gets there.
https://docs.stripe.com/billing/testing/test-clocks
"""

from typing import Final

from ..context import Context
from ..shelves import Collection, Index
from ..values import Json, Object

TEST_CLOCKS: Final = Collection("test_helpers.test_clock", path="/v1/test_helpers/test_clocks")
CLOCK_TASKS: Final = Collection("_clock_task", indexes=("test_clock",))
"""``{id, test_clock, at, name, arguments}``: what a due handler does when the test clock shows ``at``."""

NO_CLOCK: Final = ""
BY_CLOCK: Final = Index("test_clock", lambda billed: (billed.get("test_clock") or NO_CLOCK,))
"""Lists show what is on a test clock, or what is on none."""


def now_for(context: Context, customer: Object | None) -> int:
    """The time by which a customer is billed."""
    clock = _clock_of(context, customer)
    if clock is None:
        return context.clock.now()
    moment: int = clock.get("_moment") or clock["frozen_time"]
    return moment


def schedule_for(context: Context, customer: Object | None, name: str, *, at: int, **arguments: Json) -> None:
    """Let the handler registered with ``routes.due(name)`` run when the customer's clock shows ``at``."""
    clock = _clock_of(context, customer)
    if clock is None:
        context.schedule(name, at=at, **arguments)
        return
    task = {"id": context.ids.new("_task"), "test_clock": clock["id"], "at": at, "name": name, "arguments": arguments}
    context.state.insert(CLOCK_TASKS, task)


def _clock_of(context: Context, customer: Object | None) -> Object | None:
    named = customer.get("test_clock") if customer else None
    return context.state.find(TEST_CLOCKS, named) if named else None
