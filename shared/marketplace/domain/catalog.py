"""What a browser may buy: products and prices of a merchant, kept at Stripe on the platform's account."""

from datetime import datetime

from marketplace.domain.deferred import dataclass


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product; ``stripe_product_id`` is None until Stripe has answered."""

    id: str
    merchant_id: str
    name: str
    description: str | None = None
    active: bool = True
    stripe_product_id: str | None = None
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Price:
    """A one-off price: ``unit_amount`` in minor units of ``currency``."""

    id: str
    merchant_id: str
    product_id: str
    product_name: str
    unit_amount: int
    currency: str
    active: bool = True
    stripe_price_id: str | None = None
    created_at: datetime
    version: int = 1
