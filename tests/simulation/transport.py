"""Carries the gateway's requests to a simulator in the same process, encoded as they would be sent.

A connection that was refused on order and an answer that is lost are what ``requests`` makes of them.
"""

from collections.abc import Callable
from typing import Any, override
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter

from local.stripe_simulator.faults import NotAnswered, NotReached
from local.stripe_simulator.messages import Request
from local.stripe_simulator.simulator import Simulator


class InProcess(BaseAdapter):
    """A transport for ``StripeGateway``. ``key`` says whose key opens Stripe now, in place of the gateway's."""

    def __init__(self, simulator: Simulator, key: Callable[[], str | None] = lambda: None) -> None:
        super().__init__()
        self._simulator = simulator
        self._key = key

    @override
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        if key := self._key():
            headers["authorization"] = f"Bearer {key}"
        body = request.body.encode() if isinstance(request.body, str) else request.body
        assert body is None or isinstance(body, bytes)
        try:
            answer = self._simulator.answer(
                Request(str(request.method), unquote(parts.path), headers, parts.query, body or b"")
            )
        except NotReached as fault:
            raise requests.ConnectionError(fault, request=request) from fault
        except NotAnswered as fault:
            raise requests.ReadTimeout(fault, request=request) from fault
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response._content = answer.body
        response.request, response.url = request, str(request.url)
        return response

    @override
    def close(self) -> None:
        """Nothing is held."""
