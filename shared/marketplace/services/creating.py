"""Create what is missing, and nothing twice: for what is named by what it follows from."""

from collections.abc import Mapping, Sequence
from typing import Final

from marketplace.domain.errors import Unavailable
from marketplace.ports import Conflict, Create, Item, Ports, Ref

MOST_AT_ONCE: Final = 100
MOST_COMMIT_TRIES: Final = 12


def create_missing[T: Item](ports: Ports, wanted: Sequence[tuple[Ref[T], T]]) -> Mapping[str, T]:
    """Up to 100 items by id, each as it is there or as it was created now.

    Raises:
        Unavailable: they keep changing.
    """
    for _ in range(MOST_COMMIT_TRIES):
        found = ports.store.get(*(ref for ref, _ in wanted)) if wanted else None
        there = {ref.id: item for ref, _ in wanted if found and (item := found(ref)) is not None}
        missing = {ref.id: item for ref, item in wanted if ref.id not in there}
        try:
            ports.store.commit(*map(Create, missing.values()))
        except Conflict:
            continue
        return there | missing
    raise Unavailable("what is to be created keeps being created")
