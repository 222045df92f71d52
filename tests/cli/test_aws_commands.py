"""Every command of the AWS CLI that a page tells somebody to type: service, operation, options and values exist.

They are held against the models that the AWS CLI makes its commands from. What a page says in a sentence, without
options, is looked up as well; what it shows at a prompt must also have every option that the operation requires.
"""

import re
import shlex
from typing import NamedTuple

import botocore.session
import jmespath  # type: ignore[import-untyped]  # it has no stubs
import pytest
from botocore import xform_name
from botocore.model import OperationModel, Shape, StructureShape

from local.cloud.places import PROJECT

PAGES = [
    PROJECT / "README.md",
    *sorted((PROJECT / "docs").glob("*.md")),
    *sorted((PROJECT / "docs" / "adr").glob("*.md")),
]
SESSION = botocore.session.get_session()
SERVICES = frozenset(SESSION.get_available_services())
OF_EVERY_COMMAND = frozenset({"--query", "--output", "--region", "--profile", "--cli-binary-format", "--endpoint-url"})
OUTPUTS = frozenset({"json", "text", "table"})
COMMAND = re.compile(r"\baws (?=[a-z0-9-]+ [a-z-]+)(?:\\\n|[^`\n])+")
WAITERS = "wait"


class Command(NamedTuple):
    """``is_typed`` where it stands at a prompt."""

    page: str
    text: str
    is_typed: bool


def commands() -> list[Command]:
    found = []
    for page in PAGES:
        text = page.read_text()
        typed = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for block in typed:
            found += [Command(page.name, each, is_typed=True) for each in COMMAND.findall(block)]
        said = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for code in re.findall(r"`(aws [^`]+)`", said):
            found += [Command(page.name, code, is_typed=" --" in code)]
    return found


def words_of(text: str) -> list[str]:
    """The words of one command, of whatever surrounds it in the shell: `$(aws ... --output text); do` for example."""
    end = _end(text)
    return shlex.split(text[:end].replace("\\\n", " "))


def _end(text: str) -> int:
    depth, quote = 0, ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif letter in ");|&#" and not depth:
            return at
    return len(text)


def operation_of(service: str, name: str) -> OperationModel:
    assert service in SERVICES, f"aws {service}"
    model = SESSION.get_service_model(service)
    operations = {xform_name(each, "-"): each for each in model.operation_names}
    assert name in operations, f"aws {service} {name}"
    return model.operation_model(operations[name])


def options_in(words: list[str]) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            options[word] = []
        elif options:
            options[next(reversed(options))].append(word)
    return options


def members_of(operation: OperationModel) -> dict[str, Shape]:
    shape = operation.input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    return {f"--{xform_name(name, '-')}": member for name, member in members.items()}


def wrong_with(option: str, values: list[str], members: dict[str, Shape]) -> str | None:
    """What is wrong with an option; a value that the shell puts in is not known here."""
    if option in OF_EVERY_COMMAND:
        if option == "--query":
            jmespath.compile(re.sub(r"\$\w+", "name", values[0]))
        return None if option != "--output" or values[0] in OUTPUTS or "$" in values[0] else f"{option} {values[0]}"
    negated = option.replace("--no-", "--", 1)
    if option not in members and (negated not in members or members[negated].type_name != "boolean"):
        return option
    shape = members.get(option, members.get(negated))
    assert shape is not None
    if shape.type_name == "boolean":
        return f"{option} takes no value" if values else None
    if not values:
        return f"{option} takes a value"
    allowed = getattr(shape, "enum", [])
    return f"{option} {values[0]}" if allowed and "$" not in values[0] and values[0] not in allowed else None


@pytest.mark.parametrize("command", commands(), ids=lambda each: f"{each.page}: {each.text.splitlines()[0][:60]}")
def test_every_command_of_the_aws_cli_is_one(command: Command) -> None:
    _, service, name, *rest = words_of(command.text)
    if name == WAITERS:
        assert rest[0].replace("-", "_") in {
            xform_name(each) for each in SESSION.get_waiter_model(service).waiter_names
        }
        return
    operation = operation_of(service, name)
    members, options = members_of(operation), options_in(rest)
    wrong = [found for option, values in options.items() if (found := wrong_with(option, values, members))]
    assert wrong == []
    if command.is_typed:
        required = operation.input_shape.required_members if operation.input_shape else []
        assert {f"--{xform_name(each, '-')}" for each in required} - options.keys() == set()


def test_the_pages_have_commands() -> None:
    assert {each.page for each in commands()} >= {
        "going-live.md",
        "runbooks.md",
        "identity.md",
        "ledger.md",
        "operations.md",
    }


@pytest.mark.parametrize(
    "text",
    [
        "aws dynamo create-backup --table-name t --backup-name b",
        "aws dynamodb make-backup --table-name t --backup-name b",
        "aws dynamodb create-backup --table t --backup-name b",
        "aws dynamodb create-backup --table-name t",
        "aws dynamodb list-backups --backup-type SYSTEMS",
        "aws dynamodb list-backups --query 'BackupSummaries[0'",
        "aws dynamodb wait table-is-there --table-name t",
    ],
)
def test_a_command_that_is_none_is_found(text: str) -> None:
    with pytest.raises((AssertionError, jmespath.exceptions.ParseError)):
        test_every_command_of_the_aws_cli_is_one(Command("page.md", text, is_typed=True))
