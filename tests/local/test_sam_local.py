"""What `sam local` runs: the built template, told where the local cloud is. That it runs needs a Docker engine."""

import json
import re
import socket
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread
from typing import Any, override

import pytest

from local.cloud.places import PROJECT
from local.cloud.ports import HOST
from local.sam_local.check import EVENTS, is_well
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
        ({"errorType": "KeyError"}, False), ({"statusCode": 500}, False), ({"statusCode": 401}, False), ("", False),
    ],
)  # fmt: skip
def test_an_exception_or_a_fault_is_no_good_answer(answer: Any, well: bool) -> None:
    assert is_well(answer) is well


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
