"""Drafts: made for a customer, priced again whenever they change.

https://docs.stripe.com/invoicing/overview
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .. import accounts, money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..funds.fees import application_id
from ..pricing import tax
from ..pricing.discounts import keep as keep_discounts
from ..pricing.sums import Sums
from ..pricing.tax import place_of
from ..values import Object
from . import lines as invoice_lines
from .lines import DraftLine
from .moments import now_for, schedule_for
from .records import DRAFT, INVOICE_ITEMS, INVOICES, OPEN, blank_invoice, customer_of, lines_of

PENDING_ITEMS_AT_ONCE: Final = 250  # https://docs.stripe.com/invoicing/integration#add-invoice-items
_DAY_SECONDS: Final = 24 * 3_600


def draft(
    context: Context,
    *,
    customer: Object,
    currency: str,
    lines: Sequence[DraftLine] = (),
    discounts: Sequence[Object] = (),
    automatic_tax: bool = False,
    liability: Mapping[str, Any] | None = None,
    auto_advance: bool = True,
    days_until_due: int | None = None,
    tells: bool = True,
    **terms: object,
) -> Object:
    """A draft with these lines, kept and told of.

    ``discounts`` are discount objects. ``terms`` are members of the invoice as they are, and ``transfer_data``,
    ``application_fee_amount`` and ``application_fee_percent`` for when it is paid.

    Raises:
        InvalidRequestError: an account that cannot take part; Stripe Tax is not set up.
    """
    invoice = _begun(context, customer, currency, automatic_tax, liability, terms)
    now = invoice["created"]
    if invoice["collection_method"] == "send_invoice" and days_until_due is not None:
        invoice["due_date"] = now + days_until_due * _DAY_SECONDS
    invoice["discounts"] = [each["id"] for each in keep_discounts(context, discounts, invoice=invoice["id"])]
    kept = context.state.insert(INVOICES, invoice)
    kept = reprice(context, kept, lines)
    kept = set_advance(context, kept, on=auto_advance)
    if tells:
        context.emit("invoice.created", kept)
    return kept


def reprice(context: Context, invoice: Object, lines: Sequence[DraftLine] | None = None) -> Object:
    """A draft summed up anew: with other lines, or after something that they are priced by has changed."""
    given = invoice_lines.drafts_of(lines_of(context.state, invoice)) if lines is None else lines
    sums = _summed(context, invoice, given)
    made = invoice_lines.keep(context, invoice, given, sums)
    return context.state.update(INVOICES, invoice, _totals(context, invoice, made, sums))


def require_draft(invoice: Object) -> Object:
    """The invoice, if it is a draft.

    Raises:
        InvalidRequestError.
    """
    if invoice["status"] != DRAFT:
        raise InvalidRequestError(
            f"Finalized invoices can't be updated in this way: this invoice is {invoice['status']}.",
            code="invoice_not_editable",
        )
    return invoice


def set_advance(context: Context, invoice: Object, *, on: bool) -> Object:
    """Let a draft finalize itself after its draft window, or an open invoice be charged by then; or not."""
    customer = customer_of(context, invoice["customer"])
    at = now_for(context, customer) + context.settings.invoice_draft_seconds
    is_draft, is_charged = invoice["status"] == DRAFT, invoice["collection_method"] == "charge_automatically"
    changes = {
        "auto_advance": on,
        "automatically_finalizes_at": at if on and is_draft else None,
        "next_payment_attempt": at if on and is_charged and invoice["status"] in (DRAFT, OPEN) else None,
    }
    if on:
        name = "invoice.advance" if is_draft else "invoice.retry"
        schedule_for(context, customer, name, at=at, invoice=invoice["id"])
    return context.state.update(INVOICES, invoice, changes)


def pending_items(context: Context, customer: str, currency: str) -> list[Object]:
    """A customer's items that no invoice has taken, oldest first."""
    found = context.state.select(INVOICE_ITEMS, {"customer": customer, "pending": True}, ascending=True)
    return [item for item in found if item["currency"] == currency][:PENDING_ITEMS_AT_ONCE]


