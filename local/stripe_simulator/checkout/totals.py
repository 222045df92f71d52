# ruff: noqa: ARG001
"""What a session's order costs: its items, less discounts, with shipping and tax."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..context import Context
from ..errors import UnsupportedError
from ..shipping_rates import amount_in
from ..values import Object
from . import line_items, shipping
from .sessions import NOTHING_DUE, SESSIONS, UNPAID


def apply(context: Context, session: Object, items: Sequence[Mapping[str, Any]], *, place: Object | None) -> Object:
    """The session with its items kept and everything summed up."""
    for item in items:
        if item["_tax_rates"]:
            raise UnsupportedError("tax rates of line items")
    rate = shipping.chosen(context, session)
    shipped = amount_in(context, rate, session["currency"], "shipping_options")[0] if rate else 0
    subtotal = sum(each["amount_subtotal"] for each in items)
    total = subtotal + shipped
    line_items.keep(context, session["id"], items)
    cost = {"amount_subtotal": shipped, "amount_tax": 0, "amount_total": shipped}
    changes: dict[str, Any] = {
        "amount_subtotal": subtotal,
        "amount_total": total,
        "payment_status": UNPAID if total else NOTHING_DUE,
        "shipping_cost": {**cost, "shipping_rate": rate["id"]} if rate else None,
        "total_details": {"amount_discount": 0, "amount_shipping": shipped, "amount_tax": 0},
    }
    return context.state.update(SESSIONS, session, changes)


def place_entered(context: Context, session: Object) -> Object | None:
    """Where tax is due, by what the buyer entered."""
    return None


def place_of_customer(context: Context, session: Object) -> Object | None:
    """Where tax is due, before the buyer comes."""
    return None


def automatic_tax(context: Context, params: Mapping[str, Any]) -> dict[str, Any]:
    """``automatic_tax`` of the session."""
    if params.get("automatic_tax", {}).get("enabled"):
        context.unsupported("automatic_tax")
    return {"enabled": False, "liability": None, "provider": None, "status": None}
