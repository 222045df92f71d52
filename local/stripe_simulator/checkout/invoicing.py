"""The invoice of a one-time payment, made when it is complete. https://docs.stripe.com/payments/checkout/receipts"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..catalog import PRODUCTS
from ..context import Context
from ..invoices import collecting, drafts, finalizing
from ..invoices.lines import DraftLine
from ..invoices.records import customer_of
from ..values import Object
from . import line_items

_COPIED: Final = ("account_tax_ids", "custom_fields", "description", "footer")


def of_payment(context: Context, session: Object, payment: Object | None, discounts: Sequence[Object]) -> Object:
    """The invoice of a session's items, with the payment that it was made for; paid once that is."""
    asked: Mapping[str, Any] = session["invoice_creation"]["invoice_data"]
    terms = {name: asked[name] for name in _COPIED if asked[name]}
    tax = session["automatic_tax"]
    invoice = drafts.draft(
        context,
        customer=customer_of(context, session["customer"]),
        currency=session["currency"],
        lines=[_line(context, item) for item in line_items.of_session(context.state, session)],
        discounts=discounts,
        automatic_tax=tax["enabled"],
        liability=tax["liability"],
        auto_advance=False,
        issuer=asked["issuer"] or {"type": "self"},
        metadata=asked["metadata"],
        **terms,
    )
    finalized = finalizing.finalize(context, invoice, paid_by=payment)
    if payment:
        collecting.follow(context, payment)
    return finalized


def _line(context: Context, item: Object) -> DraftLine:
    price, now = item["price"], context.clock.now()
    return DraftLine(
        amount=item["amount_subtotal"],
        currency=item["currency"],
        description=item["description"],
        price=price,
        quantity=item["quantity"],
        unit_amount_decimal=price["unit_amount_decimal"],
        period=(now, now),
        tax_rates=tuple(item["_tax_rates"]),
        tax_behavior=price["tax_behavior"],
        tax_code=context.state.get(PRODUCTS, price["product"])["tax_code"],
        metadata=item["metadata"],
    )
