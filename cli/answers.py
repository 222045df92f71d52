"""What a command found, for people and for programs."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .deployments import Deployment
from .tables import table

WELL, FOUND, CANNOT = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``facts`` as JSON; ``text`` where people are told otherwise. ``is_well``: nobody has to look at it."""

    facts: Any
    is_well: bool = True
    text: str | None = None

    @property
    def exit_code(self) -> int:
        """What the shell gets."""
        return WELL if self.is_well else FOUND

    def shown(self, *, as_json: bool) -> str:
        """What is printed."""
        if as_json:
            return json.dumps(self.facts, indent=2)
        return told(self.facts) if self.text is None else self.text


class Subcommand(NamedTuple):
    """One command: its words, such as ``("webhooks", "sync")``, and what it does."""

    words: tuple[str, ...]
    help: str
    run: Callable[[Deployment, Namespace], Answer]
    options: Callable[[ArgumentParser], None] = lambda _: None


def told(facts: Mapping[str, Any]) -> str:
    """An answer for people: its single facts, then a table of each list of objects in it that is not empty."""
    lists = {name: rows for name, rows in facts.items() if isinstance(rows, list) and _are_objects(rows)}
    single = {name: value for name, value in facts.items() if name not in lists}
    parts = [table(["", ""], [[words(name), text(value)] for name, value in single.items()])] if single else []
    for name, rows in lists.items():
        if rows:
            parts += [words(name), rows_told(rows)]
    return "\n\n".join(parts)


def _are_objects(rows: list[Any]) -> bool:
    return all(isinstance(row, Mapping) for row in rows)


def rows_told(rows: list[Any]) -> str:
    """A table of objects that have the same members."""
    return table([words(name) for name in rows[0]], [[text(value) for value in row.values()] for row in rows])


def words(name: str) -> str:
    """A member's name for people."""
    return name.replace("_", " ")


def text(value: object) -> str:
    """A member's value for people."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {text(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(text, value))
    return "" if value is None else str(value)
