"""Products and prices as other resources make and read them: each can be created inside a request for the other."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from .context import Context
from .errors import InvalidParameterError, InvalidRequestError
from .metadata import merged
from .money import check_amount, currency_code
from .pricing.tax_kinds import tax_code_shown
from .shelves import Collection
from .state import State
from .values import Json, Object

PRODUCTS: Final = Collection(
    "product",
    path="/v1/products",
    indexes=("id", "active", "shippable", "url", "type"),
    expands={
        "default_price": "price",
        "tax_code": lambda _state, product: tax_code_shown(product["tax_code"]),
    },
)
PRICES: Final = Collection(
    "price",
    path="/v1/prices",
    indexes=(
        *("active", "currency", "lookup_key", "product", "type"),
        *("recurring.interval", "recurring.usage_type", "recurring.meter"),
    ),
    expands={
        "product": "product",
        "tiers": lambda _state, price: price["_tiers"],
        "currency_options": lambda _state, price: price["_currency_options"],
    },
)
_LONGEST_INTERVAL: Final = {"day": 1095, "week": 156, "month": 36, "year": 3}  # three years, in each unit
_PRODUCT_TEXTS: Final = ("description", "statement_descriptor", "tax_code", "unit_label", "url")


def add_product(context: Context, params: Mapping[str, Any]) -> Object:
    """Create a product from its own parameters or from ``product_data``, and tell of it.

    Raises:
        InvalidRequestError: the id that was chosen is taken.
    """
    product_id = params.get("id") or context.ids.new("prod", 14)
    if context.state.find(PRODUCTS, product_id):
        raise InvalidRequestError("Product already exists.", code="resource_already_exists", param="id")
    now = context.clock.now()
    product = {
        "id": product_id,
        "object": "product",
        "active": params.get("active", True),
        "created": now,
        "default_price": None,
        "images": params.get("images") or [],
        "livemode": False,
        "marketing_features": params.get("marketing_features") or [],
        "metadata": merged({}, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": jsonable(params.get("package_dimensions") or None),
        "shippable": params.get("shippable"),
        "tax_details": params.get("tax_details") or None,
        "type": params.get("type", "service"),
        "updated": now,
        **{name: params.get(name) or None for name in _PRODUCT_TEXTS},
    }
    context.state.insert(PRODUCTS, product)
    context.emit("product.created", product)
    return product


def add_price(context: Context, params: Mapping[str, Any], product: str) -> Object:
    """Create a price of a product from its own parameters or from ``price_data``, and tell of it."""
    currency = currency_code(params["currency"])
    recurring = _recurring(params.get("recurring"))
    price = {
        "id": context.ids.new("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": params.get("billing_scheme", "per_unit"),
        "created": context.clock.now(),
        "currency": currency,
        "custom_unit_amount": _custom_unit_amount(params.get("custom_unit_amount")),
        "livemode": False,
        "lookup_key": free_lookup_key(context, params),
        "metadata": merged({}, params.get("metadata")),
        "nickname": params.get("nickname") or None,
        "product": product,
        "recurring": recurring,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": params.get("tiers_mode"),
        "transform_quantity": params.get("transform_quantity"),
        "type": "recurring" if recurring else "one_time",
        "_tiers": _tiers(params),
        "_currency_options": jsonable(params.get("currency_options")),
        **_unit_amounts(params, currency),
    }
    context.state.insert(PRICES, price)
    context.emit("price.created", price)
    return price


def free_lookup_key(context: Context, params: Mapping[str, Any]) -> str | None:
    """The lookup key that was asked for, taken from the price that has it if ``transfer_lookup_key`` says so.

    Raises:
        InvalidRequestError: another price has it.
    """
    key: str | None = params.get("lookup_key") or None
    holder = context.state.first(PRICES, {"lookup_key": key}) if key else None
    if holder and not params.get("transfer_lookup_key"):
        raise InvalidRequestError(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
    if holder:
        released = context.state.update(PRICES, holder, {"lookup_key": None})
        context.emit("price.updated", released, previous=holder)
    return key


def price_currency_options(state: State, price: Object) -> Mapping[str, Any]:
    """The price's amounts in other currencies, by currency."""
    stored = state.get(PRICES, price["id"])
    return stored["_currency_options"] or {}


def jsonable(value: Json) -> Json:
    """Decimals as the text that Stripe writes, at any depth."""
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, Mapping):
        return {name: jsonable(item) for name, item in value.items()}
    return [jsonable(item) for item in value] if isinstance(value, list) else value


def decimal_text(value: Decimal) -> str:
    """Without exponent or idle zeros: ``0.5``, ``100``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unit_amounts(params: Mapping[str, Any], currency: str) -> dict[str, Any]:
    given = [name for name in ("unit_amount", "unit_amount_decimal", "custom_unit_amount") if name in params]
    tiered = params.get("billing_scheme") == "tiered"
    if len(given) != (0 if tiered else 1):
        named = " and ".join(f"`{name}`" for name in given) or "none of them"
        raise InvalidParameterError(
            "You must specify exactly one of `unit_amount`, `unit_amount_decimal` or `custom_unit_amount`, and none "
            f"with `billing_scheme` `tiered`; you specified {named}.",
            code=None if given else "parameter_missing",
            param=given[-1] if given else "unit_amount",
        )
    if "unit_amount" in params:
        check_amount(params["unit_amount"], currency, "unit_amount")
        return {"unit_amount": params["unit_amount"], "unit_amount_decimal": str(params["unit_amount"])}
    exact: Decimal | None = params.get("unit_amount_decimal")
    if exact is None:
        return {"unit_amount": None, "unit_amount_decimal": None}
    if exact < 0:
        raise InvalidParameterError("This value must be greater than or equal to 0.", param="unit_amount_decimal")
    is_whole = exact == exact.to_integral_value()
    return {"unit_amount": int(exact) if is_whole else None, "unit_amount_decimal": decimal_text(exact)}


def _recurring(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    interval, count = given["interval"], given.get("interval_count", 1)
    if not 1 <= count <= _LONGEST_INTERVAL[interval]:
        raise InvalidParameterError(
            f"A price's interval is at least one and at most {_LONGEST_INTERVAL[interval]} {interval}s.",
            param="recurring[interval_count]",
        )
    return {
        "interval": interval,
        "interval_count": count,
        "meter": given.get("meter"),
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _tiers(params: Mapping[str, Any]) -> list[Any] | None:
    tiered = params.get("billing_scheme") == "tiered"
    for name in ("tiers", "tiers_mode"):
        if (name in params) != tiered:
            raise InvalidParameterError(
                f"`{name}` must be given with `billing_scheme` `tiered`, and only then.",
                code="parameter_missing" if tiered else None,
                param=name,
            )
    if not tiered:
        return None
    return [_tier(tier) for tier in params["tiers"]]


def _tier(given: Mapping[str, Any]) -> dict[str, Any]:
    names = ("flat_amount", "flat_amount_decimal", "unit_amount", "unit_amount_decimal")
    amounts = {name: jsonable(given.get(name)) for name in names}
    return {**amounts, "up_to": None if given["up_to"] == "inf" else given["up_to"]}


def _custom_unit_amount(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not given or not given["enabled"]:
        return None
    return {name: given.get(name) for name in ("maximum", "minimum", "preset")}
