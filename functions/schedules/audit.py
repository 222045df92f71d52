"""Every hour: the ledger is closed, and the invariants are audited over what was booked since the last audit."""

import os
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from marketplace.adapters import wiring
from marketplace.domain.audits import AT_REST
from marketplace.edge.invocation import Invocation
from marketplace.edge.ledger_views import DiscrepancyView, FindingView
from marketplace.edge.logging import logger
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings
from marketplace.services.audit import audit, overdue
from marketplace.services.ledger import close

MOST_TOLD: Final = 100
PAGE_SECONDS: Final = 30.0  # with less time left the next page is for the next run

settings = Settings.of(os.environ, Part.TABLE)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
log = logger()


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close, then audit, until all is done or the time is up. What is open is counted for the alarm, and told."""
    invocation.begin(context)
    closings = close(ports, has_time=lambda: invocation.seconds_left() > PAGE_SECONDS)
    done = audit(ports, has_time=lambda: invocation.seconds_left() > PAGE_SECONDS)
    findings = ports.store.findings(cursor=None, limit=MOST_TOLD).items
    discrepancies = ports.store.discrepancies(cursor=None, limit=MOST_TOLD).items
    audited = done.transactions if done is not None else 0
    clearing = sum(each.invariant == AT_REST for each in findings)
    found = {
        "findings": len(findings),
        "clearing": clearing,
        "discrepancies": len(discrepancies),
        "overdue": overdue(ports),
    }
    counts = {"closings": closings, "audited": audited, **found}
    count(counts)
    return {
        **counts,
        "open_findings": [FindingView.of(each).model_dump(mode="json") for each in findings],
        "open_discrepancies": [DiscrepancyView.of_discrepancy(each).model_dump(mode="json") for each in discrepancies],
    }
