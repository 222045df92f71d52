"""What the buyer says of himself on the page: which fields it has, what stands in them, and what is made of them.

A field that a script leaves out counts as the page shows it, so that a card number is enough to pay.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..context import Context
from ..errors import InvalidParameterError
from ..pages import text_of
from ..pricing.tax_id_formats import is_well_formed
from ..resources.customers import CUSTOMERS
from ..values import Object
from . import choices
from .checks import SETUP

ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
USUAL_EMAIL: Final = "buyer@example.test"
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_USUAL: Final = {
    "name": "Jenny Rosen",
    "phone": "+12015550123",
    "business_name": "",
    "individual_name": "Jenny Rosen",
    "tax_id": "",
    "tax_id_type": "",
}
_USUAL_ADDRESSES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "US": ("354 Oyster Point Blvd", "South San Francisco", "94080", "CA"),
    "GB": ("1 High Street", "London", "SW1A 1AA", ""),
    "DE": ("Hauptstrasse 1", "Berlin", "10115", ""),
    "CA": ("1 King Street", "Toronto", "M5H 1A1", "ON"),
}
_ANYWHERE: Final = ("1 Main Street", "Anytown", "10000", "")
_REQUIRED_OF_ADDRESSES: Final = ("line1", "country")
TERMS_ACCEPTED: Final = "terms_of_service"


class Buyer(NamedTuple):
    """A buyer whose entries make sense."""

    email: str
    name: str | None
    phone: str | None
    address: dict[str, Any] | None
    shipping: dict[str, Any] | None  # name and address
    business_name: str | None
    individual_name: str | None
    tax_ids: list[dict[str, str]]
    fields: list[dict[str, Any]]  # the custom fields, with values
    consent: dict[str, Any] | None


def email_of_customer(context: Context, session: Object) -> str | None:
    """The e-mail of the session's customer, which the buyer cannot change."""
    customer = context.state.find(CUSTOMERS, session["customer"]) if session["customer"] else None
    return customer.get("email") if customer else session["customer_email"]


def collects_address(session: Object) -> bool:
    """Whether the page asks for a billing address: because it must, or because tax depends on it."""
    taxed = session["automatic_tax"]["enabled"] and not session["shipping_address_collection"]
    return bool(session["billing_address_collection"] == "required" or taxed)


def collects_shipping(session: Object) -> bool:
    """Whether the page asks where to send the order."""
    permitted = (session["permissions"] or {}).get("update_shipping_details") != "server_only"
    return session["shipping_address_collection"] is not None and permitted


def shown(context: Context, session: Object) -> dict[str, str]:
    """What stands in the fields of the page: what was entered before, what is known of him, or usual values."""
    customer = context.state.find(CUSTOMERS, session["customer"]) if session["customer"] else None
    known = _of_customer(customer) if customer and "deleted" not in customer else {}
    country = known.get("country") or "US"
    values = {"email": USUAL_EMAIL, **_USUAL, **_usual_address("", country)}
    if session["shipping_address_collection"]:
        allowed = session["shipping_address_collection"]["allowed_countries"]
        values |= {
            "shipping_name": _USUAL["name"],
            **_usual_address("shipping_", "US" if "US" in allowed else allowed[0]),
        }
    for field in session["custom_fields"]:
        values[f"custom_{field['key']}"] = field[field["type"]]["default_value"] or ""
    values |= {name: value for name, value in known.items() if value}
    fixed = email_of_customer(context, session)
    return {**values, **session["_entered"], **({"email": fixed} if fixed else {})}


def entered(session: Object, fields: Mapping[str, Any]) -> dict[str, str]:
    """What the buyer has entered so far, with a form that was sent now."""
    names = {"email", *_USUAL, *(f"{prefix}{name}" for prefix in ("", "shipping_") for name in ADDRESS)}
    names |= {"shipping_name", *(f"custom_{field['key']}" for field in session["custom_fields"])}
    return {**session["_entered"], **{name: text_of(fields, name) for name in names if name in fields}}


def read(context: Context, session: Object, fields: Mapping[str, Any]) -> Buyer:
    """The buyer, as the fields of the page stand once the form was sent.

    Raises:
        InvalidParameterError: something that is asked for is missing, or makes no sense.
    """
    values = shown(context, {**session, "_entered": entered(session, fields)})
    if not _EMAIL.fullmatch(values["email"]):
        raise InvalidParameterError("Your email is invalid.", code="email_invalid", param="email")
    asks_phone = session["phone_number_collection"]["enabled"]
    if asks_phone and not values["phone"]:
        raise InvalidParameterError("Your phone number is incomplete.", param="phone")
    names = {name: _collected_name(session, name, values) for name in ("business_name", "individual_name")}
    tax_ids = _tax_ids(session, values)
    return Buyer(
        email=values["email"],
        name=names["business_name"] or names["individual_name"] or values["name"] or None,
        phone=values["phone"] if asks_phone else None,
        address=_address(values, "") if collects_address(session) else None,
        shipping=_shipping(session, values),
        **names,
        tax_ids=tax_ids,
        fields=[_filled(field, values[f"custom_{field['key']}"]) for field in session["custom_fields"]],
        consent=_consent(session, fields),
    )


