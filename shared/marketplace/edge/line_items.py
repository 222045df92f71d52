"""The lines of a basket as clients send them, for every route that sells."""

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from marketplace.edge.fields import CATALOG, INLINE, Amount, Currency, Id, Name, RequestModel
from marketplace.services.baskets import CatalogItem, InlineItem


class AdjustableQuantity(RequestModel):
    """Between what the buyer may change a quantity. The fee is then made of what he buys in the end."""

    minimum: int = 1
    maximum: int

    def as_bounds(self) -> tuple[int, int]:
        """As the use case takes it."""
        return self.minimum, self.maximum


class CatalogLine(RequestModel):
    """A price of the catalog."""

    price: Id
    quantity: int
    adjustable_quantity: AdjustableQuantity | None = None

    def as_item(self) -> CatalogItem:
        """As the use case takes it."""
        bounds = () if self.adjustable_quantity is None else self.adjustable_quantity.as_bounds()
        return CatalogItem(price_id=self.price, quantity=self.quantity, bounds=bounds)


class InlineLine(RequestModel):
    """An amount that an operator names; without `merchant_id` it is of the basket's merchant."""

    name: Name
    unit_amount: Amount
    currency: Currency
    quantity: int
    merchant_id: Id | None = None
    tax_code: Id | None = None
    tax_behavior: Literal["inclusive", "exclusive"] | None = None
    adjustable_quantity: AdjustableQuantity | None = None

    def as_item(self) -> InlineItem:
        """As the use case takes it."""
        bounds = () if self.adjustable_quantity is None else self.adjustable_quantity.as_bounds()
        return InlineItem(**self.model_dump(exclude={"adjustable_quantity"}), bounds=bounds)


def _kind_of_line(line: object) -> str:
    names_price = isinstance(line, CatalogLine) or (isinstance(line, dict) and "price" in line)
    return CATALOG if names_price else INLINE


Line = Annotated[
    Annotated[CatalogLine, Tag(CATALOG)] | Annotated[InlineLine, Tag(INLINE)], Discriminator(_kind_of_line)
]
