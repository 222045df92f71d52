"""The catalog: products and prices of a merchant, so that a browser can buy without naming an amount."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.catalog import Price, Product, Recurring, TaxBehavior, require_recurring
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import CurrencyNotAccepted, InvalidPrice, NotFound, Unavailable
from marketplace.domain.ids import owner_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.ports import Create, Page, Ports, Ref
from marketplace.services.catalog_commands import (
    CREATE_PRICE,
    CREATE_PRODUCT,
    UPDATE_PRICE,
    UPDATE_PRODUCT,
    stored,
)
from marketplace.services.changes import carry_out, require_free
from marketplace.services.commands import Handler, perform_once, replay, require_done
from marketplace.services.idempotency import Once
from marketplace.services.merchants import read_merchant

MOST_PAGES_READ: Final = 5  # of a list that is filtered; the cursor says where it goes on


@dataclass(frozen=True, kw_only=True)
class ProductDetails:
    """What is said of a product; None is not said. No images are said by an empty tuple."""

    name: str | None = None
    description: str | None = None
    images: tuple[str, ...] | None = None
    tax_code: str | None = None
    statement_descriptor: str | None = None
    active: bool | None = None

    def params(self) -> dict[str, Any]:
        """As Stripe takes them: an empty text for no images."""
        images = None if self.images is None else list(self.images) or ""
        said = {
            "name": self.name,
            "description": self.description,
            "images": images,
            "tax_code": self.tax_code,
            "statement_descriptor": self.statement_descriptor,
            "active": self.active,
        }
        return {field: value for field, value in said.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class NewPrice:
    """A price to be: ``unit_amount`` minor units of ``currency``, once or recurring."""

    unit_amount: int
    currency: str
    recurring: Recurring | None = None
    tax_behavior: TaxBehavior | None = None


def create_product(
    ports: Ports, caller: Principal, merchant_id: str, details: ProductDetails, name: str, once: Once
) -> Product:
    """A product of a merchant, made by it or by an operator.

    Raises:
        NotAllowed, NotFound, StripeRefused, IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    merchant = read_merchant(ports, caller, merchant_id)
    product = Product(
        id=ports.ids.new("product", owner=merchant.id),
        merchant_id=merchant.id,
        name=name,
        description=details.description,
        images=details.images or (),
        tax_code=details.tax_code,
        statement_descriptor=details.statement_descriptor,
        created_at=ports.clock.now(),
    )
    params = {**replace(details, name=name, images=details.images or None).params(), "metadata": _names(product)}
    command = _command(ports, CommandKind.CREATE_PRODUCT, product, params)
    done = require_done(perform_once(ports, CREATE_PRODUCT, once, command, product, Create(product)))
    return stored(ports, Ref(Product, done.result))


def create_price(ports: Ports, caller: Principal, product_id: str, wanted: NewPrice, once: Once) -> Price:
    """A price of a product.

    Raises:
        NotAllowed, NotFound, InvalidAmount, UnknownCurrency, CurrencyNotAccepted, InvalidPrice, StripeRefused,
        IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    require_payable(wanted.unit_amount, wanted.currency)
    if wanted.recurring is not None:
        require_recurring(wanted.recurring)
    product, merchant = _product_to_price(ports, caller, product_id)
    if wanted.currency not in merchant.currencies:
        raise CurrencyNotAccepted(f"the merchant takes {', '.join(merchant.currencies)}")
    price = Price(
        id=ports.ids.new("price", owner=merchant.id),
        merchant_id=merchant.id,
        product_id=product.id,
        unit_amount=wanted.unit_amount,
        currency=wanted.currency,
        recurring=wanted.recurring,
        tax_behavior=wanted.tax_behavior,
        created_at=ports.clock.now(),
    )
    command = _command(ports, CommandKind.CREATE_PRICE, price, price_params(price, product))
    done = require_done(perform_once(ports, CREATE_PRICE, once, command, price, Create(price)))
    return stored(ports, Ref(Price, done.result))


def price_params(price: Price, product: Product) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/prices`)."""
    recurring = price.recurring
    often = {} if recurring is None else {"interval": recurring.interval, "interval_count": recurring.interval_count}
    return {
        "product": product.stripe_product_id,
        "unit_amount": price.unit_amount,
        "currency": price.currency,
        **({"recurring": often} if often else {}),
        **({"tax_behavior": price.tax_behavior} if price.tax_behavior else {}),
        "metadata": _names(price),
    }


def update_product(
    ports: Ports, caller: Principal, product_id: str, details: ProductDetails, once: Once
) -> Product:  # fmt: skip
    """Change what is said of a product, archive it, or bring it back; sessions that are open stay so.

    Raises:
        NotAllowed, NotFound, StripeRefused, IdempotencyKeyReused, OutcomeUnknown.
        RequestUnderWay: also while another change has not ended.
        Unavailable: Stripe has not answered for the product itself yet.
    """
    _require_owner(caller, "product", product_id)
    return _update(
        ports, UPDATE_PRODUCT, CommandKind.UPDATE_PRODUCT, Ref(Product, product_id), once,
        lambda _: details.params(),
    )  # fmt: skip


