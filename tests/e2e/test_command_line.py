"""The operators' command line against a running local cloud."""

import json
from collections.abc import Iterator

import pytest

from cli.__main__ import main
from cli.answers import CANNOT, FOUND, WELL
from cli.webhooks.endpoints import StripeEndpoints, wanted_at
from local.cloud import CannotRun, Stack
from tests.e2e.shop import Json, Shop, until


@pytest.fixture
def as_it_was(stack: Stack) -> Iterator[None]:
    """Other tests sign with the secrets that the stack began with."""
    secrets = stack.client("secretsmanager")
    kept = secrets.get_secret_value(SecretId=stack.webhook_secret_arn)["SecretString"]
    yield
    endpoints, ours = StripeEndpoints(stack.stripe_client()), json.loads(kept)["endpoints"]
    for endpoint in endpoints.at([each.url for each in wanted_at(stack.api)]):
        if endpoint.id not in ours:
            endpoints.delete(endpoint)
    secrets.put_secret_value(SecretId=stack.webhook_secret_arn, SecretString=kept)


@pytest.fixture
def running(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setattr(Stack, "running", lambda: stack)
    return stack


def test_a_transaction_is_replayed(
    running: Stack, shop: Shop, seller: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    sold = shop.paid_sale(seller, 1_000)
    assert main(["replay", sold["id"], "--json"]) == WELL
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"transaction_id": sold["id"], "changes": {}, "journal_entries": 0}


def test_what_stripe_is_asked_for_is_counted(running: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    main(["reconcile"])
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert int(told["pages"]) >= 1
    assert {"matched", "unmatched", "unexplained", "troubles"} <= told.keys()


def test_an_audit_says_what_is_open_and_its_exit_code_too(
    running: Stack, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.stripe.v1.topups.create({"amount": 4_321, "currency": "usd"})
    until(lambda: main(["reconcile"]), lambda code: code == FOUND)  # what happened in the last second is left for later
    capsys.readouterr()
    assert main(["audit"]) == FOUND
    told = capsys.readouterr().out
    assert "open discrepancies" in told
    assert any("topup" in line and "4321" in line for line in told.splitlines())


def test_what_a_function_refuses_is_told_in_words(running: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "transaction-01m84400000000000000000000"]) == CANNOT
    assert "no such transaction" in capsys.readouterr().err


def test_the_endpoints_are_there_and_their_secrets_are_rotated_while_sales_go_on(
    running: Stack, as_it_was: None, shop: Shop, seller: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["webhooks", "sync", "--dry-run"]) == WELL
    assert "as they must be" in capsys.readouterr().out
    assert main(["webhooks", "rotate", "--json"]) == WELL
    answer = json.loads(capsys.readouterr().out)
    assert [step["do"] for step in answer["steps"]] == ["create"] * 3
    assert len(answer["to_be_deleted"]) == 3
    assert shop.paid_sale(seller, 1_000)["status"] == "paid"
    assert main(["webhooks", "rotate", "--finish"]) == CANNOT
    assert "wait until" in capsys.readouterr().err


def test_the_doctor_finds_nothing_wrong_with_a_new_cloud(running: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json"])
    lines = json.loads(capsys.readouterr().out)["lines"]
    by_other_tests = {"dead letters", "alarms"}
    assert [each for each in lines if each["verdict"] == "wrong" and each["about"] not in by_other_tests] == []
    assert {"api", "table", "key", "connect", "rights", "endpoints", "clock"} <= {each["about"] for each in lines}


def test_f25_an_event_that_was_set_aside_is_put_back_and_applied(
    running: Stack, shop: Shop, seller: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    sale = shop.paid_sale(seller, 1_000)
    (event,) = [
        each
        for each in shop.stripe.v1.events.list({"type": "charge.succeeded", "limit": 20}).data
        if each.data.object["metadata"]["transaction_id"] == sale["id"]
    ]
    body = json.dumps({**event.to_dict(for_json=True), "id": "evt_set_aside"})
    running.client("sqs").send_message(
        QueueUrl=running.dead_letter_queue_url,
        MessageBody=body,
        MessageGroupId="set-aside",
        MessageDeduplicationId="evt_set_aside",
    )
    assert main(["dead-letters", "list", "--json"]) == FOUND
    (letter,) = [
        each
        for each in json.loads(capsys.readouterr().out)["dead_letters"]
        if each["event_id"] == "evt_set_aside"
    ]  # fmt: skip
    assert letter["transaction_id"] == sale["id"]
    assert main(["dead-letters", "redrive", letter["id"]]) == WELL
    key = {"pk": {"S": "EVENT#evt_set_aside"}, "sk": {"S": "EVENT"}}
    table = running.client("dynamodb")
    until(lambda: table.get_item(TableName=running.table, Key=key).get("Item"), bool)


def test_without_a_cloud_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> Stack:
        raise CannotRun("The local cloud is not running: start it with `make run`.")

    monkeypatch.setattr(Stack, "running", none)
    assert main(["audit"]) == CANNOT
    assert "make run" in capsys.readouterr().err
