"""The commands that ask the API's functions, as an operator types them."""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cli import __main__ as command_line
from cli import dead_letters, ledger, merchants, open_commands, schedules
from cli.answers import CANNOT, FOUND, WELL
from cli.deployments import Deployment
from cli.requests import Refused, Reply, ask
from local.cloud.places import PROJECT
from marketplace.domain.commands import Doubt
from marketplace.domain.debts import Debt
from marketplace.operations import Operation
from marketplace.ports import Create, NoAnswer

from ..handlers.backend import OPERATOR, Backend
from ..handlers.test_commands import MERCHANT
from ..handlers.test_dead_letters import PAID, POISON, Letters, letters
from .aws import Run

__all__ = ["letters"]


def test_every_command_has_words_of_its_own_and_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert len({each.words for each in command_line.SUBCOMMANDS}) == len(command_line.SUBCOMMANDS)
    for each in command_line.SUBCOMMANDS:
        with pytest.raises(SystemExit) as ended:
            command_line.main([*each.words, "--help"])
        assert ended.value.code == 0
        assert {"--stack", "--json"} <= set(capsys.readouterr().out.replace("[", " ").split())


def test_the_functions_that_are_asked_are_in_the_template() -> None:
    class IntrinsicsAsNone(yaml.SafeLoader):
        pass

    IntrinsicsAsNone.add_multi_constructor("!", lambda _loader, _tag, _node: None)
    resources = yaml.load((PROJECT / "template.yaml").read_text(), IntrinsicsAsNone)["Resources"]
    for module in (dead_letters, ledger, merchants, open_commands):
        assert resources[module.FUNCTION]["Type"] == "AWS::Serverless::Function"
    source = Path(schedules.__file__).read_text()
    named = {name for name in resources if f'"{name}"' in source}
    assert named == {"AuditFunction", "ReconcileFunction", "CatchUpFunction", "SweepFunction"}


def test_a_reader_that_has_enough_is_no_fault(where: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `head` is, which closes the pipe."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(command_line, "deployment", lambda _: where)
        monkeypatch.setattr(sys, "stdout", pipe)
        assert command_line.main(["merchants", "list"]) == WELL


def test_merchants_are_listed_and_shown(run: Run, backend: Backend) -> None:
    assert run("merchants", "list")[:2] == (WELL, "There are none.")
    merchant_id = backend.merchant()
    code, told, _ = run("merchants", "list")
    assert code == WELL
    assert merchant_id in told
    assert "Café Nordlicht" in told
    assert run("merchants", "list", "--status", "restricted")[1] == "There are none."
    code, told, _ = run("merchants", "show", merchant_id, "--json")
    assert (code, json.loads(told)["id"], json.loads(told)["debts"]) == (WELL, merchant_id, [])
    code, told, _ = run("merchants", "show", merchant_id)
    assert code == WELL
    assert re.search(r"^currencies +[a-z]{3}", told, re.MULTILINE)


def test_of_a_merchant_s_debts_those_are_shown_that_it_still_owes(run: Run, backend: Backend) -> None:
    merchant_id, ports = backend.merchant(), backend.ports_of("ledger.app")
    owed = Debt(
        id=ports.ids.new("debt", owner=merchant_id), merchant_id=merchant_id, transaction_id="transaction-1",
        cause="refund-1", amount=5_000, currency="usd", transfer_id=None, refusal="balance_insufficient",
        created_at=backend.clock.now(),
    )  # fmt: skip
    ports.store.commit(Create(owed), Create(replace(owed, id=f"{owed.id[:-1]}0", netted=5_000)))
    told = json.loads(run("merchants", "show", merchant_id, "--json")[1])
    assert [each["id"] for each in told["debts"]] == [owed.id]


def test_a_list_goes_on_over_pages_until_it_is_enough(run: Run, backend: Backend) -> None:
    for _ in range(3):
        backend.wait(1)
        backend.merchant()
    assert len(json.loads(run("merchants", "list", "--json", "--most", "2")[1])["merchants"]) == 2


def test_what_is_not_there_cannot_be_shown(run: Run) -> None:
    code, told, complained = run("merchants", "show", "merchant-01m84400000000000000000000")
    assert (code, told) == (CANNOT, "")
    assert "No such merchant" in complained


def test_the_shell_s_identity_is_the_operator_on_record(where: Deployment, backend: Backend) -> None:
    ask(where, "MerchantsFunction", "GET", "/merchants")
    seen: list[str] = []
    handler = backend.modules["merchants.app"].app
    original = handler._caller

    def remember(event: object) -> object:
        caller = original(event)
        seen.append(caller.subject)
        return caller

    handler._caller = remember
    try:
        ask(where, "MerchantsFunction", "GET", "/merchants")
    finally:
        del handler._caller
    assert seen == ["arn:aws:sts::123456789012:assumed-role/operators/nora"]


def test_a_route_that_refuses_refuses_here_too(where: Deployment) -> None:
    with pytest.raises(Refused, match="Correct the fields"):
        ask(where, "MerchantsFunction", "GET", "/merchants", query={"limit": "0"})


def test_the_ledger_is_told_and_exported(run: Run, backend: Backend, tmp_path: Path) -> None:
    backend.paid_sale(backend.merchant())
    backend.wait(10)
    code, told, _ = run("ledger", "trial-balance")
    assert code == WELL
    assert "stripe_balance" in told
    assert "stripe_balance" in run("ledger", "account", "stripe_balance")[1]
    assert "account: merchant_payable:merchant-1\n" in run("ledger", "account", "merchant_payable:merchant-1")[1] + "\n"
    file = tmp_path / "ledger.csv"
    since = (backend.clock.now().replace(hour=0)).isoformat()
    code, told, _ = run("export", "ledger", str(file), "--since", since, "--json")
    assert code == WELL
    lines = file.read_text().splitlines()
    assert len(lines) == json.loads(told)["rows"] + 1
    assert sum("stripe_balance" in line for line in lines) >= 1


class Parts:
    """The route of an export that answers in parts."""

    def __init__(self, *ends: str) -> None:
        self.ends = list(ends)
        self.asked: list[str] = []

    def __call__(self, _where: object, _function: str, _method: str, _path: str, *, query: Mapping[str, str]) -> Reply:
        self.asked.append(query["since"])
        end = self.ends.pop(0)
        complete = "false" if self.ends else "true"
        headers = {"export-until": end, "export-complete": complete}
        return Reply(headers, f"account,amount\nfrom {query['since']},1\n")


def test_an_export_in_parts_has_one_head_and_begins_each_part_where_the_last_one_ended(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [f"2026-11-0{day}T00:00:00+00:00" for day in (1, 2, 3, 4)]
    parts = Parts(*days[1:])
    monkeypatch.setattr(ledger, "ask", parts)
    file = tmp_path / "ledger.csv"
    code, told, _ = run("export", "ledger", str(file), "--since", days[0], "--json")
    assert (code, json.loads(told)["parts"], json.loads(told)["until"]) == (WELL, 3, days[3])
    assert parts.asked == days[:3]
    assert file.read_text().splitlines() == ["account,amount", *(f"from {day},1" for day in days[:3])]


def test_an_export_that_does_not_go_on_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = "2026-11-01T00:00:00+00:00"
    monkeypatch.setattr(ledger, "ask", Parts(same, same))
    code, _, complained = run("export", "ledger", str(tmp_path / "ledger.csv"), "--since", same)
    assert code == CANNOT
    assert "ends at" in complained


def test_open_commands_are_told_and_tried(run: Run, backend: Backend) -> None:
    assert run("commands", "list")[:2] == (WELL, "There are none.")
    backend.stripe.answers[Operation.CREATE_ACCOUNT] = [NoAnswer(Doubt.NO_ANSWER), NoAnswer(Doubt.NO_ANSWER)]
    assert backend.send(OPERATOR, "POST", "/merchants", MERCHANT).problem == "outcome-unknown"
    code, told, _ = run("commands", "list", "--json")
    (command,) = json.loads(told)["commands"]
    assert (code, command["waits_for"]) == (WELL, "the next look at Stripe")
    assert run("commands", "list", "--late")[:2] == (WELL, "There are none.")
    assert run("commands", "retry", command["subject"], command["id"])[0] == FOUND
    backend.wait(24 * 3600 + 60)
    assert run("commands", "list", "--late")[0] == FOUND
    backend.stripe.answers[Operation.LIST_ACCOUNTS] = []
    assert run("commands", "retry", command["subject"], command["id"])[0] == WELL
    assert run("commands", "list")[1] == "There are none."


def test_dead_letters_are_listed_shown_and_put_back(run: Run, letters: Letters) -> None:
    assert run("dead-letters", "list")[:2] == (WELL, "There are none.")
    letter_id, poison = letters.set_aside(PAID), letters.set_aside(POISON, group="other")
    code, told, _ = run("dead-letters", "list")
    assert code == FOUND
    assert letter_id in told
    code, told, _ = run("dead-letters", "show", letter_id, "--json")
    assert (code, json.loads(told)["body"]) == (WELL, PAID)
    assert '"payment_intent": "pi_1"' in run("dead-letters", "show", letter_id)[1]
    code, told, _ = run("dead-letters", "redrive", "--all", "--json")
    answer = json.loads(told)
    assert (code, answer["put_back"], [each["id"] for each in answer["kept"]]) == (FOUND, 1, [poison])
    assert len(letters.waiting(letters.events)) == 1


def test_one_that_is_not_there_cannot_be_put_back(run: Run, letters: Letters) -> None:
    code, _, complained = run("dead-letters", "redrive", "none")
    assert code == CANNOT
    assert "dead letter" in complained
