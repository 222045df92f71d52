"""Who hears what became of an invoice: subscriptions of theirs, Checkout of a session's."""

from collections.abc import Callable
from typing import Final

from ..context import Context
from ..values import Object

FINALIZED, PAID, PAYMENT_FAILED = "finalized", "paid", "payment_failed"
ACTION_REQUIRED, VOIDED, UNCOLLECTIBLE = "payment_action_required", "voided", "uncollectible"

type Watcher = Callable[[Context, Object, str], None]
_watchers: Final[list[Watcher]] = []


def watches(watcher: Watcher) -> Watcher:
    """Let a function hear of every invoice: ``watcher(context, invoice, outcome)``."""
    _watchers.append(watcher)
    return watcher


def tell(context: Context, invoice: Object, outcome: str) -> None:
    """Tell all of them."""
    for watcher in _watchers:
        watcher(context, invoice, outcome)
