"""Writes `docs/openapi.json`, made of the handlers' own types: `python -m local.openapi`."""

import importlib
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from local import openapi_answers
from local.cloud.places import PROJECT
from marketplace.domain.principals import Role
from marketplace.edge.access import ACCESS, OPEN, Whose

DOCUMENT: Final = PROJECT / "docs" / "openapi.json"
VERSION: Final = "0.1.0"
HANDLERS: Final = (
    *("merchants", "catalog", "checkout", "customers", "payments", "refunds", "transfers", "disputes", "promotions"),
    *("subscriptions", "invoices"),
    *("transactions", "ledger", "commands", "dead_letters", "merchants.balances", "checkout.guest"),
)
# What the handlers want to know when they start, and their types do not depend on.
ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "TABLE_NAME": "table",
    "STRIPE_SECRET_ARN": "secret",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "LIVEMODE": "false",
    "ROLE_CLAIM": "role",
    "MERCHANT_CLAIM": "merchant_id",
    "TOKEN_ISSUER": "",
    "TOKEN_AUDIENCE": "",
    "TOKEN_KEYS_URL": "",
    "RETURN_ORIGINS": "",
    "FEE_POLICY": "{}",
    "MONEY_POLICY": "{}",
    "MERCHANT_RIGHTS": "{}",
    "PAYMENT_TEMPLATE": "{}",
    "ACCOUNT_POLICY": "{}",
    "SETTLED_AFTER_SECONDS": "0",
    "API_BASE_URL": "",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/events.fifo",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters.fifo",
}
NEVER_ANSWERED: Final = frozenset({"HTTPValidationError", "ValidationError", "ResponseValidationError"})  # Powertools'
WITHOUT_RESOLVER: Final[Mapping[str, Mapping[str, Any]]] = {
    "/health": {"get": {"summary": "Whether the API answers.", "responses": {"200": {"description": "It does."}}}},
    **{
        f"/webhooks/stripe/{endpoint}": {
            "post": {
                "summary": f"Stripe's events of the {whose}, signed.",
                "responses": {
                    "200": {"description": "The queue has it."},
                    "400": {"description": "Not signed so, or no event."},
                    "500": {"description": "There is no usable secret to check the signature with."},
                    "503": {"description": "The queue did not take it; Stripe sends it again."},
                },
            }
        }
        for endpoint, whose in (("account", "platform's own account"), ("connect", "connected accounts"))
    },
}


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of all functions behind the API."""
    os.environ.update({name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()})
    made = [_of_handler(name) for name in HANDLERS]
    paths = {path: operations for part in made for path, operations in part["paths"].items()}
    schemas = {name: schema for part in made for name, schema in part["components"]["schemas"].items()}
    paths |= WITHOUT_RESOLVER
    return {
        "openapi": "3.1.0",
        "info": {"title": "Marketplace payments", "version": VERSION, "license": {"name": "MIT", "identifier": "MIT"}},
        "security": [{"token": []}],
        "paths": {path: _completed(path, paths[path]) for path in sorted(paths)},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": openapi_answers.shared(),
            "schemas": {"Problem": openapi_answers.PROBLEM, "GatewayMessage": openapi_answers.GATEWAY_MESSAGE}
            | {name: schema for name, schema in sorted(schemas.items()) if name not in NEVER_ANSWERED},
        },
    }


def _of_handler(name: str) -> dict[str, Any]:
    """The part of one function, its operations called as the handlers are and told in their words."""
    folder, _, module = name.partition(".")
    app = importlib.import_module(f"functions.{folder}.{module or 'app'}").app
    made: dict[str, Any] = json.loads(app.get_openapi_json_schema(title="", version=VERSION))
    for (method, path), handler in app.served.items():
        operation = made["paths"][path][method.lower()]
        operation |= {"operationId": handler.__name__, "summary": handler.__doc__, "tags": [folder]}
        if (method, path) in ACCESS:
            operation["description"] = _who(ACCESS[method, path])
    return made


def _who(roles: Mapping[Role, Whose]) -> str:
    """Who may call it, and whose objects he reaches."""
    return f"For: {', '.join(f'{role} ({whose})' for role, whose in roles.items())}."


def _completed(path: str, operations: Mapping[str, Any]) -> dict[str, Any]:
    return {method: _operation(method, path, operation) for method, operation in operations.items()}


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    answers = operation["responses"]
    if path == "/onboarding/{token}":
        operation = {**operation, "responses": {"303": {"description": "On to Stripe's page."}}}
    if path not in WITHOUT_RESOLVER:
        answers = openapi_answers.responses(method.upper(), path, operation)
    return {**operation, "responses": answers} | ({"security": []} if (method.upper(), path) in OPEN else {})


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text())
