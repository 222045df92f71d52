"""`merchants`: who sells, and what each one's account lacks."""

from argparse import ArgumentParser, Namespace
from typing import Final

from .answers import Answer, Subcommand
from .deployments import Deployment
from .requests import ask, pages

FUNCTION: Final = "MerchantsFunction"
SHOWN: Final = ("id", "name", "country", "status", "account_id", "requirements_due", "restriction")
USUAL_MOST: Final = 100


def _list(where: Deployment, asked: Namespace) -> Answer:
    found = pages(where, FUNCTION, "/merchants", most=asked.most)
    rows = [{name: each[name] for name in SHOWN} for each in found]
    if asked.status:
        rows = [each for each in rows if each["status"] == asked.status]
    return Answer(facts={"merchants": rows}, text=None if rows else "There are none.")


def _show(where: Deployment, asked: Namespace) -> Answer:
    merchant = ask(where, FUNCTION, "GET", f"/merchants/{asked.id}").json
    debts = list(pages(where, FUNCTION, f"/merchants/{asked.id}/debts", most=USUAL_MOST))
    return Answer(facts={**merchant, "debts": [each for each in debts if each["rest"]]})


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--status", help="only those of this status, such as restricted")
    parser.add_argument("--most", type=int, default=USUAL_MOST, help=f"how many, the newest first ({USUAL_MOST})")


def _one(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="MERCHANT")


SUBCOMMANDS: Final = (
    Subcommand(("merchants", "list"), "all, the newest first", _list, _options),
    Subcommand(("merchants", "show"), "one, with what its account lacks and what it owes", _show, _one),
)
