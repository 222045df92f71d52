"""What MiniStack leaves out of an HTTP API: it ignores the OpenAPI body that SAM writes routes, authorizer and CORS in.

They are made here from that body, as CloudFormation shows it after the transform, and from nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .aws import AwsClient

OPEN: Final = "NONE"
INTEGRATION: Final = "x-amazon-apigateway-integration"
AUTHORIZER: Final = "x-amazon-apigateway-authorizer"
CORS: Final = "x-amazon-apigateway-cors"
CALLED_BY_URI: Final = re.compile(r"functions/\$\{(\w+)(?:\.Arn)?\}/")  # a function or an alias

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What the body says by reference: ARNs of functions and aliases by their logical ids, and values of parameters."""

    arns: Mapping[str, str]
    issuer: str
    audience: str
    origins: list[str]


def complete_api(gateway: AwsClient, api_id: str, body: Body, resolved: Resolved) -> None:
    """Give an API the authorizers, routes and CORS rules of its body."""
    guards = _create_authorizers(gateway, api_id, body, resolved)
    integrations: dict[str, str] = {}
    for route_key, operation in _operations(body):
        (called,) = CALLED_BY_URI.findall(operation[INTEGRATION]["uri"]["Fn::Sub"])
        if called not in integrations:
            integrations[called] = _create_integration(gateway, api_id, operation, resolved.arns[called])
        ((scheme, _scopes),) = operation["security"][0].items()
        target = f"integrations/{integrations[called]}"
        gateway.create_route(ApiId=api_id, RouteKey=route_key, Target=target, **guards[scheme])
    _set_cors(gateway, api_id, body, resolved.origins)


def _create_authorizers(
    gateway: AwsClient, api_id: str, body: Body, resolved: Resolved
) -> Mapping[str, Mapping[str, str]]:
    """How a route is guarded, by the name of its security scheme."""
    guards: dict[str, dict[str, str]] = {OPEN: {}}
    for name, scheme in body["components"]["securitySchemes"].items():
        authorizer = gateway.create_authorizer(
            ApiId=api_id,
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=[scheme[AUTHORIZER]["identitySource"]],
            JwtConfiguration={"Issuer": resolved.issuer, "Audience": [resolved.audience]},
        )
        guards[name] = {"AuthorizationType": "JWT", "AuthorizerId": authorizer["AuthorizerId"]}
    return guards


def _create_integration(gateway: AwsClient, api_id: str, operation: Body, arn: str) -> str:
    integration = gateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=arn,
        PayloadFormatVersion=operation[INTEGRATION]["payloadFormatVersion"],
    )
    return str(integration["IntegrationId"])


def _set_cors(gateway: AwsClient, api_id: str, body: Body, origins: list[str]) -> None:
    _condition, rules, _otherwise = body[CORS]["Fn::If"]
    gateway.update_api(
        ApiId=api_id,
        CorsConfiguration={
            "AllowOrigins": origins,
            "AllowMethods": rules["allowMethods"],
            "AllowHeaders": rules["allowHeaders"],
            "MaxAge": rules["maxAge"],
        },
    )


def _operations(body: Body) -> Iterator[tuple[str, Body]]:
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation
