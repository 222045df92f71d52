"""The laboratory from outside: over HTTP, from a shell, and as the fixtures of another project."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from local.stripe_simulator import Simulator, lab
from local.stripe_simulator.pytest_plugin import (
    START,
    Served,
    served_stripe_simulator,
    stripe_client,
    stripe_now,
    stripe_seed,
    stripe_settings,
    stripe_simulator,
)

from .conftest import PROJECT
from .shop import ready_seller

__all__ = [
    "served_stripe_simulator",
    "stripe_client",
    "stripe_now",
    "stripe_seed",
    "stripe_settings",
    "stripe_simulator",
]
KEY = {"Authorization": "Bearer sk_test_1"}
TEA = {"name": "Tea"}


def order(url: str, **fault: Any) -> dict[str, Any]:
    answer = httpx.post(f"{url}/_simulator/faults", json=fault)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def make(url: str, **more: Any) -> httpx.Response:
    return httpx.post(f"{url}/v1/products", data=TEA, headers=KEY | {"Idempotency-Key": "k"}, **more)


def products(served: Served) -> int:
    return len(served.simulator.request("GET", "/v1/products").json()["data"])


def test_a_time_out_over_http_drops_the_connection_after_the_work(served_stripe_simulator: Served) -> None:
    url = served_stripe_simulator.url
    order(url, effect="time_out", path="/v1/products")
    with pytest.raises(httpx.RemoteProtocolError):
        make(url)
    assert products(served_stripe_simulator) == 1
    assert make(url).headers["Idempotent-Replayed"] == "true"


def test_a_time_out_over_http_can_hold_the_connection_and_delay_only_this_one(served_stripe_simulator: Served) -> None:
    url = served_stripe_simulator.url
    order(url, effect="time_out", path="/v1/products", seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        make(url, timeout=0.5)
    assert httpx.get(f"{url}/_simulator/health").status_code == 200
    assert products(served_stripe_simulator) == 1


def test_a_refused_connection_over_http_does_nothing(served_stripe_simulator: Served) -> None:
    url = served_stripe_simulator.url
    order(url, effect="refuse_connection", path="/v1/products")
    with pytest.raises(httpx.RemoteProtocolError):
        make(url)
    assert products(served_stripe_simulator) == 0
    assert make(url).status_code == 200


def test_an_answer_over_http_comes_late(served_stripe_simulator: Served) -> None:
    order(served_stripe_simulator.url, effect="delay", path="/v1/products", seconds=0.4)
    began = time.monotonic()
    assert make(served_stripe_simulator.url).status_code == 200
    assert time.monotonic() - began >= 0.4


def test_faults_are_ordered_listed_and_taken_back_over_http(served_stripe_simulator: Served) -> None:
    url = f"{served_stripe_simulator.url}/_simulator/faults"
    made = order(served_stripe_simulator.url, effect="rate_limit", count=3)
    assert make(served_stripe_simulator.url).headers["Simulator-Fault"] == made["id"]
    (listed,) = httpx.get(url).json()["data"]
    assert (listed["id"], listed["met"]) == (made["id"], 1)
    assert httpx.delete(f"{url}/{made['id']}").json() == {"canceled": 1}
    assert httpx.delete(f"{url}/{made['id']}").status_code == 404
    assert httpx.post(url, json={"effect": "explode"}).status_code == 400
    assert httpx.post(url, json={"effect": "lose", "self": 1}).status_code == 400
    order(served_stripe_simulator.url, effect="lose")
    assert httpx.delete(url).json() == {"canceled": 1}


def test_snapshots_and_the_log_over_http(served_stripe_simulator: Served) -> None:
    url = f"{served_stripe_simulator.url}/_simulator"
    assert httpx.post(f"{url}/snapshots", json={"name": "empty"}).json()["name"] == "empty"
    httpx.post(f"{url}/clock", json={"advance_seconds": 60})
    make(served_stripe_simulator.url)
    (logged,) = httpx.get(f"{url}/requests?limit=5").json()["data"]
    assert (logged["path"], logged["status"], logged["at"]) == ("/v1/products", 200, START + 60)
    assert httpx.post(f"{url}/snapshots/empty/load").status_code == 200
    assert products(served_stripe_simulator) == 0
    assert httpx.get(f"{url}/health").json()["now"] == START
    assert [each["name"] for each in httpx.get(f"{url}/snapshots").json()["data"]] == ["empty"]
    assert httpx.delete(f"{url}/snapshots/empty").status_code == 200
    assert httpx.post(f"{url}/snapshots/empty/load").status_code == 404
    assert httpx.post(f"{url}/snapshots", json={"name": "a b"}).status_code == 400
    assert httpx.get(f"{url}/requests?limit=many").status_code == 400
    assert httpx.post(f"{url}/reset").json()["now"] == START


def shell(served: Served, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = lab.main(["--url", served.url, *arguments])
    return (code, *capsys.readouterr())


def test_the_command_line_does_what_the_laboratory_can(
    served_stripe_simulator: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        code, out, error = shell(served_stripe_simulator, capsys, *arguments)
        assert (code, error) == (0, "")
        return out

    assert "2027-01-15T09:00:00.000Z" in run("clock", "advance", "3600")
    assert "2027-01-15T09:00:00.000Z" in run("clock", "show")
    run("snapshot", "save", "early")
    run("clock", "set", str(START + 7_200))
    assert "rate_limit" in run("faults", "order", "rate_limit", "path=/v1/products", "count=null")
    assert make(served_stripe_simulator.url).status_code == 429
    assert "429" in run("requests")
    assert "rate_limit" in run("faults", "list")
    (fault,) = json.loads(run("--json", "faults", "list"))["data"]
    run("faults", "cancel", fault["id"])
    assert "early" in run("snapshot", "load", "early")
    assert "09:00" in run("clock", "show")
    run("snapshot", "delete", "early")
    assert run("snapshot", "list").split() == ["NAME", "OBJECTS", "CLOCK"]
    assert "CANCELED" in run("faults", "clear")
    assert "STATUS" in run("deliveries", "5")
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": served_stripe_simulator.url})
    endpoint = client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    assert "2027-01-15T09:00:10.000Z" in run("roll-secret", endpoint.id, "10")
    paid: Any = {"amount": 900, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    charge = client.v1.payment_intents.create(paid).latest_charge
    assert "warning_needs_response" in run("order", f"charges/{charge}/dispute", "amount=300", "inquiry=true")
    assert "2027-01-15T08:00:00.000Z" in run("reset")


def test_the_command_line_says_why_and_exits_with_a_code_of_its_own(
    served_stripe_simulator: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, error = shell(served_stripe_simulator, capsys, "faults", "order", "explode")
    assert (code, out) == (1, "")
    assert "must be one of error, rate_limit" in error
    assert shell(served_stripe_simulator, capsys, "redeliver", "evt_none")[0] == 1
    assert shell(served_stripe_simulator, capsys, "order", "charges/ch_none/dispute")[0] == 1
    assert shell(served_stripe_simulator, capsys, "clock", "set", "1")[0] == 1
    assert lab.main(["--url", "http://127.0.0.1:9", "clock", "show"]) == 3
    for wrong in (["clock", "advance", "soon"], ["faults", "order", "lose", "often"], []):
        with pytest.raises(SystemExit) as caught:
            lab.main(wrong)
        assert caught.value.code == 2


def test_the_clients_fixture_sees_a_fault_at_once(
    stripe_simulator: Simulator, stripe_client: stripe.StripeClient
) -> None:
    stripe_simulator.faults.order("refuse_connection")
    with pytest.raises(stripe.APIConnectionError):
        stripe_client.v1.products.list()


OTHER_PROJECT = """
import pytest
from local.stripe_simulator import Settings

