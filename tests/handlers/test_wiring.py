"""Settings and wiring: a function starts with all it needs or says what is missing, and makes its ports itself."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.cloud.places import PROJECT
from local.stripe_simulator.simulator import Simulator
from marketplace.adapters import wiring
from marketplace.adapters.event_queue import EventQueue
from marketplace.domain.fees import FeePolicy
from marketplace.domain.policies import MoneyPolicy, Shortfall
from marketplace.edge.invocation import Invocation
from marketplace.edge.settings import InvalidEnvironment, Part, Settings
from marketplace.operations import Operation
from marketplace.services.commands import FOLLOWERS

from ..contract.table import create_table
from ..simulation.transport import InProcess
from .backend import ENVIRONMENT, OPERATOR, Backend

REGION = ENVIRONMENT["AWS_DEFAULT_REGION"]


def test_an_environment_is_read_in_parts() -> None:
    settings = Settings.of(ENVIRONMENT, *Part)
    assert (settings.table_name, settings.livemode) == ("marketplace", False)
    assert settings.return_origins == frozenset({"http://localhost:3000"})
    assert settings.fee_policy == FeePolicy.of({"percent": "10"})
    assert Settings.of({"TABLE_NAME": "t"}, Part.TABLE) == Settings(table_name="t")


def test_all_that_is_missing_or_malformed_is_named_at_once() -> None:
    environment = {
        "LIVEMODE": "yes",
        "TABLE_NAME": "",
        "FEE_POLICY": '{"percent": 10.5}',
        "STRIPE_API_BASE": "https://x",
    }
    with pytest.raises(InvalidEnvironment) as refused:
        Settings.of(environment, Part.TABLE, Part.STRIPE, Part.SALES)
    for name in ("LIVEMODE", "TABLE_NAME", "FEE_POLICY", "STRIPE_SECRET_ARN is missing"):
        assert name in str(refused.value)
    assert "STRIPE_API_BASE" not in str(refused.value)


@pytest.mark.parametrize("policy", ["", "10", "[]", "{", '{"percent": "101"}', '{"percents": "1"}'])
def test_a_fee_policy_that_no_sale_could_follow_lets_nothing_start(policy: str) -> None:
    with pytest.raises(InvalidEnvironment):
        Settings.of({"FEE_POLICY": policy}, Part.SALES)


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "[]",
        "{",
        '{"shortfal": "refuse"}',
        '{"shortfall": "maybe"}',
        '{"recovers_disputes": "yes"}',
        '{"settlement_currencies": "usd"}',
        '{"settlement_currencies": []}',
        '{"refund_unready_after_days": 0}',
        '{"refund_lost_after_days": 91}',
        '{"refund_lost_after_days": true}',
        '{"refund_lost_after_days": "7"}',
        '{"settlement_currencies": ["usd", "btc"]}',
    ],
)
def test_a_money_policy_that_says_nothing_known_lets_nothing_start(policy: str) -> None:
    with pytest.raises(InvalidEnvironment):
        Settings.of({"MONEY_POLICY": policy, "PAYMENT_TEMPLATE": "{}"}, Part.MONEY)


def test_a_money_policy_decides_what_it_names_and_the_rest_is_as_usual() -> None:
    money = '{"shortfall": "refuse", "hold_until_ready": true}'
    said = Settings.of({"MONEY_POLICY": money, "PAYMENT_TEMPLATE": "{}"}, Part.MONEY)
    assert said.money_policy == MoneyPolicy(shortfall=Shortfall.REFUSE, hold_until_ready=True)
    documented = (PROJECT / "docs" / "policies.md").read_text()
    for name, value in MoneyPolicy()._asdict().items():
        assert f"| `{name}` | `{json.dumps(value)}` |" in documented
    assert all(f"`{choice}`" in documented for choice in Shortfall)


def test_several_origins_are_separated_by_commas() -> None:
    origins = Settings.of({"RETURN_ORIGINS": "https://a.example,https://b.example"}, Part.RETURNS).return_origins
    assert origins == frozenset({"https://a.example", "https://b.example"})
    assert Settings.of({"RETURN_ORIGINS": ""}, Part.RETURNS).return_origins == frozenset()


class Cloud:
    """The services that the functions use, of moto, with a table as the template has it."""

    def __init__(self) -> None:
        create_table(boto3.client("dynamodb", region_name=REGION), ENVIRONMENT["TABLE_NAME"])
        self.secrets = boto3.client("secretsmanager", region_name=REGION)
        for name, value in (("STRIPE_SECRET_ARN", "sk_test_1"), ("WEBHOOK_SECRET_ARN", '{"account": ["whsec_1"]}')):
            self.secrets.create_secret(Name=ENVIRONMENT[name], SecretString=value)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    wiring._session.cache_clear()
    with mock_aws():
        yield Cloud()
    wiring._session.cache_clear()


def test_the_wired_ports_serve_a_request_from_the_table_to_stripe(
    cloud: Cloud, functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = functions["merchants.app"]
    ports: Any = wiring.ports(module.settings, module.invocation)
    ports.stripe._session.mount(ENVIRONMENT["STRIPE_API_BASE"], InProcess(Simulator(seed=7)))
    monkeypatch.setattr(module, "ports", ports)
    backend = Backend(template="http_api", modules=functions)
    body = {"name": "A", "contact_email": "a@b.example", "country": "us", "currencies": ["usd"]}
    made = backend.call("merchants.app", backend.request(OPERATOR, "POST", "/merchants", body))
    assert made.status == 201, made.text
    assert made.json["account_id"].startswith("acct_")
    read = backend.call("merchants.app", backend.request(OPERATOR, "GET", f"/merchants/{made.json['id']}"))
    assert read.json == made.json


def test_a_request_to_stripe_leaves_a_line_by_which_it_is_found_there_and_here(
    cloud: Cloud, functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    module, simulator = functions["merchants.app"], Simulator(seed=7)
    ports: Any = wiring.ports(module.settings, module.invocation)
    ports.stripe._session.mount(ENVIRONMENT["STRIPE_API_BASE"], InProcess(simulator))
    monkeypatch.setattr(module, "ports", ports)
    backend = Backend(template="http_api", modules=functions)
    body = {"name": "Ann's", "contact_email": "ann@b.example", "country": "us", "currencies": ["usd"]}
    request = backend.request(OPERATOR, "POST", "/merchants", body)
    assert backend.call("merchants.app", request).status == 201
    (line,) = [each for each in map(json.loads, log.getvalue().splitlines()) if each["message"] == "asked Stripe"]
    (asked,) = [each for each in simulator.log.newest() if each["path"] == "/v2/core/accounts"]
    assert line["stripe_request_id"] == asked["request_id"]
    assert f"{line['command_id']}:{line['attempt']}" == asked["idempotency_key"]
    assert line["correlation_id"] == request["requestContext"]["requestId"]
    assert (line["operation"], line["outcome"], line["status"], line["tries"]) == (
        "v2.core.accounts.create", "done", 200, 1
    )  # fmt: skip
    assert "Ann" not in log.getvalue()
    assert "ann@" not in log.getvalue()


def test_s09_the_keys_come_from_secrets_manager_and_from_no_variable(cloud: Cloud) -> None:
    ports: Any = wiring.ports(Settings.of(ENVIRONMENT, Part.TABLE, Part.STRIPE), Invocation())
    assert ports.stripe._api_key.value() == "sk_test_1"
    assert json.loads(wiring.webhook_secret(Settings.of(ENVIRONMENT, Part.WEBHOOKS)).value()) == {
        "account": ["whsec_1"]
    }
    assert isinstance(wiring.event_queue(Settings.of(ENVIRONMENT, Part.WEBHOOKS)), EventQueue)


def test_a_function_without_a_stripe_key_cannot_call_stripe(cloud: Cloud) -> None:
    ports: Any = wiring.ports(Settings.of(ENVIRONMENT, Part.TABLE), Invocation())
    for call in (ports.stripe.ask, ports.stripe.read, ports.stripe.each):
        with pytest.raises(AssertionError):
            call(Operation.CREATE_REFUND, params={}, key="k")


def test_f27_outside_of_an_invocation_there_is_no_time() -> None:
    assert Invocation().seconds_left() == 0


FORBIDDEN = {
    "transactions.app": {"stripe", "requests"},
    "ledger.app": {"stripe", "requests"},
    "webhooks.receive": {"stripe", "pydantic", "requests", "aws_lambda_powertools", "marketplace.services"},
    "webhooks.process": {"pydantic"},
    "schedules.sweep": {"pydantic"},
    "schedules.catch_up": {"pydantic"},
    "schedules.reconcile": {"pydantic"},
    "events.send": {"pydantic", "stripe", "requests", "marketplace.services"},
    "health.app": {"botocore", "marketplace", "aws_lambda_powertools"},
}


@pytest.mark.parametrize("function", FORBIDDEN)
def test_a_cold_start_imports_nothing_that_the_function_does_not_use(function: str) -> None:
    script = f"import sys, functions.{function}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, check=True, capture_output=True, text=True, timeout=60,
        env={**ENVIRONMENT, "PYTHONPATH": f"{PROJECT / 'shared'}:{PROJECT}"},
    )  # fmt: skip
    assert FORBIDDEN[function] & set(done.stdout.split()) == set()


def test_every_module_that_carries_out_what_follows_is_known() -> None:
    services = PROJECT / "shared" / "marketplace" / "services"
    named = re.compile(r"(?m)^\s*(?:handles\(|@evens_out)")
    carrying = {path.stem for path in services.glob("*.py") if named.search(path.read_text())} - {"commands", "sweep"}
    assert carrying == set(FOLLOWERS)


MOVING_MONEY = (
    "checkout.app",
    "refunds.app",
    "payments.app",
    "webhooks.process",
    "schedules.sweep",
    "schedules.catch_up",
)


@pytest.mark.parametrize("function", MOVING_MONEY)
def test_each_function_alone_carries_out_all_that_follows(function: str) -> None:
    """A handler is known when its module is imported; the other tests import all of them."""
    script = (
        f"import functions.{function}; from marketplace.services import commands; "
        "from marketplace.domain.commands import CommandKind as K; "
        "[commands.follower_of(kind) for kind in (K.CREATE_TRANSFER, K.REVERSE_TRANSFER, K.CREATE_REFUND, "
        "K.REFUND_APPLICATION_FEE, K.CREATE_PAYMENT_INTENT, K.CANCEL_PAYMENT, K.CAPTURE_PAYMENT)]; "
        "assert commands._SHARES"
    )
    subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, check=True, timeout=60,
        env={**ENVIRONMENT, "PYTHONPATH": f"{PROJECT / 'shared'}:{PROJECT}"},
    )  # fmt: skip
