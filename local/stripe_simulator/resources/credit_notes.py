"""Credit notes. https://docs.stripe.com/api/credit_notes"""

from typing import Any, Final

from ..context import Context
from ..invoices import crediting, pdf
from ..invoices.credit_lines import CREDIT_NOTE_LINES
from ..invoices.crediting import CREDIT_NOTES
from ..invoices.records import INVOICES
from ..lists import list_object
from ..metadata import merged
from ..money import amount_text
from ..routing import Document, Routes
from ..state import public
from ..values import Object

routes = Routes(CREDIT_NOTES, CREDIT_NOTE_LINES)
_PATH: Final = "/v1/credit_notes"
_UNSUPPORTED: Final = ("shipping_cost",)


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Take back a finalized invoice, whole or in part."""
    context.unsupported(*_UNSUPPORTED)
    return crediting.issue(context, _invoice(context))


@routes.api("GET", _PATH + "/preview")
def preview(context: Context) -> Object:
    """What a credit note would be; nothing is kept."""
    context.unsupported(*_UNSUPPORTED)
    with context.state.transaction.tried():
        return crediting.issue(context, _invoice(context), is_preview=True)


@routes.api("GET", _PATH + "/preview/lines")
def preview_lines(context: Context) -> Object:
    """The lines that it would have."""
    context.unsupported(*_UNSUPPORTED, "ending_before", "starting_after")
    with context.state.transaction.tried():
        made = crediting.issue(context, _invoice(context), is_preview=True)
        found = [public(line) for line in _lines_of(context, made["id"])]
    limit = context.params.get("limit", 10)
    return list_object(found[:limit], _PATH + "/preview/lines", has_more=len(found) > limit)


@routes.api("GET", _PATH + "/{credit_note}")
def retrieve(context: Context, credit_note: str) -> Object:
    """The credit note as it stands."""
    return context.state.get(CREDIT_NOTES, credit_note)


@routes.api("POST", _PATH + "/{credit_note}")
def update(context: Context, credit_note: str) -> Object:
    """Change its memo and metadata."""
    before, params = context.state.get(CREDIT_NOTES, credit_note), context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "memo" in params:
        changes["memo"] = params["memo"] or None
    after = context.state.update(CREDIT_NOTES, before, changes)
    context.emit("credit_note.updated", after, previous=before)
    return after


@routes.api("POST", _PATH + "/{credit_note}/void")
def void(context: Context, credit_note: str) -> Object:
    """Take it back while its invoice is open."""
    return crediting.void(context, context.state.get(CREDIT_NOTES, credit_note))


@routes.api("GET", _PATH + "/{credit_note}/lines")
def list_lines(context: Context, credit_note: str) -> Object:
    """Its lines, in their order."""
    return context.list(CREDIT_NOTE_LINES, {"_credit_note": context.state.get(CREDIT_NOTES, credit_note)["id"]})


@routes.api("GET", _PATH)
def list_notes(context: Context) -> Object:
    """Credit notes, newest first."""
    context.unsupported("customer_account")
    return context.list(CREDIT_NOTES, {name: context.params.get(name) for name in ("customer", "invoice")})


@routes.page("GET", "/credit_notes/{credit_note}/pdf")
def document(context: Context, credit_note: str) -> Document:
    """The credit note as a PDF."""
    holder = context.on(context.state.holder_of(CREDIT_NOTES, credit_note).account)
    note = holder.state.get(CREDIT_NOTES, credit_note)
    invoice, currency = holder.state.get(INVOICES, note["invoice"]), note["currency"]
    tax = sum(each["amount"] for each in note["total_taxes"] if each["tax_behavior"] == "exclusive")
    sums = (("Subtotal", note["subtotal"]), ("Discount", -note["discount_amount"]), ("Tax", tax))
    amounts = [
        *((line["description"] or "", line["amount"]) for line in _lines_of(holder, credit_note)),
        *((what, amount) for what, amount in sums if amount),
        ("Total", note["total"]),
    ]
    head = [(f"Credit note {note['number']}", ""), (f"for invoice {invoice['number']}", ""), ("", "")]
    printed = [*head, *((what, amount_text(amount, currency)) for what, amount in amounts)]
    return Document(pdf.of_lines(printed, title=f"Credit note {note['number']}"), "application/pdf")


def _lines_of(context: Context, note: str) -> list[Object]:
    return list(context.state.select(CREDIT_NOTE_LINES, {"_credit_note": note}))


def _invoice(context: Context) -> Object:
    return context.state.get(INVOICES, context.params["invoice"], param="invoice")
