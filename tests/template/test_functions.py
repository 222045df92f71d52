"""Each function of the template against its source: where its handler is, and what it is told."""

import ast
import re
from pathlib import Path
from typing import Any

import yaml

from local.cloud.places import PROJECT
from marketplace.edge.settings import Part

from .conftest import Template

TOLD_TO_ALL = {
    *("LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"),
    *("TOKEN_ISSUER", "TOKEN_AUDIENCE", "TOKEN_KEYS_URL"),
}
NEEDED_FOR = {
    "TABLE_NAME": "dynamodb:BatchGetItem",
    "QUEUE_URL": "sqs:SendMessage",
    "STRIPE_SECRET_ARN": "secretsmanager:GetSecretValue",
    "WEBHOOK_SECRET_ARN": "secretsmanager:GetSecretValue",
    "EVENT_BUS_NAME": "events:PutEvents",
}


class IntrinsicsAsNone(yaml.SafeLoader):
    """Reads a template without minding its !Ref and !Sub."""


IntrinsicsAsNone.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def sources() -> dict[str, tuple[Path, str]]:
    """The module and the handler's name of each function; the folder is lost in the translation."""
    resources: dict[str, Any] = yaml.load((PROJECT / "template.yaml").read_text(), IntrinsicsAsNone)["Resources"]
    found = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Function":
            module, handler = resource["Properties"]["Handler"].split(".")
            found[name] = PROJECT / resource["Properties"]["CodeUri"] / f"{module}.py", handler
    return found


def test_every_handler_is_there() -> None:
    for module, handler in sources().values():
        defined = set()
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                defined.add(node.name)
            elif isinstance(node, ast.Assign):
                defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        assert handler in defined, module


def test_a_function_is_told_what_its_settings_read_and_nothing_else(template: Template) -> None:
    for name, (module, _) in sources().items():
        told = set(template.resources[name]["Properties"]["Environment"]["Variables"]) - {"SETTINGS_VERSION"}
        read = {variable for part in re.findall(r"\bPart\.(\w+)", module.read_text()) for variable in Part[part].value}
        assert told == read | TOLD_TO_ALL, name


def test_a_function_has_the_right_to_use_what_it_is_told_of_and_no_other(template: Template) -> None:
    for name in sources():
        told = template.resources[name]["Properties"]["Environment"]["Variables"]
        expected = {right for variable, right in NEEDED_FOR.items() if variable in told}
        set_aside = {"sqs:SendMessage"} if name == "SendEventsFunction" else set()  # by Lambda, what was not sent
        assert template.actions(name) & set(NEEDED_FOR.values()) == expected | set_aside, name
