"""`doctor` over the Stripe simulator and a deployment in moto: each thing that is wrong is found, with its mending."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import stripe
from botocore.exceptions import ClientError
from moto import mock_aws

from cli import doctor_command
from cli.answers import FOUND
from cli.deployments import Deployment
from cli.doctor import account, deployment
from cli.doctor.account import of_account
from cli.doctor.lines import Line, Verdict
from cli.doctor.looking import CHECKS, look_at
from cli.doctor.patient import CHECKED_PARAMETERS, Patient
from cli.doctor.rights import may_read
from cli.stripe_keys import RESOURCES, Group, Level, level, needed_by, permissions, rights_of
from cli.webhooks.endpoints import StripeEndpoints, wanted_at
from cli.webhooks.kept import Vault
from cli.webhooks.sync import carry_out, plan
from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient
from marketplace.edge.settings import PARSERS
from marketplace.operations import Operation

from ..contract.table import create_table
from .aws import deployment_of
from .secrets_manager import Secrets

START = 1_800_000_000
REGION = "us-east-1"
API = "http://127.0.0.1:9"
FIFO: Any = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
PARAMETERS = {
    "Stage": "dev", "Livemode": "false", "ReturnOrigins": "https://shop.example", "FeePolicy": '{"percent": "10"}',
    "MoneyPolicy": "{}", "AccountPolicy": "{}", "StripeApiBase": "https://api.stripe.com", "AlarmTopicArn": "arn:x",
}  # fmt: skip


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:marketplace-test-CheckoutFunction-1"
ALIAS = f"{FUNCTION}:live"
QUOTA = {"AccountLimit": {"UnreservedConcurrentExecutions": 1_000}}


class Keys(Secrets):
    """Secrets Manager with the Stripe key and the webhook secrets."""

    key = "rk_test_1"

    def __init__(self) -> None:
        super().__init__()
        self.of_groups: dict[str, str] = {}

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        if SecretId in Group:
            if SecretId not in self.of_groups:
                raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
            return {"SecretString": self.of_groups[SecretId]}
        return {"SecretString": self.key} if SecretId == "key" else super().get_secret_value(SecretId=SecretId)


class Lambda:
    """A function that is called by an alias."""

    def __init__(self) -> None:
        self.percent = {"latest": "10", "live": "10"}

    def get_account_settings(self) -> dict[str, Any]:
        return QUOTA

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        policy = self.percent["live" if FunctionName == ALIAS else "latest"]
        return {"Version": FunctionName, "CodeSha256": "a", "Environment": {"Variables": {"FEE_POLICY": policy}}}


class Ward:
    """A deployment that is well, until a test makes it ill."""

    def __init__(self) -> None:
        self.simulator = Simulator(clock=Clock.standing(START), seed=7)
        self.stripe = stripe.StripeClient("sk_test_1", http_client=InProcessClient(self.simulator))
        self.secrets = Keys()
        self.parameters: dict[str, str] = dict(PARAMETERS)
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        self.cloudwatch = boto3.client("cloudwatch", region_name=REGION)
        self.functions = Lambda()
        self.resources = [("AWS::Lambda::Alias", ALIAS), ("AWS::Lambda::Function", FUNCTION)]
        create_table(self.dynamodb, "marketplace")
        self.dynamodb.update_continuous_backups(
            TableName="marketplace", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        self.dynamodb.update_table(TableName="marketplace", DeletionProtectionEnabled=True)
        queues = ("EventDeadLetterQueueUrl", "UnsentEventsQueueUrl", "EventQueueUrl")
        self.outputs = {
            "ApiUrl": API, "TableName": "marketplace", "StripeKeySecretArn": "key", "WebhookSecretArn": "webhooks",
            **{f"{group.title()}StripeKeySecretArn": group.value for group in Group},
            **{each: self.sqs.create_queue(QueueName=f"{each}.fifo", Attributes=FIFO)["QueueUrl"] for each in queues},
        }  # fmt: skip
        self.alarm("DeadLetters", "OK")
        self.sync()

    def alarm(self, name: str, state: Any) -> None:
        full = f"marketplace-test-{name}"
        self.cloudwatch.put_metric_alarm(
            AlarmName=full, AlarmDescription=f"{name} is wrong.", MetricName="m", Namespace="n", Statistic="Sum",
            Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        self.cloudwatch.set_alarm_state(AlarmName=full, StateValue=state, StateReason="test")

    def sync(self) -> None:
        endpoints = StripeEndpoints(self.stripe)
        vault = Vault(self.secrets, "webhooks")  # type: ignore[arg-type]  # by hand
        now, wanted = datetime.now(UTC), wanted_at(API)
        found = endpoints.at([each.url for each in wanted])
        list(carry_out(plan(wanted, found, vault.read(), now=now).steps, endpoints, vault, now=now))

    @property
    def where(self) -> Deployment:
        clients = {
            "lambda": self.functions,
            "secretsmanager": self.secrets,
            "sqs": self.sqs,
            "dynamodb": self.dynamodb,
            "cloudwatch": self.cloudwatch,
        }
        return deployment_of(clients, parameters=self.parameters, outputs=self.outputs, resources=self.resources)

    def look(self) -> list[Line]:
        return list(look_at(Patient(self.where, self.client_of)))

    def client_of(self, key: str) -> stripe.StripeClient:
        """Of the simulator, whose keys are all of the test mode."""
        known = key.replace("_live_", "_test_")
        return stripe.StripeClient(known, http_client=InProcessClient(self.simulator), max_network_retries=0)

    def wrong(self) -> list[str]:
        """What is wrong, but that the API does not answer at a place where nobody listens."""
        return [line.about for line in self.look() if line.verdict is Verdict.WRONG and line.about != "api"]


@pytest.fixture
def ward(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Ward()


def test_of_a_deployment_that_is_well_nothing_is_wrong_and_every_check_says_something(ward: Ward) -> None:
    lines = ward.look()
    assert ward.wrong() == []
    assert {line.about for line in lines} >= {
        *("parameters", "return origins", "api", "table", "key", "account", "branding", "business profile", "connect"),
        *("payouts", "tax", "rights", "webhook secrets", "endpoints", "dead letters", "event queue", "alarms", "clock"),
        "versions",
    }
    assert all(line.mend for line in lines if line.verdict in {Verdict.WRONG, Verdict.WARNING})


def another_mode(ward: Ward) -> None:
    ward.secrets.key = "rk_live_1"


def no_key(ward: Ward) -> None:
    ward.secrets.key = "whsec_1"


def deployed_with(**parameters: str) -> Callable[[Ward], None]:
    return lambda ward: ward.parameters.update(parameters)


def secrets_are(text: str) -> Callable[[Ward], None]:
    return lambda ward: ward.secrets.writes.append(text)


def no_recovery(ward: Ward) -> None:
    off: Any = {"PointInTimeRecoveryEnabled": False}
    ward.dynamodb.update_continuous_backups(TableName="marketplace", PointInTimeRecoverySpecification=off)


def no_protection(ward: Ward) -> None:
    ward.dynamodb.update_table(TableName="marketplace", DeletionProtectionEnabled=False)


def an_alias_was_left_behind(ward: Ward) -> None:
    ward.functions.percent["latest"] = "12"


def a_dead_letter(ward: Ward) -> None:
    ward.sqs.send_message(QueueUrl=ward.outputs["EventDeadLetterQueueUrl"], MessageBody="{}", MessageGroupId="a")


def an_endpoint_hears_too_little(ward: Ward) -> None:
    (found, *_) = StripeEndpoints(ward.stripe).at([wanted_at(API)[0].url])
    ward.stripe.v1.webhook_endpoints.update(found.id, {"enabled_events": ["charge.succeeded"]})


def no_head_office(ward: Ward) -> None:
    california: Any = {"us": {"state": "CA", "type": "state_sales_tax"}}
    ward.stripe.v1.tax.registrations.create({"country": "US", "active_from": "now", "country_options": california})


@pytest.mark.parametrize(
    ("make_ill", "about"),
    [
        (no_key, "key"),
        (another_mode, "key"),
        (deployed_with(FeePolicy='{"percent": "101"}'), "parameters"),
        (deployed_with(AccountPolicy='{"losses_collector": "stripe"}'), "parameters"),
        (deployed_with(StripeApiBase="https://elsewhere.example"), "parameters"),
        (deployed_with(ReturnOrigins=""), "return origins"),
        (no_recovery, "table"),
        (no_protection, "table"),
        (an_alias_was_left_behind, "versions"),
        (a_dead_letter, "dead letters"),
        (lambda ward: ward.alarm("Clearing", "ALARM"), "alarms"),
        (an_endpoint_hears_too_little, "endpoints"),
        (secrets_are('{"account": ["whsec_other"], "connect": ["whsec_other"]}'), "endpoints"),
        (secrets_are('{"account": "whsec_1"}'), "webhook secrets"),
        (secrets_are("{}"), "webhook secrets"),
        (no_head_office, "tax"),
    ],
)
def test_what_is_wrong_is_found_and_the_line_says_how_to_mend_it(
    ward: Ward, make_ill: Callable[[Ward], None], about: str
) -> None:
    make_ill(ward)
    found = [line for line in ward.look() if line.verdict is Verdict.WRONG and line.about == about]
    assert found
    assert all(line.mend for line in found)


def test_a_live_deployment_wants_https_and_somebody_who_hears_alarms(ward: Ward) -> None:
    ward.parameters |= {"Livemode": "true", "ReturnOrigins": "http://shop.example", "AlarmTopicArn": ""}
    ward.secrets.key = "rk_live_1"
    lines = ward.look()
    assert {"api", "return origins"} <= {line.about for line in lines if line.verdict is Verdict.WRONG}
    assert "alarms" in {line.about for line in lines if line.verdict is Verdict.WARNING}


def test_a_deployment_without_aliases_is_an_old_one(ward: Ward) -> None:
    ward.resources = [each for each in ward.resources if each[1] != ALIAS]
    assert verdicts(ward, "versions") == [Verdict.WARNING]


def test_a_right_that_the_key_lacks_is_named_with_what_needs_it(ward: Ward) -> None:
    denied = {"status": 403, "type": "invalid_request_error"}
    ward.simulator.faults.order("error", method="GET", path="/v1/transfers", count=None, **denied)
    lines = [line for line in ward.look() if line.about == "rights" and line.verdict is Verdict.WRONG]
    (line,) = lines
    assert "Transfers" in line.what
    assert Operation.CREATE_TRANSFER.value in line.what
    assert line.mend == "Give it Transfers: write."


def with_group_keys(ward: Ward, value: str, **left_out: str) -> None:
    """Keys that may do exactly what their groups need, but for a right that is left out of one."""
    ward.parameters["StripeKeys"] = value
    for group in Group:
        own, connect = permissions(rights_of(group))
        for rights in (own, connect):
            rights.pop(left_out.get(group, ""), None)
        made = ward.simulator.keys.make({"permissions": own, "connect_permissions": connect})
        ward.secrets.of_groups[group] = made["key"]


def verdicts(ward: Ward, about: str) -> list[Verdict]:
    return [line.verdict for line in ward.look() if line.about == about]


@pytest.mark.parametrize("value", ["prepared", "switched", "separate"])
def test_the_keys_of_groups_with_exactly_their_rights_are_well(ward: Ward, value: str) -> None:
    made = ward.stripe.v2.core.accounts.create({"contact_email": "a@b.example"})
    with_group_keys(ward, value)
    assert ward.wrong() == []
    assert all(verdicts(ward, f"key of {group}") == [Verdict.OK] for group in Group)
    assert [each for each in ward.simulator.keys.listed() if each["lacked"]] == []
    asked = [each["account"] for each in ward.simulator.log.newest(1000)]
    assert made.id in asked  # the Connect permissions were tried


@pytest.mark.parametrize(
    ("group", "right", "says"),
    [
        (Group.CHECKOUT, "checkout_session", "The key of checkout may not read Checkout sessions, needed for"),
        (Group.RECOVERY, "payout", "The key of recovery may not read Payouts of connected accounts, needed for"),
        (Group.RECONCILIATION, "balance_transaction_source", "may not read Balance transaction sources of connected"),
    ],
)
def test_a_right_that_a_group_s_key_lacks_is_named(ward: Ward, group: Group, right: str, says: str) -> None:
    ward.stripe.v2.core.accounts.create({"contact_email": "a@b.example"})
    with_group_keys(ward, "separate", **{group: right})
    assert any(says in line.what for line in ward.look() if line.verdict is Verdict.WRONG)


def test_without_a_connected_account_their_rights_cannot_be_tried(ward: Ward) -> None:
    with_group_keys(ward, "separate")
    says = [line.what for line in ward.look() if line.verdict is Verdict.UNKNOWN]
    assert "What the key of merchants may read of connected accounts: there is none yet." in says
    assert not any("checkout may read of connected" in each for each in says)


def test_a_group_s_key_that_is_not_there_holds_the_switch_up_and_after_it_the_functions(ward: Ward) -> None:
    with_group_keys(ward, "prepared")
    del ward.secrets.of_groups[Group.PAYMENTS]
    assert verdicts(ward, "key of payments") == [Verdict.WARNING]
    ward.parameters["StripeKeys"] = "switched"
    assert verdicts(ward, "key of payments") == [Verdict.WRONG]


def test_a_group_s_key_that_may_do_anything_is_told(ward: Ward) -> None:
    with_group_keys(ward, "separate")
    ward.secrets.of_groups[Group.EVENTS] = "sk_test_1"
    assert verdicts(ward, "key of events") == [Verdict.WARNING]
    ward.secrets.of_groups[Group.EVENTS] = "rk_live_1"
    assert verdicts(ward, "key of events") == [Verdict.WRONG]


@pytest.mark.parametrize(
    ("reserved", "livemode", "quota", "verdict", "says"),
    [
        ("2", "true", 0, Verdict.OK, "at most 93 times a second"),
        ("3", "true", 0, Verdict.WARNING, "may ask 140 times a second"),
        ("0", "false", 0, Verdict.OK, "test mode"),
        ("0", "true", 1000, Verdict.WARNING, "StripeConcurrency=2"),
        ("0", "true", 10, Verdict.WARNING, "Ask AWS for 128 concurrent executions; 10 are unreserved now."),
    ],
)
def test_whether_concurrency_holds_stripe_s_limit(
    reserved: str, livemode: str, quota: int, verdict: Verdict, says: str
) -> None:
    settings = {"AccountLimit": {"UnreservedConcurrentExecutions": quota}}
    where = deployment_of(
        {"lambda": SimpleNamespace(get_account_settings=lambda: settings)},
        parameters={"StripeConcurrency": reserved, "Livemode": livemode},
    )
    (line,) = deployment.stripe_limit(Patient(where))
    assert line.verdict is verdict
    assert says in f"{line.what} {line.mend}"


def test_what_stripe_does_not_answer_cannot_be_checked_and_keeps_no_other_check(ward: Ward) -> None:
    ward.simulator.faults.order("error", path="/v1/tax/*", count=None, status=500, type="api_error")
    lines = ward.look()
    assert [line.verdict for line in lines if line.about == "tax"] == [Verdict.UNKNOWN]
    assert {line.about for line in lines} >= {"rights", "endpoints", "alarms"}


def test_every_operation_s_right_is_probed_or_named() -> None:
    """Whoever adds an operation adds the row of Stripe's page for restricted keys that it needs."""
    unknown = set(Operation) - frozenset().union(*map(needed_by, RESOURCES))
    assert unknown == set()
    assert len({resource.name for resource in RESOURCES}) == len(RESOURCES)


