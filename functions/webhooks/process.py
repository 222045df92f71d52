"""Stripe's events from the queue into the table, in the order of their group.

An event that fails comes back with the later ones of its group (F33) while other groups are done. After its last try
the queue sets it aside, and the later ones are held back no more: they were handed over as often, and would go with it.
"""

import os
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from marketplace.adapters import wiring
from marketplace.domain.errors import Unavailable
from marketplace.edge.bodies import parse_object
from marketplace.edge.deliveries import MOST_TRIES
from marketplace.edge.invocation import Invocation
from marketplace.edge.logging import facts_of, logger
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings
from marketplace.services.events import EventOutcome, take_in

EVENT_SECONDS: Final = 5.0  # with less time left an event is not begun: it would take the whole batch down with it

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
log = logger()
processor = BatchProcessor(EventType.SQS)
processor.raise_on_entire_batch_failure = False  # that all failed is said like that some did
held_back: set[str | None] = set()  # groups of this batch of which an event comes again


class HeldBack(Exception):
    """An earlier event of the group comes again, and this one behind it."""


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Process a batch; what is named in the answer comes again."""
    invocation.begin(context)
    held_back.clear()
    return process_partial_response(event=event, record_handler=process, processor=processor, context=context)


def process(record: SQSRecord) -> EventOutcome:
    """Take an event in, and count what became of it. Raises whatever keeps it from being applied, and HeldBack."""
    group = record.attributes.message_group_id
    if group in held_back:
        raise HeldBack
    event_id = record.attributes.message_deduplication_id or ""
    try:
        _require_time()
        outcome = take_in(ports, parse_object(record.body))
    except Exception as error:
        # Not `exception`: its text may quote what it failed on.
        log.error("failed", event_id=event_id, **facts_of(error))  # noqa: TRY400
        count({"failed": 1}, facts={"event_id": event_id})
        if int(record.attributes.approximate_receive_count) < MOST_TRIES:
            held_back.add(group)
        raise
    count({outcome.value: 1}, facts={"event_id": event_id})
    return outcome


def _require_time() -> None:
    if invocation.seconds_left() < EVENT_SECONDS:
        raise Unavailable("too little time is left")
