"""Invoices and what belongs to them, as they are kept. https://docs.stripe.com/api/invoices/object"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..context import Context
from ..lists import list_object
from ..pricing.tax_ids import numbers_of
from ..resources.customers import CUSTOMERS
from ..shelves import Collection, Index
from ..state import State, public
from ..values import Json, Object

DRAFT, OPEN, PAID, VOID, UNCOLLECTIBLE = "draft", "open", "paid", "void", "uncollectible"
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    DRAFT: frozenset({OPEN, PAID}),
    OPEN: frozenset({PAID, VOID, UNCOLLECTIBLE}),
    UNCOLLECTIBLE: frozenset({PAID, VOID}),
    PAID: frozenset(),
    VOID: frozenset(),
}
"""https://docs.stripe.com/invoicing/overview#workflow-overview"""

_SHOWN_LINES: Final = 10


def _subscription_of(invoice: Object) -> Iterable[str]:
    details = (invoice["parent"] or {}).get("subscription_details") if "parent" in invoice else None
    return (details["subscription"],) if details else ()


def _payments_of(state: State, invoice: Object) -> Object:
    found = [public(each) for each in state.select(INVOICE_PAYMENTS, {"invoice": invoice["id"]})]
    return list_object(found[:_SHOWN_LINES], "/v1/invoice_payments", has_more=len(found) > _SHOWN_LINES)


def _discounts_of(state: State, item: Object) -> Json:
    return [public(found) for each in item["discounts"] if (found := state.find("discount", each))]


INVOICES: Final = Collection(
    "invoice",
    path="/v1/invoices",
    indexes=(
        *("customer", "status", "collection_method", "due_date", "number"),
        Index("subscription", _subscription_of),
    ),
    expands={
        "customer": "customer",
        "default_payment_method": "payment_method",
        "discounts": _discounts_of,
        "on_behalf_of": "account",
        "parent.subscription_details.subscription": "subscription",
        "payments": _payments_of,
        "total_discount_amounts.discount": "discount",
    },
    found_anywhere=True,
)
"""``_payment_intent``: of its default payment; ``_fees``: what it says of transfer and application fee."""

INVOICE_LINES: Final = Collection(
    "line_item",
    indexes=("invoice",),
    expands={
        "discount_amounts.discount": "discount",
        "discounts": _discounts_of,
        "pricing.price_details.price": "price",
    },
)
"""``_line``: what it was priced from, so that it can be priced again while the invoice is a draft."""

INVOICE_ITEMS: Final = Collection(
    "invoiceitem",
    path="/v1/invoiceitems",
    indexes=("customer", "invoice", Index("pending", lambda item: (item["invoice"] is None,))),
    expands={"customer": "customer", "discounts": _discounts_of, "invoice": "invoice"},
)
INVOICE_PAYMENTS: Final = Collection(
    "invoice_payment",
    path="/v1/invoice_payments",
    indexes=("invoice", "status", "payment.payment_intent"),
    expands={"invoice": "invoice", "payment.payment_intent": "payment_intent"},
)


def lines_of(state: State, invoice: Object) -> list[Object]:
    """All of an invoice's lines, in their order."""
    return list(state.select(INVOICE_LINES, {"invoice": invoice["id"]}))


def customer_of(context: Context, customer_id: str) -> Object:
    """The customer who is billed, be it deleted since."""
    found = context.state.find(CUSTOMERS, customer_id)
    if found is None:
        raise LookupError(f"no customer {customer_id}")
    return found


def shown_lines(lines: list[Object], invoice_id: str) -> Object:
    """The first lines, as an invoice has them in it."""
    data = [public(line) for line in lines[:_SHOWN_LINES]]
    return list_object(data, f"/v1/invoices/{invoice_id}/lines", has_more=len(lines) > _SHOWN_LINES)


def blank_invoice(state: State, invoice_id: str, customer: Object, currency: str, now: int) -> dict[str, Any]:
    """A draft of which nothing but the customer is known."""
    absent = (
        *("account_country", "account_name", "account_tax_ids", "application", "automatically_finalizes_at"),
        *("confirmation_secret", "custom_fields", "customer_account", "default_payment_method", "default_source"),
        *("description", "due_date", "effective_at", "ending_balance", "footer", "from_invoice"),
        *("hosted_invoice_url", "invoice_pdf", "last_finalization_error", "latest_revision", "next_payment_attempt"),
        *("number", "on_behalf_of", "parent", "receipt_number", "rendering", "shipping_cost", "shipping_details"),
        *("statement_descriptor", "webhooks_delivered_at"),
    )
    zeros = (
        *("amount_due", "amount_overpaid", "amount_paid", "amount_paid_off_stripe", "amount_remaining"),
        *("amount_shipping", "attempt_count", "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount"),
        *("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"),
    )
    tax = {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None}
    return {
        "id": invoice_id,
        "object": "invoice",
        **dict.fromkeys(absent),
        **dict.fromkeys(zeros, 0),
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": tax,
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        **of_customer(state, customer),
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "lines": list_object([], f"/v1/invoices/{invoice_id}/lines"),
        "livemode": False,
        "metadata": {},
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        "period_end": now,
        "period_start": now,
        "starting_balance": customer.get("balance", 0),
        "status": DRAFT,
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "test_clock": customer.get("test_clock"),
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "_fees": {},
        "_payment_intent": None,
    }


def of_customer(state: State, customer: Object) -> dict[str, Any]:
    """What an invoice shows of its customer: as it is, until the invoice is finalized."""
    numbers = numbers_of(state, customer["id"])
    names = ("address", "email", "name", "phone", "shipping")
    return {
        **{f"customer_{name}": customer.get(name) for name in names},
        "customer_tax_exempt": customer.get("tax_exempt", "none"),
        "customer_tax_ids": [{"type": kind, "value": value} for kind, value in reversed(numbers)],
    }
