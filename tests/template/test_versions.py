"""SnapStart and what it needs: who buys calls a version, and a deploy of whatever kind makes a new one."""

from marketplace.domain.principals import Role
from marketplace.edge.access import ACCESS

from .conftest import Template

ALIAS = "live"
GUESTS = "/guest/"


def versions(template: Template) -> dict[str, str]:
    """The version resource of each function that has one."""
    found = {each["FunctionName"]["Ref"]: name for name, each in template.of("AWS::Lambda::Version").items()}
    assert len(found) == len(template.of("AWS::Lambda::Version"))
    return found


def called_by(template: Template, *, buyers: bool) -> set[str]:
    """What the routes call that buyers or guests may ask, or the others."""
    found = set()
    for route, operation in template.operations():
        method, path = route.split(" ")
        of_buyers = Role.BUYER in ACCESS.get((method, path), {}) or path.startswith(GUESTS)
        if of_buyers is buyers:
            found.add(operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].split("/functions/")[1])
    return found


def test_who_buys_calls_a_version_and_nobody_else(template: Template) -> None:
    of_buyers = called_by(template, buyers=True)
    assert of_buyers == {f"${{{name}Alias{ALIAS}}}/invocations" for name in versions(template)}
    others = called_by(template, buyers=False) - of_buyers
    assert others
    assert all(each.endswith(".Arn}/invocations") for each in others)


def test_an_alias_is_of_the_newest_version_and_has_the_name_that_the_api_calls(template: Template) -> None:
    aliases = template.of("AWS::Lambda::Alias")
    assert {name: each["FunctionVersion"]["Fn::GetAtt"] for name, each in aliases.items()} == {
        f"{function}Alias{ALIAS}": [version, "Version"] for function, version in versions(template).items()
    }


def test_a_version_and_its_function_change_with_every_parameter_and_with_the_layer(template: Template) -> None:
    (layer,) = template.of("AWS::Lambda::LayerVersion")
    separator, parts = template.one("AWS::AppConfig::HostedConfigurationVersion")["Content"]["Fn::Join"]
    assert separator
    assert {each["Ref"] for each in parts} == {layer, *template.document["Parameters"]}
    for name, each in template.of("AWS::Lambda::Version").items():
        assert each["Description"] == {"Ref": "SettingsVersion"}, name
    told = {
        name: each["Environment"]["Variables"].get("SETTINGS_VERSION")
        for name, each in template.of("AWS::Lambda::Function").items()
    }
    assert told == {name: {"Ref": "SettingsVersion"} if name in versions(template) else None for name in told}


def test_snapshots_are_a_parameter_and_off(template: Template) -> None:
    assert template.document["Parameters"]["SnapStart"]["Default"] == "None"
    started = {
        name: each["SnapStart"] for name, each in template.of("AWS::Lambda::Function").items() if "SnapStart" in each
    }
    assert started == {name: {"ApplyOn": {"Ref": "SnapStart"}} for name in versions(template)}


def test_a_version_that_nobody_calls_is_deleted(template: Template) -> None:
    for name in versions(template).values():
        assert template.resources[name]["DeletionPolicy"] == "Delete"
        assert "UpdateReplacePolicy" not in template.resources[name]
