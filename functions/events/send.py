"""What was written to the table, told to the marketplace's own systems as events."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from marketplace.adapters import wiring
from marketplace.adapters.stream import written_in
from marketplace.domain.outgoing import Told, events_of
from marketplace.edge.logging import facts_of, logger
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings

settings = Settings.of(os.environ, Part.EVENTS)
bus = wiring.event_bus(settings)
log = logger()


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Send the events of a batch of the stream. What fails comes again, all of it: the ids say what was sent before."""
    try:
        events = [
            told
            for written in written_in(event)
            if isinstance(written.after, Told)
            for told in events_of(_told(written.before), written.after, at=written.at)
        ]
        bus.put(events)
    except Exception as error:
        # Not `exception`: its text may quote what it failed on.
        log.error("not sent", **facts_of(error))  # noqa: TRY400
        count({"failed": 1})
        raise
    count({"sent": len(events)})


def _told(item: object) -> Told | None:
    return item if isinstance(item, Told) else None
