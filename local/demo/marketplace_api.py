"""The marketplace's API as its callers use it: a token, a path, a body."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

PATIENCE_SECONDS: Final = 60.0  # for what webhooks bring, on a busy machine
LOOK_EVERY_SECONDS: Final = 0.2
TIMEOUT_SECONDS: Final = 30.0


class StoryBroken(Exception):
    """The demo saw something that must not be; the text says what."""


class Caller:
    """Somebody with a token, or without one."""

    def __init__(self, http: httpx.Client, token: str | None) -> None:
        self._http = http
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Read something."""
        return _answer(self._http.get(path, params=query or None, headers=self._headers), 200)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, expect: int = 201) -> dict[str, Any]:
        """Do something, once: each call has an Idempotency-Key of its own."""
        headers = {**self._headers, "Idempotency-Key": str(uuid.uuid4())}
        return _answer(self._http.post(path, json=dict(body or {}), headers=headers), expect)

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change something, once."""
        headers = {**self._headers, "Idempotency-Key": str(uuid.uuid4())}
        return _answer(self._http.patch(path, json=dict(body), headers=headers), 200)

    def wait_for(self, path: str, until: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Read until something is so. Webhooks are on their way; nothing is asked of Stripe."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = self.get(path)
            if until(found):
                return found
            time.sleep(LOOK_EVERY_SECONDS)
        raise StoryBroken(f"{what} did not come about within {PATIENCE_SECONDS:.0f} seconds ({path})")


def _answer(response: httpx.Response, expected: int) -> dict[str, Any]:
    if response.status_code != expected:
        request = response.request
        raise StoryBroken(f"{request.method} {request.url.path}: {response.status_code} {response.text}")
    found: dict[str, Any] = response.json()
    return found
