"""`make run` when it cannot: one line that says what to do."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from local.cloud import CannotRun, Ports, Stack, own_account
from local.cloud.places import PROJECT
from local.cloud.ports import AWS_SETTING, HOST, STRIPE_SETTING

STOPS_SLOWLY = """
import time
from local.cloud.processes import stop_in_order
stop_in_order()
try:
    print("up", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("all put away")
"""


def run(**settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local"],
        cwd=PROJECT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        done = run(**{AWS_SETTING: str(port), STRIPE_SETTING: str(Ports.free().stripe)})
    assert done.returncode == 1
    assert done.stderr == (
        f"Port {port} is in use: stop what listens there, or set MARKETPLACE_AWS_PORT to another one.\n"
    )


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1", "pk_test_1", "nonsense"])
def test_only_a_test_mode_key_of_stripe_is_taken(key: str) -> None:
    with pytest.raises(CannotRun, match="no test-mode key"):
        own_account({"STRIPE_SECRET_KEY": key})


def test_a_live_key_is_refused_before_anything_starts_and_not_repeated() -> None:
    done = run(STRIPE_SECRET_KEY="sk_live_abc")
    assert done.returncode == 1
    assert "sk_live_abc" not in done.stdout + done.stderr


def test_without_a_key_there_is_the_simulator() -> None:
    assert own_account({}) is None


def test_a_test_mode_key_is_used_at_stripe_itself() -> None:
    account = own_account({"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"})
    assert account is not None
    assert account.base == "https://api.stripe.com"
    assert account.listen_secrets() == {"account": ("whsec_1",), "connect": ("whsec_1",)}


@pytest.mark.parametrize("port", ["", "http", "-1"])
def test_a_port_must_be_a_number(port: str) -> None:
    with pytest.raises(CannotRun, match="MARKETPLACE_AWS_PORT"):
        Ports.of({AWS_SETTING: port})


def test_what_a_killed_run_left_behind_is_no_running_cloud(tmp_path: Path) -> None:
    nowhere = f"http://{HOST}:{Ports.free().aws}"
    texts = dict.fromkeys((field.name for field in fields(Stack)), "")
    left_behind = tmp_path / "stack.json"
    left_behind.write_text(json.dumps({**texts, "aws_endpoint": nowhere}))
    for file in (left_behind, tmp_path / "none.json"):
        with pytest.raises(CannotRun, match="make run"):
            Stack.running(file)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_who_is_impatient_to_stop_leaves_nothing_behind(first: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STOPS_SLOWLY], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(first)
        assert child.stdout.readline() + child.stdout.readline() == "\nStopping ...\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "all put away\n"
    assert child.returncode == 0
