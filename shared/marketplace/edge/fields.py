"""The fields that clients send, with limits that are Stripe's or tighter. Amounts are judged by the domain."""

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from marketplace.domain.portions import TaxLiability

DEFAULT_PAGE: Final = 20
LARGEST_PAGE: Final = 100
LONGEST_NAME: Final = 250
LONGEST_REASON: Final = 500
LONGEST_DESCRIPTOR: Final = 22
LONGEST_URL: Final = 2048
LONGEST_ID: Final = 255
MOST_METADATA: Final = 20
OURS: Final = frozenset(
    {
        *("transaction_id", "command_id", "merchant_id", "product_id", "price_id", "refund_id", "off_session"),
        *("subscription_id", "invoice_id"),
    }
)
CATALOG, INLINE = "catalog", "inline"  # kinds of line items; pydantic puts them into the place of an error


def _url(text: str) -> str:
    try:
        urlsplit(text)
    except ValueError:
        raise ValueError("it is no URL") from None
    return text


def _not_ours(names: dict[str, str]) -> dict[str, str]:
    if OURS & names.keys():
        raise ValueError(f"these names are taken: {', '.join(sorted(OURS & names.keys()))}")
    return names


def _written(value: object) -> object:
    """JSON has no times: they come as text, and a number is none."""
    if not isinstance(value, str) or "T" not in value:
        raise ValueError("write it as 2026-12-01T00:00:00Z")
    return value


def _liability(word: str | None) -> TaxLiability | None:
    return None if word is None else TaxLiability(word)


Name = Annotated[str, Field(max_length=LONGEST_NAME, pattern=r"\S")]
Reason = Annotated[str, Field(max_length=LONGEST_REASON, pattern=r"\S", description="For the record, in words.")]
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=r"^[!-~]+$")]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Phone = Annotated[str, Field(max_length=20, pattern=r"^[+(]?[0-9][0-9 ().-]*$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166.")]
Currency = Annotated[str, Field(min_length=1, max_length=16, description="ISO 4217 in lower case, for example `usd`.")]
Amount = Annotated[int, Field(description="Minor units of the currency.")]
# Printable ASCII but the backslash, which browsers take for a slash.
Url = Annotated[
    str, Field(max_length=LONGEST_URL, pattern=r"^https?://[!-\[\]-~]+$"), AfterValidator(_url)
]  # fmt: skip
TaxCode = Annotated[str, Field(pattern=r"^txcd_[0-9]{8}$", description="Stripe's, of the kind of goods.")]
Liability = Annotated[
    Literal["platform", "merchant"] | None,
    AfterValidator(_liability),
    Field(description="Who is liable for the tax and remits it."),
]
# https://docs.stripe.com/get-started/account/statement-descriptors: Latin, none of < > \\ ' " *, and a letter.
_ON_STATEMENTS: Final = r"[ !#-&()+-;=?-\[\]-~]*"
StatementDescriptor = Annotated[
    str, Field(max_length=LONGEST_DESCRIPTOR, pattern=f"^{_ON_STATEMENTS}[A-Za-z]{_ON_STATEMENTS}$")
]
Time = Annotated[AwareDatetime, Strict(strict=False), BeforeValidator(_written), Field(description="With its zone.")]
Metadata = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\[\]]+$")],
        Annotated[str, Field(min_length=1, max_length=500)],
    ],
    Field(max_length=MOST_METADATA),
    AfterValidator(_not_ours),
]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many of the list, at most.")]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST_ID, description="Where the list goes on: from the page before.")
]
Since = Annotated[AwareDatetime | None, Query(description="ISO 8601 with a zone: what was made from then on.")]
Until = Annotated[AwareDatetime | None, Query(description="ISO 8601 with a zone: what was made before.")]
Filter = Annotated[str | None, Query(max_length=LONGEST_ID)]


class RequestModel(BaseModel):
    """A body: no type is converted, no unknown field passes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)
