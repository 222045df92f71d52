"""Customers: who pays. https://docs.stripe.com/api/customers"""

import string
from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..lists import list_object
from ..metadata import merged
from ..routing import Routes
from ..shelves import Collection
from ..state import State
from ..values import Object

CUSTOMERS: Final = Collection(
    "customer",
    path="/v1/customers",
    indexes=("email",),
    expands={
        "default_source": "source",
        "invoice_settings.default_payment_method": "payment_method",
        "sources": lambda _state, customer: list_object([], f"/v1/customers/{customer['id']}/sources"),
        "subscriptions": lambda state, customer: _empty_list(state, customer, "subscription"),
        "tax_ids": lambda state, customer: _empty_list(state, customer, "tax_id"),
    },
)
routes = Routes(CUSTOMERS)
_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
_TEXTS: Final = ("business_name", "description", "email", "individual_name", "name", "phone")
_UNSUPPORTED: Final = ("cash_balance", "payment_method", "source", "tax", "tax_id_data", "test_clock", "default_source")
_INVOICE_SETTINGS: Final = ("custom_fields", "default_payment_method", "footer", "rendering_options")
_PREFIX_LENGTH: Final = 8


def _empty_list(state: State, customer: Object, name: str) -> Object:
    """Nobody can have any while the simulator has no such resource."""
    if state.collection_of(name) is not None:
        raise LookupError(f"the customers' list of {name} has to be read from its collection")
    return list_object([], f"/v1/customers/{customer['id']}/{name}s")


@routes.api("POST", "/v1/customers")
def create(context: Context) -> Object:
    """Create a customer; nothing is required."""
    context.unsupported(*_UNSUPPORTED)
    prefix = "".join(context.ids.random.choices(string.ascii_uppercase + string.digits, k=_PREFIX_LENGTH))
    blank: dict[str, Any] = {
        "id": context.ids.new("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": context.clock.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": prefix,
        "invoice_settings": dict.fromkeys(_INVOICE_SETTINGS),
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **dict.fromkeys(_TEXTS),
    }
    customer = context.state.insert(CUSTOMERS, {**blank, **_changes(context.params, blank)})
    _check_default(context, customer["id"])
    context.emit("customer.created", customer)
    return customer


@routes.api("GET", "/v1/customers/{customer}")
def retrieve(context: Context, customer: str) -> Object:
    """The customer, or the stub that is left of a deleted one."""
    return context.state.get(CUSTOMERS, customer)


@routes.api("POST", "/v1/customers/{customer}")
def update(context: Context, customer: str) -> Object:
    """Change what was given; nothing is told when nothing changed."""
    context.unsupported(*_UNSUPPORTED)
    before = context.state.get(CUSTOMERS, customer)
    if "deleted" in before:
        raise InvalidParameterError(f"No such customer: '{customer}'", code="resource_missing", param="id", status=404)
    _check_default(context, customer)
    changes = _changes(context.params, before)
    if all(before[name] == value for name, value in changes.items()):
        return before
    after = context.state.update(CUSTOMERS, before, changes)
    context.emit("customer.updated", after, previous=before)
    return after


@routes.api("DELETE", "/v1/customers/{customer}")
def delete(context: Context, customer: str) -> Object:
    """Delete a customer for good; a stub stays, so that what refers to it can still be read."""
    before = context.state.get(CUSTOMERS, customer)
    stub = {"id": customer, "object": "customer", "deleted": True}
    if "deleted" not in before:
        context.state.replace(CUSTOMERS, stub)
        context.emit("customer.deleted", before)
    return stub


@routes.api("GET", "/v1/customers")
def list_customers(context: Context) -> Object:
    """Customers, newest first."""
    context.unsupported("test_clock")
    return context.list(CUSTOMERS, {"email": context.params.get("email")})


def _check_default(context: Context, customer: str) -> None:
    """Refuse a payment method by default that the customer does not have."""
    named = (context.params.get("invoice_settings") or {}).get("default_payment_method")
    method = context.state.find("payment_method", named) if named else None
    if named and (method is None or method["customer"] != customer):
        raise InvalidParameterError(
            f"The customer does not have a payment method with the ID {named}. The payment method must be attached to "
            "the customer.",
            code="resource_missing",
            param="invoice_settings[default_payment_method]",
        )


def _changes(params: Mapping[str, Any], current: Object) -> dict[str, Any]:
    changes: dict[str, Any] = {name: params[name] or None for name in _TEXTS if name in params}
    for name in ("balance", "invoice_prefix", "next_invoice_sequence", "preferred_locales"):
        if name in params:
            changes[name] = params[name]
    if "tax_exempt" in params:
        changes["tax_exempt"] = params["tax_exempt"] or "none"
    if "address" in params:
        changes["address"] = _address(params["address"])
    if "shipping" in params:
        changes["shipping"] = _shipping(params["shipping"])
    if "invoice_settings" in params:
        given = {name: value or None for name, value in params["invoice_settings"].items()}
        changes["invoice_settings"] = {**current["invoice_settings"], **given}
    if "metadata" in params:
        changes["metadata"] = merged(current["metadata"], params["metadata"])
    return changes


def _address(given: Mapping[str, Any] | str) -> dict[str, Any] | None:
    return {name: given.get(name) or None for name in _ADDRESS} if isinstance(given, Mapping) else None


def _shipping(given: Mapping[str, Any] | str) -> dict[str, Any] | None:
    if not isinstance(given, Mapping):
        return None
    return {"address": _address(given["address"]), "name": given["name"], "phone": given.get("phone")}
