"""The functions that run by themselves, run now: `audit`, `reconcile`, `catch-up`, `sweep`, `replay`."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import Any, Final

from .answers import Answer, Subcommand
from .deployments import Deployment, invoke
from .progress import waiting_for

Event = dict[str, Any]
Counts = Mapping[str, Any]


def _run(
    function: str, event: Callable[[Namespace], Event], is_well: Callable[[Counts], bool]
) -> Callable[[Deployment, Namespace], Answer]:
    def run(where: Deployment, asked: Namespace) -> Answer:
        with waiting_for(function):
            counts = invoke(where, function, event(asked))
        return Answer(facts=counts, is_well=is_well(counts))

    return run


def _since(parser: ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="from there again, such as 2026-11-20T00:00:00Z")


def _transaction(parser: ArgumentParser) -> None:
    parser.add_argument("transaction_id", metavar="TRANSACTION")


SUBCOMMANDS: Final = (
    Subcommand(
        ("audit",),
        "close the ledger and check the invariants; what is open",
        _run(
            "AuditFunction",
            lambda _: {},
            lambda counts: not (counts["findings"] or counts["discrepancies"] or counts["overdue"]),
        ),
    ),
    Subcommand(
        ("reconcile",),
        "hold every account's balance transactions against the ledger",
        _run(
            "ReconcileFunction",
            lambda _: {"is_asked": True},
            lambda counts: not (counts["unmatched"] or counts["unexplained"] or counts["troubles"]),
        ),
    ),
    Subcommand(
        ("catch-up",),
        "take in what Stripe's lists of events have",
        _run(
            "CatchUpFunction",
            lambda asked: {"since": asked.since} if asked.since else {},
            lambda counts: not counts["troubles"],
        ),
        _since,
    ),
    Subcommand(
        ("sweep",), "finish what is due", _run("SweepFunction", lambda _: {}, lambda counts: not counts["troubles"])
    ),
    Subcommand(
        ("replay",),
        "read a transaction from Stripe's objects again",
        _run("CatchUpFunction", lambda asked: {"transaction_id": asked.transaction_id}, lambda _: True),
        _transaction,
    ),
)
