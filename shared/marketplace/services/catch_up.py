"""Catch up: take in Stripe's events from its own lists, whatever became of their deliveries.

A stream is read from its checkpoint on, in windows of time that are halved until their events fit on one page: they
are taken in the oldest first, as they would have come, and the checkpoint moves on after each window. What a
delivery brought already costs its part of one read for the whole page. Not only what Stripe could not deliver is
listed: a delivery that was answered may have been lost after that. Connected accounts are read instead.

https://docs.stripe.com/api/events/list, https://docs.stripe.com/webhooks/process-undelivered-events
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from marketplace.domain.books import EventMarker
from marketplace.domain.catching_up import EventCheckpoint, EventStream
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import StripeRefused, Unavailable
from marketplace.operations import Operation
from marketplace.ports import Conflict, Ports, Ref, Replace
from marketplace.services.account_rounds import go_round
from marketplace.services.creating import create_missing
from marketplace.services.events import EventOutcome, take_in

SETTLED_AFTER: Final = timedelta(minutes=10)  # until then an event may be under way, and come by its own delivery
LISTED_FOR: Final = timedelta(days=30)
PAGE: Final = 100  # Stripe's largest
SHORTEST_WINDOW: Final = timedelta(seconds=1)  # Stripe's times are in seconds


@dataclass()
class CaughtUp:
    """What one run did. ``accounts`` are those that were read; ``troubles`` are events that cannot be applied, accounts
    that cannot be read, and streams that Stripe did not give."""

    pages: int = 0
    listed: int = 0
    applied: int = 0
    accounts: int = 0
    troubles: list[tuple[str, Exception]] = field(default_factory=list)


def catch_up(ports: Ports, *, has_time: Callable[[], bool], since: datetime | None = None) -> CaughtUp:
    """Take in what is on Stripe's lists from the checkpoint to ten minutes ago, as far as the time allows.

    ``since`` begins there again, for example after events were set aside; Stripe lists none older than 30 days. What
    was not finished is where the next run goes on.
    """
    done = CaughtUp()
    until = _second(ports.clock.now() - SETTLED_AFTER)
    for stream in EventStream:
        try:
            checkpoint = _begin(ports, stream, since)
            if stream is EventStream.ACCOUNTS:
                done.accounts += go_round(
                    ports, checkpoint, has_time=has_time, is_asked=since is not None, troubles=done.troubles
                )
            else:
                _read_on(ports, checkpoint, until, has_time, done)
        except Conflict:
            continue  # another run is at it
        except (StripeRefused, Unavailable) as error:
            done.troubles.append((stream, error))
    return done


def _begin(ports: Ports, stream: EventStream, since: datetime | None) -> EventCheckpoint:
    oldest = _second(ports.clock.now() - LISTED_FOR)
    ref = Ref(EventCheckpoint, stream)
    found = create_missing(ports, [(ref, EventCheckpoint(stream=stream, since=oldest))])[ref.id]
    if since is None or _second(since) >= found.since:
        return found
    return _moved(ports, found, max(_second(since), oldest))


def _read_on(
    ports: Ports, checkpoint: EventCheckpoint, until: datetime, has_time: Callable[[], bool], done: CaughtUp
) -> None:
    span = until - checkpoint.since
    while checkpoint.since < until and has_time():
        end = min(until, checkpoint.since + span)
        events = _window(ports, checkpoint.stream, checkpoint.since, end)
        done.pages += 1
        if events is None:
            span = max(SHORTEST_WINDOW, _whole_seconds((end - checkpoint.since) / 2))
            continue
        done.listed += len(events)
        if not _take_in_missing(ports, events, has_time, done):
            return
        checkpoint = _moved(ports, checkpoint, end)
        span *= 2 if len(events) <= PAGE // 4 else 1


def _window(ports: Ports, stream: EventStream, since: datetime, end: datetime) -> Sequence[Mapping[str, Any]] | None:
    """The events of a window, the oldest first; None where they are more than a page, and it can be smaller."""
    created = {"gte": int(since.timestamp()), "lt": int(end.timestamp())}
    params = {"limit": PAGE, "types": list(stream.types), "created": created}
    page = ports.stripe.read(Operation.LIST_EVENTS, params=params)
    if page["has_more"]:
        if end - since > SHORTEST_WINDOW:
            return None
        return list(ports.stripe.each(Operation.LIST_EVENTS, params=params))[::-1]
    return page["data"][::-1]  # type: ignore[no-any-return]  # JSON


def _take_in_missing(
    ports: Ports, events: Sequence[Mapping[str, Any]], has_time: Callable[[], bool], done: CaughtUp
) -> bool:
    """Whether the time was enough for all; those that were taken in are known to the next run."""
    for begin in range(0, len(events), PAGE):
        part = events[begin : begin + PAGE]
        found = ports.store.get(*(Ref(EventMarker, event["id"]) for event in part))
        for event in part:
            if found(Ref(EventMarker, event["id"])) is None:
                if not has_time():
                    return False
                _take_in(ports, event, done)
    return True


def _take_in(ports: Ports, event: Mapping[str, Any], done: CaughtUp) -> None:
    try:
        done.applied += take_in(ports, event) is EventOutcome.APPLIED
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - what one event meets must not keep the others waiting
        done.troubles.append((event["id"], error))


def _moved(ports: Ports, checkpoint: EventCheckpoint, since: datetime) -> EventCheckpoint:
    change = Replace(checkpoint, replace(checkpoint, since=since))
    ports.store.commit(change)
    return change.stored


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _whole_seconds(span: timedelta) -> timedelta:
    return timedelta(seconds=span // timedelta(seconds=1))
