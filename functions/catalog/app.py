"""The catalog: products and prices of a merchant."""

import os
from datetime import datetime
from http import HTTPStatus

from marketplace.adapters import wiring
from marketplace.edge.fields import DEFAULT_PAGE, Amount, Currency, Cursor, Limit, Name, RequestModel
from marketplace.edge.idempotency import OptionalIdempotencyKey, key_or_new, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing, View
from marketplace.services import catalog

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class ProductBody(RequestModel):
    """A product."""

    name: Name
    description: Name | None = None


class PriceBody(RequestModel):
    """A one-off price."""

    unit_amount: Amount
    currency: Currency


class ProductView(View):
    """A product."""

    id: str
    merchant_id: str
    name: str
    description: str | None
    active: bool
    stripe_product_id: str | None
    created_at: datetime


class PriceView(View):
    """A price."""

    id: str
    merchant_id: str
    product_id: str
    unit_amount: int
    currency: str
    active: bool
    stripe_price_id: str | None
    created_at: datetime


@app.post("/merchants/<merchant_id>/products", status_code=HTTPStatus.CREATED)
def create_product(
    merchant_id: str, body: ProductBody, caller: Caller, key: OptionalIdempotencyKey = None
) -> ProductView:
    """Add a product to a merchant's catalog."""
    wanted = once(caller, f"POST /merchants/{merchant_id}/products", key_or_new(key), body)
    product = catalog.create_product(
        ports, caller, merchant_id, wanted, name=body.name, description=body.description
    )  # fmt: skip
    return ProductView.of(product)


@app.get("/merchants/<merchant_id>/products")
def list_products(
    merchant_id: str, caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[ProductView]:
    """A merchant's products, newest first."""
    page = catalog.list_products(ports, caller, merchant_id, cursor=cursor, limit=limit)
    return Listing(data=[ProductView.of(product) for product in page.items], cursor=page.cursor)


@app.post("/products/<product_id>/prices", status_code=HTTPStatus.CREATED)
def create_price(product_id: str, body: PriceBody, caller: Caller, key: OptionalIdempotencyKey = None) -> PriceView:
    """Add a price to a product."""
    wanted = once(caller, f"POST /products/{product_id}/prices", key_or_new(key), body)
    price = catalog.create_price(
        ports, caller, product_id, wanted, unit_amount=body.unit_amount, currency=body.currency
    )  # fmt: skip
    return PriceView.of(price)


@app.get("/products/<product_id>/prices")
def list_prices(
    product_id: str, caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[PriceView]:
    """A product's prices, newest first."""
    page = catalog.list_prices(ports, caller, product_id, cursor=cursor, limit=limit)
    return Listing(data=[PriceView.of(price) for price in page.items], cursor=page.cursor)
