"""Whether the functions that are called by an alias answer as they were deployed last."""

from collections.abc import Iterator
from typing import Any, Final

from ..deployments import AwsClient
from .lines import Line, ok, warning, wrong
from .patient import Patient

ALIAS: Final = "AWS::Lambda::Alias"
DEPLOYED: Final = ("CodeSha256", "Environment", "Handler", "Layers", "MemorySize", "Role", "Timeout")


def versions(patient: Patient) -> Iterator[Line]:
    """An alias that was left on an older version would serve buyers with older code, or another fee."""
    pages = patient.aws("cloudformation").get_paginator("list_stack_resources")
    aliases = [
        each
        for page in pages.paginate(StackName=patient.where.stack_name)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == ALIAS
    ]
    if not aliases:
        yield warning("versions", "No function is called by an alias.", "Deploy the current template.")
        return
    client = patient.aws("lambda")
    old = []
    for each in aliases:
        alias = each["PhysicalResourceId"]
        function = alias.rpartition(":")[0]
        if _configuration(client, alias) != _configuration(client, function):
            old.append(function.rpartition(":")[2])
    for name in sorted(old):
        yield wrong("versions", f"{name} answers as it was deployed before.", "Deploy again; see docs/operations.md.")
    if not old:
        yield ok("versions", f"The {len(aliases)} functions that buyers call answer as they were deployed last.")


def _configuration(client: AwsClient, name: str) -> dict[str, Any]:
    found = client.get_function_configuration(FunctionName=name)
    return {key: found.get(key) for key in DEPLOYED}
