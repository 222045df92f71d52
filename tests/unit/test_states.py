"""Every pair of states of every machine, against its table."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from marketplace.domain import commands, customers, merchant_states, refunds, transactions
from marketplace.domain.states import ImpossibleTransition, require_transition

TABLES: list[Mapping[StrEnum, frozenset[StrEnum]]] = [
    commands.TRANSITIONS,  # type: ignore[list-item]  # a mapping is invariant in its key
    refunds.TRANSITIONS,  # type: ignore[list-item]
    transactions.TRANSITIONS,  # type: ignore[list-item]
]
ALL: list[Mapping[StrEnum, frozenset[StrEnum]]] = [
    *TABLES,
    customers.TRANSITIONS,  # type: ignore[list-item]  # who was refused may be asked for again
    merchant_states.TRANSITIONS,  # type: ignore[list-item]  # what an account says of itself goes back and forth
]


@pytest.mark.parametrize("table", ALL)
def test_every_state_has_its_row(table: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    states = type(next(iter(table)))
    assert set(table) == set(states)


@pytest.mark.parametrize("table", ALL)
def test_only_what_the_table_allows_is_allowed(table: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    for before in table:
        for after in table:
            if after in table[before]:
                require_transition(table, before, after)
            else:
                with pytest.raises(ImpossibleTransition):
                    require_transition(table, before, after)


@pytest.mark.parametrize("table", TABLES)
def test_no_machine_goes_in_circles(table: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    """But for a state that may follow itself, nothing comes back: what has ended stays so."""

    def reachable(state: StrEnum, seen: frozenset[StrEnum]) -> frozenset[StrEnum]:
        for after in table[state] - seen - {state}:
            seen = reachable(after, seen | {after})
        return seen

    assert all(state not in reachable(state, frozenset()) for state in table)
