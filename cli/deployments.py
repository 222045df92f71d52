"""Where the commands work: the local cloud, or a stack in AWS, by the credentials of the shell."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol, override

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import CannotRun, Stack

LONGEST_FUNCTION_SECONDS: Final = 900  # Lambda's own limit

# A command that is sent twice because nobody waited for its end would be no fault, but would tell the wrong counts.
PATIENT: Final = Config(read_timeout=LONGEST_FUNCTION_SECONDS + 10, retries={"total_max_attempts": 1})

AwsClient = Any  # boto3 makes the methods of a client at run time


class CannotReach(Exception):
    """The deployment does not answer; the text says why and what to do."""


class FunctionFailed(Exception):
    """A function ended with an error; the text is its kind and what it says."""


class Deployment(Protocol):
    """A running deployment."""

    def lambda_client(self) -> AwsClient:
        """A boto3 client of its Lambda."""

    def function_name(self, logical_id: str) -> str:
        """The name of a function of the template. Raises CannotReach."""


class LocalDeployment(Deployment):
    """What `make run` keeps running."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @override
    def lambda_client(self) -> AwsClient:
        return self._stack.client("lambda", PATIENT)

    @override
    def function_name(self, logical_id: str) -> str:
        return self._stack.functions[logical_id]


class StackDeployment(Deployment):
    """A CloudFormation stack, in the account and region of the shell's credentials."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._session = Session()

    @override
    def lambda_client(self) -> AwsClient:
        return self._session.client("lambda", config=PATIENT)

    @override
    def function_name(self, logical_id: str) -> str:
        try:
            found = self._session.client("cloudformation").describe_stack_resource(
                StackName=self._name, LogicalResourceId=logical_id
            )
        except (BotoCoreError, ClientError) as error:
            raise CannotReach(f"the stack {self._name} cannot be read: {error}") from error
        return str(found["StackResourceDetail"]["PhysicalResourceId"])


def deployment(stack_name: str | None) -> Deployment:
    """The stack of this name, or without one the local cloud. Raises CannotReach."""
    if stack_name is not None:
        return StackDeployment(stack_name)
    try:
        return LocalDeployment(Stack.running())
    except CannotRun as problem:
        raise CannotReach(f"{problem} Or name a stack in AWS with --stack.") from problem


def invoke(where: Deployment, logical_id: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Run a function and wait for its end; what it returns.

    Raises:
        CannotReach, FunctionFailed.
    """
    name = where.function_name(logical_id)
    try:
        answer = where.lambda_client().invoke(FunctionName=name, Payload=json.dumps(dict(event)).encode())
    except (BotoCoreError, ClientError) as error:
        raise CannotReach(f"{name} cannot be invoked: {error}") from error
    said: dict[str, Any] = json.loads(answer["Payload"].read() or "{}")
    if "FunctionError" in answer:
        raise FunctionFailed(f"{name}: {said.get('errorType')}: {said.get('errorMessage')}")
    return said
