"""`commands`: what was asked of Stripe without an outcome yet."""

from argparse import ArgumentParser, Namespace
from typing import Final

from .answers import Answer, Subcommand
from .deployments import Deployment
from .requests import ask

FUNCTION: Final = "CommandsFunction"
SHOWN: Final = ("subject", "id", "kind", "waits_for", "doubt", "tries", "created_at", "due_at", "is_late")


def _list(where: Deployment, asked: Namespace) -> Answer:
    found = ask(where, FUNCTION, "GET", "/commands").json
    rows = [{name: each[name] for name in SHOWN} for each in found["data"] if each["is_late"] or not asked.late]
    facts = {"is_complete": found["is_complete"], "commands": rows}
    is_well = not any(each["is_late"] for each in found["data"])
    return Answer(facts=facts, is_well=is_well, text=None if rows else "There are none.")


def _retry(where: Deployment, asked: Namespace) -> Answer:
    command = ask(where, FUNCTION, "POST", f"/commands/{asked.subject}/{asked.id}/retry").json
    return Answer(facts=command, is_well=command["status"] == "succeeded")


def _late(parser: ArgumentParser) -> None:
    parser.add_argument("--late", action="store_true", help="only those that are open for over a day")


def _one(parser: ArgumentParser) -> None:
    parser.add_argument("subject", metavar="SUBJECT", help="whose it is: as `commands list` says")
    parser.add_argument("id", metavar="ID")


SUBCOMMANDS: Final = (
    Subcommand(("commands", "list"), "what is open, why it waits, when it is tried next", _list, _late),
    Subcommand(("commands", "retry"), "try one now", _retry, _one),
)
