"""S08, S09: what each function may do, in AWS and at Stripe, is what it does in the tests of this folder, no less and
no more.

Runs last, and only when all of them do.
"""

from pathlib import Path

import pytest

from cli.stripe_keys import Group, rights_for, rights_of
from local.cloud.places import PROJECT
from local.stripe_use import Asked, asked_by

from ..simulation.group_keys import PLAYED_WHOLE, given
from ..template.conftest import Resource, Template, listed, translated
from ..template.test_access import KEY, LOGS, RIGHTS_OF_LAMBDA_ITSELF, X_RAY_KNOWS_NO_RESOURCES
from ..template.test_functions import sources
from ..template.test_stripe_keys import groups, secret_of
from .recorded import ASKED, CALLS, DEAD_LETTERS, STRIPE_KEY, Right

BY_AWS_ITSELF = {*LOGS, *KEY, *RIGHTS_OF_LAMBDA_ITSELF, *X_RAY_KNOWS_NO_RESOURCES}
# By Lambda, what was not sent or not kept.
SET_ASIDE = {("sqs:SendMessage", "UnsentEventsQueue"), ("sqs:SendMessage", "UnreceivedEventsQueue")}


@pytest.mark.parametrize("keys", ["shared", "separate"])
def test_s08_every_right_is_used_and_every_call_is_allowed(keys: str) -> None:
    template = Template(translated()).deployed(StripeKeys=keys, StripeEventSource="aws.partner/stripe.com/x")
    modules = {name: module_of(path) for name, (path, _) in sources().items()}
    allowed = {modules[name]: allowed_to(template, name) for name in modules}
    called = {modules[name]: set(CALLS[modules[name]]) for name in modules}
    if keys == "separate":
        for name, group in groups().items():
            called[modules[name]] -= {STRIPE_KEY}
            called[modules[name]] |= {(STRIPE_KEY[0], secret_of(group))}
    assert {name: called[name] - allowed[name] for name in called if called[name] - allowed[name]} == {}
    assert {name: allowed[name] - called[name] for name in called if allowed[name] - called[name]} == {}


def test_s09_what_is_asked_of_stripe_is_what_was_found_in_the_code() -> None:
    for name, (path, _) in sources().items():
        asked = {Asked(*each) for each in ASKED[module_of(path)]}
        assert asked <= asked_by(path), f"{name}: {asked - asked_by(path)}"


@pytest.mark.parametrize("group", sorted(set(Group) - PLAYED_WHOLE))
def test_s09_every_right_of_a_group_s_key_is_used(group: Group) -> None:
    asked = {
        Asked(*each)
        for name, (path, _) in sources().items()
        if groups().get(name) is group
        for each in ASKED[module_of(path)]
    }
    assert given(rights_of(group)) - given(rights_for(asked)) == set()


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT / "functions").with_suffix("").parts)


def allowed_to(template: Template, function: str) -> set[Right]:
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
