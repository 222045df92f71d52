"""stripe-python without a network: ``StripeClient(key, http_client=InProcessClient(simulator))``.

A time-out or a refused connection on order is the SDK's own ``APIConnectionError``. Nobody waits for an answer that is
late: the simulator's clock moves on by the delay.
"""

import math
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import unquote, urlsplit

import stripe

from .faults import NotAnswered, NotReached
from .messages import Request
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
        parts = urlsplit(url)
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        try:
            answer = self._simulator.answer(Request(method.upper(), unquote(parts.path), sent, parts.query, body))
        except (NotReached, NotAnswered) as fault:
            raise stripe.APIConnectionError(str(fault), should_retry=True) from fault  # type: ignore[no-untyped-call]  # untyped in the SDK
        if answer.late_seconds:
            self._simulator.advance(math.ceil(answer.late_seconds))
        return answer.body.decode(), answer.status, {name.lower(): value for name, value in answer.headers.items()}

    def close(self) -> None:
        """Nothing is held."""
