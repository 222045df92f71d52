"""What an operator asks for at a shell.

Exit codes: 0 all is well, 1 something was found that somebody must look at, 2 it could not be asked for.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from . import dead_letters, doctor_command, ledger, merchants, open_commands, schedules, webhook_commands
from .answers import CANNOT, Subcommand
from .deployments import Cannot, deployment

MODULES: Final = (doctor_command, schedules, webhook_commands, dead_letters, open_commands, ledger, merchants)
SUBCOMMANDS: Final = tuple(subcommand for module in MODULES for subcommand in module.SUBCOMMANDS)
GROUPS: Final = {
    "webhooks": "the endpoints at Stripe, and their secrets",
    "dead-letters": "events that were set aside",
    "commands": "what was asked of Stripe without an outcome yet",
    "ledger": "balances, now or at a moment",
    "merchants": "who sells",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; its exit code."""
    asked = _parser().parse_args(arguments)
    subcommand: Subcommand = asked.subcommand
    try:
        answer = subcommand.run(deployment(asked.stack), asked)
    except Cannot as problem:
        print(problem, file=sys.stderr)
        return CANNOT
    try:
        print(answer.shown(as_json=asked.json), flush=True)
    except BrokenPipeError:  # whoever reads it has enough; what is left must not fail again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return answer.exit_code


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--stack", metavar="NAME", help="the stack in AWS; without it the local cloud of `make run`")
    where.add_argument("--json", action="store_true", help="the answer as JSON")
    parser = argparse.ArgumentParser(prog="marketplace", description=__doc__)
    top = parser.add_subparsers(required=True, metavar="COMMAND")
    groups: dict[str, Any] = {}
    for subcommand in SUBCOMMANDS:
        *group, name = subcommand.words
        if group and group[0] not in groups:
            made = top.add_parser(group[0], help=GROUPS[group[0]])
            groups[group[0]] = made.add_subparsers(required=True, metavar="COMMAND")
        at = groups[group[0]] if group else top
        added = at.add_parser(name, parents=[where], help=subcommand.help, description=subcommand.help)
        subcommand.options(added)
        added.set_defaults(subcommand=subcommand)
    return parser


if __name__ == "__main__":
    sys.exit(main())
