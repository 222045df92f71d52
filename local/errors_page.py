"""Writes `docs/errors.md`, an entry for each problem of the table: `python -m local.errors_page`."""

from typing import Final

from local.cloud.places import PROJECT
from marketplace.edge.problem_table import PROBLEMS, Problem

PAGE: Final = PROJECT / "docs" / "errors.md"
INTRODUCTION: Final = """# Problems

Whatever the API cannot do it answers with one problem, as `application/problem+json`
([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):

```json
{
  "type": "/problems/refund-exceeds-rest",
  "title": "Less is left than was asked",
  "status": 409,
  "detail": "500 asked, 300 left to refund (minor units).",
  "action": "Refund at most what is left, or leave out `amount` to refund all of it.",
  "documentation": "docs/errors.md#refund-exceeds-rest",
  "request_id": "JKJaXmPLvHcESHA="
}
```

`type` never changes: tell problems apart by it, never by `title` or `detail`. `request_id` finds the request in the
logs. `errors`, where it is there, names each wrong field. A problem with a status of 4xx has changed nothing; one of
5xx is safe to repeat with the same Idempotency-Key. The API's gateway answers by itself, in a shape of its own,
`401 {"message": "Unauthorized"}` without a valid token, `404 {"message": "Not Found"}` for a path that no route has,
and `429 {"message": "Too Many Requests"}` over its limits.

This page is written by `python -m local.errors_page` from `shared/marketplace/edge/problem_table.py`.
"""


def text() -> str:
    """The page as it is committed."""
    return INTRODUCTION + "".join(_entry(problem) for problem in PROBLEMS.values())


def _entry(problem: Problem) -> str:
    return f"""
## {problem.slug}

**{problem.title}** ({problem.status.value})

Why: {problem.why}

What to do: {problem.action}
"""


if __name__ == "__main__":
    PAGE.write_text(text())
