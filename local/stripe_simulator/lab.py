"""The laboratory from a shell: ``python -m local.stripe_simulator.lab [--url URL] [--json] COMMAND ...``.

clock show | clock advance SECONDS | clock set SECOND      move time, and have done what falls due
faults list | faults order EFFECT [NAME=VALUE ...] | faults cancel ID | faults clear
snapshot list | snapshot save NAME | snapshot load NAME | snapshot delete NAME
requests [LIMIT] | deliveries [LIMIT] | redeliver EVENT | reset
roll-secret ENDPOINT [SECONDS]                          a new signing secret; the old one signs too for so long
order PATH [NAME=VALUE ...]                             any other order, such as charges/ch_.../dispute amount=5000

Exit codes: 0 done, 1 refused by the simulator (the reason is on standard error), 2 misused, 3 no simulator there.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import httpx

from .clock import rfc3339

DEFAULT_URL: Final = "http://127.0.0.1:12111"
DONE, REFUSED, ABSENT = 0, 1, 3
_TIMEOUT_SECONDS: Final = 60.0  # moving the clock over months does much
_WIDEST: Final = 48  # characters of a cell


class Call(NamedTuple):
    """What a command asks of the simulator, and which members of its answer make the table."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    columns: tuple[str, ...]


_CLOCK_COLUMNS: Final = ("now", "standing", "platform")
_FAULT_COLUMNS: Final = ("id", "effect", "method", "path", "event_type", "account", "count", "met", "waits_for")
_SNAPSHOT_COLUMNS: Final = ("name", "objects", "clock")
_REQUEST_COLUMNS: Final = ("at", "method", "path", "account", "status", "outcome", "object_id", "replayed", "fault")
_DELIVERY_COLUMNS: Final = ("id", "event_type", "event", "account", "status", "attempts", "effect")
_SECRET_COLUMNS: Final = ("id", "secret", "old_secret_expires_at")
_OBJECT_COLUMNS: Final = ("object", "id", "status", "amount", "currency")
_SECONDS: Final = frozenset({"at", "now", "old_secret_expires_at"})

type Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"
type Build = Callable[[argparse.Namespace], Call]


def _parser() -> argparse.ArgumentParser:
    about, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="lab", description=about, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default=DEFAULT_URL, help=f"where the simulator listens (default {DEFAULT_URL})")
    parser.add_argument("--json", action="store_true", help="the answer as it came, for scripts")
    groups = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_clock(_group(groups, "clock", "look at the clock, or move it"))
    _add_faults(_group(groups, "faults", "let requests and deliveries go wrong"))
    _add_snapshots(_group(groups, "snapshot", "keep states, and go back to them"))
    for name, columns in (("requests", _REQUEST_COLUMNS), ("deliveries/log", _DELIVERY_COLUMNS)):
        _add_log(groups, name, columns)
    again = _command(groups, "redeliver", lambda told: Call("POST", f"/events/{told.event}/redeliver", {}, ("queued",)))
    again.add_argument("event")
    roll = _command(groups, "roll-secret", _roll)
    roll.add_argument("endpoint")
    roll.add_argument("seconds", type=int, nargs="?", default=0)
    give = _command(groups, "order", lambda told: Call("POST", f"/{told.path}", _typed(told.options), _OBJECT_COLUMNS))
    give.add_argument("path")
    give.add_argument("options", nargs="*", type=_option, metavar="NAME=VALUE", help="amount=5000 inquiry=true ...")
    _command(groups, "reset", lambda _: Call("POST", "/reset", {}, _CLOCK_COLUMNS))
    return parser


def _group(groups: Commands, name: str, about: str) -> Commands:
    return groups.add_parser(name, help=about).add_subparsers(required=True, metavar="COMMAND")


def _command(commands: Commands, name: str, build: Build) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name)
    parser.set_defaults(build=build)
    return parser


def _add_log(groups: Commands, path: str, columns: tuple[str, ...]) -> None:
    name = path.partition("/")[0]
    log = _command(groups, name, lambda told: Call("GET", f"/{path}?limit={told.limit}", None, columns))
    log.add_argument("limit", type=int, nargs="?", default=20)


