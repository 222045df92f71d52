"""The laboratory's own surface under ``/_simulator``: health, the clock, deliveries. JSON in and out, no key.

GET  /_simulator/health                         {status, platform, now, standing}
POST /_simulator/clock                          {"advance_seconds": 3600} or {"now": 1767225600}
GET  /_simulator/deliveries                     what waits, signed now
POST /_simulator/deliveries/take                the same, handed over: the simulator will not send it
GET  /_simulator/deliveries/log                 the newest, with their attempts
POST /_simulator/events/{event}/redeliver       queue an event once more for every endpoint that it went to
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from .errors import InvalidParameterError, StripeError, UnrecognizedUrlError
from .messages import Request, Response, json_response
from .paths import PathTree
from .simulator import Simulator
from .values import Object
from .webhooks import Delivery

PREFIX: Final = "/_simulator/"
_LOG_LENGTH: Final = 100


class Control:
    """Answers what concerns the simulator as a whole; controls of single resources are their modules' pages."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._tree: PathTree[Callable[..., Object]] = PathTree()
        self._tree.add("GET", "/_simulator/health", self._health)
        self._tree.add("POST", "/_simulator/clock", self._move_clock)
        self._tree.add("GET", "/_simulator/deliveries", lambda _params: self._shown(simulator.deliveries()))
        self._tree.add("POST", "/_simulator/deliveries/take", lambda _params: self._shown(simulator.take_deliveries()))
        self._tree.add("GET", "/_simulator/deliveries/log", self._log)
        self._tree.add("POST", "/_simulator/events/{event}/redeliver", self._redeliver)

    def answer(self, request: Request) -> Response | None:
        """The response, or None when the path is no control of this class."""
        found = self._tree.find(request.method, request.path)
        if found is None:
            return None
        handler, values = found
        try:
            return json_response(HTTPStatus.OK, handler(request.read_params(), *values))
        except StripeError as error:
            return json_response(error.http_status, error.body())

    def _health(self, _params: Mapping[str, Any]) -> Object:
        clock = self._simulator.clock
        return {
            "status": "ok",
            "platform": self._simulator.platform,
            "now": clock.now(),
            "standing": clock.is_standing,
        }

    def _move_clock(self, params: Mapping[str, Any]) -> Object:
        try:
            if "advance_seconds" in params:
                self._simulator.advance(int(params["advance_seconds"]))
            else:
                self._simulator.move_clock_to(int(params["now"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidParameterError(
                f"Give advance_seconds or now, in whole seconds, and never go back: {error}", param="now"
            ) from error
        return self._health(params)

    def _log(self, _params: Mapping[str, Any]) -> Object:
        return {"data": self._simulator.delivery_log(_LOG_LENGTH)}

    def _redeliver(self, _params: Mapping[str, Any], event: str) -> Object:
        queued = self._simulator.redeliver(event)
        if not queued:
            raise UnrecognizedUrlError("POST", f"/_simulator/events/{event}/redeliver")
        return {"queued": queued}

    def _shown(self, deliveries: list[Delivery]) -> Object:
        return {"data": [asdict(each) | {"body": each.body.decode()} for each in deliveries]}
