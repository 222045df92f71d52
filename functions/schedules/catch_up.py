"""Every hour: what Stripe's lists of events have and no delivery brought; once a day: every connected account.

When asked: ``{"since": "2026-11-20T00:00:00Z"}`` begins there again, ``{"transaction_id": "transaction-..."}`` replays
one transaction from what Stripe has of it, and answers with what its records did not know.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from marketplace.adapters import wiring
from marketplace.edge.invocation import Invocation
from marketplace.edge.logging import facts_of, logger
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings
from marketplace.services.catch_up import catch_up
from marketplace.services.replays import replay

EVENT_SECONDS: Final = 45.0  # with less time left the next event is for the next run: a cart's asks for many transfers

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
log = logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Catch up until it is done or the time is up, or replay.

    Raises:
        ValueError: ``since`` is not a time with its zone.
        NotFound.
        Unavailable: Stripe or DynamoDB did not answer for a replay.
    """
    invocation.begin(context)
    if "transaction_id" in event:
        return _replay(event["transaction_id"])
    done = catch_up(ports, has_time=lambda: invocation.seconds_left() > EVENT_SECONDS, since=_since(event))
    for name, error in done.troubles:
        log.warning("not taken in", item_id=name, **facts_of(error))
    counts = {
        "pages": done.pages, "listed": done.listed, "applied": done.applied, "accounts": done.accounts,
        "troubles": len(done.troubles),
    }  # fmt: skip
    count(counts)
    return counts


def _since(event: Mapping[str, Any]) -> datetime | None:
    if event.get("since") is None:
        return None
    since = datetime.fromisoformat(event["since"])
    if since.tzinfo is None:
        raise ValueError("since is a time with its zone, such as 2026-11-20T00:00:00Z")
    return since


def _replay(transaction_id: str) -> dict[str, Any]:
    replayed = replay(ports, transaction_id)
    changes = {name: {"before": before, "after": after} for name, (before, after) in replayed.changes.items()}
    return {"transaction_id": transaction_id, "changes": changes, "journal_entries": replayed.journal_entries}
