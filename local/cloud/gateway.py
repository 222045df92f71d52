"""What MiniStack leaves out of an HTTP API: it ignores the OpenAPI body that SAM writes routes, authorizer and CORS in.

They are made here from that body, as CloudFormation shows it after the transform, and from nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .aws import REGION, AwsClient, client

API: Final = "Api"  # its logical id in the template
OPEN: Final[Mapping[str, list[str]]] = {"NONE": []}
INTEGRATION: Final = "x-amazon-apigateway-integration"
AUTHORIZER: Final = "x-amazon-apigateway-authorizer"
CORS: Final = "x-amazon-apigateway-cors"
FUNCTION_OF_URI: Final = re.compile(r"\$\{(\w+)\.Arn\}")


def complete_api(endpoint: str, stack_name: str, *, user_pool_id: str, audience: str, origins: list[str]) -> None:
    """Give the stack's API its authorizer, its routes and its CORS rules."""
    cloudformation, gateway = client(endpoint, "cloudformation"), client(endpoint, "apigatewayv2")
    resources = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
    physical_ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    template = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    body = template["Resources"][API]["Properties"]["Body"]
    api_id = physical_ids[API]
    authorizers = _create_authorizers(gateway, api_id, body, user_pool_id, audience)
    _create_routes(gateway, api_id, body, physical_ids, authorizers)
    _, rules, _ = body[CORS]["Fn::If"]
    gateway.update_api(
        ApiId=api_id,
        CorsConfiguration={
            "AllowOrigins": origins,
            "AllowMethods": rules["allowMethods"],
            "AllowHeaders": rules["allowHeaders"],
            "MaxAge": rules["maxAge"],
        },
    )


def _create_authorizers(
    gateway: AwsClient, api_id: str, body: Mapping[str, Any], user_pool_id: str, audience: str
) -> dict[str, str]:
    """The ids of the authorizers by their names in the body."""
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{user_pool_id}"
    return {
        name: gateway.create_authorizer(
            ApiId=api_id,
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=[scheme[AUTHORIZER]["identitySource"]],
            JwtConfiguration={"Issuer": issuer, "Audience": [audience]},
        )["AuthorizerId"]
        for name, scheme in body["components"]["securitySchemes"].items()
    }


def _create_routes(
    gateway: AwsClient,
    api_id: str,
    body: Mapping[str, Any],
    physical_ids: Mapping[str, str],
    authorizers: Mapping[str, str],
) -> None:
    integrations: dict[str, str] = {}
    for route_key, operation in _operations(body):
        integration = operation[INTEGRATION]
        (function,) = FUNCTION_OF_URI.findall(integration["uri"]["Fn::Sub"])
        if function not in integrations:
            integrations[function] = gateway.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=f"arn:aws:lambda:{REGION}:000000000000:function:{physical_ids[function]}",
                PayloadFormatVersion=integration["payloadFormatVersion"],
            )["IntegrationId"]
        (security,) = operation["security"]
        guard = (
            {} if security == OPEN else {"AuthorizationType": "JWT", "AuthorizerId": authorizers[next(iter(security))]}
        )
        gateway.create_route(ApiId=api_id, RouteKey=route_key, Target=f"integrations/{integrations[function]}", **guard)


def _operations(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation
