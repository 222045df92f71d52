"""Idempotency keys as Stripe keeps them.

API v1: the first answer of a key is kept, 500s included, and replayed for 24 hours; what failed validation is not kept.
API v2: successes are replayed for 30 days; what failed is executed again.
Sources: https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/api-v2-overview#idempotency
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple

from .errors import IdempotencyError, InvalidParameterError
from .shelves import Collection
from .state import State

IDEMPOTENCY_KEYS: Final = Collection("_idempotency_key", indexes=("api",))
RETENTION_SECONDS: Final = {"v1": 24 * 3_600, "v2": 30 * 24 * 3_600}
MAXIMUM_KEY_LENGTH: Final = 255
_PRUNED_AT_ONCE: Final = 2  # two leave for each one that comes, so that the expired never pile up


class Attempt(NamedTuple):
    """A request under a key."""

    key: str
    method: str
    path: str
    params: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """Tells requests apart that differ in any parameter."""
        canonical = json.dumps(self.params, sort_keys=True, default=str)
        return hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()

    @property
    def api(self) -> str:
        """``v1`` or ``v2``."""
        return "v2" if self.path.startswith("/v2/") else "v1"


class Kept(NamedTuple):
    """The first answer of a key."""

    status: int
    body: str
    request_id: str


class KeysInUse:
    """Keys of requests that have not been answered yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, account: str, key: str | None) -> Iterator[None]:
        """Have the key for oneself.

        Raises:
            IdempotencyError: 409, somebody else has it.
        """
        if key is None:
            yield
            return
        with self._lock:
            in_use = (account, key) in self._held
            self._held.add((account, key))
        if in_use:
            raise IdempotencyError(
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again later.",
                code="idempotency_key_in_use",
                status=HTTPStatus.CONFLICT,
            )
        try:
            yield
        finally:
            self._held.discard((account, key))


def check_key(key: str | None) -> None:
    """Refuse a key that Stripe would not keep.

    Raises:
        InvalidParameterError: it is longer than 255 characters.
    """
    if key is not None and len(key) > MAXIMUM_KEY_LENGTH:
        raise InvalidParameterError(f"Idempotency keys may be at most {MAXIMUM_KEY_LENGTH} characters long.")


def recall(state: State, attempt: Attempt, now: int) -> Kept | None:
    """The kept answer of the key, if it is the same request and still kept.

    Raises:
        IdempotencyError: 400, the key was first used with another request.
    """
    kept = state.find(IDEMPOTENCY_KEYS, f"{attempt.api} {attempt.key}")
    if kept is None or kept["created"] + RETENTION_SECONDS[attempt.api] <= now:
        return None
    if (kept["method"], kept["path"]) != (attempt.method, attempt.path):
        raise IdempotencyError(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{attempt.path}' vs '{kept['path']}'). Try using a key other than '{attempt.key}' if you meant to "
            "execute a different request."
        )
    if kept["fingerprint"] != attempt.fingerprint:
        raise IdempotencyError(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{attempt.key}' if you meant to execute a different request."
        )
    return Kept(kept["status"], kept["body"], kept["request_id"])


def keep(state: State, attempt: Attempt, answer: Kept, now: int) -> None:
    """Keep the answer for the key, and let go of keys that are past their time."""
    if attempt.api == "v2" and answer.status >= HTTPStatus.BAD_REQUEST:
        return
    record_id = f"{attempt.api} {attempt.key}"
    if state.find(IDEMPOTENCY_KEYS, record_id):
        state.delete(IDEMPOTENCY_KEYS, record_id)  # past its time: recall would have found it otherwise
    state.insert(
        IDEMPOTENCY_KEYS,
        {
            "id": record_id,
            "created": now,
            "api": attempt.api,
            "method": attempt.method,
            "path": attempt.path,
            "fingerprint": attempt.fingerprint,
            **answer._asdict(),
        },
    )
    _prune(state, attempt.api, now)


def _prune(state: State, api: str, now: int) -> None:
    for record in list(islice(state.select(IDEMPOTENCY_KEYS, {"api": api}, ascending=True), _PRUNED_AT_ONCE)):
        if record["created"] + RETENTION_SECONDS[api] <= now:
            state.delete(IDEMPOTENCY_KEYS, record["id"])
