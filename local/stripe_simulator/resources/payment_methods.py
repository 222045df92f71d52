"""Payment methods. https://docs.stripe.com/api/payment_methods"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import CardError, InvalidParameterError, UnsupportedError
from ..funds import methods
from ..funds.methods import PAYMENT_METHODS
from ..lists import page
from ..metadata import merged
from ..routing import Routes
from ..setups import mandates
from ..values import Object
from .customers import CUSTOMERS

routes = Routes(PAYMENT_METHODS)
_KINDS: Final = ("card", "us_bank_account", "sepa_debit")
_FILTERS: Final = ("customer", "type", "allow_redisplay")


def from_data(context: Context, data: Mapping[str, Any]) -> Object:
    """A payment method from its own parameters or from ``payment_method_data``.

    Raises:
        InvalidParameterError: the details of its type are missing.
        UnsupportedError: a type that the simulator does not know.
    """
    kind = data.get("type")
    if kind not in _KINDS:
        raise UnsupportedError(f"payment methods of the type {kind}")
    details = data.get(kind)
    if not details:
        raise InvalidParameterError(f"Missing required param: {kind}.", code="parameter_missing", param=kind)
    method = _BY_KIND[kind](context, details, data.get("billing_details"))
    given = {"metadata": merged({}, data.get("metadata"))}
    if "allow_redisplay" in data:
        given["allow_redisplay"] = data["allow_redisplay"]
    return context.state.update(PAYMENT_METHODS, method, given)


def find(context: Context, name: str) -> Object:
    """A stored payment method, or a new one by the name of a test value.

    Raises:
        InvalidRequestError: there is none.
    """
    return context.state.find(PAYMENT_METHODS, name) or methods.named(context, name)


def _card(context: Context, details: Mapping[str, Any], billing: Mapping[str, Any] | None) -> Object:
    if "token" in details:
        named = methods.named(context, details["token"])
        return context.state.update(PAYMENT_METHODS, named, {"billing_details": methods.billing(billing)})
    for name in ("number", "exp_month", "exp_year"):
        if name not in details:
            missing = f"card[{name}]"
            raise InvalidParameterError(f"Missing required param: {missing}.", code="parameter_missing", param=missing)
    return methods.card(
        context,
        number=details["number"],
        exp_month=details["exp_month"],
        exp_year=details["exp_year"],
        cvc=details.get("cvc"),
        billing_details=billing,
    )


def _us_bank_account(context: Context, details: Mapping[str, Any], billing: Mapping[str, Any] | None) -> Object:
    return methods.us_bank_account(
        context,
        account_number=details.get("account_number", ""),
        routing_number=details.get("routing_number", ""),
        holder_type=details.get("account_holder_type", "individual"),
        account_type=details.get("account_type", "checking"),
        billing_details=billing,
    )


def _sepa_debit(context: Context, details: Mapping[str, Any], billing: Mapping[str, Any] | None) -> Object:
    return methods.sepa_debit(context, iban=details["iban"], billing_details=billing)


_BY_KIND: Final = {"card": _card, "us_bank_account": _us_bank_account, "sepa_debit": _sepa_debit}


@routes.api("POST", "/v1/payment_methods")
def create(context: Context) -> Object:
    """Create a payment method from a test value."""
    context.unsupported("customer", "payment_method", "radar_options")
    return from_data(context, context.params)


@routes.api("GET", "/v1/payment_methods/{payment_method}")
def retrieve(context: Context, payment_method: str) -> Object:
    """The payment method as it stands."""
    return context.state.get(PAYMENT_METHODS, payment_method)


@routes.api("POST", "/v1/payment_methods/{payment_method}")
def update(context: Context, payment_method: str) -> Object:
    """Change billing details, metadata, or whether it may be shown again."""
    context.unsupported("card", "us_bank_account")
    before = context.state.get(PAYMENT_METHODS, payment_method)
    params = context.params
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], params.get("metadata"))}
    if "allow_redisplay" in params:
        changes["allow_redisplay"] = params["allow_redisplay"]
    if "billing_details" in params:
        changes["billing_details"] = methods.billing({**before["billing_details"], **params["billing_details"]})
    after = context.state.update(PAYMENT_METHODS, before, changes)
    if before["customer"] and after != before:
        context.emit("payment_method.updated", after, previous=before)
    return after


@routes.api("POST", "/v1/payment_methods/{payment_method}/attach")
def attach(context: Context, payment_method: str) -> Object:
    """Let a customer have it; the name of a test value makes a new one."""
    context.unsupported("customer_account")
    if "customer" not in context.params:
        raise InvalidParameterError("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = context.state.get(CUSTOMERS, context.params["customer"], param="customer")
    method = find(context, payment_method)
    why = methods.card_outcome(method).setup_decline if method["type"] == "card" else None
    if why:
        details: dict[str, Any] = {"decline_code": why.decline_code} if why.decline_code else {}
        raise CardError(why.message, code=why.code, **details)
    return methods.attach(context, method, customer["id"])


@routes.api("POST", "/v1/payment_methods/{payment_method}/detach")
def detach(context: Context, payment_method: str) -> Object:
    """Take it from its customer."""
    before = context.state.get(PAYMENT_METHODS, payment_method)
    if not before["customer"]:
        raise InvalidParameterError(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            param="payment_method",
        )
    after = context.state.update(PAYMENT_METHODS, before, {"customer": None})
    _forget_default(context, before)
    context.emit("payment_method.detached", after, previous=before)
    mandates.revoke(context, after)
    return after


def _forget_default(context: Context, method: Object) -> None:
    """A customer who loses a payment method has it no more by default either."""
    customer = context.state.get(CUSTOMERS, method["customer"])
    settings = customer.get("invoice_settings") or {}
    if settings.get("default_payment_method") == method["id"]:
        context.state.update(CUSTOMERS, customer, {"invoice_settings": {**settings, "default_payment_method": None}})


@routes.api("GET", "/v1/payment_methods")
def list_payment_methods(context: Context) -> Object:
    """Payment methods, newest first."""
    context.unsupported("customer_account")
    return context.list(PAYMENT_METHODS, {name: context.params.get(name) for name in _FILTERS})


@routes.api("GET", "/v1/customers/{customer}/payment_methods")
def list_of_customer(context: Context, customer: str) -> Object:
    """A customer's payment methods, newest first."""
    context.state.get(CUSTOMERS, customer)
    filters = {name: context.params[name] for name in ("type", "allow_redisplay") if name in context.params}
    return page(context.state, PAYMENT_METHODS, {"customer": customer, **filters}, context.params, context.path)


@routes.api("GET", "/v1/customers/{customer}/payment_methods/{payment_method}")
def retrieve_of_customer(context: Context, customer: str, payment_method: str) -> Object:
    """A payment method that this customer has."""
    found = context.state.get(PAYMENT_METHODS, payment_method)
    if found["customer"] != customer:
        raise InvalidParameterError(
            f"No such PaymentMethod: '{payment_method}'", code="resource_missing", param="payment_method", status=404
        )
    return found
