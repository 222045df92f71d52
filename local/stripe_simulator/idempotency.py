"""Idempotency keys as Stripe keeps them.

API v1: the first answer of a key is kept, 500s included, and replayed for 24 hours; what failed validation is not kept.
API v2: what was done is replayed for 30 days, to the same method and path; what failed is executed again, whatever the
first caller was told.
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
from .messages import Request, account_named
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
        return _api_of(self.path)

    @property
    def record_id(self) -> str:
        """In API v1 a key is one for all requests, in API v2 for each kind of request."""
        return f"v1 {self.key}" if self.api == "v1" else f"v2 {self.key} {self.method} {self.path}"


class Kept(NamedTuple):
    """The first answer of a key."""

    status: int
    body: str
    request_id: str


class KeysInUse:
    """Keys of requests that have not been answered yet, whichever thread they came from."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._lock = Lock()
        self._held: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, request: Request) -> Iterator[bool]:
        """Have the request's key for oneself; False when another request has it."""
        key = key_of(request)
        if key is None:
            yield True
            return
        claim = (account_named(request.headers) or self._platform, key)
        with self._lock:
            is_free = claim not in self._held
            self._held.add(claim)
        try:
            yield is_free
        finally:
            if is_free:
                self._held.discard(claim)


def key_of(request: Request) -> str | None:
    """The key that Stripe heeds: of every POST, and of a DELETE in API v2."""
    heeds = request.method == "POST" or (request.method == "DELETE" and _api_of(request.path) == "v2")
    return request.headers.get("idempotency-key") if heeds else None


def key_in_use(key: str) -> IdempotencyError:
    """The 409 for a request that comes while the first one under its key runs."""
    return IdempotencyError(
        "There is currently another in-progress request using this Idempotent Key (that probably means you "
        f"submitted twice, and the other request is still going through): {key}. Please try again later.",
        code="idempotency_key_in_use",
        status=HTTPStatus.CONFLICT,
    )


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
    kept = state.find(IDEMPOTENCY_KEYS, attempt.record_id)
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
    record_id = attempt.record_id
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


def _api_of(path: str) -> str:
    return "v2" if path.startswith("/v2/") else "v1"


def _prune(state: State, api: str, now: int) -> None:
    for record in list(islice(state.select(IDEMPOTENCY_KEYS, {"api": api}, ascending=True), _PRUNED_AT_ONCE)):
        if record["created"] + RETENTION_SECONDS[api] <= now:
            state.delete(IDEMPOTENCY_KEYS, record["id"])
