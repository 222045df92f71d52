"""Products: what is sold. https://docs.stripe.com/api/products"""

from typing import Any

from ..catalog import PRICES, PRODUCTS, add_price, add_product, jsonable
from ..context import Context
from ..errors import InvalidRequestError
from ..metadata import merged
from ..routing import Routes
from ..values import Json, Object

routes = Routes(PRODUCTS)
_UNSETTABLE = ("description", "images", "marketing_features", "package_dimensions", "tax_code", "tax_details")
_KEPT_AS_GIVEN = ("active", "name", "shippable", "statement_descriptor", "unit_label", "url", *_UNSETTABLE)


@routes.api("POST", "/v1/products")
def create(context: Context) -> Object:
    """Create a product, and its default price with it when ``default_price_data`` is given."""
    product = add_product(context, context.params)
    if "default_price_data" not in context.params:
        return product
    price = add_price(context, context.params["default_price_data"], product["id"])
    changed = context.state.update(PRODUCTS, product, {"default_price": price["id"]})
    context.emit("product.updated", changed, previous=product)
    return changed


@routes.api("GET", "/v1/products/{product}")
def retrieve(context: Context, product: str) -> Object:
    """The product as it stands."""
    return context.state.get(PRODUCTS, product)


@routes.api("POST", "/v1/products/{product}")
def update(context: Context, product: str) -> Object:
    """Change what was given; nothing is told when nothing changed."""
    before = context.state.get(PRODUCTS, product)
    params = context.params
    changes: dict[str, Any] = {name: _stored(name, params[name]) for name in _KEPT_AS_GIVEN if name in params}
    if "default_price" in params:
        price = context.state.get(PRICES, params["default_price"], param="default_price")
        if price["product"] != product:
            raise InvalidRequestError(
                f"The price {price['id']} belongs to another product and cannot be the default of {product}.",
                param="default_price",
            )
        changes["default_price"] = price["id"]
    changes["metadata"] = merged(before["metadata"], params.get("metadata"))
    if all(before[name] == value for name, value in changes.items()):
        return before
    after = context.state.update(PRODUCTS, before, {**changes, "updated": context.clock.now()})
    context.emit("product.updated", after, previous=before)
    return after


@routes.api("DELETE", "/v1/products/{product}")
def delete(context: Context, product: str) -> Object:
    """Delete a product that has no price."""
    found = context.state.get(PRODUCTS, product)
    if context.state.first(PRICES, {"product": product}):
        raise InvalidRequestError(
            "This product cannot be deleted because it has one or more user-created prices.", param="id"
        )
    context.state.delete(PRODUCTS, product)
    context.emit("product.deleted", found)
    return {"id": product, "object": "product", "deleted": True}


@routes.api("GET", "/v1/products")
def list_products(context: Context) -> Object:
    """Products, newest first."""
    params = context.params
    ids = frozenset(params["ids"]) if "ids" in params else None
    filters = {name: params.get(name) for name in ("active", "shippable", "url", "type")}
    return context.list(PRODUCTS, {"id": ids, **filters})


def _stored(name: str, given: Json) -> Json:
    """An emptied list is an empty list, any other emptied field is null."""
    if given == "":
        return [] if name in ("images", "marketing_features") else None
    return jsonable(given)
