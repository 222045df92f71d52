"""Who hears what became of an intent: what opened it, such as a Checkout Session."""

from collections.abc import Callable

from ..context import Context
from ..values import Object

type Watcher = Callable[[Context, Object], None]


class Watchers:
    """Functions, by the name that an intent was opened with (``_watcher``)."""

    def __init__(self) -> None:
        self._named: dict[str, Watcher] = {}

    def named(self, name: str) -> Callable[[Watcher], Watcher]:
        """Let a function hear of every attempt on the intents that were opened with this name."""

        def register(watcher: Watcher) -> Watcher:
            self._named[name] = watcher
            return watcher

        return register

    def tell(self, context: Context, intent: Object) -> None:
        """Tell the intent's."""
        watcher = self._named.get(intent["_watcher"] or "")
        if watcher:
            watcher(context, intent)
