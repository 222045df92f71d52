"""stripe-python without a network: ``StripeClient(key, http_client=InProcessClient(simulator))``.

Its ``_async`` methods are answered too. A time-out or a refused connection on order is the SDK's own
``APIConnectionError``. Nobody waits for an answer that is late, nor between an asynchronous client's retries: the
simulator's clock moves on by the delay.
"""

import math
from collections.abc import Mapping
from io import BytesIO
from typing import ClassVar
from urllib.parse import unquote, urlsplit

import stripe

from .faults import NotAnswered, NotReached
from .messages import Request, Response
from .simulator import Simulator
from .values import Json


class InProcessClient(stripe.HTTPClient):
    """Carries stripe-python's requests to a simulator in the same process, encoded as they would be sent."""

    name: ClassVar = "in_process"

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self._simulator = simulator

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Json = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Answer one request; the host of its URL does not matter."""
        answer = self._answer(method, url, headers, post_data)
        return answer.body.decode(), answer.status, _lower(answer.headers)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Json = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Answer one request of an asynchronous client."""
        answer = self._answer(method, url, headers, post_data)
        return answer.body, answer.status, _lower(answer.headers)

    def request_stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Json = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[BytesIO, int, Mapping[str, str]]:
        """Answer a request whose answer is read as a file."""
        answer = self._answer(method, url, headers, post_data)
        return BytesIO(answer.body), answer.status, _lower(answer.headers)

    def _answer(self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Json) -> Response:
        parts = urlsplit(url)
        sent = _lower(headers or {})
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        try:
            answer = self._simulator.answer(Request(method.upper(), unquote(parts.path), sent, parts.query, body))
        except (NotReached, NotAnswered) as fault:
            raise stripe.APIConnectionError(str(fault), should_retry=True) from fault  # type: ignore[no-untyped-call]  # untyped in the SDK
        if answer.late_seconds:
            self._simulator.advance(math.ceil(answer.late_seconds))
        return answer

    async def sleep_async(self, secs: float) -> None:
        """Let an asynchronous client try again at once, later by the clock."""
        self._simulator.advance(math.ceil(secs))

    def close(self) -> None:
        """Nothing is held."""

    async def close_async(self) -> None:
        """Nothing is held."""


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
