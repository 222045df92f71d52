"""Charges, which PaymentIntents make. https://docs.stripe.com/api/charges"""

from typing import Any

from ..context import Context
from ..funds import charges
from ..funds.records import CHARGES
from ..metadata import merged
from ..routing import Routes
from ..values import Object

routes = Routes(CHARGES)


@routes.api("GET", "/v1/charges/{charge}")
def retrieve(context: Context, charge: str) -> Object:
    """The charge as it stands."""
    return context.state.get(CHARGES, charge)


@routes.api("POST", "/v1/charges/{charge}")
def update(context: Context, charge: str) -> Object:
    """Change texts and metadata."""
    context.unsupported("customer", "fraud_details")
    before = context.state.get(CHARGES, charge)
    params = context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    for name in ("description", "receipt_email", "shipping", "transfer_group"):
        if name in params:
            changes[name] = params[name] or None
    if all(before[name] == value for name, value in changes.items()):
        return before
    after = context.state.update(CHARGES, before, changes)
    context.emit("charge.updated", after, previous=before)
    return after


@routes.api("GET", "/v1/charges")
def list_charges(context: Context) -> Object:
    """Charges, newest first."""
    names = ("customer", "payment_intent", "transfer_group")
    return context.list(CHARGES, {name: context.params.get(name) for name in names})


@routes.due("charge.settle")
def settle(context: Context, charge: str) -> None:
    """Complete an asynchronous capture: balance transaction, transfer and fee come with ``charge.updated``."""
    before = context.state.get(CHARGES, charge)
    context.emit("charge.updated", charges.settle(context, before), previous=before)