def details_of(session: Object, buyer: Buyer) -> dict[str, Any]:
    """The members of the session that say who bought."""
    exempt = (session["customer_details"] or {}).get("tax_exempt") or "none"
    details = {
        **choices.blank_details(),
        "address": None if session["mode"] == SETUP else buyer.address,
        "business_name": buyer.business_name,
        "email": buyer.email,
        "individual_name": buyer.individual_name,
        "name": buyer.name,
        "phone": buyer.phone,
        "tax_exempt": exempt,
        "tax_ids": buyer.tax_ids if session["tax_id_collection"]["enabled"] else None,
    }
    members: dict[str, Any] = {"customer_details": details, "custom_fields": buyer.fields, "consent": buyer.consent}
    before = session["collected_information"]
    collected = {
        "business_name": buyer.business_name,
        "individual_name": buyer.individual_name,
        "shipping_details": buyer.shipping or (before or {}).get("shipping_details"),
    }
    if any(collected.values()):
        members["collected_information"] = collected
    return members


def _of_customer(customer: Object) -> dict[str, str]:
    known = {name: customer[name] for name in ("email", "name", "phone") if customer[name]}
    known |= {name: value for name, value in (customer["address"] or {}).items() if value}
    shipping = customer["shipping"]
    if shipping:
        known["shipping_name"] = shipping["name"]
        known |= {f"shipping_{name}": value for name, value in (shipping["address"] or {}).items() if value}
    return known


def _usual_address(prefix: str, country: str) -> dict[str, str]:
    line1, city, postal_code, state = _USUAL_ADDRESSES.get(country, _ANYWHERE)
    address = {"line1": line1, "line2": "", "city": city, "postal_code": postal_code, "state": state}
    return {f"{prefix}{name}": value for name, value in {**address, "country": country}.items()}


def _address(values: Mapping[str, str], prefix: str) -> dict[str, Any]:
    address = {name: values[f"{prefix}{name}"] or None for name in ADDRESS}
    for name in _REQUIRED_OF_ADDRESSES:
        if not address[name]:
            raise InvalidParameterError("Your address is incomplete.", param=f"{prefix}{name}")
    address["country"] = str(address["country"]).upper()
    return address


def _shipping(session: Object, values: Mapping[str, str]) -> dict[str, Any] | None:
    if not collects_shipping(session):
        return None
    address = _address(values, "shipping_")
    if address["country"] not in session["shipping_address_collection"]["allowed_countries"]:
        raise InvalidParameterError("We do not ship to this country.", param="shipping_country")
    if not values["shipping_name"]:
        raise InvalidParameterError("Your name is incomplete.", param="shipping_name")
    return {"address": address, "name": values["shipping_name"]}


def _collected_name(session: Object, name: str, values: Mapping[str, str]) -> str | None:
    asked = session.get("name_collection", {}).get(name.removesuffix("_name"), {"enabled": False})
    if asked["enabled"] and not asked["optional"] and not values[name]:
        raise InvalidParameterError("Your name is incomplete.", param=name)
    has_tax_id = name == "business_name" and session["tax_id_collection"]["enabled"]
    return values[name] or None if asked["enabled"] or has_tax_id else None


def _tax_ids(session: Object, values: Mapping[str, str]) -> list[dict[str, str]]:
    asked = session["tax_id_collection"]
    if not asked["enabled"]:
        return []
    if values["tax_id"] and values["tax_id_type"]:
        if not is_well_formed(values["tax_id_type"], values["tax_id"]):
            raise InvalidParameterError("Your tax ID is invalid.", code="tax_id_invalid", param="tax_id")
        return [{"type": values["tax_id_type"], "value": values["tax_id"]}]
    if values["tax_id"] or asked["required"] == "if_supported":
        raise InvalidParameterError("Your tax ID is incomplete.", code="tax_id_invalid", param="tax_id")
    return []


def _filled(field: Mapping[str, Any], value: str) -> dict[str, Any]:
    kind, details = field["type"], field[field["type"]]
    param = f"custom_{field['key']}"
    if not value and not field["optional"]:
        raise InvalidParameterError(f"{field['label']['custom']} is incomplete.", param=param)
    least, most = details.get("minimum_length"), details.get("maximum_length")
    is_short, is_long = least is not None and len(value) < least, most is not None and len(value) > most
    is_wrong = kind == "numeric" and not (value.isascii() and value.isdecimal())
    if kind == "dropdown":
        is_wrong = value not in [each["value"] for each in details["options"]]
    if value and (is_short or is_long or is_wrong):
        raise InvalidParameterError(f"{field['label']['custom']} is invalid.", param=param)
    return {**field, kind: {**details, "value": value or None}}


def _consent(session: Object, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    asked = session["consent_collection"]
    if asked is None:
        return None
    needs_terms = asked["terms_of_service"] == "required"
    if needs_terms and not text_of(fields, TERMS_ACCEPTED):
        raise InvalidParameterError("You must accept the terms of service to continue.", param=TERMS_ACCEPTED)
    promotions = None
    if asked["promotions"] == "auto":
        promotions = "opt_in" if text_of(fields, "promotions") else "opt_out"
    return {"promotions": promotions, "terms_of_service": "accepted" if needs_terms else None}
