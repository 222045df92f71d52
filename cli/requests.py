"""Requests to the API, by invoking the functions behind it: IAM lets the shell in, and it asks as an operator.

Why it is done so: docs/adr/0017-the-command-line-invokes.md.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from .deployments import Cannot, Deployment, invoke

LARGEST_PAGE: Final = 100
SUCCESSES: Final = range(200, 300)


class Refused(Cannot):
    """The API said no; the text is what happened and what to do."""


class Reply(NamedTuple):
    """What came back; ``body`` is text."""

    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - as the route gives it
        """The body of a route that answers with JSON."""
        return json.loads(self.body)


def ask(where: Deployment, function: str, method: str, path: str, *, query: Mapping[str, str] | None = None) -> Reply:
    """Ask a route of the function that serves it. Raises Refused, CannotReach, FunctionFailed."""
    answer = invoke(where, function, _event(where, method, path, query or {}))
    if int(answer["statusCode"]) not in SUCCESSES:
        problem = json.loads(answer["body"])
        raise Refused(f"{problem['detail']} {problem['action']}")
    headers = {name.lower(): str(value) for name, value in answer.get("headers", {}).items()}
    return Reply(headers, answer.get("body") or "")


def pages(
    where: Deployment, function: str, path: str, *, query: Mapping[str, str] | None = None, most: int
) -> Iterator[Any]:
    """Up to ``most`` of a list, page after page."""
    wanted, left = dict(query or {}), most
    while left > 0:
        page = ask(
            where, function, "GET", path, query={**wanted, "limit": str(min(left, LARGEST_PAGE))}
        ).json  # fmt: skip
        yield from page["data"]
        left -= len(page["data"])
        if page["cursor"] is None:
            return
        wanted["cursor"] = page["cursor"]


def _event(where: Deployment, method: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """As API Gateway makes it (payload 2.0), with what the function reads of it."""
    claims = {"sub": _caller(where), where.parameters.get("RoleClaim", "cognito:groups"): "[operator]"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "queryStringParameters": dict(query),
        "requestContext": {
            "accountId": "",
            "apiId": "",
            "domainName": "",
            "stage": "$default",
            "requestId": "command-line",
            "http": {"method": method, "path": path, "protocol": "", "sourceIp": "", "userAgent": "marketplace"},
            "authorizer": {"jwt": {"claims": claims, "scopes": None}},
        },
        "body": "{}" if method == "POST" else None,
        "isBase64Encoded": False,
    }


def _caller(where: Deployment) -> str:
    """Who asks, for the record: the ARN of the shell's credentials."""
    try:
        return str(where.client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise Cannot(f"AWS does not know these credentials: {error}") from error
