"""Prices: how much a product costs, once or again and again. https://docs.stripe.com/api/prices"""

from typing import Any

from ..catalog import PRICES, PRODUCTS, add_price, add_product, free_lookup_key, jsonable
from ..context import Context
from ..errors import InvalidParameterError
from ..metadata import merged
from ..money import currency_code
from ..routing import Routes
from ..values import Object

routes = Routes(PRICES)


@routes.api("POST", "/v1/prices")
def create(context: Context) -> Object:
    """Create a price of a product that exists, or of one that ``product_data`` describes."""
    params = context.params
    if ("product" in params) == ("product_data" in params):
        raise InvalidParameterError(
            "You must specify either `product` or `product_data` when creating a price, and not both.",
            code=None if "product" in params else "parameter_missing",
            param="product",
        )
    if "product" in params:
        product = context.state.get(PRODUCTS, params["product"], param="product")
    else:
        product = add_product(context, params["product_data"])
    return add_price(context, params, product["id"])


@routes.api("GET", "/v1/prices/{price}")
def retrieve(context: Context, price: str) -> Object:
    """The price as it stands."""
    return context.state.get(PRICES, price)


@routes.api("POST", "/v1/prices/{price}")
def update(context: Context, price: str) -> Object:
    """Change what may be changed: never the amount, the currency or the interval."""
    before = context.state.get(PRICES, price)
    params = context.params
    changes: dict[str, Any] = {name: params[name] for name in ("active", "tax_behavior") if name in params}
    if changes.get("tax_behavior", before["tax_behavior"]) != before["tax_behavior"] != "unspecified":
        raise InvalidParameterError("A price's tax behavior cannot be changed once it is set.", param="tax_behavior")
    if "nickname" in params:
        changes["nickname"] = params["nickname"] or None
    if params.get("lookup_key", before["lookup_key"]) != before["lookup_key"]:
        changes["lookup_key"] = free_lookup_key(context, params)
    if "currency_options" in params:
        changes["_currency_options"] = jsonable(params["currency_options"]) or None
    changes["metadata"] = merged(before["metadata"], params.get("metadata"))
    if all(before[name] == value for name, value in changes.items()):
        return before
    after = context.state.update(PRICES, before, changes)
    context.emit("price.updated", after, previous=before)
    return after


@routes.api("GET", "/v1/prices")
def list_prices(context: Context) -> Object:
    """Prices, newest first."""
    params = context.params
    filters: dict[str, Any] = {name: params.get(name) for name in ("active", "product", "type")}
    if "currency" in params:
        filters["currency"] = currency_code(params["currency"])
    if "lookup_keys" in params:
        filters["lookup_key"] = frozenset(params["lookup_keys"])
    for name, value in params.get("recurring", {}).items():
        filters[f"recurring.{name}"] = value
    return context.list(PRICES, filters)