def update_price(
    ports: Ports, caller: Principal, price_id: str, once: Once, *, active: bool | None,
    tax_behavior: TaxBehavior | None,
) -> Price:  # fmt: skip
    """Archive a price, bring it back, or say once whether it contains the tax; sessions that are open stay so.

    Raises:
        NotAllowed, NotFound, StripeRefused, IdempotencyKeyReused, OutcomeUnknown, RequestUnderWay, Unavailable.
        InvalidPrice: whether it contains the tax was said before, and differs.
    """
    _require_owner(caller, "price", price_id)

    def params(price: Price) -> dict[str, Any]:
        if tax_behavior is not None and price.tax_behavior not in {None, tax_behavior}:
            raise InvalidPrice(f"the price is {price.tax_behavior} of tax, which never changes")
        said = {"active": active, "tax_behavior": tax_behavior}
        return {name: value for name, value in said.items() if value is not None}

    return _update(ports, UPDATE_PRICE, CommandKind.UPDATE_PRICE, Ref(Price, price_id), once, params)


def read_product(ports: Ports, caller: Principal, product_id: str) -> Product:
    """A product, to operators and its merchant. Raises NotFound."""
    _require_owner(caller, "product", product_id)
    return stored(ports, Ref(Product, product_id))


def read_price(ports: Ports, caller: Principal, price_id: str) -> Price:
    """A price, to operators and its merchant. Raises NotFound."""
    _require_owner(caller, "price", price_id)
    return stored(ports, Ref(Price, price_id))


def list_products(
    ports: Ports, caller: Principal, merchant_id: str, *, active: bool | None, cursor: str | None, limit: int
) -> Page[Product]:
    """A merchant's products, all or those that are (not) archived. Raises NotFound, InvalidCursor."""
    read_merchant(ports, caller, merchant_id)
    return _those(
        lambda after, most: ports.store.products(merchant_id, cursor=after, limit=most),
        active=active, cursor=cursor, limit=limit,
    )  # fmt: skip


def list_prices(
    ports: Ports, caller: Principal, product_id: str, *, active: bool | None, cursor: str | None, limit: int
) -> Page[Price]:
    """A product's prices, all or those that are (not) archived. Raises NotFound, InvalidCursor."""
    _require_owner(caller, "product", product_id)
    return _those(
        lambda after, most: ports.store.prices(product_id, cursor=after, limit=most),
        active=active, cursor=cursor, limit=limit,
    )  # fmt: skip


def _update[S: (Product, Price)](
    ports: Ports, handler: Handler[S], kind: CommandKind, ref: Ref[S], once: Once,
    params: Callable[[S], Mapping[str, Any]],
) -> S:  # fmt: skip
    """One change at a time, so that what Stripe was told last is what is kept."""
    key = Ref(IdempotencyRecord, once.scope)
    found = ports.store.get(key, ref)
    used, item = found(key), found(ref)
    if used is not None:
        require_done(replay(ports, handler, once, used))
        return stored(ports, ref)
    if item is None:
        raise NotFound(ref.kind.__name__.lower())
    require_free(item, "it")
    command = _command(ports, kind, item, params(item), target=(_at_stripe(item),))
    carry_out(ports, handler, once, command, item, item, "it")
    return stored(ports, ref)


def _command(
    ports: Ports, kind: CommandKind, item: Product | Price, params: Mapping[str, Any], *, target: tuple[str, ...] = ()
) -> Command:
    command_id = ports.ids.new("command")
    return record(
        command_id=command_id,
        subject=item.merchant_id,
        kind=kind,
        target=target,
        params={**params, "metadata": {**params.get("metadata", {}), "command_id": command_id}},
        result=item.id,
        now=ports.clock.now(),
    )


def _those[S: (Product, Price)](
    read: Callable[[str | None, int], Page[S]], *, active: bool | None, cursor: str | None, limit: int
) -> Page[S]:
    """Up to ``limit`` of a list that fit the filter, and where it goes on; fewer where few of many fit."""
    items: list[S] = []
    for _ in range(MOST_PAGES_READ):
        page = read(cursor, limit - len(items))
        items += [item for item in page.items if active in {None, item.active}]
        cursor = page.cursor
        if cursor is None or len(items) == limit:
            break
    return Page(items=tuple(items), cursor=cursor)


def _names(item: Product | Price) -> dict[str, str]:
    """The metadata by which it is known at Stripe whose it is."""
    return {f"{type(item).__name__.lower()}_id": item.id, "merchant_id": item.merchant_id}


def _at_stripe(item: Product | Price) -> str:
    """Its id at Stripe.

    Raises:
        Unavailable: Stripe has not answered for it yet.
        NotFound: Stripe refused to make it.
    """
    stripe_id = item.stripe_product_id if isinstance(item, Product) else item.stripe_price_id
    if stripe_id is None and not item.active:
        raise NotFound(type(item).__name__.lower())
    if stripe_id is None:
        raise Unavailable("Stripe has not answered for it yet")
    return stripe_id


def _require_owner(caller: Principal, noun: str, item_id: str) -> str:
    """The merchant of a product or price, which its id names, if the caller may see it. Raises NotFound."""
    merchant_id = owner_of(noun, item_id)
    if merchant_id is None or not caller.sees_merchant(merchant_id):
        raise NotFound(noun)
    return merchant_id


def _product_to_price(ports: Ports, caller: Principal, product_id: str) -> tuple[Product, Merchant]:
    merchant_id = _require_owner(caller, "product", product_id)
    found = ports.store.get(wanted := Ref(Product, product_id), owner := Ref(Merchant, merchant_id))
    product, merchant = found(wanted), found(owner)
    if product is None or merchant is None:
        raise NotFound("product")
    _at_stripe(product)
    return product, merchant
