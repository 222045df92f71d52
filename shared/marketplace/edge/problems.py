"""An exception as a problem+json answer (RFC 9457).

``type`` is ``/problems/{slug}``, a relative reference that never changes; ``documentation`` leads to its entry in
`docs/errors.md`. Nothing in an answer comes from Stripe but its error code, and nothing from an exception that is not
about the caller's own request.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import StripeRefused
from marketplace.domain.refusals import entry_of, refusal_of
from marketplace.edge.problem_table import Problem, problem_of
from marketplace.edge.refusals import InvalidRequest, MethodNotAllowed

CONTENT_TYPE: Final = "application/problem+json"
LONGEST_DETAIL: Final = 400  # characters: it may quote what the caller sent
MOST_FIELDS: Final = 20
UNAUTHORIZED: Final = 401


@dataclass(frozen=True, kw_only=True)
class ProblemAnswer:
    """What goes over the wire."""

    problem: Problem
    headers: Mapping[str, str]
    body: str


def answer_to(error: Exception, *, request_id: str) -> ProblemAnswer:
    """The answer to a request that ended in an exception; ``request_id`` finds it in the logs."""
    problem = problem_of(error)
    said = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status.value,
        "detail": _sentence(problem.detail.format(error=error)),
        "action": problem.action,
        "documentation": f"docs/errors.md#{problem.slug}",
        "request_id": request_id,
        **_members_of(error),
    }
    return ProblemAnswer(problem=problem, headers=_headers(problem, error), body=json.dumps(said))


def _members_of(error: Exception) -> Mapping[str, Any]:
    if isinstance(error, StripeRefused):
        action = f"{refusal_of(error.code).action} A new request needs a new Idempotency-Key."
        return {"action": action, "stripe_code": error.code, "documentation": f"docs/errors.md#{entry_of(error.code)}"}
    if not isinstance(error, InvalidRequest):
        return {}
    return {"errors": [{"field": field, "detail": wrong} for field, wrong in error.fields[:MOST_FIELDS]]}


def _headers(problem: Problem, error: Exception) -> Mapping[str, str]:
    headers = {"Content-Type": CONTENT_TYPE}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if problem.status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def _sentence(text: str) -> str:
    text = text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "..."
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
