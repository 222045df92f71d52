"""The clock and the random source of the machine."""

import secrets
from datetime import UTC, datetime
from typing import Final

from marketplace.domain.ids import RANDOM_BITS, make_id
from marketplace.ports import Clock

TOKEN_BYTES: Final = 32
_JITTER_STEPS: Final = 1 << 32


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)


class SystemIds:
    """Ids and secrets from the operating system's random source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, noun: str, *, owner: str | None = None) -> str:
        """A new id; ``owner`` where the noun has one (``domain.ids``)."""
        return make_id(noun, self._clock.now(), secrets.randbits(RANDOM_BITS), owner=owner)

    def token(self) -> str:
        """A secret of 256 bits that can stand in a URL."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def jitter(self) -> float:
        """A number from 0 to 1."""
        return secrets.randbelow(_JITTER_STEPS + 1) / _JITTER_STEPS
