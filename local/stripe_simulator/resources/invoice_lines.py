"""The lines of a draft, by themselves or many at once. https://docs.stripe.com/api/invoice-line-item"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, UnsupportedError
from ..invoices import drafts
from ..invoices.lines import item_of
from ..invoices.records import INVOICE_ITEMS, INVOICE_LINES, INVOICES
from ..metadata import merged
from ..routing import Routes
from ..values import Object
from . import invoice_items

routes = Routes()
_PATH: Final = "/v1/invoices/{invoice}"


@routes.api("GET", _PATH + "/lines")
def list_lines(context: Context, invoice: str) -> Object:
    """The lines, in their order."""
    return context.list(INVOICE_LINES, {"invoice": context.state.get(INVOICES, invoice)["id"]})


@routes.api("POST", _PATH + "/lines/{line}")
def update_line(context: Context, invoice: str, line: str) -> Object:
    """Change one, and the invoice item that it is of."""
    before = drafts.require_draft(context.state.get(INVOICES, invoice))
    item = _item(context, before, line, "line_item_id")
    _change(context, item, context.params, "line_item_id")
    _tell(context, before)
    return context.state.get(INVOICE_LINES, line)


@routes.api("POST", _PATH + "/add_lines")
def add_lines(context: Context, invoice: str) -> Object:
    """Add pending items, or new ones that are described on the spot."""
    before = drafts.require_draft(context.state.get(INVOICES, invoice))
    for at, given in enumerate(context.params["lines"]):
        param = f"lines[{at}]"
        if "invoice_item" in given:
            if len(given) > 1:
                raise UnsupportedError(f"changing an item while it is added in {param}")
            invoice_items.assign(context, before, given["invoice_item"], f"{param}[invoice_item]")
        else:
            _require_simple(given, param)
            described = {**given, "customer": before["customer"], "invoice": invoice}
            invoice_items.create(replace(context, params=described))
    return _tell(context, before)


@routes.api("POST", _PATH + "/update_lines")
def update_lines(context: Context, invoice: str) -> Object:
    """Change several."""
    before = drafts.require_draft(context.state.get(INVOICES, invoice))
    for at, given in enumerate(context.params["lines"]):
        param = f"lines[{at}]"
        item = _item(context, before, given["id"], f"{param}[id]")
        _change(context, item, {name: value for name, value in given.items() if name != "id"}, param)
    return _tell(context, before)


@routes.api("POST", _PATH + "/remove_lines")
def remove_lines(context: Context, invoice: str) -> Object:
    """Take several away: their items are deleted, or pending again."""
    before = drafts.require_draft(context.state.get(INVOICES, invoice))
    for at, given in enumerate(context.params["lines"]):
        item = _item(context, before, given["id"], f"lines[{at}][id]")
        if given["behavior"] == "delete":
            invoice_items.delete(replace(context, params={}), item["id"])
        else:
            invoice_items.unassign(context, before, item)
    return _tell(context, before)


def _item(context: Context, invoice: Object, line: str, param: str) -> Object:
    """The invoice item of a line; what a subscription's period costs is no item of its own."""
    found = context.state.find(INVOICE_LINES, line)
    if found is None or found["invoice"] != invoice["id"]:
        raise InvalidParameterError(f"No such line item: '{line}'", code="resource_missing", param=param)
    named = item_of(found["parent"])
    if named is None:
        raise UnsupportedError(f"changing a line that is of no invoice item ({line})")
    return context.state.get(INVOICE_ITEMS, named)


def _change(context: Context, item: Object, given: Mapping[str, Any], param: str) -> None:
    _require_simple(given, param)
    if item["proration"]:
        raise InvalidRequestError("A proration cannot be changed.", param=param)
    invoice_items.update(replace(context, params=given), item["id"])


def _require_simple(given: Mapping[str, Any], param: str) -> None:
    """Refuse what an invoice item does not have."""
    if "tax_amounts" in given:
        raise UnsupportedError(f"tax_amounts of {param}")


def _tell(context: Context, before: Object) -> Object:
    """The invoice as it now is, with the metadata that the request has for it."""
    current = context.state.get(INVOICES, before["id"])
    if "invoice_metadata" in context.params:
        metadata = merged(current["metadata"], context.params["invoice_metadata"])
        current = context.state.update(INVOICES, current, {"metadata": metadata})
    if current != before:
        context.emit("invoice.updated", current, previous=before)
    return current
