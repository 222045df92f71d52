"""What the receiver needs to know of an event before it is read: its id, and what must stay in order with it."""

import re
from collections.abc import Mapping
from typing import Any, Final

MOST_TRIES: Final = 5  # of an event, before the queue sets it aside; its redrive policy says so
LONGEST_NAME: Final = 128  # characters of a group or of a message's name, SQS's limit
_ILLEGAL: Final = re.compile(r"[^0-9A-Za-z_.-]")


class Unnamed(Exception):
    """A body that has no event's id."""


class Misdirected(Exception):
    """An event that has no business where it came in (S03)."""


def endpoint_of(event: Mapping[str, Any]) -> str:
    """The endpoint that an event belongs to: those of connected accounts, and thin ones, to Connect's."""
    is_thin = event.get("object") == "v2.core.event"
    return "connect" if event.get("account") or is_thin else "account"


def require_endpoint(event: Mapping[str, Any], endpoint: str) -> None:
    """Refuse an event of a connected account at the account's own endpoint, and one of ours at Connect's.

    Raises:
        Misdirected.
    """
    if endpoint_of(event) != endpoint:
        raise Misdirected(f"not for {endpoint}")


def event_id(event: Mapping[str, Any]) -> str:
    """The id, by which the queue knows a repetition. Raises Unnamed."""
    found = event.get("id")
    if not isinstance(found, str) or not found:
        raise Unnamed
    return _name(found)


def group_of(event: Mapping[str, Any]) -> str:
    """The group of events that stay in order: of a payment, else of a charge, an account, or the object itself.

    Raises:
        Unnamed.
    """
    subject = _subject(event)
    kind = subject.get("object")
    found = (
        subject.get("id") if kind == "payment_intent" else subject.get("payment_intent"),
        subject.get("id") if kind == "charge" else subject.get("charge"),
        event.get("account") or event.get("context"),
        subject.get("id"),
    )
    return next((_name(each) for each in found if isinstance(each, str) and each), event_id(event))


def _subject(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object of a snapshot event; a thin one has the reference only."""
    data = event.get("data")
    subject = data.get("object") if isinstance(data, Mapping) else None
    subject = event.get("related_object") if subject is None else subject
    return subject if isinstance(subject, Mapping) else {}


def _name(text: str) -> str:
    return _ILLEGAL.sub("-", text)[:LONGEST_NAME]
