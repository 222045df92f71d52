"""Writes `docs/errors.md`, an entry for each problem and each of Stripe's codes: `python -m local.errors_page`."""

from typing import Final

from local.cloud.places import PROJECT
from marketplace.domain.declines import GENERIC, HIDDEN, WORDS, words_of
from marketplace.domain.refusal_words import Refusal
from marketplace.domain.refusals import PREFIX, REFUSALS, UNLISTED
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

After the problems come [Stripe's refusals](#stripes-refusals) and [declines](#declines), each by its code.

This page is written by `python -m local.errors_page` from `shared/marketplace/edge/problem_table.py` and, in
`shared/marketplace/domain`, `payment_refusals.py`, `account_refusals.py` and `declines.py`.
"""
REFUSALS_INTRODUCTION: Final = """
## Stripe's refusals

What `stripe_code` of a [`stripe-refused`](#stripe-refused) says, `refusal` of a command and `restriction` of a
merchant. In each case nothing was done, and asking again under the same Idempotency-Key gives the same answer.

| code | what happened | what to do | what a buyer may be told |
|---|---|---|---|
"""
DECLINES_INTRODUCTION: Final = """
## Declines

Why the buyer's bank, or Stripe for it, declined a payment with saved details: `decline` of a payment, whose `what` and
`action` are for the buyer, in these words. Those with a star are told to him as `generic_decline`: what they say is of
use to a thief only.

| code | what the buyer is told | what he can do |
|---|---|---|
"""


def text() -> str:
    """The page as it is committed."""
    problems = "".join(_entry(problem) for problem in PROBLEMS.values())
    refusals = "".join(_refusal(code, each) for code, each in [*sorted(REFUSALS.items()), ("unlisted", UNLISTED)])
    declines = "".join(map(_decline, sorted(WORDS.keys() | HIDDEN)))
    return f"{INTRODUCTION}{problems}{REFUSALS_INTRODUCTION}{refusals}{DECLINES_INTRODUCTION}{declines}"


def _refusal(code: str, refusal: Refusal) -> str:
    name = f'<a id="{PREFIX}{code}"></a>' + (f"`{code}`" if code in REFUSALS else "any other")
    return f"| {name} | {refusal.what} | {refusal.action} | {refusal.buyer or 'nothing'} |\n"


def _decline(code: str) -> str:
    what, action = words_of(code)
    name = f"`{code}`" + (" *" if code in HIDDEN else ", any other" if code == GENERIC else "")
    return f"| {name} | {what} | {action} |\n"


def _entry(problem: Problem) -> str:
    return f"""
## {problem.slug}

**{problem.title}** ({problem.status.value})

Why: {problem.why}

What to do: {problem.action}
"""


if __name__ == "__main__":
    PAGE.write_text(text())
