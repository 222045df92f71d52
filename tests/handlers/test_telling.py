"""S10: no secret and nothing personal gets into a log or a metric, whatever a call says in whichever field."""

import ast
import io
import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aws_lambda_powertools import Logger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.cloud.places import PROJECT
from marketplace.edge.logging import AllowListFormatter, facts_of, logger
from marketplace.edge.metrics import count
from marketplace.edge.telling import LONGEST, MOST_FRAMES, SHAPES, told

SOURCES = [*(PROJECT / "shared" / "marketplace").rglob("*.py"), *(PROJECT / "functions").rglob("*.py")]
LOGGERS = {"log", "_log"}
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


class Call(NamedTuple):
    """A call of a logger in the code: what it says, and the fields that it gives."""

    place: str
    level: str
    message: ast.expr
    fields: tuple[str, ...]
    others: tuple[str, ...]  # what is spread into it


def calls() -> Iterator[Call]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if name in LOGGERS:
                    fields = tuple(keyword.arg for keyword in node.keywords if keyword.arg)
                    spread = tuple(ast.unparse(keyword.value) for keyword in node.keywords if not keyword.arg)
                    place = f"{path.relative_to(PROJECT)}:{node.lineno}"
                    yield Call(place, node.func.attr, node.args[0], fields, spread)


CALLS = list(calls())
letters = st.text(string.ascii_letters + string.digits, min_size=8, max_size=24)
names = st.sampled_from(["Ann Nobody", "José García", "Nora Nordlicht", "李小龍", "O'Neill, Ann"])
SECRETS = {
    "an e-mail": st.emails(),
    "a name": names,
    "an address": st.builds("{} {}, {} Berlin".format, names, st.integers(1, 99), st.integers(10_000, 99_999)),
    "a card": st.text(string.digits, min_size=13, max_size=19),
    "a card with spaces": st.just("4242 4242 4242 4242"),
    "a key": st.builds("{}_{}_{}".format, st.sampled_from(["sk", "rk"]), st.sampled_from(["live", "test"]), letters),
    "a signing secret": letters.map("whsec_{}".format),
    "a client secret": st.builds("pi_{}_secret_{}".format, letters, letters),
    "a client secret of an event": st.builds("evt_{}_secret_{}".format, letters, letters),
    "an ephemeral key": letters.map("ek_test_{}".format),
    "a login link": letters.map("https://connect.stripe.com/express/{}".format),
    "a token": st.builds("eyJ{}.{}.{}".format, letters, letters, letters),
    "a bank account": st.text(string.digits, min_size=18, max_size=18).map("DE89{}".format),
    "a telephone number": st.text(string.digits, min_size=9, max_size=11).map("+49{}".format),
}
secrets = st.one_of(*SECRETS.values())


def wrapped(secret: str) -> st.SearchStrategy[Any]:
    """A secret as a value of a field: bare, beside other text, or deep in something."""
    shapes = [
        secret,
        f"of {secret}",
        f"{secret}!",
        [secret],
        {"value": secret},
        {secret: 1},
        (secret, 1),
        f"GET /{secret}",
    ]
    return st.sampled_from(shapes)


class Written(NamedTuple):
    """A logger as the functions have theirs, and all that it writes."""

    log: Logger
    output: io.StringIO


@pytest.fixture(scope="module")
def written() -> Written:
    assert isinstance(logger().registered_formatter, AllowListFormatter)
    output = io.StringIO()
    return Written(Logger(service="telling", logger_formatter=AllowListFormatter(), stream=output), output)


def test_the_code_has_calls_of_loggers_and_each_says_one_fixed_thing() -> None:
    assert len(CALLS) >= 8
    for call in CALLS:
        assert isinstance(call.message, ast.Constant), call.place
        assert isinstance(call.message.value, str), call.place
        assert set(call.fields) <= SHAPES.keys(), f"{call.place}: a field that is never told"
        assert set(call.others) <= {"facts_of(error)"}, call.place


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.place)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_s10_no_call_of_a_logger_tells_a_secret(call: Call, written: Written, data: st.DataObject) -> None:
    secret = data.draw(secrets)
    fields = {name: data.draw(wrapped(secret)) for name in (*call.fields, "password", "body")}
    error = ValueError(secret)
    error.__cause__ = KeyError(secret)
    message = ast.literal_eval(call.message)
    written.output.seek(0)
    written.output.truncate()
    getattr(written.log, call.level)(message, **fields, **facts_of(error))
    line = written.output.getvalue()
    assert json.loads(line)["message"] == message
    assert secret not in line
    assert secret not in json.dumps(json.loads(line), ensure_ascii=False)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_s10_no_metric_tells_a_secret(capsys: pytest.CaptureFixture[str], data: st.DataObject) -> None:
    secret = data.draw(secrets)
    facts = {name: data.draw(wrapped(secret)) for name in ("endpoint", "event_id", "event_type", "anything")}
    count({"accepted": 1}, facts=facts)
    assert secret not in capsys.readouterr().out


ULID = "01m844dzg0cbtmzqwe3830stk3"


def test_what_finds_a_request_a_command_an_event_and_a_transaction_is_told() -> None:
    fields: dict[str, Any] = {
        "event_id": "evt_1NG8Du2eZvKYlo2CUI79vXWy", "transaction_id": f"transaction-{ULID}",
        "command_id": f"command-{ULID}", "item_id": f"debt-{ULID}-{ULID}", "route": "POST /transactions/{id}/refunds",
        "status": 201, "problem": "not-found", "error": "KeyError", "cause": "ClientError", "endpoint": "account",
        "event_type": "v2.core.account[configuration.recipient].capability_status_updated", "attempt": 2,
        "operation": "v1.checkout.sessions.create", "outcome": "no_answer", "refusal": "charge_already_refunded",
        "stripe_request_id": "req_1NG8Du2eZvKYlo", "tries": 3, "milliseconds": 812,
        "frames": ["process.py:44 process", "<string>:1 <module>", "events.py:9 <lambda>"],
    }  # fmt: skip
    assert told(fields) == fields
    assert {*fields} == {*SHAPES, "frames"}


def test_a_field_of_a_wrong_shape_is_dropped_and_the_others_stay() -> None:
    fields = {"event_id": "ann@example.com", "status": 200, "frames": ["ann@example.com"], "route": "GET /x y"}
    assert told(fields) == {"status": 200}


def test_loggers_are_made_in_one_place_only() -> None:
    """What writes a line by other ways is known here, with its reason."""
    writes = {
        str(Path(path).relative_to(PROJECT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr", "logging.getLogger"})
        or (isinstance(node, ast.Name) and node.id in {"print", "Logger"})
    }
    assert writes == {
        "shared/marketplace/edge/logging.py",  # this logger
        "shared/marketplace/edge/metrics.py",  # filtered as the logger is
        "shared/marketplace/adapters/stripe_gateway.py",  # silences the SDK's
        "functions/health/app.py",  # a constant
    }


def test_no_field_is_long_and_no_exception_has_more_frames_than_are_read() -> None:
    assert told({"event_id": "evt_" + "a" * LONGEST, "outcome": "a" * LONGEST}) == {"outcome": "a" * LONGEST}
    frames = ["events.py:1 take_in"] * MOST_FRAMES
    assert told({"frames": frames}) == {"frames": frames}
    assert told({"frames": [*frames, frames[0]]}) == {}