@pytest.mark.parametrize(
    "resource", [each for each in RESOURCES if each.probe and needed_by(each)], ids=lambda r: r.name
)
def test_every_probe_is_a_read_that_stripe_has(ward: Ward, resource: Any) -> None:
    before = len(ward.simulator.log.newest(1000))
    assert may_read(ward.stripe, resource.probe)
    asked = ward.simulator.log.newest(1000)[: len(ward.simulator.log.newest(1000)) - before]
    assert [each["method"] for each in asked] == ["GET"]


def test_reading_needs_less_than_writing() -> None:
    assert level([]) is None
    assert level([Operation.LIST_REFUNDS]) is Level.READ
    assert level([Operation.LIST_REFUNDS, Operation.CREATE_REFUND]) is Level.WRITE


WELL: Mapping[str, Any] = {
    "charges_enabled": True, "payouts_enabled": True, "requirements": {"currently_due": []},
    "business_profile": {"name": "Clay", "url": "https://clay.example", "support_email": "help@clay.example"},
    "settings": {
        "branding": {"icon": "file_1", "primary_color": "#fff"}, "payments": {"statement_descriptor": "CLAY"}
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "about", "verdict"),
    [
        ({}, None, None),
        ({"charges_enabled": False}, "account", Verdict.WRONG),
        ({"payouts_enabled": False}, "account", Verdict.WRONG),
        ({"requirements": {"currently_due": ["external_account"]}}, "account", Verdict.WARNING),
        ({"business_profile": {"name": "Clay"}}, "business profile", Verdict.WARNING),
        ({"settings": {"payments": {"statement_descriptor": "CLAY"}}}, "branding", Verdict.WARNING),
        ({"settings": {"branding": {"icon": "f", "primary_color": "#f"}}}, "statement descriptor", Verdict.WARNING),
    ],
)
def test_what_buyers_see_of_the_account(changed: dict[str, Any], about: str | None, verdict: Verdict | None) -> None:
    bad = [(line.about, line.verdict) for line in of_account({**WELL, **changed}) if line.verdict is not Verdict.OK]
    assert bad == ([] if about is None else [(about, verdict)])


