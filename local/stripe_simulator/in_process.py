"""stripe-python without a network: ``StripeClient(key, http_client=InProcessClient(simulator))``."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import unquote, urlsplit

import stripe

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
        answer = self._simulator.answer(Request(method.upper(), unquote(parts.path), sent, parts.query, body))
        return answer.body.decode(), answer.status, {name.lower(): value for name, value in answer.headers.items()}

    def close(self) -> None:
        """Nothing is held."""
