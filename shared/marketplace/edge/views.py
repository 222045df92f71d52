"""The forms of answers. Ids of Stripe's objects have Stripe's names, times are ISO 8601, amounts minor units.

A buyer is shown what was paid and refunded, a merchant its own share as well, an operator everything.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, defer_build=True)

    @classmethod
    def of(cls, record: object) -> Self:
        """From a record whose fields have the same names."""
        return cls.model_validate(record)


class Listing[T](View):
    """A page of a list, newest first."""

    data: list[T]
    cursor: Annotated[str | None, Field(description="Where the next page begins; null at the end.")]
