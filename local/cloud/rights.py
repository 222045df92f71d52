"""What MiniStack has otherwise than IAM, since roles are held to their policies here, as in AWS.

To a policy that refers to a secret it gives the secret's name instead of its ARN, and it asks for a right of its own
for each batch of messages, where AWS asks for that of a single one (the Service Authorization Reference of Amazon SQS).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .aws import AwsClient

ALSO_IN_BATCHES: Final = frozenset({"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:SendMessage"})

Arns = Mapping[str, str]  # of secrets, by their names


def complete_rights(iam: AwsClient, secrets_manager: AwsClient) -> None:
    """Have all policies allow here what they allow in AWS."""
    arns = {
        secret["Name"]: secret["ARN"]
        for page in secrets_manager.get_paginator("list_secrets").paginate()
        for secret in page["SecretList"]
    }
    for policy in _each(iam, "list_policies", "Policies", Scope="Local"):
        arn, version = policy["Arn"], policy["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        if (completed := _completed(document, arns)) != document:
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(completed), SetAsDefault=True)
    for role in _each(iam, "list_roles", "Roles"):
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            named = {"RoleName": role["RoleName"], "PolicyName": name}
            document = iam.get_role_policy(**named)["PolicyDocument"]
            iam.put_role_policy(**named, PolicyDocument=json.dumps(_completed(document, arns)))


def _each(iam: AwsClient, operation: str, key: str, **which: str) -> Iterator[Mapping[str, str]]:
    for page in iam.get_paginator(operation).paginate(**which):
        yield from page[key]


def _completed(document: Mapping[str, Any], arns: Arns) -> Mapping[str, Any]:
    return {**document, "Statement": [_statement(each, arns) for each in document["Statement"]]}


def _statement(said: Mapping[str, Any], arns: Arns) -> dict[str, Any]:
    actions, resources = _listed(said["Action"]), _listed(said["Resource"])
    batches = {f"{action}Batch" for action in actions if action in ALSO_IN_BATCHES} - {*actions}
    return {**said, "Action": [*actions, *sorted(batches)], "Resource": [arns.get(each, each) for each in resources]}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
