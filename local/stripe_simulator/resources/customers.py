"""Customers: who pays. https://docs.stripe.com/api/customers"""

import string
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..invoices.balance import adjust
from ..invoices.moments import BY_CLOCK, NO_CLOCK
from ..lists import DEFAULT_LIMIT, list_object
from ..metadata import merged
from ..pricing import tax
from ..pricing.tax_ids import TAX_IDS, add_tax_id
from ..routing import Routes
from ..shelves import Collection
from ..state import State, public
from ..values import Object


def _tax_ids(state: State, customer: Object) -> Object:
    """The newest of them."""
    found = list(islice(state.select(TAX_IDS, {"customer": customer["id"]}), DEFAULT_LIMIT + 1))
    shown = [public(held) for held in found[:DEFAULT_LIMIT]]
    return list_object(shown, f"/v1/customers/{customer['id']}/tax_ids", has_more=len(found) > DEFAULT_LIMIT)


def _subscriptions_of(state: State, customer: Object) -> Object:
    """Those that go on, the newest of them."""
    found = state.collection_of("subscription")
    where = {"customer": customer["id"], "_running": True}
    running = list(islice(state.select(found, where), DEFAULT_LIMIT + 1)) if found else []
    shown = [public(each) for each in running[:DEFAULT_LIMIT]]
    return list_object(shown, f"/v1/customers/{customer['id']}/subscriptions", has_more=len(running) > DEFAULT_LIMIT)


CUSTOMERS: Final = Collection(
    "customer",
    path="/v1/customers",
    indexes=("email", BY_CLOCK),
    expands={
        "default_source": "source",
        "invoice_settings.default_payment_method": "payment_method",
        "sources": lambda _state, customer: list_object([], f"/v1/customers/{customer['id']}/sources"),
        "subscriptions": _subscriptions_of,
        "test_clock": "test_helpers.test_clock",
        "tax": tax.of_customer,
        "tax_ids": _tax_ids,
    },
    found_anywhere=True,
)
routes = Routes(CUSTOMERS)
_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
_TEXTS: Final = ("business_name", "description", "email", "individual_name", "name", "phone")
_ABSENT_WHEN_EMPTY: Final = ("business_name", "individual_name")
_UNSUPPORTED: Final = ("cash_balance", "payment_method", "source", "default_source")
_INVOICE_SETTINGS: Final = ("custom_fields", "default_payment_method", "footer", "rendering_options")
_PREFIX_LENGTH: Final = 8
_ends: Final[list[Callable[[Context, Object], None]]] = []


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
    clock = context.params.get("test_clock")
    if clock and context.state.find("test_helpers.test_clock", clock) is None:
        raise InvalidParameterError(f"No such test clock: '{clock}'", code="resource_missing", param="test_clock")
    blank["test_clock"] = clock
    customer = context.state.insert(CUSTOMERS, _without_empty({**blank, **_changes(context.params, blank)}))
    customer = _with_balance(context, customer, "initial")
    _check_default(context, customer["id"])
    _check_location(context, customer)
    context.emit("customer.created", customer)
    owner = {"customer": customer["id"], "type": "customer"}
    for position, held in enumerate(context.params.get("tax_id_data") or ()):
        add_tax_id(context, held["type"], held["value"], owner, param=f"tax_id_data[{position}][value]")
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
    asked = context.params.get("balance", before["balance"])
    if asked == before["balance"] and all(before.get(name) == value for name, value in changes.items()):
        return before
    after = context.state.replace(CUSTOMERS, _without_empty({**before, **changes}))
    after = _with_balance(context, after, "adjustment")
    _check_location(context, after)
    context.emit("customer.updated", after, previous=before)
    return after


@routes.api("DELETE", "/v1/customers/{customer}")
def delete(context: Context, customer: str) -> Object:
    """Delete a customer for good; a stub stays, so that what refers to it can still be read."""
    before = context.state.get(CUSTOMERS, customer)
    return before if "deleted" in before else remove(context, before)


@routes.api("GET", "/v1/customers")
def list_customers(context: Context) -> Object:
    """Customers, newest first: those of a test clock, or those of none."""
    params = context.params
    return context.list(CUSTOMERS, {"email": params.get("email"), "test_clock": params.get("test_clock") or NO_CLOCK})


def before_deletion(end: Callable[[Context, Object], None]) -> Callable[[Context, Object], None]:
    """Let a function end what goes on only with its customer."""
    _ends.append(end)
    return end


def remove(context: Context, customer: Object) -> Object:
    """Delete a customer; gives the stub that is left of it."""
    for end in _ends:
        end(context, customer)
    current = context.state.get(CUSTOMERS, customer["id"])
    stub = context.state.replace(CUSTOMERS, {"id": customer["id"], "object": "customer", "deleted": True})
    context.emit("customer.deleted", current)
    return stub


def _with_balance(context: Context, customer: Object, kind: str) -> Object:
    """The customer with the balance that was asked for, and the entry that says so."""
    change = context.params.get("balance", customer["balance"]) - customer["balance"]
    if change:
        currency = customer["currency"] or context.settings.default_currency
        adjust(context, customer, change, currency, kind, tells=False)
    return context.state.get(CUSTOMERS, customer["id"])


def _without_empty(customer: Object) -> Object:
    return {name: value for name, value in customer.items() if value is not None or name not in _ABSENT_WHEN_EMPTY}


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


def _check_location(context: Context, customer: Object) -> None:
    """Refuse an address that says too little for tax, where that is to be known at once."""
    asked = context.params.get("tax") or {}
    if asked.get("validate_location") != "immediately":
        return
    if tax.of_customer(context.state, customer)["automatic_tax"] == "unrecognized_location":
        raise InvalidParameterError(
            "The customer's location isn't recognized. Set a valid customer address in order to automatically "
            "calculate tax.",
            code="customer_tax_location_invalid",
            param="address",
        )


def _changes(params: Mapping[str, Any], current: Object) -> dict[str, Any]:
    changes: dict[str, Any] = {name: params[name] or None for name in _TEXTS if name in params}
    for name in ("invoice_prefix", "next_invoice_sequence", "preferred_locales"):
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
    if "ip_address" in params.get("tax", {}):
        changes["_ip_address"] = params["tax"]["ip_address"] or None
    if "metadata" in params:
        changes["metadata"] = merged(current["metadata"], params["metadata"])
    return changes


def _address(given: Mapping[str, Any] | str) -> dict[str, Any] | None:
    return {name: given.get(name) or None for name in _ADDRESS} if isinstance(given, Mapping) else None


def _shipping(given: Mapping[str, Any] | str) -> dict[str, Any] | None:
    if not isinstance(given, Mapping):
        return None
    return {"address": _address(given["address"]), "name": given["name"], "phone": given.get("phone")}
