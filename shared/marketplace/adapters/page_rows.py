"""The rows of a page of a list, read newest first: from one partition, or merged from all that the list has.

A list that every sale of the marketplace is in has LIST_SHARDS partitions, of which each takes its part of the writes
(docs/adr/0015-shards.md).
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from marketplace.adapters.codec import Attributes
from marketplace.adapters.dynamodb_calls import key_attributes
from marketplace.adapters.keys import INDEXES, WORDS
from marketplace.adapters.listings import Listing
from marketplace.adapters.records import key_in

MORE_THAN_ITS_PART: Final = 16  # rows of a shard: two dozen keys cost what one does, and a second query is rare
Query = Callable[..., list[Attributes]]


def page_rows(query: Query, listing: Listing[Any], before: str | None, most: int) -> list[Attributes]:
    """Up to ``most`` rows before a position: one query for each partition, and more where one has most of the page."""
    partitions = listing.partitions
    some = min(most, most // len(partitions) + MORE_THAN_ITS_PART)
    each = [_newest_first(query, listing, partition, before, some) for partition in partitions]
    return list(islice(heapq.merge(*each, key=lambda row: listing.position(key_in(row)), reverse=True), most))


def _newest_first(
    query: Query, listing: Listing[Any], partition: str, before: str | None, some: int
) -> Iterator[Attributes]:
    """The rows of a partition, so many at a time as they are asked for."""
    while True:
        span = listing.span(before)
        rows = [] if span is None else query(**_asked(listing, partition, before, span), most=some)
        yield from rows
        if len(rows) < some:
            return
        before = listing.position(key_in(rows[-1]))


def _asked(listing: Listing[Any], partition: str, before: str | None, span: tuple[str, str]) -> dict[str, Any]:
    """The query of a partition, which is the list's own whatever the cursor says."""
    values = {":partition": {"S": partition}}
    query: dict[str, Any] = {"ScanIndexForward": False, "ExpressionAttributeValues": values}
    if listing.index is not None:
        hash_key, range_key = INDEXES[listing.index]
        condition = f"{hash_key} = :partition AND {range_key} BETWEEN :first AND :last"
        values |= {":first": {"S": span[0]}, ":last": {"S": span[1]}}
        return query | {"IndexName": listing.index, "KeyConditionExpression": condition}
    of_this_kind = "begins_with(sk, :word)"  # the partition holds other kinds too
    query["KeyConditionExpression"] = f"pk = :partition AND {of_this_kind}"
    values[":word"] = {"S": f"{WORDS[listing.kind]}#"}
    after = None if before is None else listing.key_at(before)
    return query if after is None else query | {"ExclusiveStartKey": key_attributes(after)}
