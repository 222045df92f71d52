"""What is asked of Stripe and is no command: it moves no money, and asking twice is harmless."""

from collections.abc import Mapping
from typing import Any

from marketplace.domain.errors import StripeRefused
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer, Ports, Refusal, StripeUnavailable


def asked(
    ports: Ports, operation: Operation, *ids: str, params: Mapping[str, Any], key: str | None = None,
    account: str | None = None,
) -> Mapping[str, Any]:  # fmt: skip
    """What Stripe answers, of a connected ``account`` where one is named; the idempotency ``key`` is new where none is.

    Raises:
        StripeRefused.
        StripeUnavailable: it is not known to be done.
    """
    match ports.stripe.ask(operation, *ids, params=params, key=key or ports.ids.token(), account=account):
        case Done(made):
            return made
        case Refusal(code):
            raise StripeRefused(code)
        case NoAnswer(doubt):
            raise StripeUnavailable(f"{operation}: {doubt}")
