"""How far Stripe's lists of events were read again, and which lists those are; when its accounts were."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from marketplace.domain.deferred import dataclass
from marketplace.domain.events import ACCOUNT_EVENTS

MOST_TYPES = 20  # that Stripe lets one list be asked for


class EventStream(StrEnum):
    """A list of events at Stripe, of types that are listed together, and what has none."""

    PAYMENTS = "payments"
    MONEY_BACK = "money_back"
    BILLING = "billing"
    ACCOUNTS = "accounts"  # no list: events of connected accounts are on their own lists, so the accounts are read

    @property
    def types(self) -> tuple[str, ...]:
        """The types of event that it has."""
        return _TYPES[self]


@dataclass(frozen=True, kw_only=True)
class EventCheckpoint:
    """The events of a stream that were created before ``since`` have been taken in.

    Of the accounts, ``since`` is when the last round through all of them ended, and ``cursor`` where the one is that
    is under way; None between two.
    """

    stream: EventStream
    since: datetime
    cursor: str | None = None
    version: int = 1

    @property
    def id(self) -> str:
        """The stream's name."""
        return self.stream


def _of(nouns: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in ACCOUNT_EVENTS if each.startswith(tuple(nouns)))


_MONEY_BACK = _of(("refund.", "charge.dispute.", "transfer."))
_BILLING = _of(("customer.subscription.", "invoice."))
_TYPES = {
    EventStream.PAYMENTS: tuple(each for each in ACCOUNT_EVENTS if each not in {*_MONEY_BACK, *_BILLING}),
    EventStream.MONEY_BACK: _MONEY_BACK,
    EventStream.BILLING: _BILLING,
    EventStream.ACCOUNTS: (),
}
