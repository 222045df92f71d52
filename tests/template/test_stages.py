"""Two stages in one account and region: whatever has a name there has the stack's in it, and nothing is shared."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Template

EVERYTHING = {
    "StripeKeys": "separate",
    "StripeEventSource": "aws.partner/stripe.com/ed_1",
    "KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1",
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms",
}
# The property that is a resource's name in its account and region, where one can be given.
NAMES = {
    "AWS::AppConfig::Application": "Name",
    "AWS::AppConfig::ConfigurationProfile": None,  # of its application
    "AWS::AppConfig::HostedConfigurationVersion": None,  # a number, of its profile
    "AWS::ApiGatewayV2::Api": None,  # known by its id
    "AWS::ApiGatewayV2::Stage": None,  # of its API
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Cognito::UserPool": "UserPoolName",
    "AWS::Cognito::UserPoolClient": None,  # of its pool
    "AWS::Cognito::UserPoolGroup": None,  # of its pool
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Alias": None,  # of its function
    "AWS::Lambda::EventInvokeConfig": None,  # of its function
    "AWS::Lambda::EventSourceMapping": None,  # known by its id
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Lambda::Permission": None,  # of its function
    "AWS::Lambda::Version": None,  # of its function
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SQS::QueuePolicy": None,  # of its queue
    "AWS::Scheduler::Schedule": "Name",
    "AWS::SecretsManager::Secret": "Name",
}


def filled(value: Any, stack: str) -> str:
    """A property as CloudFormation fills it in, as far as the stack goes."""
    match value:
        case {"Ref": "AWS::StackName"}:
            return stack
        case {"Fn::Sub": str(text)}:
            return text.replace("${AWS::StackName}", stack)
        case _:
            return json.dumps(value)


def names(template: Template, stack: str) -> Iterator[tuple[str, str]]:
    """Every name that this stack claims, with its kind."""
    for resource in template.resources.values():
        name = NAMES[resource["Type"]]
        properties = resource.get("Properties", {})
        # A partner's bus is called as Stripe called its source, which is one stage's.
        if name in properties and "EventSourceName" not in properties:
            yield resource["Type"], filled(properties[name], stack)
    for output in template.document["Outputs"].values():
        if "Export" in output:
            yield "export", filled(output["Export"]["Name"], stack)


@pytest.fixture(scope="module")
def whole(template: Template) -> Template:
    return template.deployed(**EVERYTHING)


def test_two_stages_of_one_account_claim_no_name_together(whole: Template) -> None:
    dev, prod = set(names(whole, "shop-dev")), set(names(whole, "shop-prod"))
    assert dev
    assert dev & prod == set()


def test_a_name_that_lacks_the_stack_s_is_found(whole: Template) -> None:
    """Whichever name is given, without the stack's in it two stages would have it both."""
    for kind, name in names(whole, "shop-dev"):
        assert re.search(r"\bshop-dev\b", name), (kind, name)


def test_no_stage_reads_what_another_exports(template: Template) -> None:
    assert "Fn::ImportValue" not in json.dumps(template.document)
    assert "{{resolve:" not in json.dumps(template.document)
