"""Who is told of an event: webhook endpoints (v1) and event destinations (v2), and which of them an event concerns."""

from collections.abc import Iterator
from typing import Final

from .shelves import Collection
from .state import State
from .values import Object

WEBHOOK_ENDPOINTS: Final = Collection("webhook_endpoint", path="/v1/webhook_endpoints", found_anywhere=True)
"""``_connect``: whether it hears of connected accounts instead of its own; ``_secret``: what signs; ``_old_secret``, if
it was rolled: ``{secret, expires_at}``."""

EVENT_DESTINATIONS: Final = Collection(
    "v2.core.event_destination", path="/v2/core/event_destinations", found_anywhere=True
)
"""``_url`` and ``_secret`` are shown only when a request includes them."""

OWN_EVENTS: Final = "@self"
ACCOUNT_EVENTS: Final = "@accounts"
WEBHOOK: Final = "webhook_endpoint"
EVENTBRIDGE: Final = "amazon_eventbridge"  # of which the simulator has none to deliver to
SNAPSHOT: Final = "snapshot"
THIN: Final = "thin"


def subscribers(state: State, platform: str, event_type: str, payload: str) -> Iterator[tuple[State, Object]]:
    """The endpoints, with the account that has them, that want this event of the account of ``state``."""
    for holder in (state,) if state.account == platform else (state, state.of(platform)):
        from_connected = holder.account != state.account
        if payload == SNAPSHOT:
            for endpoint in holder.select(WEBHOOK_ENDPOINTS, ascending=True):
                if endpoint["_connect"] == from_connected and _wants(endpoint, event_type):
                    yield holder, endpoint
        source = ACCOUNT_EVENTS if from_connected else OWN_EVENTS
        for destination in holder.select(EVENT_DESTINATIONS, ascending=True):
            wanted_here = destination["event_payload"] == payload and source in destination["events_from"]
            if wanted_here and destination["type"] == WEBHOOK and _wants(destination, event_type):
                yield holder, destination


def _wants(endpoint: Object, event_type: str) -> bool:
    enabled = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or event_type in enabled)


def good_secrets(endpoint: Object, now: int) -> list[str]:
    """What signs: the secret, and the one before it as long as it was left."""
    old = endpoint.get("_old_secret")
    return [endpoint["_secret"], *([old["secret"]] if old and now < old["expires_at"] else [])]


def address(endpoint: Object) -> str:
    """Where the endpoint listens."""
    url: str = endpoint["_url"] if "_url" in endpoint else endpoint["url"]
    return url
