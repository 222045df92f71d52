"""One table is a state machine; this is how a move is held against it."""

from collections.abc import Mapping
from enum import StrEnum


class ImpossibleTransition(AssertionError):
    """A move that the table does not allow: a mistake of ours, never of a caller."""


def require_transition[S: StrEnum](table: Mapping[S, frozenset[S]], before: S, after: S) -> None:
    """Assert that ``table`` allows the move."""
    if after not in table[before]:
        raise ImpossibleTransition(f"{type(before).__name__}: {before} -> {after}")
