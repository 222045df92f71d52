"""The laboratory's page, for people: what there is, and forms that move the clock, order faults and keep states.

GET  / and /_simulator                          the page
POST /_simulator/page/clock                     amount, unit
POST /_simulator/page/faults                    effect, method, path, event_type, count, seconds
POST /_simulator/page/faults/{fault}/cancel
POST /_simulator/page/snapshots                 name
POST /_simulator/page/snapshots/{name}          action=load | delete
POST /_simulator/page/reset
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from .control import snapshot_name
from .errors import InvalidParameterError, StripeError
from .faults.orders import DELIVERY, OPTIONS, Effect, kind_of
from .laboratory_page import UNITS, draw
from .messages import Request, Response
from .pages import text_of
from .paths import PathTree
from .simulator import Simulator

ADDRESS: Final = "/_simulator"
_ICON: Final = "/favicon.ico"  # browsers ask for it on their own: that must use up no id and be in no log
_LONGEST_MOVE_SECONDS: Final = 10 * 366 * 24 * 3_600


class Laboratory:
    """Answers the page and its forms."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._forms: PathTree[Callable[..., object]] = PathTree()
        page = f"{ADDRESS}/page"
        self._forms.add("POST", f"{page}/clock", self._move_clock)
        self._forms.add("POST", f"{page}/faults", self._order_fault)
        self._forms.add("POST", f"{page}/faults/{{fault}}/cancel", lambda _, fault: simulator.faults.cancel(fault))
        self._forms.add("POST", f"{page}/snapshots", lambda form: simulator.snapshots.save(snapshot_name(form)))
        self._forms.add("POST", f"{page}/snapshots/{{name}}", self._use_snapshot)
        self._forms.add("POST", f"{page}/reset", lambda _: simulator.reset())

    def answer(self, request: Request) -> Response | None:
        """The page; for a form the way back to it, or the page with the reason why not; None for any other path."""
        if request.method == "GET" and request.path in ("/", ADDRESS):
            return self._page()
        if request.path == _ICON:
            return Response(HTTPStatus.NOT_FOUND, b"", {})
        found = self._forms.find(request.method, request.path)
        if found is None:
            return None
        act, values = found
        try:
            act(request.read_params(), *values)
        except StripeError as error:
            return self._page(error.message, error.http_status)
        return Response(HTTPStatus.SEE_OTHER, b"", {"Location": ADDRESS})

    def _page(self, problem: str = "", status: int = HTTPStatus.OK) -> Response:
        with self._simulator.lock:
            html = draw(self._simulator, problem, status)
        return Response(html.status, html.text.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _move_clock(self, form: Mapping[str, Any]) -> None:
        amount, unit = text_of(form, "amount"), text_of(form, "unit")
        if not amount.isdecimal() or unit not in UNITS or int(amount) * UNITS[unit] > _LONGEST_MOVE_SECONDS:
            raise InvalidParameterError("Move the clock by a whole number of minutes, hours or days, up to ten years.")
        self._simulator.advance(int(amount) * UNITS[unit])

    def _order_fault(self, form: Mapping[str, Any]) -> None:
        """Leave out what the chosen effect has no use for: the form shows every field."""
        chosen = text_of(form, "effect")
        if chosen not in list(Effect):
            raise InvalidParameterError("Choose what goes wrong.", param="effect")
        effect = Effect(chosen)
        names = ["event_type"] if kind_of(effect) == DELIVERY else ["method", "path"]
        names += ["count", *("seconds" for name in OPTIONS[effect] if name == "seconds")]
        self._simulator.faults.order(effect, **{name: text_of(form, name) for name in names if text_of(form, name)})

    def _use_snapshot(self, form: Mapping[str, Any], name: str) -> None:
        snapshots = self._simulator.snapshots
        (snapshots.delete if text_of(form, "action") == "delete" else snapshots.load)(name)
