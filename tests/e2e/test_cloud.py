"""The local cloud itself: the template's API answers, tokens are checked, and a run ends with nothing left."""

import os
import signal
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
import yaml

from local.cloud import Ports, Stack
from local.cloud.places import LOCAL, PROJECT
from local.cloud.ports import AWS_SETTING, STRIPE_SETTING, is_listening

START_SECONDS = 120
STOP_SECONDS = 20


class IntrinsicsAsNone(yaml.SafeLoader):
    """Reads a template without minding its !Ref and !Sub."""


IntrinsicsAsNone.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def guarded_routes() -> list[tuple[str, str]]:
    template = yaml.load((PROJECT / "template.yaml").read_text(), IntrinsicsAsNone)
    events = [
        event["Properties"]
        for resource in template["Resources"].values()
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    return [(event["Method"], event["Path"]) for event in events if event.get("Auth") != {"Authorizer": "NONE"}]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_api_answers(stack: Stack) -> None:
    assert httpx.get(f"{stack.api}/health", timeout=30).status_code == HTTPStatus.OK


@pytest.mark.parametrize(("method", "path"), guarded_routes())
def test_without_a_token_a_route_is_closed(stack: Stack, method: str, path: str) -> None:
    assert httpx.request(method, stack.api + path, timeout=30).status_code == HTTPStatus.UNAUTHORIZED


def test_a_forged_token_is_refused(stack: Stack) -> None:
    header, claims, signature = stack.tokens["operator"].split(".")
    forged = ".".join([header, claims, signature[:-8] + signature[-8:][::-1]])
    assert forged != stack.tokens["operator"]
    url = f"{stack.api}/merchants"
    assert httpx.get(url, headers=bearer(forged), timeout=30).status_code == HTTPStatus.UNAUTHORIZED
    assert httpx.get(url, headers=bearer(stack.tokens["operator"]), timeout=30).status_code == HTTPStatus.OK


def test_the_endpoints_at_stripe_are_the_api_s(stack: Stack) -> None:
    urls = {endpoint.url for endpoint in stack.stripe_client().v1.webhook_endpoints.list()}
    assert urls == {f"{stack.api}/webhooks/stripe/account", f"{stack.api}/webhooks/stripe/connect"}


def test_make_run_tells_where_it_is_and_stops_on_ctrl_c_with_nothing_left(
    stack: Stack, run_file_is_free: Path, tmp_path: Path
) -> None:
    ports = Ports.free()
    log = tmp_path / "run.log"
    settings = {AWS_SETTING: str(ports.aws), STRIPE_SETTING: str(ports.stripe)}
    with log.open("w") as output:
        run = subprocess.Popen(
            [sys.executable, "-m", "local"], cwd=PROJECT, env={**os.environ, **settings}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not run_file_is_free.exists() and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        other = Stack.running()
        assert str(ports.aws) in other.api
        assert other.api in log.read_text()
        run.send_signal(signal.SIGINT)
        assert run.wait(STOP_SECONDS) == 0
    finally:
        run.kill()
    assert not is_listening(ports.aws)
    assert not is_listening(ports.stripe)
    assert not run_file_is_free.exists()
    assert httpx.get(f"{stack.api}/health", timeout=30).status_code == HTTPStatus.OK, "the other cloud goes on"


@pytest.fixture
def run_file_is_free() -> Path:
    """Where `make run` says that it is up; a developer's own run must not be disturbed."""
    file = LOCAL / "stack.json"
    if file.exists():
        pytest.skip("a `make run` is going on")
    return file
