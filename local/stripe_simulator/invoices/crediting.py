"""Credit notes: before the payment they lower what is due, after it they give money back, or owe it.

https://docs.stripe.com/invoicing/credit-notes
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, UnsupportedError
from ..funds import refunds
from ..funds.intents import CONFIRMABLE, PAYMENT_INTENTS
from ..funds.records import CHARGES, REFUNDS
from ..lists import list_object
from ..metadata import merged
from ..shelves import Collection
from ..state import public
from ..values import Object
from . import balance, collecting, finalizing
from .credit_lines import CREDIT_NOTE_LINES, lines_of, sums_of
from .moments import now_for
from .records import INVOICE_PAYMENTS, INVOICES, OPEN, PAID, UNCOLLECTIBLE, customer_of

ISSUED, VOID = "issued", "void"
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {ISSUED: frozenset({VOID}), VOID: frozenset()}
CREDIT_NOTES: Final = Collection(
    "credit_note",
    path="/v1/credit_notes",
    indexes=("customer", "invoice"),
    expands={
        "customer": "customer",
        "customer_balance_transaction": "customer_balance_transaction",
        "invoice": "invoice",
        "refunds.refund": "refund",
    },
    found_anywhere=True,
)
_SHOWN_LINES: Final = 10


def issue(context: Context, invoice: Object, *, is_preview: bool = False) -> Object:
    """A credit note as the request asks for it, with all that follows from it.

    It lowers what is due first; the rest was paid, and goes where the request says, which a preview need not.

    Raises:
        InvalidRequestError: the invoice is a draft or void; more than is left of it.
        InvalidParameterError: lines, or what is said of where the money goes, that do not add up.
    """
    if invoice["status"] not in (OPEN, PAID, UNCOLLECTIBLE):
        raise InvalidRequestError(
            f"You can only create a credit note for a finalized invoice: this one is {invoice['status']}.",
            param="invoice",
        )
    lines = lines_of(context, invoice)
    note, left = _note(context, invoice, lines), creditable(invoice)
    if not 0 < note["total"] <= left:
        raise InvalidRequestError(
            f"The total of the credit note ({note['total']}) must be more than 0 and no more than what is left of the "
            f"invoice ({left}).",
            param="amount",
        )
    before_payment = min(note["total"], invoice["amount_remaining"])
    after_payment = note["total"] - before_payment
    note |= {
        "post_payment_amount": after_payment,
        "pre_payment_amount": before_payment,
        "type": "mixed" if before_payment and after_payment else "pre_payment" if before_payment else "post_payment",
    }
    context.state.insert(CREDIT_NOTES, note)
    for line in reversed(lines):
        context.state.insert(CREDIT_NOTE_LINES, {**line, "_credit_note": note["id"]})
    _give_back(context, invoice, note, is_preview=is_preview)
    if before_payment:
        _lower(context, context.state.get(INVOICES, invoice["id"]), before_payment)
    issued = context.state.get(CREDIT_NOTES, note["id"])
    context.emit("credit_note.created", issued)
    return issued


def void(context: Context, note: Object) -> Object:
    """Take a credit note back while its invoice is not paid: what was due is due again.

    Raises:
        InvalidRequestError.
    """
    invoice = context.state.get(INVOICES, note["invoice"])
    if VOID not in TRANSITIONS[note["status"]] or invoice["status"] != OPEN:
        raise InvalidRequestError(
            "You can only void an issued credit note of an invoice that is still open.", param="id"
        )
    for line in list(context.state.select(CREDIT_NOTE_LINES, {"_credit_note": note["id"]})):
        context.state.update(CREDIT_NOTE_LINES, line, {"_counted_for": None})
    _lower(context, invoice, -note["total"])
    now = now_for(context, customer_of(context, note["customer"]))
    voided = context.state.update(CREDIT_NOTES, note, {"status": VOID, "voided_at": now})
    context.emit("credit_note.voided", voided)
    return voided


def creditable(invoice: Object) -> int:
    """Minor units of an invoice that no credit note has taken back."""
    total: int = invoice["total"]
    return total - int(invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"])


def _note(context: Context, invoice: Object, lines: list[Object]) -> dict[str, Any]:
    params, note_id = context.params, context.ids.new("cn")
    now = now_for(context, customer_of(context, invoice["customer"]))
    earlier = context.state.count(CREDIT_NOTES, {"invoice": invoice["id"]})
    shown = [public(line) for line in lines[:_SHOWN_LINES]]
    return {
        "id": note_id,
        "object": "credit_note",
        "amount_shipping": 0,
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "effective_at": params.get("effective_at"),
        "invoice": invoice["id"],
        "lines": list_object(shown, f"/v1/credit_notes/{note_id}/lines", has_more=len(lines) > _SHOWN_LINES),
        "livemode": False,
        "memo": params.get("memo") or None,
        "metadata": merged({}, params.get("metadata")),
        "number": f"{invoice['number']}-CN-{earlier + 1:02d}",
        "out_of_band_amount": None,
        "pdf": f"{context.settings.base_url}/credit_notes/{note_id}/pdf",
        "post_payment_amount": 0,
        "pre_payment_amount": 0,
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": ISSUED,
        "voided_at": None,
        **sums_of(lines),
    }


def _lower(context: Context, invoice: Object, amount: int) -> None:
    """So much less of an invoice is due; nothing left is paid."""
    intent = context.state.get(PAYMENT_INTENTS, invoice["_payment_intent"])
    if intent["status"] not in CONFIRMABLE:
        raise InvalidRequestError(f"The invoice's payment is {intent['status']}.", param="invoice")
    changes = {
        "amount_due": invoice["amount_due"] - amount,
        "amount_remaining": invoice["amount_remaining"] - amount,
        "pre_payment_credit_notes_amount": invoice["pre_payment_credit_notes_amount"] + amount,
    }
    lowered = context.state.update(INVOICES, invoice, changes)
    context.emit("invoice.updated", lowered, previous=invoice)
    if not lowered["amount_remaining"]:
        collecting.cancel_payment(context, lowered)
        finalizing.mark_paid(context, lowered)
        return
    asked = {"amount": lowered["amount_due"], **finalizing.fees_of(lowered)}
    context.state.update(PAYMENT_INTENTS, intent, asked)
    for payment in list(context.state.select(INVOICE_PAYMENTS, {"invoice": invoice["id"], "status": "open"})):
        context.state.update(INVOICE_PAYMENTS, payment, {"amount_requested": lowered["amount_remaining"]})


def _give_back(context: Context, invoice: Object, note: Object, *, is_preview: bool) -> None:
    """What was paid is refunded, owed to the customer, or was given back elsewhere, as the request says."""
    params, due = context.params, note["post_payment_amount"]
    refunded, credited = params.get("refund_amount", 0), params.get("credit_amount", 0)
    outside = params.get("out_of_band_amount", 0)
    linked = _linked(context, invoice)
    said = refunded + credited + outside + sum(each["amount_refunded"] for each in linked)
    if min(refunded, credited, outside) < 0 or (said != due and not (is_preview and not said)):
        raise InvalidRequestError(
            f"The sum of credit amount, refund amount, refunds and out of band amount ({said}) must equal the credit "
            f"note's amount after payment ({due}).",
            param="amount",
        )
    if not due:
        return
    changes: dict[str, Any] = {"out_of_band_amount": outside or None, "refunds": linked}
    if refunded:
        made = refunds.refund(context, _charge(context, invoice), refunds.Demand(amount=refunded))
        changes["refunds"] = [*linked, _refund(made["id"], refunded)]
    if credited:
        entry = balance.adjust(
            context, customer_of(context, invoice["customer"]), -credited, invoice["currency"], "credit_note",
            invoice=invoice["id"], credit_note=note["id"],
        )  # fmt: skip
        changes["customer_balance_transaction"] = entry["id"]
    context.state.update(CREDIT_NOTES, note, changes)
    given = invoice["post_payment_credit_notes_amount"] + due
    after = context.state.update(INVOICES, invoice, {"post_payment_credit_notes_amount": given})
    context.emit("invoice.updated", after, previous=invoice)


def _linked(context: Context, invoice: Object) -> list[dict[str, Any]]:
    """The refunds that were made before the note, each no further than other notes have left of it."""
    found: list[dict[str, Any]] = []
    for at, given in enumerate(context.params.get("refunds") or ()):
        if given.get("type", "refund") != "refund" or "payment_record_refund" in given:
            raise UnsupportedError("refunds of payment records")
        refund = context.state.find(REFUNDS, given.get("refund") or "")
        if refund is None or not invoice["_payment_intent"] or refund["payment_intent"] != invoice["_payment_intent"]:
            raise InvalidParameterError(
                f"The refund {given.get('refund')} is none of the invoice's payment.",
                code="resource_missing",
                param=f"refunds[{at}][refund]",
            )
        left = refund["amount"] - _named_already(context, invoice, refund["id"], found)
        amount = given.get("amount_refunded", refund["amount"])
        if not 0 < amount <= left:
            raise InvalidParameterError(
                f"The amount_refunded ({amount}) is more than what is left of the refund ({left}).",
                param=f"refunds[{at}][amount_refunded]",
            )
        found.append(_refund(refund["id"], amount))
    return found


def _named_already(context: Context, invoice: Object, refund: str, here: Sequence[Mapping[str, Any]]) -> int:
    notes = context.state.select(CREDIT_NOTES, {"invoice": invoice["id"]})
    named = [each for note in notes for each in note["refunds"]]
    return sum(each["amount_refunded"] for each in (*named, *here) if each["refund"] == refund)


def _refund(refund_id: str, amount: int) -> dict[str, Any]:
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": refund_id, "type": "refund"}


def _charge(context: Context, invoice: Object) -> Object:
    intent = context.state.find(PAYMENT_INTENTS, invoice["_payment_intent"]) if invoice["_payment_intent"] else None
    if intent is None or not intent["latest_charge"] or intent["status"] != "succeeded":
        raise InvalidRequestError("There is no payment of the invoice to refund.", param="refund_amount")
    return context.state.get(CHARGES, intent["latest_charge"])
