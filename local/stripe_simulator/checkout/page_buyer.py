"""The parts of the pay page that ask who buys: contact, addresses, tax ID, the shop's own fields, consent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..pages import Markup, fill, joined
from ..values import Object
from . import buyer

_FIELD: Final = """
<label for="{field}">{label}</label>
<input id="{field}" name="{field}" type="{kind}" value="{value}" autocomplete="{complete}"{more}>
"""
_SELECT: Final = """
<label for="{field}">{label}</label>
<select id="{field}" name="{field}">{options}</select>
"""
_CHOICE: Final = '<option value="{value}"{selected}>{label}</option>'
_CHECK: Final = """
<label class="choice"><input type="checkbox" name="{field}" value="yes"> <span>{label}</span></label>
"""
_PAIR: Final = '<div class="pair"><div>{left}</div><div>{right}</div></div>'
_HEADING: Final = "<h2>{text}</h2>"
_NOTE: Final = '<p class="soft">{text}</p>'
_TAX_ID_TYPES: Final = (
    *(("", "None"), ("au_abn", "Australia, ABN"), ("ca_bn", "Canada, BN"), ("eu_vat", "European Union, VAT")),
    *(("in_gst", "India, GST"), ("jp_trn", "Japan, TRN"), ("no_vat", "Norway, VAT"), ("nz_gst", "New Zealand, GST")),
    *(("ch_vat", "Switzerland, VAT"), ("gb_vat", "United Kingdom, VAT"), ("us_ein", "United States, EIN")),
)


def contact(context: Context, session: Object) -> Markup:
    """Everything about the buyer that the session asks for."""
    values = buyer.shown(context, session)
    fixed = bool(buyer.email_of_customer(context, session))
    parts = [
        fill(_HEADING, text="Contact"),
        _field("email", "E-mail", values, kind="email", complete="email", more=" readonly" if fixed else ""),
        _field("name", "Name", values, complete="name"),
    ]
    if session["phone_number_collection"]["enabled"]:
        parts.append(_field("phone", "Phone", values, kind="tel", complete="tel"))
    parts += _names(session, values)
    if session["tax_id_collection"]["enabled"]:
        is_needed = session["tax_id_collection"]["required"] == "if_supported"
        parts.append(_select("tax_id_type", "Kind of tax ID", _TAX_ID_TYPES, values["tax_id_type"]))
        parts.append(_field("tax_id", f"Tax ID{'' if is_needed else ', if you have one'}", values))
    if buyer.collects_address(session):
        parts += [fill(_HEADING, text="Billing address"), *_address("", "billing", values, ())]
    if buyer.collects_shipping(session):
        countries = session["shipping_address_collection"]["allowed_countries"]
        parts += [
            fill(_HEADING, text="Shipping address"),
            _message(session, "shipping_address"),
            _field("shipping_name", "Name", values, complete="shipping name"),
            *_address("shipping_", "shipping", values, countries),
        ]
    parts += [_custom(field, values) for field in session["custom_fields"]]
    return joined(each for each in parts if each)


def consent(session: Object) -> Markup:
    """What the buyer agrees to, right above the buttons."""
    asked = session["consent_collection"] or {}
    parts = []
    if asked.get("terms_of_service") == "required":
        text = session["custom_text"]["terms_of_service_acceptance"]
        parts.append(fill(_CHECK, field=buyer.TERMS_ACCEPTED, label=text["message"] if text else "I accept the terms."))
    if asked.get("promotions") == "auto":
        parts.append(fill(_CHECK, field="promotions", label="Keep me updated with news and offers."))
    if (session["saved_payment_method_options"] or {}).get("payment_method_save") == "enabled":
        parts.append(fill(_CHECK, field="save", label="Save my payment details for later."))
    return joined([*parts, _message(session, "submit")])


def after_submit(session: Object) -> Markup:
    """What the shop says below the buttons."""
    return _message(session, "after_submit")


def _message(session: Object, name: str) -> Markup:
    text = session["custom_text"][name]
    return fill(_NOTE, text=text["message"]) if text else Markup()


def _names(session: Object, values: Mapping[str, str]) -> list[Markup]:
    asked = session.get("name_collection", {})
    parts = []
    wants_business = asked.get("business", {}).get("enabled") or session["tax_id_collection"]["enabled"]
    if wants_business:
        parts.append(_field("business_name", "Business name", values, complete="organization"))
    if asked.get("individual", {}).get("enabled"):
        parts.append(_field("individual_name", "Full name", values, complete="name"))
    return parts


def _address(prefix: str, section: str, values: Mapping[str, str], countries: Sequence[str]) -> list[Markup]:
    country = f"{prefix}country"
    choices = [(code, code) for code in countries]
    where = (
        _select(country, "Country", choices, values[country])
        if countries
        else _field(country, "Country, two letters", values, complete=f"{section} country")
    )
    lines = {name: f"{section} {autofill}" for name, autofill in _AUTOFILL.items()}
    city = _field(f"{prefix}city", "City", values, complete=lines["city"])
    code = _field(f"{prefix}postal_code", "Postal code", values, complete=lines["postal_code"])
    return [
        where,
        _field(f"{prefix}line1", "Street and number", values, complete=lines["line1"]),
        _field(f"{prefix}line2", "Apartment, if any", values, complete=lines["line2"]),
        fill(_PAIR, left=city, right=code),
        _field(f"{prefix}state", "State or province, if any", values, complete=lines["state"]),
    ]


_AUTOFILL: Final = {
    "city": "address-level2",
    "line1": "address-line1",
    "line2": "address-line2",
    "postal_code": "postal-code",
    "state": "address-level1",
}


def _custom(field: Mapping[str, Any], values: Mapping[str, str]) -> Markup:
    name = f"custom_{field['key']}"
    label = f"{field['label']['custom']}{', if you like' if field['optional'] else ''}"
    if field["type"] == "dropdown":
        options = [("", ""), *((each["value"], each["label"]) for each in field["dropdown"]["options"])]
        return _select(name, label, options, values[name])
    return _field(name, label, values, more=' inputmode="numeric"' if field["type"] == "numeric" else "")


def _field(
    field: str, label: str, values: Mapping[str, str], *, kind: str = "text", complete: str = "off", more: str = ""
) -> Markup:
    return fill(_FIELD, field=field, label=label, kind=kind, value=values[field], complete=complete, more=Markup(more))


def _select(field: str, label: str, options: Sequence[tuple[str, str]], value: str) -> Markup:
    shown = joined(
        fill(_CHOICE, value=each, label=text, selected=Markup(" selected" if each == value else ""))
        for each, text in options
    )
    return fill(_SELECT, field=field, label=label, options=shown)
