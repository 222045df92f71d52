"""The bus on which the marketplace's own systems hear of what happened."""

import json
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from marketplace.domain.errors import Unavailable
from marketplace.domain.outgoing import OutgoingEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE: Final = "marketplace"
MOST_AT_ONCE: Final = 10  # EventBridge's; ten of ours are some 10 of the 256 KB that it takes


class EventBus:
    """The bus of this name."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def put(self, events: Iterable[OutgoingEvent]) -> None:
        """Hand events over, ten at a time, in their order.

        Raises:
            Unavailable: EventBridge did not take all of them; those that it took may come again.
        """
        for some in batched(events, MOST_AT_ONCE, strict=False):
            self._put(some)

    def _put(self, events: Sequence[OutgoingEvent]) -> None:
        try:
            answer = self._client.put_events(Entries=[self._entry(each) for each in events])
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("the bus did not answer") from error
        if answer["FailedEntryCount"]:
            raise Unavailable(f"the bus did not take {answer['FailedEntryCount']} of {len(events)} events")

    def _entry(self, event: OutgoingEvent) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.type,
            "Time": event.occurred_at,
            "Detail": json.dumps(event.detail, separators=(",", ":")),
        }
