"""The laboratory's page, for people: what there is, and forms that move the clock, order faults and keep states.

GET  / and /_simulator                          the page
GET  /_simulator/objects                        ?id= leads to the object, ?collection= lists the newest of a kind
GET  /_simulator/objects/{id}                   an object with what can be done to it
POST /_simulator/page/objects/{id}/{act}        as ``laboratory_acts.ACTS`` says
POST /_simulator/page/clock                     amount, unit; or until
POST /_simulator/page/faults                    effect, and the options of ``faults/orders.py``
POST /_simulator/page/faults/{fault}/cancel
POST /_simulator/page/snapshots                 name
POST /_simulator/page/snapshots/{name}          action=load | delete
POST /_simulator/page/reset
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from .control import Control, snapshot_name
from .errors import InvalidParameterError, StripeError
from .faults.orders import DELIVERY, OPTIONS, Effect, kind_of
from .laboratory_acts import offered, order
from .laboratory_objects import draw_collection, draw_object
from .laboratory_page import UNITS, draw
from .messages import Request, Response
from .pages import text_of
from .paths import PathTree
from .routing import Html
from .simulator import Simulator

ADDRESS: Final = "/_simulator"
_ICON: Final = "/favicon.ico"  # browsers ask for it on their own: that must use up no id and be in no log
_LONGEST_MOVE_SECONDS: Final = 10 * 366 * 24 * 3_600


class Laboratory:
    """Answers the page and its forms."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._control = Control(simulator)
        self._forms: PathTree[Callable[..., object]] = PathTree()
        page = f"{ADDRESS}/page"
        self._forms.add("POST", f"{page}/clock", self._move_clock)
        self._forms.add("POST", f"{page}/faults", self._order_fault)
        self._forms.add("POST", f"{page}/faults/{{fault}}/cancel", lambda _, fault: simulator.faults.cancel(fault))
        self._forms.add("POST", f"{page}/snapshots", lambda form: simulator.snapshots.save(snapshot_name(form)))
        self._forms.add("POST", f"{page}/snapshots/{{name}}", self._use_snapshot)
        self._forms.add("POST", f"{page}/reset", lambda _: simulator.reset())
        self._forms.add("POST", f"{page}/objects/{{id}}/{{act}}", self._act)
        self._pages: PathTree[Callable[..., Response]] = PathTree()
        self._pages.add("GET", f"{ADDRESS}/objects", self._find)
        self._pages.add("GET", f"{ADDRESS}/objects/{{id}}", lambda _, object_id: self._object(object_id))

    def answer(self, request: Request) -> Response | None:
        """The page; for a form the way back to it, or the page with the reason why not; None for any other path."""
        if request.method == "GET" and request.path in ("/", ADDRESS):
            return self._page()
        if request.path == _ICON:
            return Response(HTTPStatus.NOT_FOUND, b"", {})
        shown = self._pages.find(request.method, request.path)
        if shown is not None:
            return shown[0](request.read_params(), *shown[1])
        form = self._forms.find(request.method, request.path)
        return self._submitted(request, *form) if form else None

    def _submitted(self, request: Request, act: Callable[..., object], values: list[str]) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            return self._page("Forms of other sites are not taken.", HTTPStatus.FORBIDDEN)
        try:
            where = act(request.read_params(), *values)
        except StripeError as error:
            return self._page(error.message, error.http_status)
        return where if isinstance(where, Response) else _to(ADDRESS)

    def _page(self, problem: str = "", status: int = HTTPStatus.OK) -> Response:
        with self._simulator.lock:
            return _shown(draw(self._simulator, problem, status))

    def _move_clock(self, form: Mapping[str, Any]) -> None:
        if text_of(form, "until"):
            self._move_clock_to(text_of(form, "until"))
            return
        amount, unit = text_of(form, "amount"), text_of(form, "unit")
        if not amount.isdecimal() or unit not in UNITS or int(amount) * UNITS[unit] > _LONGEST_MOVE_SECONDS:
            raise InvalidParameterError("Move the clock by a whole number of minutes, hours or days, up to ten years.")
        self._simulator.advance(int(amount) * UNITS[unit])

    def _move_clock_to(self, until: str) -> None:
        try:
            moment = int(datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp())
        except ValueError as error:
            raise InvalidParameterError("Give the moment as a date and a time.", param="until") from error
        if not 0 <= moment - self._simulator.clock.now() <= _LONGEST_MOVE_SECONDS:
            raise InvalidParameterError("The clock goes forward only, by ten years at most.", param="until")
        self._simulator.move_clock_to(moment)

    def _find(self, query: Mapping[str, Any]) -> Response:
        if text_of(query, "id"):
            return _to(f"{ADDRESS}/objects/{quote(text_of(query, 'id').strip(), safe='')}")
        with self._simulator.lock:
            return _shown(draw_collection(self._simulator, text_of(query, "collection")))

    def _object(self, object_id: str, problem: str = "", status: int = HTTPStatus.OK) -> Response:
        with self._simulator.lock:
            return _shown(draw_object(self._simulator, object_id, problem, status))

    def _act(self, form: Mapping[str, Any], object_id: str, name: str) -> Response:
        """Give the order that the form of an object stands for, and show the object as it is then."""
        found = self._simulator.store.wherever(object_id)
        acts = (act for row in found for act in offered(row.collection, row.item) if act.name == name)
        act = next(acts, None)
        if act is None:
            return self._object(object_id, "This cannot be done to it now.", HTTPStatus.BAD_REQUEST)
        try:
            params = order(act, form)
        except InvalidParameterError as error:
            return self._object(object_id, error.message, error.http_status)
        answer = self._carry_out(Request("POST", act.path.format(id=object_id), params=params))
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return self._object(object_id, answer.json()["error"]["message"], answer.status)
        return _to(f"{ADDRESS}/objects/{object_id}")

    def _carry_out(self, request: Request) -> Response:
        return self._control.answer(request) or self._simulator.answer(request)

    def _order_fault(self, form: Mapping[str, Any]) -> None:
        """Leave out what the chosen effect has no use for: the form shows every field."""
        chosen = text_of(form, "effect")
        if chosen not in list(Effect):
            raise InvalidParameterError("Choose what goes wrong.", param="effect")
        effect = Effect(chosen)
        names = ["event_type"] if kind_of(effect) == DELIVERY else ["method", "path"]
        names += ["account", "count", "skip", "probability", "seed", *OPTIONS[effect]]
        self._simulator.faults.order(effect, **{name: text_of(form, name) for name in names if text_of(form, name)})

    def _use_snapshot(self, form: Mapping[str, Any], name: str) -> None:
        snapshots = self._simulator.snapshots
        (snapshots.delete if text_of(form, "action") == "delete" else snapshots.load)(name)


def _shown(html: Html) -> Response:
    return Response(html.status, html.text.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _to(path: str) -> Response:
    return Response(HTTPStatus.SEE_OTHER, b"", {"Location": path})
