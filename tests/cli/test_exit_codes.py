"""What the shell gets: all is well, somebody must look, or it could not be asked for; and what is asked for once."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import stripe
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from cli import __main__ as command_line
from cli import merchants, webhook_commands
from cli.answers import CANNOT, FOUND, WELL
from cli.deployments import LONGEST_FUNCTION_SECONDS, Cannot, Deployment
from cli.stripe_access import stripe_key
from cli.webhooks.kept import Malformed
from cli.webhooks.rotation import NotNow

from ..handlers.test_dead_letters import PAID, Letters, letters
from .aws import STACK, CloudFormation, Run, Sts, deployment_of

__all__ = ["letters"]


class Aws:
    """A function that ends as it is told to, in an AWS of which something may fail."""

    def __init__(self) -> None:
        self.answer: Any = {}
        self.error: str | None = None
        self.fails: str | None = None
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        self.configs: list[Config | None] = []

    def client(self, service: str, config: Config | None) -> Any:
        if self.fails == service:
            raise NoCredentialsError
        if service == "lambda":
            self.configs.append(config)
            return self
        return {"cloudformation": Cloud(self), "sts": Caller(self)}[service]

    def may(self, action: str) -> None:
        if self.fails == action:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, action)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        self.may("Invoke")
        self.invoked.append((FunctionName.removeprefix(f"{STACK}-"), json.loads(Payload)))
        failed = {"FunctionError": "Unhandled"} if self.error else {}
        said = {"errorType": "Unavailable", "errorMessage": self.error} if self.error else self.answer
        return {"Payload": io.BytesIO(json.dumps(said).encode()), **failed}


class Cloud(CloudFormation):
    def __init__(self, aws: Aws) -> None:
        super().__init__({"RoleClaim": "https://shop.example/role"}, {}, ())
        self.aws = aws

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        self.aws.may("DescribeStacks")
        return super().describe_stacks(StackName=StackName)

    def describe_stack_resource(self, *, StackName: str, LogicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        self.aws.may("DescribeStackResource")
        return super().describe_stack_resource(StackName=StackName, LogicalResourceId=LogicalResourceId)


class Caller(Sts):
    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def get_caller_identity(self) -> dict[str, str]:
        self.aws.may("GetCallerIdentity")
        return super().get_caller_identity()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(command_line, "deployment", lambda _: Deployment(STACK, made.client))
    return made


COUNTS: dict[str, tuple[str, dict[str, Any], dict[str, int]]] = {
    "audit": ("AuditFunction", {}, {"findings": 0, "discrepancies": 0, "overdue": 0}),
    "reconcile": ("ReconcileFunction", {"is_asked": True}, {"unmatched": 0, "unexplained": 0, "troubles": 0}),
    "catch-up": ("CatchUpFunction", {}, {"troubles": 0}),
    "sweep": ("SweepFunction", {}, {"troubles": 0}),
}


@pytest.mark.parametrize("command", COUNTS)
def test_each_count_of_what_is_wrong_is_for_somebody_to_look_at(aws: Aws, command: str) -> None:
    function, event, well = COUNTS[command]
    aws.answer = {**well, "pages": 3}
    assert command_line.main([command]) == WELL
    assert aws.invoked == [(function, event)]
    for name in well:
        aws.answer = {**well, name: 1}
        assert command_line.main([command]) == FOUND, name


def test_catching_up_begins_where_it_is_told_to(aws: Aws) -> None:
    aws.answer = {"troubles": 0}
    command_line.main(["catch-up", "--since", "2026-11-20T00:00:00Z"])
    assert aws.invoked == [("CatchUpFunction", {"since": "2026-11-20T00:00:00Z"})]


def test_a_function_is_waited_for_to_its_end_and_never_asked_twice(aws: Aws) -> None:
    aws.answer = COUNTS["audit"][2]
    command_line.main(["audit"])
    (config,) = aws.configs
    options: Mapping[str, Any] = vars(config)
    assert options["retries"] == {"total_max_attempts": 1}
    assert options["read_timeout"] > LONGEST_FUNCTION_SECONDS


def test_a_function_that_ends_with_an_error_is_told(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.error = "the records of this command keep changing"
    assert command_line.main(["sweep"]) == CANNOT
    assert "Unavailable: the records of this command keep changing" in capsys.readouterr().err


@pytest.mark.parametrize("fails", ["lambda", "DescribeStacks", "DescribeStackResource", "Invoke", "GetCallerIdentity"])
def test_what_aws_refuses_is_told_in_words(aws: Aws, fails: str, capsys: pytest.CaptureFixture[str]) -> None:
    aws.fails = fails
    assert command_line.main(["merchants", "list"]) == CANNOT
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("lacks", ["the profile", "the region"])
def test_a_shell_without_a_way_to_aws_is_told_so(
    lacks: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    if lacks == "the profile":
        monkeypatch.setenv("AWS_PROFILE", "nobody's")
    assert command_line.main(["audit", "--stack", STACK]) == CANNOT
    said = capsys.readouterr()
    assert said.out == ""
    assert lacks.removeprefix("the ") in said.err


def test_a_stack_that_tells_less_than_the_current_template_is_to_be_deployed_anew() -> None:
    with pytest.raises(Cannot, match="deploy the current template"):
        deployment_of({}).output("ApiUrl")


REFUSALS: tuple[tuple[Exception, str], ...] = (
    (stripe.AuthenticationError("Invalid API Key: sk_live_secret"), "put a current one into the secret"),
    (stripe.PermissionError("rk_live_secret has not rak_x"), "has not the right"),
    (stripe.APIConnectionError("to somewhere secret"), "Stripe does not answer"),  # type: ignore[no-untyped-call]
    (stripe.InvalidRequestError("secret", None, code="url_invalid"), "Stripe refused (url_invalid)"),  # type: ignore[no-untyped-call]
    (stripe.APIError("secret"), "Stripe refused (APIError)"),
    (Malformed("the webhook list is none"), "the webhook list is none"),
    (NotNow("wait until tomorrow"), "wait until tomorrow"),
    (ClientError({"Error": {"Code": "AccessDenied"}}, "PutSecretValue"), "PutSecretValue"),
    (NoCredentialsError(), "Unable to locate credentials"),
)


@pytest.mark.parametrize(("error", "told"), REFUSALS, ids=[type(error).__name__ for error, _ in REFUSALS])
def test_what_stripe_says_of_a_key_is_told_in_our_words(
    aws: Aws, error: Exception, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(webhook_commands, "look", fail)
    for words in (["sync"], ["rotate", "--finish"]):
        assert command_line.main(["webhooks", *words]) == CANNOT
        complained = capsys.readouterr().err
        assert told in complained
        assert "secret" not in complained.replace("the secret of", "")


def test_the_stripe_key_is_read_without_what_an_editor_left_behind_it() -> None:
    class Keys:
        def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - as boto3 has it
            if SecretId != "key":
                raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
            return {"SecretString": " sk_test_1\n"}

    outputs = {"StripeKeySecretArn": "key", "BillingStripeKeySecretArn": "none"}
    where = deployment_of({"secretsmanager": Keys()}, outputs=outputs)
    assert stripe_key(where) == "sk_test_1"
    with pytest.raises(Cannot, match="GetSecretValue"):
        stripe_key(where, "BillingStripeKeySecretArn")


def test_an_operator_is_one_by_the_claim_that_the_stack_was_deployed_with(aws: Aws) -> None:
    aws.answer = {"statusCode": 200, "body": json.dumps({"data": [], "cursor": None})}
    assert command_line.main(["merchants", "list"]) == WELL
    ((_, event),) = aws.invoked
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    assert claims == {"sub": Sts().get_caller_identity()["Arn"], "https://shop.example/role": "[operator]"}


@pytest.mark.parametrize(
    ("most", "pages"), [(250, [100, 100, 50]), (100, [100]), (2, [2])], ids=["some pages", "a page", "a part of one"]
)
def test_a_list_is_asked_for_page_by_page_and_no_more_of_it_than_is_wanted(
    aws: Aws, most: int, pages: list[int]
) -> None:
    merchant = dict.fromkeys(merchants.SHOWN)
    invoke = aws.invoke

    def answer(**options: Any) -> dict[str, Any]:
        limit = int(json.loads(options["Payload"])["queryStringParameters"]["limit"])
        body = {"data": [merchant] * limit, "cursor": "another page"}
        aws.answer = {"statusCode": 200, "body": json.dumps(body)}
        return invoke(**options)

    aws.invoke = answer  # type: ignore[method-assign]
    assert command_line.main(["merchants", "list", "--most", str(most)]) == WELL
    assert [int(event["queryStringParameters"]["limit"]) for _, event in aws.invoked] == pages


def test_a_dead_letter_that_is_not_json_is_shown_as_it_is(run: Run, letters: Letters) -> None:
    letter = letters.set_aside("half of an ev", name="half")
    code, told, _ = run("dead-letters", "show", letter, "--json")
    assert (code, json.loads(told)["body"]) == (WELL, "half of an ev")


@pytest.mark.parametrize("words", [["redrive"], ["redrive", "--all", "some-id"]])
def test_whoever_names_no_dead_letter_and_not_all_puts_none_back(run: Run, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("dead-letters", *words)
    assert ended.value.code == CANNOT


def test_when_all_dead_letters_are_put_back_all_is_well(run: Run, letters: Letters) -> None:
    letters.set_aside(PAID)
    code, told, _ = run("dead-letters", "redrive", "--all", "--json")
    assert (code, json.loads(told)) == (WELL, {"put_back": 1, "waiting": 0, "kept": []})
