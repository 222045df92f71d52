"""What a store costs: round trips, and write units by DynamoDB's own rules, on any backend.

A write unit is a kilobyte (1,024 bytes) begun, of the larger of the old and the new item; in a transaction two. An
index costs one for each entry put or removed, so two where an entry moves, and nothing where its keys stay.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from marketplace.adapters.codec import Attributes, Value
from marketplace.adapters.keys import INDEXES, Key
from marketplace.adapters.records import key_in, written
from marketplace.ports import Change

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNIT_BYTES: Final = 1024
TRANSACTION_FACTOR: Final = 2
_NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)  # the size of an item depends on no time
# A query of keys, then the items.
LISTS_BY_INDEX: Final = frozenset(
    {"transactions", "merchants", "prices", "due", "due_walks", "discrepancies", "payout_reconciliations", "findings"}
)


class Meter:
    """Counts from when it is attached; writes that were refused are not counted as units.

    ``meter.attach(client)`` for DynamoDB, ``MemoryStore(clock, after=meter.after)`` for the one in memory.
    """

    def __init__(self) -> None:
        self.round_trips = 0
        self.write_units = 0
        self._stands: dict[Key, Attributes] = {}

    def attach(self, client: "DynamoDBClient") -> None:
        """Count the requests of a client, repeated ones too, and what it writes."""
        events: Any = client.meta.events  # the stubs know of no hook with arguments
        events.register("request-created.dynamodb", self._on_request)
        events.register("before-parameter-build.dynamodb", self._on_call)
        events.register("after-call.dynamodb", self._on_answer)

    def after(self, call: str, changes: tuple[Change, ...]) -> None:
        """The hook of the store in memory."""
        if call == "commit" and not changes:
            return
        self.round_trips += 2 if call in LISTS_BY_INDEX else 1
        self.count([written(change, _NOW) for change in changes])

    def count(self, items: Sequence[Attributes]) -> None:
        """Count a commit of these items."""
        factor = 1 if len(items) == 1 else TRANSACTION_FACTOR
        for item in items:
            before = self._stands.get(key_in(item), {})
            self.write_units += factor * units(max(item_bytes(item), item_bytes(before))) + index_units(before, item)
            self._stands[key_in(item)] = item

    def _on_request(self, **_: object) -> None:
        self.round_trips += 1

    def _on_call(self, params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        puts = [each["Put"] for each in params.get("TransactItems", [])]
        context["metered"] = [put["Item"] for put in puts] or ([params["Item"]] if "Item" in params else [])

    def _on_answer(self, http_response: Any, context: dict[str, Any], **_: object) -> None:
        if http_response.status_code < 300:
            self.count(context["metered"])


def units(size_bytes: int) -> int:
    """Write units of an item outside of a transaction."""
    return -(-size_bytes // UNIT_BYTES)


def index_units(before: Attributes, after: Attributes) -> int:
    """Write units of all indexes for a change of an item, which was {} before it was there."""
    return sum(
        bool(old) + bool(new)
        for names in INDEXES.values()
        if (old := _entry(before, names)) != (new := _entry(after, names))
    )


def item_bytes(attributes: Attributes) -> int:
    """The size of an item as DynamoDB counts it, names included."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in attributes.items())


def value_bytes(value: Value) -> int:
    """The size of an attribute value as DynamoDB counts it."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            digits = str(content).lstrip("-").strip("0")
            return (len(digits) + 1) // 2 + 1 + str(content).startswith("-")
        case "L":
            return 3 + sum(1 + value_bytes(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_bytes(each) for name, each in content.items())
        case _:
            return 1


def _entry(attributes: Attributes, names: Iterable[str]) -> list[Value] | None:
    """An item's place in an index: it has one where it has all of the index's keys."""
    return [attributes[name] for name in names] if all(name in attributes for name in names) else None
