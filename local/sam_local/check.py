"""Every function asked by `sam local invoke`, and every route by `sam local start-api`."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from local.cloud import Stack
from marketplace.edge.access import ACCESS, OPEN

from . import running

EVENTS: Final = Path(__file__).with_name("events")
FIRST_ANSWER_SECONDS: Final = 180.0  # a container is made for it
FOREIGN_TOKEN: Final = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJtZSJ9.c2lnbmVk"  # noqa: S105 - of nobody
NEW_MERCHANT: Final = {
    "name": "Clay & Co", "contact_email": "clay@example.com", "country": "us", "currencies": ["usd"]
}  # fmt: skip
UNAUTHORIZED, OK, CREATED = 401, 200, 201
DEFINITE: Final = frozenset(
    {200, 201, 302, 303, 400, 404, 410, 422}
)  # answers to a request without a body, of nobody's object


def event_of(function: str, stack: Stack) -> dict[str, Any]:
    """The recorded event of a function, with a token that is good today."""
    text = (EVENTS / f"{function}.json").read_text()
    found: dict[str, Any] = json.loads(text.replace("${TOKEN}", stack.tokens["operator"]))
    return found


def functions(template: Path, architecture: str, stack: Stack) -> Iterator[tuple[str, bool]]:
    """Each function, and whether it answered its event as it should."""
    for name in sorted(stack.functions):
        answer = running.invoke(template, architecture, name, event_of(name, stack))
        yield f"invoke {name}" + ("" if is_well(answer) else f": {answer}"), is_well(answer)


def is_well(answer: object) -> bool:
    """Whether an answer is neither an exception nor a fault of ours; of HTTP it is a good one, or a definite no."""
    if not isinstance(answer, Mapping):
        return answer is None
    return "errorType" not in answer and answer.get("statusCode", OK) in {200, 201, 302, 303, 400, 404}


def routes(url: str, stack: Stack) -> Iterator[tuple[str, bool]]:
    """Each guarded route without a token, with a foreign one and with a good one; each open route; a merchant made."""
    operator = {"Authorization": f"Bearer {stack.tokens['operator']}"}
    with httpx.Client(base_url=url, timeout=FIRST_ANSWER_SECONDS) as http:
        for method, path in ACCESS:
            asked = re.sub(r"{\w+}", "x", path)
            statuses = [
                http.request(method, asked, headers=headers).status_code
                for headers in ({}, {"Authorization": f"Bearer {FOREIGN_TOKEN}"})
            ]
            yield f"{method} {path} without a good token", statuses == [UNAUTHORIZED, UNAUTHORIZED]
            status = http.request(method, asked, headers=operator).status_code
            yield f"{method} {path} with a good one: {status}", status in DEFINITE
        for method, path in OPEN:
            status = http.request(method, re.sub(r"{\w+}", "x", path)).status_code
            yield f"{method} {path}: {status}", status in DEFINITE
        made = http.post("/merchants", json=NEW_MERCHANT, headers=operator)
        yield "POST /merchants", made.status_code == CREATED
        listed = http.get("/merchants", headers=operator)
        yield "GET /merchants", made.json()["id"] in [each["id"] for each in listed.json()["data"]]