pytest_plugins = ["local.stripe_simulator.pytest_plugin"]

@pytest.fixture
def stripe_settings():
    return Settings(default_currency="eur")

def test_in_process(stripe_client):
    assert stripe_client.v1.balance.retrieve().available[0].currency == "eur"

def test_served(served_stripe_simulator):
    assert served_stripe_simulator.simulator.world.settings.base_url == served_stripe_simulator.url
"""


def test_another_project_has_the_fixtures_by_naming_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(OTHER_PROJECT)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("clock", {"amount": "-1", "unit": "hours"}),
        ("clock", {"amount": "1", "unit": "weeks"}),
        ("clock", {"amount": "9999999", "unit": "days"}),
        ("faults", {"effect": "explode"}),
        ("faults", {"effect": "lose", "count": "0"}),
        ("snapshots", {"name": "a/b"}),
        ("snapshots/none", {"action": "load"}),
    ],
)
def test_a_form_that_cannot_be_done_is_the_page_with_the_reason(
    served_stripe_simulator: Served, form: str, data: dict[str, str]
) -> None:
    answer = httpx.post(f"{served_stripe_simulator.url}/_simulator/page/{form}", data=data)
    assert answer.status_code in (400, 404)
    assert 'role="alert"' in answer.text
    assert served_stripe_simulator.simulator.clock.now() == START


def test_the_newest_objects_are_found_among_many_accounts(simulator: Simulator, client: stripe.StripeClient) -> None:
    sellers = [ready_seller(simulator, client) for _ in range(3)]
    made = [
        simulator.request("POST", "/v1/products", TEA, headers={"Stripe-Account": seller}).json()["id"]
        for seller in [*sellers, *sellers]
    ]
    newest = simulator.store.newest(5, lambda name: name == "product")
    assert [row.object_id for row in newest] == made[:0:-1]
