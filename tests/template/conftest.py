"""The template after the SAM transform: what AWS is really asked for, generated routes and roles included."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local.cloud.places import PROJECT, tool

from .deployed import Deployed

Resource = Mapping[str, Any]


class Template:
    """The resources by type."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.resources: Mapping[str, Resource] = document["Resources"]

    def deployed(self, **parameters: str) -> "Template":
        """The stack of these parameters."""
        return Template(Deployed(self.document, parameters).document)

    def of(self, kind: str) -> dict[str, Resource]:
        """The properties of all resources of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def one(self, kind: str) -> Resource:
        """The properties of the only resource of a type."""
        (properties,) = self.of(kind).values()
        return properties

    def operations(self) -> Iterator[tuple[str, Resource]]:
        """The API's routes, as ``METHOD /path``, with their OpenAPI operations."""
        for path, operations in self.one("AWS::ApiGatewayV2::Api")["Body"]["paths"].items():
            for method, operation in operations.items():
                yield f"{method.upper()} {path}", operation

    def statements(self, role: str) -> list[Resource]:
        """All that a role is allowed, through its own policies and those it shares."""
        properties = self.resources[role]["Properties"]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [self.resources[name]["Properties"]["PolicyDocument"] for name in self.shared_policies(role)]
        return [statement for document in documents for statement in document["Statement"]]

    def shared_policies(self, role: str) -> list[str]:
        """The policies of this template that a role shares, those that a parameter asks for among them."""
        named = [asked_for(each) for each in self.resources[role]["Properties"].get("ManagedPolicyArns", [])]
        assert all(set(each) == {"Ref"} for each in named)
        return [each["Ref"] for each in named]

    def one_policy(self, name: str) -> list[Resource]:
        """The statements of a policy that roles share."""
        found: list[Resource] = self.resources[name]["Properties"]["PolicyDocument"]["Statement"]
        return found

    def actions(self, function: str) -> set[str]:
        """What a function may do, whatever to."""
        role = self.resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
        return {action for statement in self.statements(role) for action in listed(statement["Action"])}


def asked_for(value: Any) -> Any:
    """What stands there when the parameter that it hangs on was given."""
    return value["Fn::If"][1] if isinstance(value, dict) and set(value) == {"Fn::If"} else value


def listed(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


@cache
def translated() -> Mapping[str, Any]:
    """The template as CloudFormation gets it."""
    script = Path(__file__).with_name("translate.py")
    done = subprocess.run(
        [tool("cloud", "python"), script, PROJECT / "template.yaml"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        timeout=60,
    )
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def template() -> Template:
    return Template(translated())
