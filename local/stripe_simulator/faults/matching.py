"""Which request or delivery meets which order: counted in the order itself, so that a snapshot keeps the count."""

import random
import re
from collections.abc import Collection as Container
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from ..shelves import Collection
from ..state import State
from ..values import Object
from .orders import Effect

FAULTS: Final = Collection("_fault", indexes=("waits_for",))
"""On the platform: an order as it was read, ``seen`` and ``met`` (how often), and
``waits_for``: its kind until it is used up."""


def meet(state: State, kind: str, facts: Mapping[str, str], *, but: Container[Effect] = frozenset()) -> Object | None:
    """The oldest order whose turn it is with a request or delivery of these facts; every order it concerns counts it.

    ``facts`` has ``account`` and either ``method`` and ``path`` or ``event_type``; nothing in ``but`` happens to it.
    """
    chosen: Object | None = None
    for order in list(state.select(FAULTS, {"waits_for": kind}, ascending=True)):
        if order["effect"] in but or not _concerns(order, facts):
            continue
        number = order["seen"] + 1
        is_met = chosen is None and number > order["skip"] and chance(order, number) < order["probability"]
        met = order["met"] + is_met
        is_open = order["count"] is None or met < order["count"]
        changed = state.update(FAULTS, order, {"seen": number, "met": met, "waits_for": kind if is_open else None})
        if is_met:
            chosen = changed
    return chosen


def chance(order: Object, number: int, use: str = "") -> float:
    """From 0 up to 1: the same for the same order's seed, the same occasion and the same use."""
    return random.Random(f"{order['seed']}:{number}:{use}").random()  # noqa: S311 - to be repeated, not to be secret


def _concerns(order: Object, facts: Mapping[str, str]) -> bool:
    for name, value in facts.items():
        wanted = order[name]
        if wanted is not None and not _pattern(wanted).fullmatch(value):
            return False
    return True


@cache
def _pattern(wanted: str) -> re.Pattern[str]:
    """``*`` stands for anything, ``{name}`` for one segment of a path."""
    parts: list[Any] = re.split(r"(\*|\{\w*\})", wanted)
    return re.compile(
        "".join(".*" if part == "*" else "[^/]+" if part[:1] == "{" else re.escape(part) for part in parts)
    )
