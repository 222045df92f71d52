"""Products and prices at Stripe, and what the outcomes of their commands change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain.catalog import Price, Product, TaxBehavior
from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.errors import NotFound
from marketplace.operations import Operation
from marketplace.ports import Change, Ports, Ref, Replace, one
from marketplace.services.commands import Handler, find_made, handles, made_since


class OfProducts(Handler[Product]):
    """What the commands about a product have in common: they are about the one that they result in."""

    @override
    def load(self, ports: Ports, command: Command) -> Product:
        return stored(ports, Ref(Product, command.result))


class CreateProduct(OfProducts):
    """A product on the platform's account."""

    operation = Operation.CREATE_PRODUCT

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


class UpdateProduct(OfProducts):
    """Another name, other words, archived or brought back. Of two changes at once the second is refused."""

    operation = Operation.UPDATE_PRODUCT

    @override
    def succeeded(self, ports: Ports, subject: Product, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        changed = replace(
            subject,
            name=made["name"],
            description=made.get("description"),
            images=tuple(made.get("images") or ()),
            tax_code=made.get("tax_code"),
            statement_descriptor=made.get("statement_descriptor"),
            active=made["active"],
            changed_by=None,
        )
        return [Replace(subject, changed)]

    @override
    def refused(self, ports: Ports, subject: Product, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, changed_by=None))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return find_made([ports.stripe.read(Operation.READ_PRODUCT, *command.target)], command)


class OfPrices(Handler[Price]):
    """What the commands about a price have in common."""

    @override
    def load(self, ports: Ports, command: Command) -> Price:
        return stored(ports, Ref(Price, command.result))


class CreatePrice(OfPrices):
    """A price on the platform's account. What it costs and how often never changes."""

    operation = Operation.CREATE_PRICE

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


class UpdatePrice(OfPrices):
    """Archived or brought back, or told whether its amount contains the tax."""

    operation = Operation.UPDATE_PRICE

    @override
    def succeeded(self, ports: Ports, subject: Price, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        said = made.get("tax_behavior")
        behavior = TaxBehavior(said) if said in set(TaxBehavior) else None
        changed = replace(subject, active=made["active"], tax_behavior=behavior, changed_by=None)
        return [Replace(subject, changed)]

    @override
    def refused(self, ports: Ports, subject: Price, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, changed_by=None))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return find_made([ports.stripe.read(Operation.READ_PRICE, *command.target)], command)


CREATE_PRODUCT: Final = CreateProduct()
UPDATE_PRODUCT: Final = UpdateProduct()
CREATE_PRICE: Final = CreatePrice()
UPDATE_PRICE: Final = UpdatePrice()
handles(CommandKind.CREATE_PRODUCT, CREATE_PRODUCT)
handles(CommandKind.UPDATE_PRODUCT, UPDATE_PRODUCT)
handles(CommandKind.CREATE_PRICE, CREATE_PRICE)
handles(CommandKind.UPDATE_PRICE, UPDATE_PRICE)


def stored[S: (Product, Price)](ports: Ports, ref: Ref[S]) -> S:
    """The item that is referred to. Raises NotFound."""
    item = one(ports.store, ref)
    if item is None:
        raise NotFound(ref.kind.__name__.lower())
    return item
