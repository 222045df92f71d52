"""What an operator asks for at a shell.

Exit codes: 0 all is well, 1 something was found that somebody must look at, 2 it could not be asked for.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from .deployments import CannotReach, FunctionFailed, deployment, invoke
from .tables import table

WELL, FOUND, CANNOT = 0, 1, 2

Answer = Mapping[str, Any]


class _Command(NamedTuple):
    """A function that is run, and how its answer is read."""

    function: str
    event: Callable[[argparse.Namespace], dict[str, Any]]
    is_well: Callable[[Answer], bool]


COMMANDS: Final = {
    "audit": _Command(
        "AuditFunction",
        lambda _: {},
        lambda answer: not (answer["findings"] or answer["discrepancies"] or answer["overdue"]),
    ),
    "reconcile": _Command(
        "ReconcileFunction",
        lambda _: {"is_asked": True},
        lambda answer: not (answer["unmatched"] or answer["unexplained"] or answer["troubles"]),
    ),
    "catch-up": _Command(
        "CatchUpFunction",
        lambda asked: {"since": asked.since} if asked.since else {},
        lambda answer: not answer["troubles"],
    ),
    "sweep": _Command("SweepFunction", lambda _: {}, lambda answer: not answer["troubles"]),
    "replay": _Command("CatchUpFunction", lambda asked: {"transaction_id": asked.transaction_id}, lambda _: True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; its exit code."""
    asked = _parser().parse_args(arguments)
    command = COMMANDS[asked.command]
    try:
        answer = invoke(deployment(asked.stack), command.function, command.event(asked))
    except (CannotReach, FunctionFailed) as problem:
        print(problem, file=sys.stderr)
        return CANNOT
    print(json.dumps(answer, indent=2) if asked.json else told(answer))
    return WELL if command.is_well(answer) else FOUND


def told(answer: Answer) -> str:
    """An answer for people: its counts, then a table of each list in it that is not empty."""
    lists = {name: rows for name, rows in answer.items() if isinstance(rows, list)}
    facts = {name: value for name, value in answer.items() if name not in lists}
    parts = [table(["", ""], [[_words(name), _text(value)] for name, value in facts.items()])]
    for name, rows in lists.items():
        if rows:
            parts += [_words(name), table([*rows[0]], [[_text(value) for value in row.values()] for row in rows])]
    return "\n\n".join(parts)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(each)}" for name, each in value.items()) or "none"
    return "" if value is None else str(value)


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--stack", metavar="NAME", help="the stack in AWS; without it the local cloud of `make run`")
    where.add_argument("--json", action="store_true", help="the answer as JSON")
    parser = argparse.ArgumentParser(prog="marketplace", description=__doc__)
    of = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    of.add_parser("audit", parents=[where], help="close the ledger and check the invariants; what is open")
    of.add_parser("reconcile", parents=[where], help="hold every account's balance transactions against the ledger")
    caught = of.add_parser("catch-up", parents=[where], help="take in what Stripe's lists of events have")
    caught.add_argument("--since", metavar="TIME", help="from there again, such as 2026-11-20T00:00:00Z")
    of.add_parser("sweep", parents=[where], help="finish what is due")
    replayed = of.add_parser("replay", parents=[where], help="read a transaction from Stripe's objects again")
    replayed.add_argument("transaction_id", metavar="TRANSACTION")
    return parser


if __name__ == "__main__":
    sys.exit(main())
