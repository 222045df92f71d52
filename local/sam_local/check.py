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
# A good answer, or a clear no to what is asked of nobody's object and without a body; 410 is a link's that has ended.
DEFINITE: Final = frozenset({200, 201, 302, 303, 400, 404, 410, 422})


def event_source() -> str:
    """The partner event source that the recorded event of `receive-partner-event` came by."""
    return str(json.loads(recorded("ReceivePartnerEventFunction").read_text())["source"])


def recorded(function: str) -> Path:
    """Where the recorded event of a function is."""
    return EVENTS / f"{function}.json"


def event_in(file: Path, stack: Stack) -> dict[str, Any]:
    """The event in a file, with an operator's token that is good today in place of ``${TOKEN}``."""
    found: dict[str, Any] = json.loads(file.read_text().replace("${TOKEN}", stack.tokens["operator"]))
    return found


def functions(template: Path, architecture: str, stack: Stack) -> Iterator[tuple[str, bool]]:
    """Each function that has a recorded event, deployed or not, and whether it answered that as it should."""
    for name in sorted(file.stem for file in EVENTS.glob("*.json")):
        answer = running.invoke(template, architecture, name, event_in(recorded(name), stack))
        well = is_well(answer)
        told = answer["statusCode"] if well and isinstance(answer, Mapping) and "statusCode" in answer else answer
        yield f"invoke {name}: {told}", well


def is_well(answer: object) -> bool:
    """Whether an answer is neither an exception nor a fault of ours; of HTTP it is a good one, or a definite no."""
    if not isinstance(answer, Mapping):
        return answer is None
    return "errorType" not in answer and answer.get("statusCode", OK) in DEFINITE


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
            yield f"{method} {path} without a token and with a foreign one: {statuses}", set(statuses) == {UNAUTHORIZED}
            status = http.request(method, asked, headers=operator).status_code
            yield f"{method} {path} with a good one: {status}", status in DEFINITE
        for method, path in OPEN:
            status = http.request(method, re.sub(r"{\w+}", "x", path)).status_code
            yield f"{method} {path}: {status}", status in DEFINITE
        made = http.post("/merchants", json=NEW_MERCHANT, headers=operator)
        yield "POST /merchants", made.status_code == CREATED
        listed = http.get("/merchants", headers=operator)
        yield "GET /merchants", made.json()["id"] in [each["id"] for each in listed.json()["data"]]
