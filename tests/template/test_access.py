"""Who may do what: the API's routes, and the roles of the functions."""

import json
import re
from collections.abc import Iterator

from local.cloud.places import PROJECT
from marketplace.edge.access import ACCESS, OPEN

from .conftest import Resource, Template, listed

ROLE_KINDS = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
X_RAY_KNOWS_NO_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
RIGHT_OF_CALL = {
    "change_message_visibility_batch": "sqs:ChangeMessageVisibility",
    "delete_message": "sqs:DeleteMessage",
    "get_queue_attributes": "sqs:GetQueueAttributes",
    "receive_message": "sqs:ReceiveMessage",
    "batch_get_item": "dynamodb:BatchGetItem",
    "get_secret_value": "secretsmanager:GetSecretValue",
    "put_item": "dynamodb:PutItem",
    "put_events": "events:PutEvents",
    "query": "dynamodb:Query",
    "send_message": "sqs:SendMessage",
    "transact_write_items": "dynamodb:PutItem",  # of transactions that only put
}
RIGHTS_OF_LAMBDA_ITSELF = {
    *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "lambda:InvokeFunction"),
    *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
KEY = {"kms:Decrypt", "kms:GenerateDataKey"}  # asked for by services, in the name of the function


def statements_of_all(template: Template) -> Iterator[Resource]:
    for kind in ROLE_KINDS:
        for properties in template.of(kind).values():
            policies = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            for document in [*policies, *listed(properties.get("PolicyDocument", []))]:
                yield from document["Statement"]


def test_every_route_but_the_open_ones_asks_for_a_token(template: Template) -> None:
    guarded = {route for route, operation in template.operations() if operation["security"] == [{"Jwt": []}]}
    routes = {route for route, _ in template.operations()}
    assert guarded == {" ".join(route) for route in ACCESS}
    assert routes - guarded == {" ".join(route) for route in OPEN}


def test_the_authorizer_checks_issuer_and_audience(template: Template) -> None:
    schemes = template.one("AWS::ApiGatewayV2::Api")["Body"]["components"]["securitySchemes"]
    assert set(schemes) == {"Jwt"}
    configuration = schemes["Jwt"]["x-amazon-apigateway-authorizer"]["jwtConfiguration"]
    assert set(configuration) == {"issuer", "audience"}
    assert all(configuration.values())


def test_a_foreign_issuer_must_name_its_audience(template: Template) -> None:
    rule = template.document["Rules"]["ForeignIssuerNamesItsAudience"]
    (assertion,) = rule["Assertions"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtIssuer"}, ""]}]}
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "JwtAudience"}, ""]}]}


def test_functions_check_tokens_themselves_only_where_there_is_no_authorizer(template: Template) -> None:
    rule = template.document["Rules"]["OnlyAuthorizersCheckTokensInAws"]
    (assertion,) = rule["Assertions"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "TokenKeysUrl"}, ""]}]}
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "Stage"}, "local"]}
    assert template.document["Parameters"]["TokenKeysUrl"]["Default"] == ""


def test_no_policy_has_a_wildcard(template: Template) -> None:
    for statement in statements_of_all(template):
        actions = set(listed(statement["Action"]))
        assert not [action for action in actions if "*" in action]
        if "*" in json.dumps(statement["Resource"]):
            assert actions == X_RAY_KNOWS_NO_RESOURCES


def test_every_function_has_a_role_of_its_own_and_no_policy_of_aws(template: Template) -> None:
    functions = template.of("AWS::Lambda::Function")
    roles = [properties["Role"]["Fn::GetAtt"][0] for properties in functions.values()]
    assert len(set(roles)) == len(functions) == 26
    for role in roles:
        assert set(template.shared_policies(role)) <= set(template.of("AWS::IAM::ManagedPolicy"))


