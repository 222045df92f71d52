"""The rate limit, if one is set: so many requests of an account within any second of the simulator's clock.

https://docs.stripe.com/rate-limits
"""

from collections import defaultdict, deque
from typing import Final

from .clock import Clock
from .errors import RateLimitError

GLOBAL: Final = "global-rate"
_ENDPOINT: Final = "endpoint-rate"
_WINDOW_SECONDS: Final = 1
SEARCHES_PER_SECOND: Final = 20


class Limits:
    """Counts what is let in, in memory only."""

    def __init__(self, clock: Clock, requests_per_second: int | None) -> None:
        self._clock = clock
        self._requests_per_second = requests_per_second
        self._moments: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def count(self, account: str, path: str) -> None:
        """Let a request in.

        Raises:
            RateLimitError: there were as many as may be, of all kinds or of searches.
        """
        if self._requests_per_second is None:
            return
        self._count(account, GLOBAL, self._requests_per_second)
        if path.endswith("/search"):
            self._count(account, _ENDPOINT, SEARCHES_PER_SECOND)

    def _count(self, account: str, reason: str, allowed: int) -> None:
        now, moments = self._clock.precise(), self._moments[account, reason]
        while moments and not moments[0] <= now < moments[0] + _WINDOW_SECONDS:  # later, or before a loaded snapshot's
            moments.popleft()
        if len(moments) >= allowed:
            raise too_many_requests(reason)
        moments.append(now)


def too_many_requests(reason: str) -> RateLimitError:
    """The 429; the reason comes in a header."""
    return RateLimitError(
        "Request rate limit exceeded. Learn more at https://docs.stripe.com/rate-limits.",
        code="rate_limit",
        reason=reason,
    )
