"""What a customer is owed or owes, and why. https://docs.stripe.com/api/customer_balance_transactions"""

from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..invoices.balance import BALANCE_ENTRIES, adjust
from ..metadata import merged
from ..routing import Routes
from ..values import Object
from .customers import CUSTOMERS

routes = Routes(BALANCE_ENTRIES)
_PATH: Final = "/v1/customers/{customer}/balance_transactions"


@routes.api("POST", _PATH)
def create(context: Context, customer: str) -> Object:
    """Credit (below zero) or debit (above it) the balance that the customer's next invoice sets off."""
    found, params = _customer(context, customer), context.params
    currency = money.currency_code(params["currency"])
    if not params["amount"]:
        raise InvalidParameterError("The amount must not be zero.", code="parameter_invalid_integer", param="amount")
    if found["currency"] and found["currency"] != currency:
        raise InvalidRequestError(
            f"You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or "
            f"invoice item with currency {found['currency']}.",
            param="currency",
        )
    return adjust(
        context, found, params["amount"], currency, "adjustment",
        description=params.get("description") or None, metadata=merged({}, params.get("metadata")),
    )  # fmt: skip


@routes.api("GET", _PATH)
def list_entries(context: Context, customer: str) -> Object:
    """All of them, newest first."""
    params = context.params
    return context.list(
        BALANCE_ENTRIES, {"customer": _customer(context, customer)["id"], "invoice": params.get("invoice")}
    )


@routes.api("GET", _PATH + "/{transaction}")
def retrieve(context: Context, customer: str, transaction: str) -> Object:
    """One of them."""
    return _entry(context, customer, transaction)


@routes.api("POST", _PATH + "/{transaction}")
def update(context: Context, customer: str, transaction: str) -> Object:
    """Change what is said of one: its amount stands."""
    before, params = _entry(context, customer, transaction), context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "description" in params:
        changes["description"] = params["description"] or None
    return context.state.update(BALANCE_ENTRIES, before, changes)


def _customer(context: Context, customer: str) -> Object:
    found = context.state.get(CUSTOMERS, customer)
    if "deleted" in found:
        raise InvalidParameterError(f"No such customer: '{customer}'", code="resource_missing", param="customer")
    return found


def _entry(context: Context, customer: str, transaction: str) -> Object:
    found = context.state.get(BALANCE_ENTRIES, transaction)
    if found["customer"] != _customer(context, customer)["id"]:
        raise InvalidRequestError(
            f"No such customer balance transaction: '{transaction}'", code="resource_missing", param="id", status=404
        )
    return found
