"""`ledger` and `export`: balances now or at a moment, and files for the bookkeeper."""

from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from .answers import Answer, Subcommand, rows_told
from .deployments import Cannot, Deployment
from .progress import say
from .requests import Reply, ask

FUNCTION: Final = "LedgerFunction"
EXPORTS: Final = ("ledger", "transactions")


def _trial_balance(where: Deployment, asked: Namespace) -> Answer:
    found = ask(where, FUNCTION, "GET", "/ledger/trial-balance", query=_at(asked)).json
    return Answer(facts=found, text=_told(found))


def _account(where: Deployment, asked: Namespace) -> Answer:
    found = ask(where, FUNCTION, "GET", f"/ledger/accounts/{asked.account}", query=_at(asked)).json
    return Answer(facts=found, text=_told(found))


def _told(found: dict[str, Any]) -> str:
    lists = [rows for rows in found.values() if isinstance(rows, list) and rows]
    facts = "\n".join(f"{name}: {value}" for name, value in found.items() if not isinstance(value, list))
    return "\n\n".join([facts, *map(rows_told, lists)])


def _at(asked: Namespace) -> dict[str, str]:
    return {"at": asked.at} if asked.at else {}


def _export(where: Deployment, asked: Namespace) -> Answer:
    """Part after part, because an answer of the API has its limit: each begins where the last one ended."""
    since, rows, parts = asked.since, 0, 0
    until = {"until": asked.until} if asked.until else {}
    with Path(asked.file).open("w", encoding="utf-8", newline="") as file:
        while True:
            part = ask(where, FUNCTION, "GET", f"/exports/{asked.what}", query={"since": since, **until})
            rows += _append(file, part, is_first=parts == 0)
            parts += 1
            reached = part.headers["export-until"]
            if part.headers["export-complete"] == "true":
                break
            if datetime.fromisoformat(reached) <= datetime.fromisoformat(since):
                raise Cannot(f"{asked.file} ends at {reached}: more happened in that moment than one answer holds.")
            since = reached
            say(f"{rows} rows, up to {reached}")
    return Answer(facts={"file": asked.file, "rows": rows, "parts": parts, "until": reached})


def _append(file: Any, part: Reply, *, is_first: bool) -> int:  # noqa: ANN401 - an open text file
    heads, *lines = part.body.splitlines(keepends=True)
    file.writelines([heads, *lines] if is_first else lines)
    return len(lines)


def _moment(parser: ArgumentParser) -> None:
    parser.add_argument("--at", metavar="TIME", help="counting what was booked before, such as 2026-11-20T00:00:00Z")


def _of_account(parser: ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", help="such as stripe_balance")
    _moment(parser)


def _period(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=EXPORTS)
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--since", metavar="TIME", required=True, help="such as 2026-11-01T00:00:00Z")
    parser.add_argument("--until", metavar="TIME", help="now when absent")


SUBCOMMANDS: Final = (
    Subcommand(("ledger", "trial-balance"), "every account that is not at rest", _trial_balance, _moment),
    Subcommand(("ledger", "account"), "the balance of one account", _account, _of_account),
    Subcommand(("export",), "a period as CSV, into a file", _export, _period),
)
