"""The lines of a basket as clients send them, for every route that sells."""

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from marketplace.edge.fields import CATALOG, INLINE, Amount, Currency, Id, Name, RequestModel
from marketplace.services.baskets import CatalogItem, InlineItem


class CatalogLine(RequestModel):
    """A price of the catalog."""

    price: Id
    quantity: int

    def as_item(self) -> CatalogItem:
        """As the use case takes it."""
        return CatalogItem(price_id=self.price, quantity=self.quantity)


class InlineLine(RequestModel):
    """An amount that an operator names; without `merchant_id` it is of the basket's merchant."""

    name: Name
    unit_amount: Amount
    currency: Currency
    quantity: int
    merchant_id: Id | None = None
    tax_code: Id | None = None
    tax_behavior: Literal["inclusive", "exclusive"] | None = None

    def as_item(self) -> InlineItem:
        """As the use case takes it."""
        return InlineItem(**self.model_dump())


def _kind_of_line(line: object) -> str:
    names_price = isinstance(line, CatalogLine) or (isinstance(line, dict) and "price" in line)
    return CATALOG if names_price else INLINE


Line = Annotated[
    Annotated[CatalogLine, Tag(CATALOG)] | Annotated[InlineLine, Tag(INLINE)], Discriminator(_kind_of_line)
]
