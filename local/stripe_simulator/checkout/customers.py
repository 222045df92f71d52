"""The customer of a session: made of what the buyer says, or told what is new of him."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..context import Context
from ..pricing.tax_ids import TAX_IDS, add_tax_id
from ..resources import customers
from ..resources.customers import CUSTOMERS
from ..values import Object
from . import buyer
from .buyer import Buyer
from .sessions import SESSIONS


def know(context: Context, session: Object, who: Buyer) -> Object:
    """The session with what is known of the buyer, and with a customer made of it where one is asked for."""
    members = buyer.details_of(session, who)
    is_saved = session["_intent"].get("setup_future_usage")
    is_billed = (session["invoice_creation"] or {}).get("enabled")
    if session["customer"] is None and (session["customer_creation"] == "always" or is_saved or is_billed):
        members["customer"] = customers.create(replace(context, params=_described(who)))["id"]
    return context.state.update(SESSIONS, session, members)


def update(context: Context, session: Object) -> None:
    """Save to the customer who was named what the session may save, now that it is complete."""
    customer = context.state.find(CUSTOMERS, session["customer"]) if session["customer"] else None
    if customer is None or "deleted" in customer:
        return
    details, allowed = session["customer_details"], session["_customer_update"]
    changes: dict[str, Any] = {}
    if not customer["email"]:
        changes["email"] = details["email"]
    if allowed["name"] == "auto" and details["name"]:
        changes["name"] = details["name"]
    if allowed["address"] == "auto" and details["address"]:
        changes["address"] = details["address"]
    shipping = (session["collected_information"] or {}).get("shipping_details")
    if allowed["shipping"] == "auto" and shipping:
        changes["shipping"] = {**shipping, "phone": details["phone"]}
    if details["phone"] and not customer["phone"]:
        changes["phone"] = details["phone"]
    if changes:
        customers.update(replace(context, params=changes), customer["id"])
    _keep_tax_ids(context, customer, details["tax_ids"] or ())


def _keep_tax_ids(context: Context, customer: Object, given: Sequence[Mapping[str, str]]) -> None:
    """Save the tax IDs that the customer does not have yet."""
    held = {(each["type"], each["value"]) for each in context.state.select(TAX_IDS, {"customer": customer["id"]})}
    for each in given:
        if (each["type"], each["value"]) not in held:
            add_tax_id(context, each["type"], each["value"], {"type": "customer", "customer": customer["id"]})


def _described(who: Buyer) -> dict[str, Any]:
    known = {"email": who.email, "name": who.name, "phone": who.phone, "address": who.address}
    described = {name: value for name, value in known.items() if value}
    if who.shipping:
        described["shipping"] = {**who.shipping, **({"phone": who.phone} if who.phone else {})}
    return described