def _add_clock(commands: Commands) -> None:
    _command(commands, "show", lambda _: Call("GET", "/health", None, _CLOCK_COLUMNS))
    for name, param in (("advance", "advance_seconds"), ("set", "now")):
        _add_move(commands, name, param)


def _add_move(commands: Commands, name: str, param: str) -> None:
    move = _command(commands, name, lambda told: Call("POST", "/clock", {param: told.seconds}, _CLOCK_COLUMNS))
    move.add_argument("seconds", type=int)


def _add_faults(commands: Commands) -> None:
    _command(commands, "list", lambda _: Call("GET", "/faults", None, _FAULT_COLUMNS))
    _command(commands, "clear", lambda _: Call("DELETE", "/faults", None, ("canceled",)))
    cancel = _command(commands, "cancel", lambda told: Call("DELETE", f"/faults/{told.id}", None, ("canceled",)))
    cancel.add_argument("id")
    order = _command(commands, "order", lambda told: Call("POST", "/faults", _order(told), _FAULT_COLUMNS))
    order.add_argument("effect")
    order.add_argument("options", nargs="*", type=_option, metavar="NAME=VALUE", help="path=/v1/refunds* count=2 ...")


def _add_snapshots(commands: Commands) -> None:
    _command(commands, "list", lambda _: Call("GET", "/snapshots", None, _SNAPSHOT_COLUMNS))
    save = _command(commands, "save", lambda told: Call("POST", "/snapshots", {"name": told.name}, _SNAPSHOT_COLUMNS))
    load = _command(commands, "load", lambda told: Call("POST", _snapshot(told) + "/load", {}, _SNAPSHOT_COLUMNS))
    delete = _command(commands, "delete", lambda told: Call("DELETE", _snapshot(told), None, ("name", "deleted")))
    for command in (save, load, delete):
        command.add_argument("name")


def _snapshot(told: argparse.Namespace) -> str:
    return f"/snapshots/{quote(told.name, safe='')}"


def _roll(told: argparse.Namespace) -> Call:
    path = f"/endpoints/{quote(told.endpoint, safe='')}/roll_secret"
    return Call("POST", path, {"expires_in_seconds": told.seconds}, _SECRET_COLUMNS)


def _order(told: argparse.Namespace) -> Mapping[str, Any]:
    return {"effect": told.effect, **dict(told.options)}


def _typed(options: Sequence[tuple[str, str | None]]) -> Mapping[str, Any]:
    """Whole numbers, true and false as such; the rest is text."""
    flags: Mapping[str | None, bool] = {"true": True, "false": False}
    return {name: int(value) if value and value.isdecimal() else flags.get(value, value) for name, value in options}


def _option(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=VALUE")
    return name, None if value == "null" else value


def _table(rows: Sequence[Mapping[str, Any]], columns: tuple[str, ...]) -> str:
    cells = [[name.upper() for name in columns]] + [[_cell(name, row.get(name)) for name in columns] for row in rows]
    shown = [place for place, _ in enumerate(columns) if any(line[place] for line in cells[1:])] or range(len(columns))
    widths = {place: max(len(line[place]) for line in cells) for place in shown}
    return "\n".join("  ".join(line[place].ljust(widths[place]) for place in shown).rstrip() for line in cells)


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if name in _SECONDS and isinstance(value, int):
        return rfc3339(value)
    text = str(len(value)) if isinstance(value, list) else json.dumps(value) if isinstance(value, bool) else str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    told = _parser().parse_args(arguments)
    call: Call = told.build(told)
    try:
        with httpx.Client(base_url=told.url, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            answer = client.request(call.method, "/_simulator" + call.path, json=call.body)
            found = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        print(f"No Stripe simulator answers at {told.url}: {error}", file=sys.stderr)
        return ABSENT
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        print(found["error"]["message"], file=sys.stderr)
        return REFUSED
    print(json.dumps(found, indent=2) if told.json else _table(found.get("data", [found]), call.columns))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
