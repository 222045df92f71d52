"""Automatic tax of a session: who is liable, and where the buyer is, as far as that is known.

https://docs.stripe.com/tax/checkout
"""

from collections.abc import Mapping
from typing import Any

from .. import accounts
from ..context import Context
from ..errors import InvalidRequestError
from ..pricing import tax
from ..pricing.tax import TaxPlace
from ..pricing.tax_ids import numbers_of
from ..resources.customers import CUSTOMERS
from ..values import Object
from . import buyer


def asked(context: Context, params: Mapping[str, Any]) -> dict[str, Any]:
    """``automatic_tax`` of the session.

    Raises:
        InvalidRequestError: the liable account has not set up Stripe Tax, or the customer has no address and would not
            get one.
    """
    given = params.get("automatic_tax", {"enabled": False})
    if not given["enabled"]:
        return {"enabled": False, "liability": None, "provider": None, "status": None}
    liability = {"type": "self", **given.get("liability", {})}
    if "account" in liability:
        accounts.check_connected(context, liability["account"], "automatic_tax[liability][account]")
    tax.require_ready(context, liability.get("account", context.account))
    _require_address(context, params)
    return {"enabled": True, "liability": liability, "provider": "stripe", "status": None}


def place_known(context: Context, session: Object) -> TaxPlace | None:
    """Where tax is due by what is known without the buyer's page: what he entered before, or his address on file."""
    entered = session["_entered"] if _is_asked_for(session) else {}
    prefix = _prefix(session)
    address = {name: entered.get(f"{prefix}{name}") for name in buyer.ADDRESS}
    return _place(context, session, address if address["country"] else _on_file(context, session))


def place_shown(context: Context, session: Object) -> TaxPlace | None:
    """Where tax is due by what stands on the page."""
    values = buyer.shown(context, session)
    if not _is_asked_for(session):
        return place_known(context, session)
    prefix = _prefix(session)
    return _place(context, session, {name: values.get(f"{prefix}{name}") for name in buyer.ADDRESS})


def check_located(session: Object) -> None:
    """Refuse to complete an order whose tax nobody knows.

    Raises:
        InvalidRequestError: the address is not enough.
    """
    if session["automatic_tax"]["status"] == "requires_location_inputs":
        raise InvalidRequestError(
            "We could not determine the tax for this address. Please complete it.",
            code="customer_tax_location_invalid",
            param="country",
        )


def _is_asked_for(session: Object) -> bool:
    """Whether tax follows what the page asks for: not that of a customer whose address stays as it is.

    https://docs.stripe.com/tax/checkout/page
    """
    kind = "shipping" if session["shipping_address_collection"] else "address"
    is_new = session["customer_creation"] is not None
    asks = buyer.collects_address(session) or session["shipping_address_collection"] is not None
    return asks and (is_new or session["_customer_update"][kind] == "auto")


def _prefix(session: Object) -> str:
    return "shipping_" if session["shipping_address_collection"] else ""


def _place(context: Context, session: Object, address: Mapping[str, Any]) -> TaxPlace | None:
    asked_for = session["automatic_tax"]
    if not asked_for["enabled"]:
        return None
    customer = context.state.find(CUSTOMERS, session["customer"]) if session["customer"] else None
    kind, value = (session["_entered"].get(name) for name in ("tax_id_type", "tax_id"))
    held = numbers_of(context.state, customer["id"]) if customer else []
    return TaxPlace(
        address={**address, "country": (address.get("country") or "").upper()},
        liable=asked_for["liability"].get("account", context.account),
        tax_ids=[*held, (kind, value)] if kind and value else held,
        tax_exempt=(customer or {}).get("tax_exempt") or "none",
    )


def _on_file(context: Context, session: Object) -> Mapping[str, Any]:
    """Where the customer has things sent, or lives."""
    customer = context.state.find(CUSTOMERS, session["customer"]) if session["customer"] else None
    known = customer or {}
    return (known.get("shipping") or {}).get("address") or known.get("address") or {}


def _require_address(context: Context, params: Mapping[str, Any]) -> None:
    if "customer" not in params:
        return
    updates = params.get("customer_update", {})
    known = _on_file(context, {"customer": params["customer"]})
    if not known.get("country") and "auto" not in (updates.get("address"), updates.get("shipping")):
        raise InvalidRequestError(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to "
            "the Customer or set either `customer_update[address]` to 'auto' or `customer_update[shipping]` to 'auto' "
            "to save the address entered in Checkout to the Customer.",
            code="customer_tax_location_invalid",
            param="customer_update",
        )
