"""Tax IDs, also as customers have them.

https://docs.stripe.com/api/tax_ids, https://docs.stripe.com/api/customer_tax_ids
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, ResourceMissingError, UnsupportedError
from ..pricing.tax_ids import SELF, TAX_IDS, add_tax_id, owner_key, remove, verify
from ..routing import Routes
from ..values import Object

routes = Routes(TAX_IDS)
_PATH: Final = "/v1/tax_ids"
_OF_CUSTOMER: Final = "/v1/customers/{customer}/tax_ids"
_UNSUPPORTED_OWNERS: Final = frozenset({"application"})


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Give a tax ID to the account, unless another owner is named."""
    params = context.params
    return add_tax_id(context, params["type"], params["value"], _owner(context))


@routes.api("GET", _PATH + "/{tax_id}")
def retrieve(context: Context, tax_id: str) -> Object:
    """The tax ID as it stands, whoever has it."""
    return context.state.get(TAX_IDS, tax_id)


@routes.api("DELETE", _PATH + "/{tax_id}")
def delete(context: Context, tax_id: str) -> Object:
    """Forget a tax ID."""
    return remove(context, context.state.get(TAX_IDS, tax_id))


@routes.api("GET", _PATH)
def list_tax_ids(context: Context) -> Object:
    """Those of the account, or of the owner that is named, newest first."""
    return context.list(TAX_IDS, {"owner": owner_key(_owner(context))})


@routes.api("POST", _OF_CUSTOMER)
def create_of_customer(context: Context, customer: str) -> Object:
    """Give a customer a tax ID."""
    owner = {"customer": _existing(context, customer), "type": "customer"}
    return add_tax_id(context, context.params["type"], context.params["value"], owner)


@routes.api("GET", _OF_CUSTOMER + "/{tax_id}")
def retrieve_of_customer(context: Context, customer: str, tax_id: str) -> Object:
    """The customer's tax ID."""
    return _held(context, customer, tax_id)


@routes.api("DELETE", _OF_CUSTOMER + "/{tax_id}")
def delete_of_customer(context: Context, customer: str, tax_id: str) -> Object:
    """Take a tax ID away from a customer."""
    return remove(context, _held(context, customer, tax_id))


@routes.api("GET", _OF_CUSTOMER)
def list_of_customer(context: Context, customer: str) -> Object:
    """The customer's tax IDs, newest first."""
    return context.list(TAX_IDS, {"customer": _existing(context, customer)})


@routes.due("tax_id.verify")
def verify_in_time(context: Context, tax_id: str) -> None:
    """The authority answers, unless the tax ID is gone."""
    held = context.state.find(TAX_IDS, tax_id)
    if held:
        verify(context, held)


def _owner(context: Context) -> Mapping[str, Any]:
    owner: Mapping[str, Any] = context.params.get("owner") or SELF
    kind = owner["type"]
    if kind in _UNSUPPORTED_OWNERS or "customer_account" in owner:
        raise UnsupportedError(f"the owner {kind} of {context.path}")
    for name in ("account", "customer"):
        if (kind == name) != (name in owner):
            raise InvalidParameterError(
                f"`owner[{name}]` must be given with `owner[type]` `{name}`, and only then.",
                code="parameter_missing" if kind == name else None,
                param=f"owner[{name}]",
            )
    if kind != "self":
        _require(context, kind, owner[kind], f"owner[{kind}]")
    return owner


def _existing(context: Context, customer: str) -> str:
    _require(context, "customer", customer, "id")
    return customer


def _require(context: Context, noun: str, object_id: str, param: str) -> None:
    found = context.state.find(noun, object_id)
    if found is None or "deleted" in found:
        raise ResourceMissingError(noun, object_id, param=param)


def _held(context: Context, customer: str, tax_id: str) -> Object:
    held = context.state.get(TAX_IDS, tax_id)
    if held["customer"] != customer:
        raise ResourceMissingError("tax_id", tax_id)
    return held
