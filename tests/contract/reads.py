"""What reading from DynamoDB costs."""

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from tests.fakes.meter import item_bytes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

READ_UNIT_BYTES: Final = 4_096


@dataclass
class Reads:
    """What reading costs, by DynamoDB's rules: a unit is 4 KB begun, of a query in all, of a batch for each item.

    A query of an index is eventually consistent, which is half. ``looked_at`` are the rows that were evaluated.
    """

    round_trips: int = 0
    looked_at: int = 0
    half_units: int = 0

    def attach(self, client: "DynamoDBClient") -> None:
        events: Any = client.meta.events  # the stubs know of no hook with arguments
        events.register("after-call.dynamodb", self._on_answer)

    def _on_answer(self, parsed: Any, **_: object) -> None:
        self.round_trips += 1
        self.looked_at += parsed.get("ScannedCount", 0)
        if "Items" in parsed:
            self.half_units += -(-sum(map(item_bytes, parsed["Items"])) // READ_UNIT_BYTES)
        for item in chain.from_iterable(parsed.get("Responses", {}).values()):
            self.half_units += 2 * -(-item_bytes(item) // READ_UNIT_BYTES)

    def taken(self) -> tuple[int, int, int]:
        """Round trips, rows and half units since this was asked last."""
        cost = (self.round_trips, self.looked_at, self.half_units)
        self.round_trips = self.looked_at = self.half_units = 0
        return cost
