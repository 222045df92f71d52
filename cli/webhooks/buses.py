"""The event destination by which Stripe hands events to Amazon EventBridge: made and mended as the endpoints are.

It has no secret. Stripe makes a partner event source of it in the AWS account, whose name is the parameter
``StripeEventSource``; what it is for, and of which API version, is fixed when it is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import stripe

from marketplace.domain.events import ACCOUNT_EVENTS, CONNECT_EVENTS

EVENTS: Final = tuple(sorted({*ACCOUNT_EVENTS, *CONNECT_EVENTS}))
FROM: Final = ("@self", "@accounts")
STACK: Final = "stack"  # whose it is, in its metadata: two stages may have the same account at Stripe
TYPE: Final = "amazon_eventbridge"
_SOURCE: Final = ":event-source/"


@dataclass(frozen=True, kw_only=True)
class AwsPlace:
    """Where a stack is."""

    account_id: str
    region: str
    stack_name: str


@dataclass(frozen=True, kw_only=True)
class Bus:
    """A destination at Stripe. ``source`` is its partner event source's name, ``status`` what AWS says of that."""

    id: str
    source: str
    status: str
    stack: str | None  # that it was made for; None of one made by hand
    fits: bool  # in what cannot be changed: the API version that the code reads, and of whose events it hears
    events: frozenset[str]
    is_enabled: bool


@dataclass(frozen=True, kw_only=True)
class BusStep:
    """What has to be done: ``create``, or ``mend`` of ``bus``."""

    act: str
    bus: Bus | None
    because: str


class StripeBuses:
    """The destinations of the account behind a client. Every method raises stripe.StripeError."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    def at(self, place: AwsPlace) -> tuple[Bus, ...]:
        """Those of snapshot events in this AWS account and region, the newest first."""
        listed = self._client.v2.core.event_destinations.list({"limit": 100}).auto_paging_iter()
        found = [each.to_dict() for each in listed if each.type == TYPE and each.event_payload == "snapshot"]
        return tuple(
            _bus(each)
            for each in found
            if each[TYPE]["aws_account_id"] == place.account_id
            and f":events:{place.region}:" in each[TYPE]["aws_event_source_arn"]
        )

    def create(self, place: AwsPlace) -> None:
        """A new one, and with it a partner event source that waits in AWS to be used."""
        self._client.v2.core.event_destinations.create(
            {
                "name": "marketplace-payments",
                "type": TYPE,
                "event_payload": "snapshot",
                "snapshot_api_version": stripe.api_version,
                "events_from": list(FROM),
                "enabled_events": list(EVENTS),
                "amazon_eventbridge": {"aws_account_id": place.account_id, "aws_region": place.region},
                "metadata": {STACK: place.stack_name},
            }
        )

    def mend(self, bus: Bus) -> None:
        """Let it hear what the code reads, and be enabled."""
        self._client.v2.core.event_destinations.update(bus.id, {"enabled_events": list(EVENTS)})
        if not bus.is_enabled:
            self._client.v2.core.event_destinations.enable(bus.id)


def bus_steps(found: Sequence[Bus], stack_name: str, source: str) -> tuple[BusStep, ...]:
    """What there is to do where the stack hears ``source``, whoever made that, or hears none yet and it is empty.

    One that does not fit, or that is not there, gets a successor once; the stack hears it when it is deployed so.
    """
    heard = [each for each in found if each.source == source]
    fit = [each for each in (*heard, *found) if each.fits and (each in heard or each.stack == stack_name)]
    if not fit:
        because = (
            "it speaks another API version, or does not hear of all accounts"
            if heard
            else "Stripe has not that source"
            if source
            else "there is none"
        )
        return (BusStep(act="create", bus=None, because=because),)
    bus = fit[0]
    missing, surplus = sorted(set(EVENTS) - bus.events), sorted(bus.events - set(EVENTS))
    wrong = [
        *([f"does not hear {', '.join(missing)}"] if missing else []),
        *([f"hears {', '.join(surplus)}"] if surplus else []),
        *([] if bus.is_enabled else ["is disabled"]),
    ]
    return (BusStep(act="mend", bus=bus, because="; ".join(wrong)),) if wrong else ()


def _bus(found: Mapping[str, Any]) -> Bus:
    at = found[TYPE]
    return Bus(
        id=found["id"],
        source=at["aws_event_source_arn"].partition(_SOURCE)[2],
        status=at["aws_event_source_status"],
        stack=(found["metadata"] or {}).get(STACK),
        fits=found["snapshot_api_version"] == stripe.api_version and set(found["events_from"] or ()) >= set(FROM),
        events=frozenset(found["enabled_events"]),
        is_enabled=found["status"] == "enabled",
    )
