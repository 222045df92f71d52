"""Where the commands work: the local cloud, or a stack in AWS, by the credentials of the shell."""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import CannotRun, Stack
from local.cloud.sam import STACK_NAME

LONGEST_FUNCTION_SECONDS: Final = 900  # Lambda's own limit

# A command that is sent twice because nobody waited for its end would be no fault, but would tell the wrong counts.
PATIENT: Final = Config(read_timeout=LONGEST_FUNCTION_SECONDS + 10, retries={"total_max_attempts": 1})

AwsClient = Any  # boto3 makes the methods of a client at run time


class Cannot(Exception):
    """What was asked cannot be done; the text says why and what to do."""


class CannotReach(Cannot):
    """The deployment does not answer."""


class FunctionFailed(Cannot):
    """A function ended with an error; the text is its kind and what it says."""


class Deployment:
    """A stack; ``connect`` makes a boto3 client of the AWS that it is in."""

    def __init__(self, stack_name: str, connect: Callable[[str, Config | None], AwsClient]) -> None:
        self.stack_name = stack_name
        self._connect = connect
        self._functions: dict[str, str] = {}

    def client(self, service: str, config: Config | None = None) -> AwsClient:
        """A boto3 client. Raises botocore's errors."""
        return self._connect(service, config)

    @cached_property
    def _described(self) -> Mapping[str, Any]:
        try:
            (stack,) = self.client("cloudformation").describe_stacks(StackName=self.stack_name)["Stacks"]
        except (BotoCoreError, ClientError) as error:
            raise CannotReach(f"the stack {self.stack_name} cannot be read: {error}") from error
        described: Mapping[str, Any] = stack
        return described

    @property
    def parameters(self) -> Mapping[str, str]:
        """What it was deployed with. Raises CannotReach."""
        return {each["ParameterKey"]: each["ParameterValue"] for each in self._described.get("Parameters", [])}

    @property
    def outputs(self) -> Mapping[str, str]:
        """What it tells of itself. Raises CannotReach."""
        return {each["OutputKey"]: each["OutputValue"] for each in self._described.get("Outputs", [])}

    def output(self, name: str) -> str:
        """One of its outputs. Raises CannotReach."""
        if name not in self.outputs:
            raise CannotReach(f"the stack {self.stack_name} has no output {name}: deploy the current template.")
        return self.outputs[name]

    def physical_id(self, logical_id: str) -> str:
        """The name of a resource of the template. Raises CannotReach."""
        if logical_id not in self._functions:
            try:
                found = self.client("cloudformation").describe_stack_resource(
                    StackName=self.stack_name, LogicalResourceId=logical_id
                )
            except (BotoCoreError, ClientError) as error:
                raise CannotReach(f"the stack {self.stack_name} has no {logical_id}: {error}") from error
            self._functions[logical_id] = str(found["StackResourceDetail"]["PhysicalResourceId"])
        return self._functions[logical_id]


def deployment(stack_name: str | None) -> Deployment:
    """The stack of this name, or without one the local cloud. Raises CannotReach."""
    if stack_name is not None:
        try:
            session = Session()
        except BotoCoreError as error:  # the shell names a profile that is not there
            raise CannotReach(f"there is no way to AWS: {error}") from error
        return Deployment(stack_name, lambda service, config: session.client(service, config=config))  # type: ignore[call-overload]  # boto3-stubs knows services by literal names only
    try:
        return Deployment(STACK_NAME, Stack.running().client)
    except CannotRun as problem:
        raise CannotReach(f"{problem} Or name a stack in AWS with --stack.") from problem


def invoke(where: Deployment, logical_id: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Run a function and wait for its end; what it returns.

    Raises:
        CannotReach, FunctionFailed.
    """
    name = where.physical_id(logical_id)
    try:
        answer = where.client("lambda", PATIENT).invoke(FunctionName=name, Payload=json.dumps(dict(event)).encode())
    except (BotoCoreError, ClientError) as error:
        raise CannotReach(f"{name} cannot be invoked: {error}") from error
    said: dict[str, Any] = json.loads(answer["Payload"].read() or "{}")
    if "FunctionError" in answer:
        raise FunctionFailed(f"{name}: {said.get('errorType')}: {said.get('errorMessage')}")
    return said
