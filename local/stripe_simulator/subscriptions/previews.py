"""What an invoice would be: it is made as it would be made, looked at, and undone.

https://docs.stripe.com/api/invoices/create_preview
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError
from ..invoices import drafts
from ..invoices.finalizing import set_off
from ..invoices.moments import TEST_CLOCKS, now_for
from ..invoices.records import DRAFT, INVOICES, lines_of
from ..lists import list_object
from ..resources.customers import CUSTOMERS
from ..state import public
from ..values import Object
from . import cycling
from .records import ENDED, SUBSCRIPTIONS, first_end, items_of

_NOT_YET: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("confirmation_secret", "effective_at", "hosted_invoice_url", "invoice_pdf", "number")),
    **dict.fromkeys(("amount_paid", "amount_paid_off_stripe", "attempt_count"), 0),
    "attempted": False,
    "automatically_finalizes_at": None,
    "status": DRAFT,
    "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
}
"""What an invoice that was finalized on the way does not have while it is only looked at."""


def of_next_period(context: Context, subscription: Object) -> Object | None:
    """The invoice with which a subscription's next period begins, made now; None where it ends before."""
    if subscription["status"] in ENDED:
        return None
    ends = first_end(items_of(context.state, subscription))
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= ends:
        return None
    _let_it_be(context, subscription["customer"], ends)
    made = cycling.cycle(context, subscription)["latest_invoice"]
    return context.state.get(INVOICES, made) if made != subscription["latest_invoice"] else None


def of_pending(
    context: Context,
    customer: Object,
    currency: str,
    discounts: Sequence[Object],
    automatic_tax: Mapping[str, Any] | None = None,
) -> Object:
    """A single invoice of what is pending, made now."""
    taxed = automatic_tax or {}
    invoice = drafts.draft(
        context,
        customer=customer,
        currency=currency,
        discounts=discounts,
        automatic_tax=taxed.get("enabled", False),
        liability=taxed.get("liability"),
        auto_advance=False,
    )
    lines = drafts.take_items(context, invoice, drafts.pending_items(context, customer["id"], currency))
    return drafts.reprice(context, invoice, lines)


def next_to_bill(context: Context, customer: Object) -> Object | None:
    """The customer's subscription whose period ends first."""
    running = context.state.select(SUBSCRIPTIONS, {"customer": customer["id"], "_running": True})
    return min(running, key=lambda each: first_end(items_of(context.state, each)), default=None)


def shown(context: Context, invoice: Object, customer: Object) -> Object:
    """An invoice that was only made to be looked at, with all of its lines, as it would be before it is finalized."""
    name = context.ids.new("upcoming_in")
    lines = [{**public(line), "invoice": name} for line in lines_of(context.state, invoice)]
    total, before = invoice["total"], invoice["starting_balance"]
    is_charged = invoice["collection_method"] == "charge_automatically"
    return {
        **public(invoice),
        **_NOT_YET,
        **dict.fromkeys(("amount_due", "amount_remaining"), max(0, total + before)),
        "ending_balance": set_off(total, before, invoice["currency"])[1],
        "id": name,
        "lines": list_object(lines, f"/v1/invoices/{name}/lines", has_more=False),
        "next_payment_attempt": invoice["created"] + context.settings.invoice_draft_seconds if is_charged else None,
        "test_clock": customer.get("test_clock"),
    }


def nothing_to_come(customer: str) -> InvalidRequestError:
    """Nothing would be billed."""
    return InvalidRequestError(
        f"No upcoming invoices for customer: {customer}", code="invoice_upcoming_none", status=404
    )


def _let_it_be(context: Context, customer_id: str, moment: int) -> None:
    """Bill the customer as at this moment from here on, by a clock of its own."""
    customer = context.state.get(CUSTOMERS, customer_id)
    if moment > now_for(context, customer):
        clock = {"id": context.ids.new("clock"), "object": "test_helpers.test_clock", "created": 0}
        context.state.insert(TEST_CLOCKS, {**clock, "frozen_time": moment})
        context.state.update(CUSTOMERS, customer, {"test_clock": clock["id"]})
