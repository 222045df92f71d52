"""F34: a deploy while things are under way. What earlier versions wrote is read, gone on with, and asked for once.

``earlier/`` holds tables as versions of those days left them: a sale that was paid and refunded in part, a refund whose
outcome is not known, and a sale whose session Stripe did not answer for. Such a file is never written again; another is
added when what is written changes.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from marketplace.adapters.keys import Key, key_of, ref_of
from marketplace.adapters.records import item_attributes, item_in
from marketplace.domain.commands import Command, CommandStatus
from marketplace.domain.invariants import violations
from marketplace.operations import Operation
from marketplace.ports import Done

from ..fakes.stripe import refund
from .backend import BUYER, FUNCTIONS, OPERATOR, Backend, Context

EARLIER = sorted((Path(__file__).parent / "earlier").glob("*.json"))
AGAIN = timedelta(minutes=5)
# What later versions keep elsewhere: each line is a decision.
NO_LONGER_KEPT = {"PRICE": {"product_name"}}  # the product's own
MOVES = {"gsi_due", "gsi_day", "gsi_booked_at"}  # shards are chosen anew; an entry is booked when it is written


class Before:
    """What an earlier version left."""

    def __init__(self, file: Path) -> None:
        self.left: dict[str, Any] = json.loads(file.read_text())
        self.items: list[dict[str, Any]] = self.left["items"]

    def key_of(self, command_id: str) -> str:
        """The idempotency key that Stripe was given for a command."""
        (key,) = {asked["key"] for asked in self.left["asked"] if asked["key"].startswith(command_id)}
        return str(key)

    def params_of(self, key: str) -> Any:
        return [asked["params"] for asked in self.left["asked"] if asked["key"] == key][-1]


def holds_all(new: Any, old: Any) -> bool:
    """Whether all of an old value is in a new one, which may say more."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and holds_all(new[name], part) for name, part in old.items())
    if isinstance(old, list):
        return len(new) >= len(old) and all(map(holds_all, new, old))
    return bool(new == old)


@pytest.fixture(params=EARLIER, ids=lambda file: file.stem)
def before(request: pytest.FixtureRequest) -> Before:
    return Before(request.param)


@pytest.fixture
def backend(functions: dict[str, ModuleType], before: Before, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The functions of this version over that table."""
    made = Backend(template="http_api", modules=functions)
    made.clock.time = datetime.fromisoformat(before.left["clock"]) + AGAIN
    made.store.restore(before.items)
    for name in FUNCTIONS:
        monkeypatch.setattr(functions[name], "ports", made.ports_of(name))
    return made


def test_f34_every_record_is_read_and_written_again_as_it_stands(before: Before, backend: Backend) -> None:
    for written in before.items:
        item = item_in(written)
        assert item is not None
        assert key_of(ref_of(item)) == Key(written["pk"]["S"], written["sk"]["S"])
        again = item_attributes(item, backend.clock.now())
        dropped = MOVES | NO_LONGER_KEPT.get(written["sk"]["S"].partition("#")[0], set())
        kept = {name: value for name, value in written.items() if name not in dropped}
        assert holds_all(again, kept), written["sk"]["S"]


def test_f34_commands_that_were_open_are_finished_under_the_keys_that_stripe_knows(
    before: Before, backend: Backend
) -> None:
    items = [item_in(written) for written in before.items]
    waiting = {each.id for each in items if isinstance(each, Command) and each.is_open}
    assert len(waiting) == 2
    finish(backend)
    asked = {each.key: each.params for each in backend.stripe.asked if each.key is not None}
    assert asked == {key: before.params_of(key) for key in map(before.key_of, waiting)}
    ended = [item for item in backend.store.snapshot().values() if isinstance(item, Command)]
    assert {each.status for each in ended} == {CommandStatus.SUCCEEDED}


def test_f34_a_request_that_is_repeated_after_the_deploy_is_the_same_request(before: Before, backend: Backend) -> None:
    path = f"/transactions/{before.left['paid']}/refunds"
    answer = backend.send(OPERATOR, "POST", path, {"amount": 400}, key="first refund")
    assert (answer.status, answer.json["id"]) == (201, before.left["first_refund"]["id"])
    sale = backend.send(BUYER, "POST", "/checkout/sessions", before.left["basket"], key="open sale")
    assert sale.status == 201, sale.text
    (asked,) = backend.stripe.asked
    assert asked.operation is Operation.CREATE_CHECKOUT_SESSION
    assert asked.params == before.params_of(str(asked.key))


def test_f34_what_was_sold_is_shown_refunded_and_closes(before: Before, backend: Backend) -> None:
    path = f"/transactions/{before.left['paid']}"
    finish(backend)
    backend.stripe.answers[Operation.CREATE_REFUND] = [Done(refund(300, "re_3"))]
    rest = backend.send(OPERATOR, "POST", f"{path}/refunds", {}, key="the rest")
    assert (rest.status, rest.json["amount"]) == (201, 300)
    for shown in ("", "/timeline", "/ledger", "/refunds"):
        assert backend.send(OPERATOR, "GET", path + shown).status == 200
    books = backend.books(before.left["paid"])
    assert books.payment.refund_reserved == books.payment.captured
    assert violations(books, backend.clock.now()) == []


def finish(backend: Backend) -> None:
    """The sweep finishes what was left; Stripe knows the refund by another id than the first one's."""
    backend.stripe.answers[Operation.CREATE_REFUND] = [Done(refund(300, "re_2"))]
    backend.modules["schedules.sweep"].handler({}, Context(left_ms=50_000))
