"""`dead-letters`: events that were set aside, shown and put back."""

import json
from argparse import ArgumentParser, Namespace
from typing import Any, Final

from .answers import Answer, Subcommand
from .deployments import Deployment
from .progress import say
from .requests import Refused, ask

FUNCTION: Final = "DeadLettersFunction"
SHOWN: Final = ("id", "is_readable", "event_type", "event_id", "transaction_id", "sent_at", "tries")


def _list(where: Deployment, _: Namespace) -> Answer:
    found = ask(where, FUNCTION, "GET", "/dead-letters").json
    rows = [{name: each[name] for name in SHOWN} for each in found["data"]]
    facts = {"waiting": found["waiting"], "is_complete": found["is_complete"], "dead_letters": rows}
    return Answer(facts=facts, is_well=not found["waiting"], text=None if found["waiting"] else "There are none.")


def _show(where: Deployment, asked: Namespace) -> Answer:
    found = ask(where, FUNCTION, "GET", f"/dead-letters/{asked.id}").json
    return Answer(facts={**found, "body": _readable(found["body"])}, text=_told(found))


def _told(found: dict[str, Any]) -> str:
    facts = "\n".join(f"{name}: {value}" for name, value in found.items() if name != "body")
    return f"{facts}\n\n{json.dumps(_readable(found['body']), indent=2)}"


def _readable(body: str) -> Any:  # noqa: ANN401 - whatever was sent
    try:
        return json.loads(body)
    except ValueError:
        return body


def _redrive(where: Deployment, asked: Namespace) -> Answer:
    if not asked.all:
        return Answer(facts=_put_back(where, asked.id))
    done, kept = [], []
    for each in ask(where, FUNCTION, "GET", "/dead-letters").json["data"]:
        try:
            done.append(_put_back(where, each["id"]))
            say(f"put back {each['event_id']}")
        except Refused as problem:
            kept.append({"id": each["id"], "event_id": each["event_id"], "because": str(problem)})
    left = ask(where, FUNCTION, "GET", "/dead-letters").json["waiting"]
    return Answer(facts={"put_back": len(done), "waiting": left, "kept": kept}, is_well=not left)


def _put_back(where: Deployment, letter_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(where, FUNCTION, "POST", f"/dead-letters/{letter_id}/redrive").json
    return {name: found[name] for name in ("event_id", "event_type", "transaction_id")}


def _one(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")


def _one_or_all(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("id", metavar="ID", nargs="?")
    which.add_argument("--all", action="store_true", help="all that one look sees")


SUBCOMMANDS: Final = (
    Subcommand(("dead-letters", "list"), "events that were set aside", _list),
    Subcommand(("dead-letters", "show"), "one, with what Stripe sent (which may be personal)", _show, _one),
    Subcommand(("dead-letters", "redrive"), "put back onto the queue of events", _redrive, _one_or_all),
)
