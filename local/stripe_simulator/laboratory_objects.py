"""The laboratory's pages of objects: one as JSON with what can be done to it, or the newest of a kind."""

import json
from http import HTTPStatus
from typing import Final

from .database import StoredRow
from .laboratory_acts import forms
from .laboratory_parts import amount, link, moment, table, words
from .pages import Markup, alert, fill, joined, notice, page
from .routing import Html
from .simulator import Simulator
from .state import public
from .values import Object

_LISTED: Final = 50
_HOME: Final = ("/_simulator", "Back to the laboratory")
_NONE_YET: Final[Object] = {"at": "", "status": None, "error": "none yet"}
_BACK: Final = '<p><a href="/_simulator">Back to the laboratory</a></p>'
_JSON: Final = """
<section><h2>Object</h2><p class="soft">On account {account}, made {made}.</p>
<div class="scroll" role="region" aria-label="The object as JSON" tabindex="0"><pre>{text}</pre></div></section>
"""


def draw_object(simulator: Simulator, object_id: str, problem: str = "", status: int = HTTPStatus.OK) -> Html:
    """An object, its deliveries if it is an event, and forms for what can be done to it."""
    rows = simulator.store.wherever(object_id)
    if not rows:
        return notice("Not found", f"There is no object {object_id}.", status=HTTPStatus.NOT_FOUND, link=_HOME)
    parts = [alert(problem), *(_object(simulator, row) for row in rows), fill(_BACK)]
    return page(object_id, joined(parts), heading=f"{words(rows[0].collection)} {object_id}", status=status, wide=True)


def draw_collection(simulator: Simulator, collection: str) -> Html:
    """The newest objects of a kind, of all accounts."""
    if collection not in simulator.store.collections:
        return notice("Not found", f"There is nothing called {collection}.", status=HTTPStatus.NOT_FOUND, link=_HOME)
    rows = [
        (moment(row.position[0]), link(row.object_id), link(row.account), words(str(row.item.get("status") or "")),
         amount(row.item))
        for row in simulator.store.newest(_LISTED, lambda name: name == collection)
    ]  # fmt: skip
    shown = table(
        f"Newest {words(collection)}", ("Created", "Id", "On account", "Status", "Amount"), rows, amounts=(4,)
    )
    return page(words(collection), joined([shown, fill(_BACK)]), wide=True)


def _object(simulator: Simulator, row: StoredRow) -> Markup:
    text = json.dumps(public(row.item), indent=2, default=str)
    shown = fill(_JSON, account=link(row.account), made=moment(row.position[0]), text=text)
    return joined([forms(row.collection, row.object_id, row.item), shown, _deliveries(simulator, row)])


def _deliveries(simulator: Simulator, row: StoredRow) -> Markup:
    rows = [
        (each["id"], words(each["status"]), moment(attempt["at"]) if attempt["at"] else "", attempt["status"]
         or attempt["error"])
        for each in simulator.deliveries_of(row.object_id)
        for attempt in each["attempts"] or [_NONE_YET]
    ]  # fmt: skip
    return table("Attempts to deliver it", ("Delivery", "Status", "At", "Answer"), rows) if rows else Markup()
