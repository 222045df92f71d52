"""S08, S09: which function reads which Stripe key, for each value of StripeKeys, and on the way between them."""

from itertools import pairwise

import pytest

from cli.doctor.deployment import ASKING
from cli.stripe_keys import FUNCTIONS_OF, Group
from local.cloud.places import PROJECT

from .conftest import Template, listed
from .test_functions import sources

SHARED = "StripeKeySecret"
WAY = ("shared", "prepared", "switched", "separate")


def secret_of(group: Group) -> str:
    return f"{group.title()}StripeKeySecret"


def groups() -> dict[str, Group]:
    """By function, those that have a key."""
    by_module = {name: group for group, names in FUNCTIONS_OF.items() for name in names}
    modules = {
        name: str(path.relative_to(PROJECT / "functions").with_suffix("")) for name, (path, _) in sources().items()
    }
    return {name: by_module[module] for name, module in modules.items() if module in by_module}


def used_by(template: Template, function: str) -> str | None:
    """The secret whose ARN the function is told."""
    arn = template.resources[function]["Properties"]["Environment"]["Variables"].get("STRIPE_SECRET_ARN")
    return None if arn is None else str(arn["Ref"])


def readable_by(template: Template, function: str) -> set[str]:
    """The secrets that its role may read."""
    role = template.resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    return {
        resource["Ref"]
        for statement in template.statements(role)
        if "secretsmanager:GetSecretValue" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    } - {"WebhookSecret"}


def test_every_group_has_functions_and_every_function_that_is_told_of_a_key_is_in_a_group(template: Template) -> None:
    deployed = template.deployed()
    told = {name for name in deployed.of("AWS::Lambda::Function") if used_by(deployed, name)}
    assert told == set(groups())
    assert set(groups().values()) == set(Group)


@pytest.mark.parametrize(
    ("value", "uses_own", "reads"),
    [("shared", False, "s"), ("prepared", False, "so"), ("switched", True, "so"), ("separate", True, "o")],
)
def test_a_function_reads_the_key_of_all_or_its_group_s_and_no_other(
    template: Template, value: str, uses_own: bool, reads: str
) -> None:
    deployed = template.deployed(StripeKeys=value)
    for name in deployed.of("AWS::Lambda::Function"):
        group = groups().get(name)
        own = {"s": SHARED, "o": secret_of(group) if group else ""}
        assert readable_by(deployed, name) == ({own[each] for each in reads} if group else set()), name
        assert used_by(deployed, name) == (own["o" if uses_own else "s"] if group else None), name


def test_there_is_a_secret_for_each_group_only_where_it_is_wanted(template: Template) -> None:
    for value in WAY:
        deployed = template.deployed(StripeKeys=value)
        wanted = {secret_of(group) for group in Group} if value != "shared" else set()
        assert set(deployed.of("AWS::SecretsManager::Secret")) == {SHARED, "WebhookSecret"} | wanted
        outputs = {name for name in deployed.document["Outputs"] if name.endswith("StripeKeySecretArn")}
        assert outputs == {f"{secret}Arn" for secret in {SHARED} | wanted}


@pytest.mark.parametrize("way", [WAY, WAY[::-1]])
def test_f34_on_the_way_and_back_no_function_reads_what_its_role_may_no_more(
    template: Template, way: tuple[str, ...]
) -> None:
    """CloudFormation changes what a function depends on first: for a while the old function has the new role."""
    for before, after in pairwise([template.deployed(StripeKeys=value) for value in way]):
        for name in groups():
            assert {used_by(before, name), used_by(after, name)} <= readable_by(after, name), name


def test_f34_to_leave_a_step_out_would_interrupt(template: Template) -> None:
    shared, separate = template.deployed(StripeKeys="shared"), template.deployed(StripeKeys="separate")
    assert used_by(shared, "CheckoutFunction") not in readable_by(separate, "CheckoutFunction")


def test_who_asks_stripe_while_a_caller_waits_reserves_concurrency_where_it_is_wanted(template: Template) -> None:
    reserving = {
        name
        for name, function in template.deployed(StripeConcurrency="2").of("AWS::Lambda::Function").items()
        if function.get("ReservedConcurrentExecutions") == {"Ref": "StripeConcurrency"}
    }
    by_module = {
        str(path.relative_to(PROJECT / "functions").with_suffix("")): name for name, (path, _) in sources().items()
    }
    assert reserving == {by_module[module] for module in ASKING}
    for function in template.deployed().of("AWS::Lambda::Function").values():
        assert "ReservedConcurrentExecutions" not in function
