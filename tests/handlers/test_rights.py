"""S08: what each function may do is what it does in the tests of this folder, no less and no more.

Runs last, and only when all of them do.
"""

from pathlib import Path

import pytest

from local.cloud.places import PROJECT
from local.stripe_use import operations_of

from ..template.conftest import Resource, Template, listed, translated
from ..template.test_access import KEY, LOGS, RIGHTS_OF_LAMBDA_ITSELF, X_RAY_KNOWS_NO_RESOURCES
from ..template.test_functions import sources
from .recorded import ASKED, CALLS, DEAD_LETTERS, Right

BY_AWS_ITSELF = {*LOGS, *KEY, *RIGHTS_OF_LAMBDA_ITSELF, *X_RAY_KNOWS_NO_RESOURCES}
# By Lambda, what was not sent or not kept.
SET_ASIDE = {("sqs:SendMessage", "UnsentEventsQueue"), ("sqs:SendMessage", "UnreceivedEventsQueue")}


def test_s08_every_right_is_used_and_every_call_is_allowed() -> None:
    template = Template(translated())
    modules = {name: module_of(path) for name, (path, _) in sources().items()}
    allowed = {modules[name]: rights_of(template, name) for name in modules}
    called = {name: CALLS[name] for name in modules.values()}
    assert {name: called[name] - allowed[name] for name in called if called[name] - allowed[name]} == {}
    assert {name: allowed[name] - called[name] for name in called if allowed[name] - called[name]} == {}


def test_s09_what_is_asked_of_stripe_is_what_was_found_in_the_code() -> None:
    for name, (path, _) in sources().items():
        asked = ASKED[module_of(path)]
        assert asked <= operations_of(path), f"{name}: {asked - operations_of(path)}"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT / "functions").with_suffix("").parts)


def rights_of(template: Template, function: str) -> set[Right]:
    """What a function may do itself."""
    role = template.resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    own = {
        (action, name_of(resource))
        for statement in template.statements(role)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if action not in BY_AWS_ITSELF or resource == {"Fn::GetAtt": [DEAD_LETTERS, "Arn"]}
    }
    return own - SET_ASIDE


def name_of(resource: Resource) -> str:
    """``Table``, ``Table/index/due``: what a policy names, by logical id."""
    match resource:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Arn"]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace("${Table.Arn}", "Table")
        case _:
            pytest.fail(f"{resource}")
