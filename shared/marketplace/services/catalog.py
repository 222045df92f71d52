"""The catalog: products and prices of a merchant, so that a browser can buy without naming an amount."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain.catalog import Price, Product
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.errors import CurrencyNotAccepted, NotFound, Unavailable
from marketplace.domain.ids import owner_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Page, Ports, Ref, Replace, one
from marketplace.services.commands import Handler, find_made, made_since, perform_once, require_done
from marketplace.services.idempotency import Once
from marketplace.services.merchants import read_merchant


class CreateProduct(Handler[Product]):
    """A product on the platform's account."""

    operation = Operation.CREATE_PRODUCT

    @override
    def load(self, ports: Ports, command: Command) -> Product:
        return _found(ports, Ref(Product, command.result), "product")

    @override
    def succeeded(self, ports: Ports, subject: Product, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return [Replace(subject, replace(subject, stripe_product_id=made["id"]))]

    @override
    def refused(self, ports: Ports, subject: Product, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, active=False))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"limit": 100, "created": made_since(command)}
        return find_made(ports.stripe.each(Operation.LIST_PRODUCTS, params=params), command)


class CreatePrice(Handler[Price]):
    """A one-off price on the platform's account."""

    operation = Operation.CREATE_PRICE

    @override
    def load(self, ports: Ports, command: Command) -> Price:
        return _found(ports, Ref(Price, command.result), "price")

    @override
    def succeeded(self, ports: Ports, subject: Price, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return [Replace(subject, replace(subject, stripe_price_id=made["id"]))]

    @override
    def refused(self, ports: Ports, subject: Price, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, active=False))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"limit": 100, "product": command.params["product"]}
        return find_made(ports.stripe.each(Operation.LIST_PRICES, params=params), command)


CREATE_PRODUCT: Final = CreateProduct()
CREATE_PRICE: Final = CreatePrice()


def create_product(
    ports: Ports, caller: Principal, merchant_id: str, once: Once, *, name: str, description: str | None
) -> Product:
    """A product of a merchant, made by it or by an operator.

    Raises:
        NotAllowed, NotFound, StripeRefused, IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    merchant = read_merchant(ports, caller, merchant_id)
    now = ports.clock.now()
    product = Product(
        id=ports.ids.new("product", owner=merchant.id),
        merchant_id=merchant.id,
        name=name,
        description=description,
        created_at=now,
    )
    command_id = ports.ids.new("command")
    params = {
        "name": name,
        **({"description": description} if description else {}),
        "metadata": {"product_id": product.id, "merchant_id": merchant.id, "command_id": command_id},
    }
    command = record(
        command_id=command_id,
        subject=merchant.id,
        kind=CommandKind.CREATE_PRODUCT,
        params=params,
        result=product.id,
        now=now,
    )
    done = require_done(perform_once(ports, CREATE_PRODUCT, once, command, product, Create(product)))
    return _found(ports, Ref(Product, done.result), "product")


def create_price(
    ports: Ports, caller: Principal, product_id: str, once: Once, *, unit_amount: int, currency: str
) -> Price:
    """A one-off price of a product: ``unit_amount`` minor units of ``currency``.

    Raises:
        NotAllowed, NotFound, InvalidAmount, UnknownCurrency, CurrencyNotAccepted, StripeRefused,
        IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    require_payable(unit_amount, currency)
    product, merchant = _product_to_price(ports, caller, product_id)
    if currency not in merchant.currencies:
        raise CurrencyNotAccepted(f"the merchant takes {', '.join(merchant.currencies)}")
    now = ports.clock.now()
    price = Price(
        id=ports.ids.new("price", owner=merchant.id),
        merchant_id=merchant.id,
        product_id=product.id,
        product_name=product.name,
        unit_amount=unit_amount,
        currency=currency,
        created_at=now,
    )
    command_id = ports.ids.new("command")
    params = {
        "product": product.stripe_product_id,
        "unit_amount": unit_amount,
        "currency": currency,
        "metadata": {"price_id": price.id, "merchant_id": merchant.id, "command_id": command_id},
    }
    command = record(
        command_id=command_id,
        subject=merchant.id,
        kind=CommandKind.CREATE_PRICE,
        params=params,
        result=price.id,
        now=now,
    )
    done = require_done(perform_once(ports, CREATE_PRICE, once, command, price, Create(price)))
    return _found(ports, Ref(Price, done.result), "price")


def list_products(
    ports: Ports, caller: Principal, merchant_id: str, *, cursor: str | None, limit: int
) -> Page[Product]:
    """A merchant's products. Raises NotFound, InvalidCursor."""
    read_merchant(ports, caller, merchant_id)
    return ports.store.products(merchant_id, cursor=cursor, limit=limit)


def list_prices(ports: Ports, caller: Principal, product_id: str, *, cursor: str | None, limit: int) -> Page[Price]:
    """A product's prices. Raises NotFound, InvalidCursor."""
    _owner(caller, product_id)
    return ports.store.prices(product_id, cursor=cursor, limit=limit)


def _owner(caller: Principal, product_id: str) -> str:
    """The merchant of a product, which its id names, if the caller may see it."""
    merchant_id = owner_of("product", product_id)
    if merchant_id is None or not caller.sees_merchant(merchant_id):
        raise NotFound("product")
    return merchant_id


def _product_to_price(ports: Ports, caller: Principal, product_id: str) -> tuple[Product, Merchant]:
    merchant_id = _owner(caller, product_id)
    found = ports.store.get(wanted := Ref(Product, product_id), owner := Ref(Merchant, merchant_id))
    product, merchant = found(wanted), found(owner)
    if product is None or merchant is None or not product.active:
        raise NotFound("product")
    if product.stripe_product_id is None:
        raise Unavailable("Stripe has not answered for this product yet")
    return product, merchant


def _found[S: (Product, Price)](ports: Ports, ref: Ref[S], what: str) -> S:
    item = one(ports.store, ref)
    if item is None:
        raise NotFound(what)
    return item
