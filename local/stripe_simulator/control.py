"""The laboratory's own surface under ``/_simulator``: health, the clock, deliveries. JSON in and out, no key.

The effects of faults and their options are listed in ``faults/orders.py``.

GET  /_simulator/health                         {status, platform, now, standing}
POST /_simulator/clock                          {"advance_seconds": 3600} or {"now": 1767225600}
GET  /_simulator/deliveries                     what waits, signed now
POST /_simulator/deliveries/take                the same, handed over: the simulator will not send it
GET  /_simulator/deliveries/log                 the newest, with their attempts; ?limit=
POST /_simulator/events/{event}/redeliver       queue an event once more for every endpoint that it went to
GET  /_simulator/requests                       the newest, with their outcomes; ?limit=
GET  /_simulator/keys                           the restricted keys, with what each used
POST /_simulator/keys                           {"name": "refunds", "permissions": {"charge": "write"}} makes one
GET  /_simulator/faults                         the orders, with how often each was met
POST /_simulator/faults                         {"effect": "time_out", "path": "/v1/refunds*", "count": 1}
DELETE /_simulator/faults[/{fault}]             all of them, or one
GET  /_simulator/snapshots                      their names
POST /_simulator/snapshots                      {"name": "paid"} saves
POST /_simulator/snapshots/{name}/load          goes back to it
DELETE /_simulator/snapshots/{name}
POST /_simulator/reset                          goes back to the start
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from .errors import InvalidParameterError, ResourceMissingError, StripeError, UnrecognizedUrlError
from .messages import Request, Response, json_response
from .paths import PathTree
from .simulator import Simulator
from .values import Object
from .webhooks import Delivery

PREFIX: Final = "/_simulator/"
_LOG_LENGTH: Final = 100
_LONGEST_LOG: Final = 1_000
_SNAPSHOT_NAME: Final = re.compile(r"[\w.-]{1,100}")


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
        self._tree.add("GET", "/_simulator/requests", lambda params: {"data": simulator.log.newest(_limit(params))})
        self._tree.add("GET", "/_simulator/keys", lambda _params: {"data": simulator.keys.listed()})
        self._tree.add("POST", "/_simulator/keys", simulator.keys.make)
        self._add_faults()
        self._add_snapshots()

    def _add_faults(self) -> None:
        faults = self._simulator.faults
        self._tree.add("GET", "/_simulator/faults", lambda _params: {"data": faults.ordered()})
        self._tree.add("POST", "/_simulator/faults", self._order_fault)
        self._tree.add("DELETE", "/_simulator/faults", lambda _params: {"canceled": faults.clear()})
        self._tree.add("DELETE", "/_simulator/faults/{fault}", self._cancel_fault)

    def _add_snapshots(self) -> None:
        snapshots = self._simulator.snapshots
        self._tree.add("GET", "/_simulator/snapshots", lambda _params: {"data": snapshots.saved()})
        self._tree.add("POST", "/_simulator/snapshots", lambda params: snapshots.save(snapshot_name(params)))
        self._tree.add("POST", "/_simulator/snapshots/{name}/load", lambda _params, name: snapshots.load(name))
        self._tree.add("DELETE", "/_simulator/snapshots/{name}", self._delete_snapshot)
        self._tree.add("POST", "/_simulator/reset", self._reset)

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

    def _log(self, params: Mapping[str, Any]) -> Object:
        return {"data": self._simulator.delivery_log(_limit(params))}

    def _order_fault(self, params: Mapping[str, Any]) -> Object:
        options = {name: value for name, value in params.items() if name != "effect"}
        return self._simulator.faults.order(params.get("effect", ""), **options)

    def _cancel_fault(self, _params: Mapping[str, Any], fault: str) -> Object:
        if not self._simulator.faults.cancel(fault):
            raise ResourceMissingError("fault", fault)
        return {"canceled": 1}

    def _delete_snapshot(self, _params: Mapping[str, Any], name: str) -> Object:
        self._simulator.snapshots.delete(name)
        return {"name": name, "deleted": True}

    def _reset(self, params: Mapping[str, Any]) -> Object:
        self._simulator.reset()
        return self._health(params)

    def _redeliver(self, _params: Mapping[str, Any], event: str) -> Object:
        queued = self._simulator.redeliver(event)
        if not queued:
            raise UnrecognizedUrlError("POST", f"/_simulator/events/{event}/redeliver")
        return {"queued": queued}

    def _shown(self, deliveries: list[Delivery]) -> Object:
        return {"data": [asdict(each) | {"body": each.body.decode()} for each in deliveries]}


def _limit(params: Mapping[str, Any]) -> int:
    try:
        return min(max(int(params.get("limit", _LOG_LENGTH)), 1), _LONGEST_LOG)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError("Give limit as a whole number.", param="limit") from error


def snapshot_name(params: Mapping[str, Any]) -> str:
    """The parameter ``name``, if a path can hold it.

    Raises:
        InvalidParameterError: it cannot.
    """
    name = params.get("name")
    if not isinstance(name, str) or not _SNAPSHOT_NAME.fullmatch(name):
        raise InvalidParameterError("A name has up to 100 letters, digits, dots, dashes and underscores.", param="name")
    return name
