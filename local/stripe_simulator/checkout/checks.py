"""What a Checkout Session is refused for before anything is made: parameters of other modes and other interfaces.

https://docs.stripe.com/api/checkout/sessions/create says for each parameter where it belongs.
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError

PAYMENT, SETUP, SUBSCRIPTION = "payment", "setup", "subscription"
HOSTED, EMBEDDED, ELEMENTS, FORM = "hosted_page", "embedded_page", "elements", "form"
NEVER: Final = "never"

_NOT_IN_MODE: Final[Mapping[str, tuple[str, ...]]] = {
    PAYMENT: ("payment_method_collection", "setup_intent_data", "subscription_data"),
    SETUP: (
        *("allow_promotion_codes", "automatic_tax", "discounts", "invoice_creation", "line_items", "optional_items"),
        *("payment_intent_data", "payment_method_collection", "saved_payment_method_options"),
        *("shipping_address_collection", "shipping_options", "submit_type", "subscription_data", "tax_id_collection"),
    ),
    SUBSCRIPTION: ("customer_creation", "invoice_creation", "payment_intent_data", "setup_intent_data"),
}
_NOT_IN_INTERFACE: Final[Mapping[str, tuple[str, ...]]] = {
    HOSTED: ("permissions", "redirect_on_completion", "return_url"),
    EMBEDDED: ("cancel_url", "success_url"),
    ELEMENTS: (
        *("after_expiration", "branding_settings", "cancel_url", "custom_fields", "custom_text", "optional_items"),
        *("origin_context", "redirect_on_completion", "submit_type", "success_url"),
    ),
    FORM: ("cancel_url", "optional_items", "permissions", "success_url"),
}
_EXCLUSIVE: Final = (
    ("customer", "customer_email"),
    ("customer", "customer_creation"),
    ("allow_promotion_codes", "discounts"),
)
_UNSUPPORTED: Final = ("customer_account", "payment_method_configuration")
_OFF_ONLY: Final = ("adaptive_pricing", "managed_payments")
_OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "card": frozenset(
        {"capture_method", "request_extended_authorization", "request_incremental_authorization"}
        | {"request_three_d_secure", "setup_future_usage"}
    ),
    "sepa_debit": frozenset({"setup_future_usage"}),
    "us_bank_account": frozenset({"setup_future_usage"}),
}


def check(context: Context) -> None:
    """Refuse what does not fit the mode, the interface, or the rest of the request.

    Raises:
        InvalidParameterError: with the parameter that is at fault.
        UnsupportedError: what Stripe does and the simulator does not.
    """
    params = context.params
    mode = params.get("mode")
    if mode is None:
        raise InvalidParameterError("Missing required param: mode.", code="parameter_missing", param="mode")
    interface = params.get("ui_mode", HOSTED)
    _check_supported(context)
    for name in _NOT_IN_MODE[mode]:
        if name in params:
            raise InvalidParameterError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    for name in _NOT_IN_INTERFACE[interface]:
        if name in params:
            raise InvalidParameterError(f"You can not pass `{name}` when `ui_mode` is `{interface}`.", param=name)
    for first, second in _EXCLUSIVE:
        if params.get(first) and second in params:
            raise InvalidParameterError(
                f"You may only specify one of these parameters: {first}, {second}.", param=first
            )
    _check_way_back(params, interface)
    _check_customer(params)


def _check_supported(context: Context) -> None:
    context.unsupported(*_UNSUPPORTED)
    for name in _OFF_ONLY:
        if context.params.get(name, {}).get("enabled"):
            context.unsupported(name)
    if context.params.get("invoice_creation", {}).get("enabled") and "shipping_options" in context.params:
        raise UnsupportedError("the invoice of a payment with shipping")
    for kind, chosen in context.params.get("payment_method_options", {}).items():
        for name in chosen:
            if name not in _OPTIONS.get(kind, ()):
                raise UnsupportedError(f"the parameter payment_method_options[{kind}][{name}] of {context.path}")


def _check_way_back(params: Mapping[str, Any], interface: str) -> None:
    """Where the buyer goes in the end: nowhere only from an embedded page that was told so."""
    redirects = params.get("redirect_on_completion")
    if interface == HOSTED:
        needed = "success_url"
    elif redirects == NEVER:
        if "return_url" in params:
            raise InvalidParameterError(
                "You can not pass `return_url` when `redirect_on_completion` is `never`.", param="return_url"
            )
        return
    else:
        needed = "return_url"
    if needed not in params and interface != ELEMENTS:
        raise InvalidParameterError(f"Missing required param: {needed}.", code="parameter_missing", param=needed)


def _check_customer(params: Mapping[str, Any]) -> None:
    """What is done with a customer needs one."""
    updates = params.get("customer_update", {})
    if updates and "customer" not in params:
        raise InvalidParameterError("`customer_update` can only be used with `customer`.", param="customer_update")
    if updates.get("shipping") == "auto" and "shipping_address_collection" not in params:
        raise InvalidParameterError(
            "`customer_update[shipping]` can only be `auto` together with `shipping_address_collection`.",
            param="customer_update[shipping]",
        )
    collects_tax_ids = params.get("tax_id_collection", {}).get("enabled")
    if collects_tax_ids and params.get("customer") and updates.get("name") != "auto":
        raise InvalidParameterError(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an "
            "existing customer, please set `customer_update[name]` to `auto`.",
            param="customer_update[name]",
        )
    if params.get("tax_id_collection", {}).get("required") and params.get("ui_mode") == ELEMENTS:
        raise InvalidParameterError(
            "You can not pass `tax_id_collection[required]` when `ui_mode` is `elements`.",
            param="tax_id_collection[required]",
        )
    saves = params.get("saved_payment_method_options", {}).get("payment_method_save") == "enabled"
    has_customer = params.get("customer") or params.get("customer_creation") == "always"
    if saves and params.get("mode") == PAYMENT and not has_customer:
        raise InvalidParameterError(
            "`saved_payment_method_options[payment_method_save]` needs a customer: set `customer`, or "
            "`customer_creation` to `always`.",
            param="saved_payment_method_options[payment_method_save]",
        )
