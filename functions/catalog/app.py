"""The catalog: products and prices of a merchant."""

import os
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal, Self

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, model_validator

from marketplace.adapters import wiring
from marketplace.domain.catalog import MOST_IMAGES, Interval, Recurring, TaxBehavior
from marketplace.edge.fields import (
    DEFAULT_PAGE,
    Amount,
    Currency,
    Cursor,
    Limit,
    Name,
    RequestModel,
    StatementDescriptor,
    TaxCode,
    Url,
)
from marketplace.edge.idempotency import OptionalIdempotencyKey, key_or_new, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing, View
from marketplace.services import catalog
from marketplace.services.catalog import NewPrice, ProductDetails

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve

Active = Annotated[bool | None, Query(description="Only those that are for sale, or only those that are archived.")]


class ProductBody(RequestModel):
    """A product. `statement_descriptor` is what subscribers' banks show."""

    name: Name
    description: Name | None = None
    images: list[Url] = Field(default_factory=list, max_length=MOST_IMAGES)
    tax_code: TaxCode | None = None
    statement_descriptor: StatementDescriptor | None = None

    def as_details(self) -> ProductDetails:
        """As the use case takes it."""
        return ProductDetails(**{**self.model_dump(exclude={"name"}), "images": tuple(self.images)})


class ProductChanges(RequestModel):
    """What is to change of a product; `active` archives it or brings it back. What is left out stays."""

    name: Name | None = None
    description: Name | None = None
    images: list[Url] | None = Field(default=None, max_length=MOST_IMAGES)
    tax_code: TaxCode | None = None
    statement_descriptor: StatementDescriptor | None = None
    active: bool | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        return require_something(self)

    def as_details(self) -> ProductDetails:
        """As the use case takes it."""
        images = None if self.images is None else tuple(self.images)
        return ProductDetails(**{**self.model_dump(), "images": images})


class RecurringBody(RequestModel):
    """Paid every `interval_count` intervals, the first time after `trial_period_days`."""

    interval: Literal["day", "week", "month", "year"]
    interval_count: int = 1
    trial_period_days: int | None = None

    def as_recurring(self) -> Recurring:
        """As the use case takes it."""
        return Recurring(**{**self.model_dump(), "interval": Interval(self.interval)})


class PriceBody(RequestModel):
    """A price, paid once or, with `recurring`, again and again."""

    unit_amount: Amount
    currency: Currency
    recurring: RecurringBody | None = None
    tax_behavior: Literal["inclusive", "exclusive"] | None = None

    def as_price(self) -> NewPrice:
        """As the use case takes it."""
        return NewPrice(
            unit_amount=self.unit_amount,
            currency=self.currency,
            recurring=None if self.recurring is None else self.recurring.as_recurring(),
            tax_behavior=self.tax_behavior and TaxBehavior(self.tax_behavior),
        )


class PriceChanges(RequestModel):
    """What may change of a price. Its amount and interval never do: make another one, and archive this."""

    active: bool | None = None
    tax_behavior: Annotated[
        Literal["inclusive", "exclusive"] | None, Field(description="Once, where it was not said before.")
    ] = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        return require_something(self)


class ProductView(View):
    """A product. `active` is whether its prices can be for sale."""

    id: str
    merchant_id: str
    name: str
    description: str | None
    images: tuple[str, ...]
    tax_code: str | None
    statement_descriptor: str | None
    active: bool
    stripe_product_id: str | None
    created_at: datetime


class RecurringView(View):
    """How often a price is paid."""

    interval: str
    interval_count: int
    trial_period_days: int | None


class PriceView(View):
    """A price; `recurring` is null where it is paid once."""

    id: str
    merchant_id: str
    product_id: str
    unit_amount: int
    currency: str
    recurring: RecurringView | None
    tax_behavior: str | None
    active: bool
    stripe_price_id: str | None
    created_at: datetime


def require_something[B: RequestModel](body: B) -> B:
    """A body that changes something."""
    if not body.model_dump(exclude_none=True):
        raise ValueError("name something that is to change")
    return body


@app.post("/merchants/<merchant_id>/products", status_code=HTTPStatus.CREATED)
def create_product(
    merchant_id: str, body: ProductBody, caller: Caller, key: OptionalIdempotencyKey = None
) -> ProductView:
    """Add a product to a merchant's catalog."""
    wanted = once(caller, f"POST /merchants/{merchant_id}/products", key_or_new(key), body)
    return ProductView.of(catalog.create_product(ports, caller, merchant_id, body.as_details(), body.name, wanted))


@app.get("/merchants/<merchant_id>/products")
def list_products(
    merchant_id: str, caller: Caller, active: Active = None, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[ProductView]:
    """A merchant's products, newest first."""
    page = catalog.list_products(ports, caller, merchant_id, active=active, cursor=cursor, limit=limit)
    return Listing(data=[ProductView.of(product) for product in page.items], cursor=page.cursor)


@app.get("/products/<product_id>")
def read_product(product_id: str, caller: Caller) -> ProductView:
    """A product."""
    return ProductView.of(catalog.read_product(ports, caller, product_id))


@app.patch("/products/<product_id>")
def update_product(
    product_id: str, body: ProductChanges, caller: Caller, key: OptionalIdempotencyKey = None
) -> ProductView:
    """Change a product, archive it, or bring it back. Of an archived product nothing is for sale."""
    wanted = once(caller, f"PATCH /products/{product_id}", key_or_new(key), body)
    return ProductView.of(catalog.update_product(ports, caller, product_id, body.as_details(), wanted))


@app.post("/products/<product_id>/prices", status_code=HTTPStatus.CREATED)
def create_price(product_id: str, body: PriceBody, caller: Caller, key: OptionalIdempotencyKey = None) -> PriceView:
    """Add a price to a product."""
    wanted = once(caller, f"POST /products/{product_id}/prices", key_or_new(key), body)
    return PriceView.of(catalog.create_price(ports, caller, product_id, body.as_price(), wanted))


@app.get("/products/<product_id>/prices")
def list_prices(
    product_id: str, caller: Caller, active: Active = None, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[PriceView]:
    """A product's prices, newest first."""
    page = catalog.list_prices(ports, caller, product_id, active=active, cursor=cursor, limit=limit)
    return Listing(data=[PriceView.of(price) for price in page.items], cursor=page.cursor)


@app.get("/prices/<price_id>")
def read_price(price_id: str, caller: Caller) -> PriceView:
    """A price."""
    return PriceView.of(catalog.read_price(ports, caller, price_id))


@app.patch("/prices/<price_id>")
def update_price(price_id: str, body: PriceChanges, caller: Caller, key: OptionalIdempotencyKey = None) -> PriceView:
    """Archive a price, or bring it back."""
    wanted = once(caller, f"PATCH /prices/{price_id}", key_or_new(key), body)
    behavior = body.tax_behavior and TaxBehavior(body.tax_behavior)
    changed = catalog.update_price(ports, caller, price_id, wanted, active=body.active, tax_behavior=behavior)
    return PriceView.of(changed)
