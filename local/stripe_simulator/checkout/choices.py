"""What a session says of the request that made it: everything that the page shows or asks for beyond the order."""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..funds.terms import customer_of
from ..metadata import merged
from .checks import SETUP, SUBSCRIPTION

MAXIMUM_CUSTOM_FIELDS: Final = 3
MAXIMUM_MESSAGE: Final = 1_200
_MAXIMUM_LABEL: Final = 50
_MAXIMUM_KEY: Final = 200
_MAXIMUM_VALUE: Final = 255
_MAXIMUM_OPTIONS: Final = 200
_KEPT_AS_GIVEN: Final = (
    *("allowed_payment_method_types", "billing_address_collection", "client_reference_id", "integration_identifier"),
    *("locale", "origin_context", "permissions", "submit_type"),
)
_NO_UPDATE: Final = dict.fromkeys(("address", "name", "shipping"), "never")
_TEXTS: Final = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_BRANDING: Final = {
    "background_color": "#ffffff",
    "border_style": "rounded",
    "button_color": "#0074d4",
    "display_name": "",
    "font_family": "default",
    "icon": None,
    "logo": None,
}


def of_request(context: Context, params: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the session that repeat what was asked for, with Stripe's defaults."""
    mode = params["mode"]
    return {
        **{name: params.get(name) for name in _KEPT_AS_GIVEN},
        "adaptive_pricing": {"enabled": False},
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "branding_settings": {**_BRANDING, **params.get("branding_settings", {})},
        "consent": None,
        "consent_collection": _consent(params.get("consent_collection")),
        "custom_fields": _custom_fields(params.get("custom_fields", ())),
        "custom_text": _custom_text(params.get("custom_text") or {}),
        "invoice_creation": None if mode != "payment" else invoice_creation(params.get("invoice_creation") or {}),
        "payment_method_collection": params.get("payment_method_collection", "always")
        if mode in (SETUP, SUBSCRIPTION)
        else "if_required",
        "payment_method_options": _method_options(params),
        "phone_number_collection": {"enabled": params.get("phone_number_collection", {}).get("enabled", False)},
        "saved_payment_method_options": _saved_methods(params),
        "shipping_address_collection": params.get("shipping_address_collection"),
        "tax_id_collection": {
            "enabled": params.get("tax_id_collection", {}).get("enabled", False),
            "required": params.get("tax_id_collection", {}).get("required", "never"),
        },
        "wallet_options": params.get("wallet_options"),
        **_names(params),
        **_excluded(params),
        **customer(context, params),
    }


def invoice_creation(given: Mapping[str, Any]) -> dict[str, Any]:
    """Whether there will be an invoice of a payment, and what it says."""
    blank = dict.fromkeys(("account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options"))
    data = {name: value or None for name, value in given.get("invoice_data", {}).items()}
    invoice_data = {**blank, **data, "metadata": merged({}, data.get("metadata"))}
    return {"enabled": given.get("enabled", False), "invoice_data": invoice_data}


def customer(context: Context, params: Mapping[str, Any]) -> dict[str, Any]:
    """Who buys, as far as it is known before he comes."""
    named, email = customer_of(context, params), params.get("customer_email")
    creates = params.get("customer_creation", "if_required")
    if params["mode"] == SUBSCRIPTION:
        creates = "always"
    return {
        "customer": named,
        "customer_creation": None if named else creates,
        "customer_details": {**blank_details(), "email": email} if email else None,
        "customer_email": email,
        "_customer_update": {**_NO_UPDATE, **params.get("customer_update", {})},
    }


def blank_details() -> dict[str, Any]:
    """``customer_details`` of somebody of whom nothing is known."""
    texts = dict.fromkeys(("address", "business_name", "email", "individual_name", "name", "phone"))
    return {**texts, "tax_exempt": "none", "tax_ids": None}


def _excluded(params: Mapping[str, Any]) -> dict[str, Any]:
    excluded = params.get("excluded_payment_method_types")
    return {"excluded_payment_method_types": excluded} if excluded else {}


def _consent(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    return {name: given.get(name) for name in ("payment_method_reuse_agreement", "promotions", "terms_of_service")}


def _custom_text(given: Mapping[str, Any]) -> dict[str, Any]:
    for name, text in given.items():
        if text and len(text["message"]) > MAXIMUM_MESSAGE:
            raise InvalidParameterError(
                f"Custom text can be up to {MAXIMUM_MESSAGE} characters in length.",
                param=f"custom_text[{name}][message]",
            )
    return {name: given.get(name) or None for name in _TEXTS}


def _names(params: Mapping[str, Any]) -> dict[str, Any]:
    if "name_collection" not in params:
        return {}
    given = params["name_collection"]
    asked = {
        name: {"enabled": each["enabled"], "optional": each.get("optional", False)} for name, each in given.items()
    }
    return {"name_collection": asked}


def _saved_methods(params: Mapping[str, Any]) -> dict[str, Any] | None:
    if params["mode"] == SETUP:
        return None
    given = params.get("saved_payment_method_options", {})
    return {
        "allow_redisplay_filters": given.get("allow_redisplay_filters", ["always"]),
        "payment_method_remove": given.get("payment_method_remove", "disabled"),
        "payment_method_save": given.get("payment_method_save", "disabled"),
    }


def _method_options(params: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"card": {"request_three_d_secure": "automatic"}}
    for kind, chosen in params.get("payment_method_options", {}).items():
        shown[kind] = {**shown.get(kind, {}), **chosen}
    return shown


def _custom_fields(given: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if len(given) > MAXIMUM_CUSTOM_FIELDS:
        raise InvalidParameterError(f"You can have up to {MAXIMUM_CUSTOM_FIELDS} custom fields.", param="custom_fields")
    keys = [each["key"] for each in given]
    if len(set(keys)) < len(keys):
        raise InvalidParameterError("The keys of custom fields must be unique.", param="custom_fields")
    return [_custom_field(each, f"custom_fields[{position}]") for position, each in enumerate(given)]


def _custom_field(given: Mapping[str, Any], param: str) -> dict[str, Any]:
    kind, key, label = given["type"], given["key"], given["label"]
    if not (key.isalnum() and key.isascii() and len(key) <= _MAXIMUM_KEY):
        raise InvalidParameterError(
            f"A custom field's key is alphanumeric and has up to {_MAXIMUM_KEY} characters.", param=f"{param}[key]"
        )
    if len(label["custom"]) > _MAXIMUM_LABEL:
        raise InvalidParameterError(
            f"A custom field's label has up to {_MAXIMUM_LABEL} characters.", param=f"{param}[label][custom]"
        )
    details: Mapping[str, Any] = given.get(kind, {})
    field = {"key": key, "label": label, "optional": given.get("optional", False), "type": kind}
    if kind == "dropdown":
        return {**field, kind: _dropdown(details, param)}
    bounds = {name: details.get(name) for name in ("maximum_length", "minimum_length")}
    for name, bound in bounds.items():
        if bound is not None and not 1 <= bound <= _MAXIMUM_VALUE:
            raise InvalidParameterError(
                f"This value must be from 1 to {_MAXIMUM_VALUE}.", param=f"{param}[{kind}][{name}]"
            )
    return {**field, kind: {"default_value": details.get("default_value"), **bounds, "value": None}}


def _dropdown(details: Mapping[str, Any], param: str) -> dict[str, Any]:
    options = details.get("options", ())
    if not 1 <= len(options) <= _MAXIMUM_OPTIONS:
        raise InvalidParameterError(
            f"A dropdown has from 1 to {_MAXIMUM_OPTIONS} options.", param=f"{param}[dropdown][options]"
        )
    default = details.get("default_value")
    if default is not None and default not in [each["value"] for each in options]:
        raise InvalidParameterError(
            "The default value must be that of one of the options.", param=f"{param}[dropdown][default_value]"
        )
    return {"default_value": default, "options": list(options), "value": None}
