"""What is told of a request to Stripe: which it was and how it ended, and nothing of what was asked or answered."""

import time
from collections.abc import Mapping
from typing import Any

from marketplace.operations import Exchange, Operation
from marketplace.ports import Answer, Done, NoAnswer, Refusal


def exchange(
    operation: Operation,
    params: Mapping[str, Any],
    options: Mapping[str, str],
    tries: int,
    began: float,
    answer: Answer,
    status: int | None,
    request_id: str | None,
) -> Exchange:
    """The request that ends now. ``began`` is of the monotonic clock; ``tries`` counts those of one call."""
    metadata = params.get("metadata")
    outcome, refusal = _in_words(answer)
    return Exchange(
        operation=operation,
        key=options.get("idempotency_key"),
        transaction_id=metadata.get("transaction_id") if isinstance(metadata, Mapping) else None,
        tries=tries,
        outcome=outcome,
        refusal=refusal,
        status=status,
        request_id=request_id,
        milliseconds=round((time.monotonic() - began) * 1000),
    )


def _in_words(answer: Answer) -> tuple[str, str | None]:
    match answer:
        case Done():
            return "done", None
        case Refusal(code):
            return "refused", code
        case NoAnswer(doubt):
            return doubt.value, None
