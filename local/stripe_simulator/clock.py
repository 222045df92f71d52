"""The simulator's clock: it runs with the machine's, or stands, and can be moved forward either way."""

import time
from datetime import UTC, datetime
from typing import NamedTuple


def rfc3339(seconds: float) -> str:
    """A moment in UTC with milliseconds, as API v2 writes time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Reading(NamedTuple):
    """What a clock is set to: the moment it stands at, or how far it is ahead of the machine's."""

    standing_at: float | None
    ahead_seconds: float


class Clock:
    """Seconds since the epoch, as every part of the simulator sees them.

    A clock never goes back, unless the whole state does: what was created stays in the past of what follows.
    """

    def __init__(self, *, standing_at: int | None = None) -> None:
        self._standing_at: float | None = standing_at
        self._ahead_seconds = 0.0

    @classmethod
    def running(cls) -> "Clock":
        """The machine's time, plus what the clock was moved by."""
        return cls()

    @classmethod
    def standing(cls, at: int) -> "Clock":
        """A clock that shows ``at`` until it is moved, for tests."""
        return cls(standing_at=at)

    @property
    def is_standing(self) -> bool:
        """Whether time passes only when the clock is moved."""
        return self._standing_at is not None

    def precise(self) -> float:
        """Now, with its fraction."""
        if self._standing_at is not None:
            return self._standing_at
        return time.time() + self._ahead_seconds

    def now(self) -> int:
        """Now, in the whole seconds of Stripe's ``created``."""
        return int(self.precise())

    def timestamp(self, seconds: float | None = None) -> str:
        """RFC 3339 in UTC with milliseconds, as API v2 writes time; now unless given."""
        return rfc3339(self.precise() if seconds is None else seconds)

    def move_to(self, moment: float) -> None:
        """Show ``moment`` from now on; a running clock that has passed it in the meantime goes on from where it is."""
        ahead = moment - self.precise()
        if ahead <= 0:
            return
        if self._standing_at is not None:
            self._standing_at = moment
        else:
            self._ahead_seconds += ahead

    def reading(self) -> Reading:
        """What it is set to, to be restored."""
        return Reading(self._standing_at, self._ahead_seconds)

    def restore(self, reading: Reading) -> None:
        """Be set to a reading, also one of the past: together with the state of that time only."""
        self._standing_at, self._ahead_seconds = reading

    def catch_up(self, reading: Reading) -> None:
        """Go on where another clock was set to, without going back."""
        standing_at, ahead_seconds = reading
        self.move_to(time.time() + ahead_seconds if standing_at is None else standing_at)