def test_the_receiver_may_only_send_to_the_queue_and_read_the_webhook_secret(template: Template) -> None:
    assert template.actions("ReceiveWebhookFunction") == (
        LOGS | X_RAY_KNOWS_NO_RESOURCES | KEY | {"sqs:SendMessage", "secretsmanager:GetSecretValue"}
    )
    resources = {
        listed(statement["Action"])[0]: statement["Resource"] for statement in template.statements("ReceiveWebhookRole")
    }
    assert resources["sqs:SendMessage"] == {"Fn::GetAtt": ["EventQueue", "Arn"]}
    assert resources["secretsmanager:GetSecretValue"] == {"Ref": "WebhookSecret"}


def test_what_the_adapters_call_is_granted_and_nothing_else_is(template: Template) -> None:
    sources = [path.read_text() for path in (PROJECT / "shared/marketplace/adapters").glob("*.py")]
    calls = {call for source in sources for call in re.findall(r"\b_client\.(\w+)\(", source)}
    granted = {action for statement in statements_of_all(template) for action in listed(statement["Action"])}
    used = {RIGHT_OF_CALL[call] for call in calls}
    assert granted == used | LOGS | X_RAY_KNOWS_NO_RESOURCES | RIGHTS_OF_LAMBDA_ITSELF | KEY


def test_nobody_may_change_an_item_in_place_or_delete_one(template: Template) -> None:
    granted = {action for statement in statements_of_all(template) for action in listed(statement["Action"])}
    assert not granted & {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
    assert not [action for action in granted if action.startswith("dynamodb:PartiQL")]


def test_what_only_reads_may_not_write(template: Template) -> None:
    assert "dynamodb:PutItem" not in template.actions("TransactionsFunction") | template.actions("LedgerFunction")
    assert template.actions("HealthFunction") == LOGS | X_RAY_KNOWS_NO_RESOURCES


def test_a_key_of_ones_own_is_used_through_the_services_that_hold_what_it_encrypts_and_in_no_other_way(
    template: Template,
) -> None:
    (use,) = template.one_policy("UseKeyPolicy")
    assert (set(use["Action"]), use["Resource"]) == (KEY, {"Ref": "KmsKeyArn"})
    services = [each["Fn::Sub"].partition(".")[0] for each in use["Condition"]["StringEquals"]["kms:ViaService"]]
    assert services == ["dynamodb", "secretsmanager", "sqs"]
    users = {name for name in template.of("AWS::Lambda::Function") if template.actions(name) >= KEY}
    assert set(template.of("AWS::Lambda::Function")) - users == {"HealthFunction"}


def test_a_user_cannot_make_himself_a_merchant(template: Template) -> None:
    client = template.one("AWS::Cognito::UserPoolClient")
    assert "custom:merchant_id" in client["ReadAttributes"]
    assert "custom:merchant_id" not in client["WriteAttributes"]
    assert template.one("AWS::Cognito::UserPool")["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_browsers_of_the_marketplace_may_call_and_no_others(template: Template) -> None:
    condition, rules, otherwise = template.one("AWS::ApiGatewayV2::Api")["Body"]["x-amazon-apigateway-cors"]["Fn::If"]
    assert condition == "HasReturnOrigins"
    assert set(rules) == {"allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge"}
    assert "*" not in json.dumps(rules)
    assert {"authorization", "idempotency-key"} <= set(rules["allowHeaders"])
    assert otherwise == {"Ref": "AWS::NoValue"}


def test_the_api_is_throttled(template: Template) -> None:
    stage = template.one("AWS::ApiGatewayV2::Stage")
    all_routes = {"ThrottlingRateLimit": {"Ref": "ApiRateLimit"}, "ThrottlingBurstLimit": {"Ref": "ApiRateLimit"}}
    assert stage["DefaultRouteSettings"] == all_routes
    routes = {route for route, _ in template.operations()}
    assert set(stage["RouteSettings"]) <= routes
    limits = [template.document["Parameters"][f"{name}RateLimit"] for name in ("Api", "Webhook")]
    assert [0 < limit["MinValue"] <= limit["Default"] for limit in limits] == [True, True]
