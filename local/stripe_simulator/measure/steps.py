"""How much work a call is, counted in steps of the simulator's own code: the same on every machine.

A step is a line, a turn of a loop or a call. What C code does at once, such as sorting, is not counted.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any, Final

_PACKAGE: Final = str(Path(__file__).parents[1])
_TOOL: Final = sys.monitoring.PROFILER_ID


def steps(act: Callable[[], object]) -> int:
    """Do it, and count."""
    monitoring, events = sys.monitoring, sys.monitoring.events
    counted = (events.LINE, events.JUMP, events.PY_START, events.PY_RESUME)
    number = 0

    def count(code: CodeType, *_: object) -> Any:  # noqa: ANN401 - DISABLE, which has no type, or nothing
        nonlocal number
        if not code.co_filename.startswith(_PACKAGE):
            return monitoring.DISABLE
        number += 1
        return None

    monitoring.use_tool_id(_TOOL, "steps of the Stripe simulator")
    try:
        for event in counted:
            monitoring.register_callback(_TOOL, event, count)
        monitoring.restart_events()
        monitoring.set_events(_TOOL, sum(counted))
        act()
    finally:
        monitoring.set_events(_TOOL, events.NO_EVENTS)
        monitoring.free_tool_id(_TOOL)
    return number
