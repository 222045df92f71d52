"""A deployment whose functions are the real handlers, in this process."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from botocore.config import Config

from cli.deployments import Deployment

from ..handlers.backend import Backend, Context

STACK = "marketplace-test"
MODULES = {
    "MerchantsFunction": "merchants.app",
    "LedgerFunction": "ledger.app",
    "CommandsFunction": "commands.app",
    "DeadLettersFunction": "dead_letters.app",
}


class CloudFormation:
    """Knows the stack."""

    def __init__(
        self, parameters: Mapping[str, str], outputs: Mapping[str, str], resources: Iterable[tuple[str, str]]
    ) -> None:
        self._parameters = parameters
        self._outputs = outputs
        self._resources = resources

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        return {
            "Stacks": [
                {
                    "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in self._parameters.items()],
                    "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in self._outputs.items()],
                }
            ],
            "ResponseMetadata": {"HTTPHeaders": {}},
        }

    def describe_stack_resource(self, *, StackName: str, LogicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        return {"StackResourceDetail": {"PhysicalResourceId": f"{StackName}-{LogicalResourceId}"}}

    def get_paginator(self, _operation: str) -> "CloudFormation":
        return self

    def paginate(self, *, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - as boto3 has it
        for kind, physical_id in self._resources:
            yield {"StackResourceSummaries": [{"ResourceType": kind, "PhysicalResourceId": physical_id}]}


class Lambda:
    """Runs the handlers."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        module = self._backend.modules[MODULES[FunctionName.removeprefix(f"{STACK}-")]]
        answer = module.handler(json.loads(Payload), Context())
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


class Sts:
    """Knows who asks."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:sts::123456789012:assumed-role/operators/nora"}


def deployment_of(
    clients: Mapping[str, Any],
    *,
    parameters: Mapping[str, str] | None = None,
    outputs: Mapping[str, str] | None = None,
    resources: Iterable[tuple[str, str]] = (),
) -> Deployment:
    """A deployment with these clients."""
    known = {"cloudformation": CloudFormation(parameters or {}, outputs or {}, resources), "sts": Sts(), **clients}

    def connect(service: str, _config: Config | None) -> Any:
        return known[service]

    return Deployment(STACK, connect)


Run = Callable[..., tuple[int, str, str]]
