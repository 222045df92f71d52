"""Every minute: finish what was left unfinished."""

import os
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from marketplace.adapters import wiring
from marketplace.edge.invocation import Invocation
from marketplace.edge.logging import facts_of, logger
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings
from marketplace.services.sweep import sweep

ITEM_SECONDS: Final = 15.0  # with less time left the rest is for the next sweep

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
log = logger()


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep until nothing is due or the time is up; the counts."""
    invocation.begin(context)
    done = sweep(ports, has_time=lambda: invocation.seconds_left() > ITEM_SECONDS)
    for item_id, error in done.troubles:
        log.warning("not finished", item_id=item_id, **facts_of(error))
    oldest = int(done.oldest_command.total_seconds())
    counts = {"looked_at": done.looked_at, "troubles": len(done.troubles), "oldest_command_seconds": oldest}
    count(counts)
    return counts
