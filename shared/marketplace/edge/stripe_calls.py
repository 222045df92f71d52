"""A line for each request to Stripe: from a transaction or a command to Stripe's request log, and back."""

from typing import Final

from marketplace.edge.logging import logger
from marketplace.operations import Exchange

_log: Final = logger()


def tell(exchange: Exchange) -> None:
    """Write the line. A key that is no command's is not told."""
    command_id, _, attempt = (exchange.key or "").partition(":")
    _log.info(
        "asked Stripe",
        operation=exchange.operation.value,
        command_id=command_id,
        attempt=attempt,
        transaction_id=exchange.transaction_id,
        tries=exchange.tries,
        outcome=exchange.outcome,
        refusal=exchange.refusal,
        status=exchange.status,
        stripe_request_id=exchange.request_id,
        milliseconds=exchange.milliseconds,
    )
