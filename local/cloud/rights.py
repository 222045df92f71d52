"""What MiniStack leaves out of IAM: to a policy that refers to a secret it gives the secret's name instead of its ARN.

Without that no function could read a secret, because roles are held to their policies here, as in AWS.
"""

import json
from collections.abc import Iterator, Mapping

from .aws import AwsClient

Arns = Mapping[str, str]  # of secrets, by their names


def complete_rights(iam: AwsClient, secrets_manager: AwsClient) -> None:
    """Write the ARNs of secrets into all policies that name them, as CloudFormation does."""
    arns = {
        secret["Name"]: secret["ARN"]
        for page in secrets_manager.get_paginator("list_secrets").paginate()
        for secret in page["SecretList"]
    }
    for policy in _each(iam, "list_policies", "Policies", Scope="Local"):
        arn, version = policy["Arn"], policy["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        if completed := _completed(document, arns):
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=completed, SetAsDefault=True)
    for role in _each(iam, "list_roles", "Roles"):
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            named = {"RoleName": role["RoleName"], "PolicyName": name}
            if completed := _completed(iam.get_role_policy(**named)["PolicyDocument"], arns):
                iam.put_role_policy(**named, PolicyDocument=completed)


def _each(iam: AwsClient, operation: str, key: str, **which: str) -> Iterator[Mapping[str, str]]:
    for page in iam.get_paginator(operation).paginate(**which):
        yield from page[key]


def _completed(document: object, arns: Arns) -> str | None:
    """The policy with ARNs in the place of names; None where it names no secret."""
    written = before = json.dumps(document)
    for name, arn in arns.items():
        written = written.replace(json.dumps(name), json.dumps(arn))
    return None if written == before else written
