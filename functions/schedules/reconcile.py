"""Every hour: Stripe's balance transactions against the ledger. ``{"is_asked": true}`` reconciles every account now."""

import os
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from marketplace.adapters import wiring
from marketplace.domain.reconciliation import LineStatus
from marketplace.edge.invocation import Invocation
from marketplace.edge.logging import facts_of, logger
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings
from marketplace.services.reconciliation import reconcile

PAGE_SECONDS: Final = 45.0  # with less time left the next page is for the next run

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.RECONCILIATION)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
log = logger()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Reconcile what is due until it is done or the time is up; the counts."""
    invocation.begin(context)
    done = reconcile(
        ports,
        has_time=lambda: invocation.seconds_left() > PAGE_SECONDS,
        settled_after=timedelta(seconds=settings.settled_after_seconds or 0),
        is_asked=event.get("is_asked") is True,
    )
    for name, error in done.troubles:
        log.warning("not reconciled", item_id=name, **facts_of(error))
    lines = {status.value: done.lines[status] for status in LineStatus}
    counts = {"pages": done.pages, "resolved": done.resolved, "troubles": len(done.troubles), **lines}
    count(counts)
    return counts
