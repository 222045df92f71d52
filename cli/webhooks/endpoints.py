"""The endpoints that a deployment needs at Stripe, and those that it has there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import stripe

from marketplace.domain.events import ACCOUNT_EVENTS, CONNECT_EVENTS, THIN_EVENTS

PATHS: Final = {"account": "/webhooks/stripe/account", "connect": "/webhooks/stripe/connect"}
THIN: Final = "thin"
_WITH_URL: Final = "webhook_endpoint.url"
_WITH_SECRET: Final = "webhook_endpoint.signing_secret"  # noqa: S105 - what is asked for, not what it is


class Kind(StrEnum):
    """What an endpoint is for."""

    ACCOUNT = "account"  # snapshot events of the platform's own account
    CONNECT = "connect"  # snapshot events of connected accounts
    THIN = "thin"  # thin events of Accounts v2, which only API v2 delivers


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An endpoint as it must be. ``path`` is the last part of its URL, under which the receiver knows its secrets."""

    kind: Kind
    path: str
    url: str
    events: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint as it is at Stripe. ``api_version`` is None for the account's own; of thin events it is always."""

    id: str
    is_thin: bool
    url: str
    events: frozenset[str]
    is_enabled: bool
    api_version: str | None


def wanted_at(api_url: str) -> tuple[Wanted, ...]:
    """The endpoints of a deployment whose API is reached here: exactly the events that the code reads."""
    account, connect = (f"{api_url}{PATHS[path]}" for path in ("account", "connect"))
    return (
        Wanted(kind=Kind.ACCOUNT, path="account", url=account, events=ACCOUNT_EVENTS),
        Wanted(kind=Kind.CONNECT, path="connect", url=connect, events=CONNECT_EVENTS),
        Wanted(kind=Kind.THIN, path="connect", url=connect, events=THIN_EVENTS),
    )


class StripeEndpoints:
    """The endpoints of the account behind a client. Every method raises stripe.StripeError."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    def at(self, urls: Sequence[str]) -> tuple[Endpoint, ...]:
        """Those at any of these URLs, the newest first; what API v2 lists of other than thin events is API v1's."""
        found = [_snapshot(each) for each in self._client.v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter()]
        thin = self._client.v2.core.event_destinations.list({"limit": 100, "include": [_WITH_URL]})
        found += [
            _thin(each)
            for each in thin.auto_paging_iter()
            if each.type == "webhook_endpoint" and each.event_payload == THIN
        ]
        return tuple(each for each in found if each.url in urls)

    def create(self, wanted: Wanted) -> tuple[str, str]:
        """A new endpoint: its id and its secret, which Stripe shows now and never again."""
        if wanted.kind is not Kind.THIN:
            version: Any = stripe.api_version  # of which the SDK, again, knows literals only
            made = self._client.v1.webhook_endpoints.create(
                {
                    "url": wanted.url,
                    "enabled_events": list[Any](wanted.events),  # the SDK knows their names as literals only
                    "connect": wanted.kind is Kind.CONNECT,
                    "api_version": version,
                    "description": "marketplace-payments",
                }
            )
            return made.id, str(made.secret)
        destination = self._client.v2.core.event_destinations.create(
            {
                "name": "marketplace-payments",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "events_from": ["@self", "@accounts"],
                "enabled_events": list(wanted.events),
                "webhook_endpoint": {"url": wanted.url},
                "include": [_WITH_SECRET],
            }
        )
        return destination.id, str(destination["webhook_endpoint"]["signing_secret"])

    def mend(self, endpoint: Endpoint, wanted: Wanted) -> None:
        """Let it hear what it must hear, and be enabled."""
        if not endpoint.is_thin:
            self._client.v1.webhook_endpoints.update(
                endpoint.id, {"enabled_events": list[Any](wanted.events), "disabled": False}
            )
            return
        self._client.v2.core.event_destinations.update(endpoint.id, {"enabled_events": list(wanted.events)})
        if not endpoint.is_enabled:
            self._client.v2.core.event_destinations.enable(endpoint.id)

    def delete(self, endpoint: Endpoint) -> None:
        """Let it hear nothing any more."""
        if endpoint.is_thin:
            self._client.v2.core.event_destinations.delete(endpoint.id)
        else:
            self._client.v1.webhook_endpoints.delete(endpoint.id)


def _snapshot(found: Any) -> Endpoint:  # noqa: ANN401 - the SDK's class, read as the data that it is
    return Endpoint(
        id=found.id,
        is_thin=False,
        url=found.url,
        events=frozenset(found.enabled_events),
        is_enabled=found.status == "enabled",
        api_version=found.api_version,
    )


def _thin(found: Any) -> Endpoint:  # noqa: ANN401 - the SDK's class, read as the data that it is
    endpoint: Mapping[str, Any] = found["webhook_endpoint"] or {}
    return Endpoint(
        id=found.id,
        is_thin=True,
        url=str(endpoint["url"]),
        events=frozenset(found.enabled_events),
        is_enabled=found.status == "enabled",
        api_version=None,
    )
