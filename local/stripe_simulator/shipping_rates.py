"""Shipping rates as other resources make and read them: what it costs to send an order, in which currencies.

https://docs.stripe.com/api/shipping_rates
"""

from collections.abc import Mapping
from typing import Any, Final

from .context import Context
from .errors import InvalidParameterError
from .metadata import merged
from .money import check_amount, currency_code
from .pricing.tax_kinds import tax_code_shown
from .shelves import Collection
from .state import State
from .values import Object


def _all_amounts(state: State, rate: Object) -> Object:
    """Every currency's amount, that of the rate's own included, as Stripe shows them."""
    stored = state.get(SHIPPING_RATES, rate["id"])
    fixed = stored["fixed_amount"]
    own = {fixed["currency"]: {"amount": fixed["amount"], "tax_behavior": stored["tax_behavior"]}}
    return {**own, **stored["_currency_options"]}


SHIPPING_RATES: Final = Collection(
    "shipping_rate",
    path="/v1/shipping_rates",
    indexes=("active", "fixed_amount.currency"),
    expands={
        "fixed_amount.currency_options": _all_amounts,
        "tax_code": lambda _state, rate: tax_code_shown(rate["tax_code"]),
    },
)
"""``_currency_options``: the amounts in other currencies, which are shown when they are asked for."""


def add_shipping_rate(context: Context, params: Mapping[str, Any]) -> Object:
    """Create a shipping rate from its own parameters or from ``shipping_rate_data``.

    Raises:
        InvalidParameterError: no amount, or one that is none in its currency.
    """
    if "fixed_amount" not in params:
        raise InvalidParameterError(
            "Missing required param: fixed_amount.", code="parameter_missing", param="fixed_amount"
        )
    fixed = params["fixed_amount"]
    currency = currency_code(fixed["currency"], "fixed_amount[currency]")
    check_amount(fixed["amount"], currency, "fixed_amount[amount]")
    rate = {
        "id": context.ids.new("shr"),
        "object": "shipping_rate",
        "active": True,
        "created": context.clock.now(),
        "delivery_estimate": _estimate(params.get("delivery_estimate")),
        "display_name": params["display_name"],
        "fixed_amount": {"amount": fixed["amount"], "currency": currency},
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tax_code": params.get("tax_code"),
        "type": "fixed_amount",
        "_currency_options": checked_options(fixed.get("currency_options") or {}),
    }
    return context.state.insert(SHIPPING_RATES, rate)


def checked_options(given: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Amounts in other currencies, whole: what is known of them, changed by what was given."""
    options = dict(known or {})
    for code, each in given.items():
        param = f"fixed_amount[currency_options][{code}]"
        currency = currency_code(code, param)
        if "amount" in each:
            check_amount(each["amount"], currency, f"{param}[amount]")
        options[currency] = {"tax_behavior": "unspecified", **options.get(currency, {}), **each}
    return options


def amount_in(context: Context, rate: Object, currency: str, param: str) -> tuple[int, str]:
    """What the rate costs in a currency, and whether tax is in it.

    Raises:
        InvalidParameterError: it has no amount in that currency.
    """
    if rate["fixed_amount"]["currency"] == currency:
        return rate["fixed_amount"]["amount"], rate["tax_behavior"]
    found = context.state.get(SHIPPING_RATES, rate["id"])["_currency_options"].get(currency)
    if found is None:
        raise InvalidParameterError(
            f"The shipping rate `{rate['id']}` has no amount in {currency}: its currency is "
            f"{rate['fixed_amount']['currency']}.",
            param=param,
        )
    return found["amount"], found["tax_behavior"]


def _estimate(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    for bound in ("maximum", "minimum"):
        if bound in given and given[bound]["value"] < 1:
            raise InvalidParameterError(
                "This value must be greater than or equal to 1.",
                code="parameter_invalid_integer",
                param=f"delivery_estimate[{bound}][value]",
            )
    return {"maximum": given.get("maximum"), "minimum": given.get("minimum")}
