"""Invoice items: pending for a customer until an invoice takes them. https://docs.stripe.com/api/invoiceitems"""

from ..context import Context
from ..pricing.tax_rates import TAX_RATES
from ..state import public
from ..values import Object
from .lines import DraftLine, pricing
from .moments import now_for
from .records import INVOICE_ITEMS


def add_item(
    context: Context, customer: Object, line: DraftLine, *, invoice: str | None, proration: bool = False
) -> Object:
    """A pending item, or one of an invoice, kept and told of."""
    item_id = context.ids.new("ii")
    parent = None
    details = (line.parent or {}).get("subscription_item_details")
    if details:
        shown = {name: details.get(name) for name in ("subscription", "subscription_item")}
        parent = {"subscription_details": shown, "type": "subscription_details"}
    item = {
        "id": item_id,
        "object": "invoiceitem",
        "amount": line.amount,
        "currency": line.currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": now_for(context, customer),
        "description": line.description,
        "discountable": line.discountable,
        "discounts": list(line.discounts),
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(line.metadata),
        "net_amount": line.amount,
        "parent": parent,
        "period": {"end": line.period[1], "start": line.period[0]},
        "pricing": pricing(line.price, line.unit_amount_decimal),
        "proration": proration,
        **({"proration_details": {"discount_amounts": []}} if proration else {}),
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "tax_rates": [public(context.state.get(TAX_RATES, each)) for each in line.tax_rates],
        "test_clock": customer.get("test_clock"),
        "_line": {**{name: getattr(line, name) for name in line.__dataclass_fields__}, "period": list(line.period)},
    }
    context.state.insert(INVOICE_ITEMS, item)
    context.emit("invoiceitem.created", context.state.get(INVOICE_ITEMS, item_id))
    return context.state.get(INVOICE_ITEMS, item_id)