@pytest.mark.parametrize(("seconds", "verdict"), [(-29, Verdict.OK), (31, Verdict.WRONG), (-600, Verdict.WRONG)])
def test_f29_a_clock_that_is_off_is_found(seconds: int, verdict: Verdict) -> None:
    assert deployment._skew("this machine's", timedelta(seconds=seconds)).verdict is verdict


def test_every_parameter_that_functions_parse_is_checked() -> None:
    assert {"FeePolicy", "MoneyPolicy", "ReturnOrigins", "AccountPolicy", "Livemode"} <= CHECKED_PARAMETERS.keys()
    assert len(CHECKED_PARAMETERS) == len(PARSERS)


def test_an_account_that_is_no_platform(ward: Ward) -> None:
    refused = {"status": 400, "type": "invalid_request_error"}
    ward.simulator.faults.order("error", method="GET", path="/v2/core/accounts", count=None, **refused)
    (line,) = account.connect(Patient(ward.where, ward.client_of))
    assert (line.verdict, "Connect" in line.mend) == (Verdict.WRONG, True)


def test_it_is_told_in_a_table_with_the_mending_below(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_command, "Patient", lambda where: Patient(where, ward.client_of))
    a_dead_letter(ward)
    answer = doctor_command._doctor(ward.where, None)  # type: ignore[arg-type]  # it has no options
    assert answer.exit_code == FOUND
    told = answer.shown(as_json=False)
    assert "✗ dead letters: There are 1." in told
    assert "dead-letters list" in told
    assert {"about", "verdict", "what", "mend"} == set(json.loads(answer.shown(as_json=True))["lines"][0])


def test_every_check_has_a_name_of_its_own() -> None:
    assert len(set(CHECKS.values())) == len(CHECKS)
