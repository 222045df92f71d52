"""The answers of the OpenAPI document: each operation's own, and every problem that can come instead, by its status.

Which problems those are follows from what an operation takes and does. `tests/handlers` holds every answer of every
test against the document, and `tests/e2e/test_openapi.py` what is made up.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from marketplace.edge.access import ACCESS
from marketplace.edge.problem_table import PROBLEMS

JSON: Final = "application/json"
PROBLEM_JSON: Final = "application/problem+json"
PROBLEM: Final = {
    "description": "A problem of docs/errors.md (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "action", "documentation", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "`/problems/{slug}`: what to tell problems apart by."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened."},
        "action": {"type": "string", "description": "What to do."},
        "documentation": {"type": "string"},
        "request_id": {"type": "string", "description": "Finds the request in the logs."},
        "stripe_code": {"type": "string", "description": "Of `stripe-refused`: Stripe's error code."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
GATEWAY_MESSAGE: Final = {
    "description": "What API Gateway says by itself, before a function is asked.",
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
}
# API Gateway refuses these without a function: a missing or wrong token, a body over its own limit, too many requests.
BY_GATEWAY: Final = frozenset({401, 413, 429, 503})
ALWAYS: Final = frozenset({429, 500, 503})
OF_TOKENS: Final = frozenset({401, 403})
OF_BODIES: Final = frozenset({400, 413, 415, 422})
OF_WRITES: Final = frozenset({409, 422})
# Reads that ask Stripe or SQS, or need something to be there, and what comes of that.
OF_READS: Final[Mapping[tuple[str, str], frozenset[int]]] = {
    ("GET", "/customers/{customer_id}/payment-methods"): OF_WRITES,
    ("GET", "/dead-letters/{letter_id}"): frozenset({409}),  # somebody else is looking at it
    ("GET", "/disputes/{dispute_id}/evidence"): OF_WRITES,
    ("GET", "/merchants/{merchant_id}/balance"): OF_WRITES,
    ("GET", "/merchants/{merchant_id}/payout-schedule"): OF_WRITES,
    ("GET", "/merchants/{merchant_id}/payouts/{payout_id}/transactions"): OF_WRITES,
    ("GET", "/merchants/{merchant_id}/statement"): OF_WRITES,
    ("GET", "/onboarding/{token}"): OF_WRITES | {410},
    ("GET", "/payments/{transaction_id}"): OF_WRITES,
}


def responses(method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """All answers of an operation of a function with a resolver."""
    own = {code: answer for code, answer in operation["responses"].items() if int(code) < HTTPStatus.BAD_REQUEST}
    refused = sorted(set(_refusals(method, path, operation)))
    return own | {str(status): {"$ref": f"#/components/responses/{name_of(status)}"} for status in refused}


def shared() -> dict[str, Any]:
    """The answers that operations refer to, by name: of each status the problems that have it."""
    statuses = {problem.status.value for problem in PROBLEMS.values()} | BY_GATEWAY
    return {name_of(status): _response(status) for status in sorted(statuses)}


def name_of(status: int) -> str:
    """`UnprocessableContent` of 422."""
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def _refusals(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[int]:
    parameters = operation.get("parameters", [])
    is_write = method != "GET"
    yield from ALWAYS
    if (method, path) in ACCESS:
        yield from OF_TOKENS
    if "requestBody" in operation:
        yield from OF_BODIES
    if is_write:
        yield from OF_WRITES
    if any(each["in"] == "header" and each["required"] for each in parameters):
        yield HTTPStatus.BAD_REQUEST
    if any(each["in"] != "path" for each in parameters):
        yield HTTPStatus.UNPROCESSABLE_CONTENT
    if is_write or any(each["in"] == "path" or each["name"].endswith("_id") for each in parameters):
        yield HTTPStatus.NOT_FOUND
    yield from OF_READS.get((method, path), ())


def _response(status: int) -> dict[str, Any]:
    slugs = [f"/problems/{problem.slug}" for problem in PROBLEMS.values() if problem.status == status]
    said = {"type": {"enum": slugs}, "status": {"const": status}}
    whole = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": said}]}
    content: dict[str, Any] = {PROBLEM_JSON: {"schema": whole}} if slugs else {}
    if status in BY_GATEWAY:
        content[JSON] = {"schema": {"$ref": "#/components/schemas/GatewayMessage"}}
    return {"description": f"{HTTPStatus(status).phrase}: what happened, and what to do.", "content": content}
