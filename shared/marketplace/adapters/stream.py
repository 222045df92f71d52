"""The table's stream: what was written, as Lambda hands it over."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from marketplace.adapters.records import item_in
from marketplace.ports import Item


class Written(NamedTuple):
    """One write of one item; ``before`` is None where there was none. ``at`` is when, the same each time it comes."""

    before: Item | None
    after: Item
    at: datetime


def written_in(event: Mapping[str, Any]) -> Iterator[Written]:
    """The writes that a batch of the stream tells of, in their order; what this version knows no kind of is left out.

    Raises:
        KeyError, ValueError: a record that cannot be read.
    """
    for record in event["Records"]:
        images = record["dynamodb"]
        if "NewImage" not in images:  # what expired
            continue
        after = item_in(images["NewImage"])
        before = item_in(images["OldImage"]) if images.get("OldImage") else None
        if after is not None:
            at = datetime.fromtimestamp(float(images["ApproximateCreationDateTime"]), UTC)
            yield Written(before, after, at)