def line_of_item(item: Object) -> DraftLine:
    """The line of an invoice item."""
    given: Mapping[str, Any] = item["_line"]
    details = {"invoice_item": item["id"], "proration": item["proration"], "proration_details": None}
    parent = given.get("parent")
    if parent and parent["subscription_item_details"]:
        parent = {
            **parent,
            "subscription_item_details": {**parent["subscription_item_details"], "invoice_item": item["id"]},
        }
    parent = parent or {
        "invoice_item_details": {**details, "subscription": None},
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }
    return DraftLine(**{**given, "period": tuple(given["period"]), "parent": parent})


def take_items(context: Context, invoice: Object, items: Sequence[Object]) -> list[DraftLine]:
    """Let an invoice take pending items; gives their lines."""
    for item in items:
        context.state.update(INVOICE_ITEMS, item, {"invoice": invoice["id"]})
    return [line_of_item(item) for item in items]


def _begun(
    context: Context,
    customer: Object,
    currency: str,
    automatic_tax: bool,  # noqa: FBT001 - passed on
    liability: Mapping[str, Any] | None,
    terms: Mapping[str, Any],
) -> dict[str, Any]:
    code = money.currency_code(currency)
    if "deleted" in customer:
        raise InvalidParameterError(f"No such customer: '{customer['id']}'", code="resource_missing", param="customer")
    if customer["currency"] and customer["currency"] != code and customer["balance"]:
        raise InvalidRequestError(
            f"You cannot combine currencies on a single customer. This customer has a balance in "
            f"{customer['currency']}.",
            param="currency",
        )
    now = now_for(context, customer)
    fees = {
        name: terms[name]
        for name in ("transfer_data", "application_fee_amount", "application_fee_percent")
        if terms.get(name) is not None
    }
    invoice = blank_invoice(context.state, context.ids.new("in"), customer, code, now)
    invoice |= {name: value for name, value in terms.items() if name not in fees and name in invoice}
    invoice["_fees"] = fees
    invoice["application"] = None if context.is_platform else application_id(context)
    if invoice["on_behalf_of"]:
        accounts.check_settlement_merchant(context, invoice["on_behalf_of"])
    # A renewal is drafted whatever became of its destination, and fails as it is finalized.
    if fees.get("transfer_data") and invoice["billing_reason"] != "subscription_cycle":
        accounts.check_destination(context, fees["transfer_data"]["destination"], "transfer_data[destination]")
    if automatic_tax:
        liable = dict(liability or {"type": "self"})
        tax.require_ready(context, liable.get("account") or context.account)
        invoice["automatic_tax"] = {
            **invoice["automatic_tax"],
            "enabled": True,
            "liability": liable,
            "provider": "stripe",
            "status": "requires_location_inputs",
        }
    return invoice


def _summed(context: Context, invoice: Object, lines: Sequence[DraftLine]) -> Sums:
    automatic = invoice["automatic_tax"]
    place = None
    if automatic["enabled"]:
        liable = (automatic["liability"] or {}).get("account") or context.account
        place = place_of(context.state, customer_of(context, invoice["customer"]), liable)
    return invoice_lines.priced(
        context,
        lines,
        currency=invoice["currency"],
        discounts=invoice["discounts"],
        tax_rates=[rate["id"] for rate in invoice["default_tax_rates"]],
        place=place,
    )


def _totals(context: Context, invoice: Object, made: list[Object], sums: Sums) -> dict[str, Any]:
    balance = customer_of(context, invoice["customer"]).get("balance", 0)
    due = max(0, sums.total + balance)
    changes = {
        **invoice_lines.members(invoice["id"], made, sums),
        "amount_due": due,
        "amount_remaining": due,
        "starting_balance": balance,
    }
    if sums.automatic_tax_status:
        changes["automatic_tax"] = {**invoice["automatic_tax"], "status": sums.automatic_tax_status}
    return changes
