"""The client's Idempotency-Key: used once for one request, and answered with the same outcome ever after.

The record of its use is written in the commit that records the command, so no second mechanism guards money.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import IdempotencyKeyRequired, IdempotencyKeyReused
from marketplace.domain.principals import Principal

KEPT: Final = timedelta(days=7)
LONGEST_KEY: Final = 255  # characters, as Stripe's


@dataclass(frozen=True, kw_only=True)
class Once:
    """A request that is to take effect once: who asks for what under which key, and for what; both are hashes.

    ``subject`` is the transaction that the request is about, if one exists: the key is kept in its partition.
    """

    scope: str
    request: str
    subject: str | None = None

    @classmethod
    def of(
        cls, caller: Principal, route: str, key: str | None, body: Mapping[str, Any], *, subject: str | None = None
    ) -> Self:
        """``route`` names the resource too; ``body`` is plain JSON data, whose order of keys does not matter.

        Raises:
            IdempotencyKeyRequired: no key, or one of over 255 characters.
        """
        if not key or len(key) > LONGEST_KEY:
            raise IdempotencyKeyRequired(f"an Idempotency-Key of 1 to {LONGEST_KEY} characters")
        return cls(
            scope=_hash([caller.role, caller.subject, route, key]),
            request=_hash(body),
            subject=subject,
        )

    def used_for(self, command: Command, now: datetime) -> IdempotencyRecord:
        """The record of this key's use."""
        return IdempotencyRecord(
            scope=self.scope,
            subject=self.subject,
            request=self.request,
            command_id=command.id,
            command_subject=command.subject,
            expires_at=now + KEPT,
        )

    def used_alone(self, transaction_id: str, now: datetime) -> IdempotencyRecord:
        """The record of this key's use for a change of our own records, which asks nothing of Stripe by itself."""
        return IdempotencyRecord(
            scope=self.scope,
            subject=self.subject,
            request=self.request,
            command_id="",
            command_subject=transaction_id,
            expires_at=now + KEPT,
        )

    def require_same(self, earlier: IdempotencyRecord) -> None:
        """Refuse a key that was used for another body.

        Raises:
            IdempotencyKeyReused.
        """
        if earlier.request != self.request:
            raise IdempotencyKeyReused("this Idempotency-Key was used for another request")


def _hash(data: object) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
