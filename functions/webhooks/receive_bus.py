"""Stripe's events in by EventBridge: out of the envelope, and on the same queue as those of the webhooks.

Nothing is signed here: who may put events on a partner's bus is AWS's and Stripe's business, and only the rule on that
bus may invoke this. What cannot be kept raises, so that Lambda comes again and sets it aside in the end.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from marketplace.adapters import wiring
from marketplace.edge.deliveries import Misdirected, Unnamed, endpoint_of, event_id, group_of
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings

settings = Settings.of(os.environ, Part.PARTNER_EVENTS)
queue = wiring.event_queue(settings)


def handler(envelope: dict[str, Any], _context: object) -> None:
    """Keep an event.

    Raises:
        Misdirected, Unnamed, Unavailable.
    """
    try:
        event = _event_in(envelope)
        queue.put(json.dumps(event), event_id=event_id(event), group=group_of(event), endpoint=endpoint_of(event))
    except Exception as error:
        count({"refused": 1}, reason=type(error).__name__)
        raise
    count({"accepted": 1}, facts={"event_id": event_id(event), "event_type": str(event.get("type"))})


def _event_in(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    if envelope.get("source") != settings.partner_event_source:
        raise Misdirected("another source's event")
    event = envelope.get("detail")
    if not isinstance(event, Mapping):
        raise Unnamed
    return event
