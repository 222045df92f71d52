"""Dead letters: events of Stripe's that were tried so often that the queue set them aside."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.domain.deferred import dataclass
from marketplace.domain.events import Event, NotAnEvent, parse


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that was set aside. ``event`` is None of one that is no event: poison, which no try can apply.

    ``id`` is the message's, until it is put back. ``group`` is what it stays in order with, ``tries`` how often it was
    received since it was set aside, looks at it included.
    """

    id: str
    body: str
    group: str
    endpoint: str | None
    sent_at: datetime
    tries: int
    event: Event | None

    @property
    def transaction_id(self) -> str | None:
        """The sale that it says it is about."""
        metadata = self.event.object.get("metadata") if self.event else None
        found = metadata.get("transaction_id") if isinstance(metadata, Mapping) else None
        return found if isinstance(found, str) else None


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """What a look at the queue saw. Of a group the first ones are seen only: ``waiting`` counts the others too."""

    letters: tuple[DeadLetter, ...]
    waiting: int

    @property
    def is_complete(self) -> bool:
        """Whether all were seen."""
        return len(self.letters) >= self.waiting


def event_in(body: str) -> Event | None:
    """The event in a message's body, or None where there is none."""
    try:
        found: Any = json.loads(body)
        return parse(found)
    except (NotAnEvent, ValueError, TypeError):
        return None
