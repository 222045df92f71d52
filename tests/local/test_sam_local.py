"""What `sam local` runs: the built template, told where the local cloud is. That it runs needs a Docker engine."""

import json
import re
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread
from typing import Any, override

import pytest

from local.cloud import CannotRun, Stack
from local.cloud.places import PROJECT
from local.cloud.ports import HOST
from local.sam_local import running
from local.sam_local.__main__ import _invoke
from local.sam_local.check import EVENTS, event_in, functions, is_well, recorded
from local.sam_local.overlay import FUNCTION, LAYER, overlaid
from local.sam_local.relay import _relay
from local.sam_local.running import no_engine

BUILT: dict[str, Any] = {
    "Globals": {"Function": {"Timeout": 28, "Environment": {"Variables": {"TOKEN_KEYS_URL": {"Ref": "TokenKeysUrl"}}}}},
    "Resources": {
        "OneFunction": {"Type": FUNCTION, "Properties": {"Environment": {"Variables": {"X": {"Ref": "Table"}}}}},
        "NotDeployedFunction": {"Type": FUNCTION, "Properties": {}},
        LAYER: {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": LAYER}},
    },
}  # fmt: skip
NOTHING: Any = dict.fromkeys((field.name for field in fields(Stack)), "")
STACK = replace(Stack(**NOTHING), functions={"OneFunction": "one"}, tokens={"operator": "a.b.c"})

SLOW_TO_STOP = """
import pathlib, signal, socket, sys, time
def stop(*_):
    time.sleep(1)
    pathlib.Path(__file__).with_name("removed").touch()
    sys.exit()
signal.signal(signal.SIGTERM, stop)
with socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1]))):
    signal.pause()
"""


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """SAM CLI with a `sam local invoke` that prints this."""

    def answer(printed: str) -> None:
        program = tmp_path / "sam"
        program.write_text(f"#!/bin/sh\necho timed out after 28 seconds >&2\nprintf '%s' '{printed}'\n")
        program.chmod(0o755)
        monkeypatch.setattr(running, "tool", lambda _environment, _name: program)

    return answer


def test_each_deployed_function_is_told_values_and_the_built_template_stays(tmp_path: Path) -> None:
    before = json.dumps(BUILT)
    made = overlaid(BUILT, {"OneFunction": {"TABLE_NAME": "t", "TOKEN_KEYS_URL": "http://k"}}, tmp_path)
    assert json.dumps(BUILT) == before
    assert "Ref" not in json.dumps(made)
    variables = made["Resources"]["OneFunction"]["Properties"]["Environment"]["Variables"]
    assert variables == {"TABLE_NAME": "t", "TOKEN_KEYS_URL": "http://k"}
    assert "NotDeployedFunction" not in made["Resources"]
    assert made["Resources"][LAYER]["Properties"]["ContentUri"] == str(tmp_path)
    assert made["Globals"]["Function"] == {"Timeout": 28}


def test_there_is_a_recorded_event_for_every_function_and_none_holds_a_token() -> None:
    functions = set(re.findall(r"^  (\w+Function):$", (PROJECT / "template.yaml").read_text(), re.MULTILINE))
    assert {file.stem for file in EVENTS.glob("*.json")} == functions
    for file in EVENTS.glob("*.json"):
        authorization = (json.loads(file.read_text()).get("headers") or {}).get("authorization", "Bearer ${TOKEN}")
        assert authorization == "Bearer ${TOKEN}", file


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (None, True), ({"batchItemFailures": []}, True), ({"statusCode": 404}, True), ({"statusCode": 200}, True),
        ({"statusCode": 410}, True),
        ({"errorType": "KeyError"}, False), ({"statusCode": 500}, False), ({"statusCode": 401}, False), ("", False),
    ],
)  # fmt: skip
def test_an_exception_or_a_fault_is_no_good_answer(answer: Any, well: bool) -> None:
    assert is_well(answer) is well


def test_every_function_is_invoked_and_what_it_answered_is_told(
    answering: Callable[[str], None], tmp_path: Path
) -> None:
    answering('{"statusCode": 404, "body": "{}"}\n')
    names = sorted(file.stem for file in EVENTS.iterdir())
    assert list(functions(tmp_path, "arm64", STACK)) == [(f"invoke {name}: 404", True) for name in names]


@pytest.mark.parametrize(("seconds", "are_removed"), [(0.1, False), (running.STOP_SECONDS, True)])
def test_the_api_has_time_to_remove_its_containers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seconds: float, are_removed: bool
) -> None:
    program, removed = tmp_path / "sam", tmp_path / "removed"
    program.write_text(f"#!{sys.executable}\n{SLOW_TO_STOP}")
    program.chmod(0o755)
    monkeypatch.setattr(running, "tool", lambda _environment, _name: program)
    monkeypatch.setattr(running, "STOP_SECONDS", seconds)
    with running.api(tmp_path, "arm64", tmp_path):
        assert not removed.exists()
    assert removed.exists() == are_removed


@pytest.mark.parametrize("printed", ["", "\n"])
def test_a_function_that_answered_nothing_failed(
    answering: Callable[[str], None], tmp_path: Path, printed: str
) -> None:
    answering(printed)
    with pytest.raises(CannotRun, match="OneFunction` failed:\ntimed out"):
        running.invoke(tmp_path, "arm64", "OneFunction", {})


def test_an_event_of_ones_own_has_a_token_put_in_too(tmp_path: Path) -> None:
    own = tmp_path / "event.json"
    own.write_text(recorded("LedgerFunction").read_text())
    assert event_in(own, STACK)["headers"]["authorization"] == "Bearer a.b.c"


def test_what_is_not_deployed_is_named_beside_what_is() -> None:
    with pytest.raises(CannotRun, match=r"no ledger .* are: OneFunction"):
        _invoke(STACK, "ledger", recorded("ledger"))


def test_an_event_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"no .*event\.json"):
        _invoke(STACK, "OneFunction", tmp_path / "event.json")


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert no_engine() == "docker is not installed"


def test_what_comes_to_the_relay_is_passed_on_and_so_is_the_answer() -> None:
    class Echo(StreamRequestHandler):
        @override
        def handle(self) -> None:
            self.wfile.write(self.rfile.read()[::-1])

    with TCPServer((HOST, 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with _relay("127.0.0.2", port), socket.create_connection(("127.0.0.2", port)) as asking:
            asking.sendall(b"abc" * 100_000)
            asking.shutdown(socket.SHUT_WR)
            got = b""
            while chunk := asking.recv(65_536):
                got += chunk
        server.shutdown()
    assert got == b"cba" * 100_000


def test_what_is_sent_in_small_pieces_waits_for_nothing_in_the_relay() -> None:
    rounds, seconds = 50, 1.0

    class Answers(StreamRequestHandler):
        disable_nagle_algorithm = True

        @override
        def handle(self) -> None:
            while self.rfile.read(2):
                self.wfile.write(b"a")
                self.wfile.write(b"b")

    with TCPServer((HOST, 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with _relay("127.0.0.2", port), socket.create_connection(("127.0.0.2", port)) as asking:
            asking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = time.monotonic()
            for _ in range(rounds):
                asking.sendall(b"1")
                asking.sendall(b"2")
                assert asking.recv(2, socket.MSG_WAITALL) == b"ab"
            took = time.monotonic() - began
        server.shutdown()
    assert took < seconds
