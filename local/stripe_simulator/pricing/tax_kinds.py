"""Kinds of products that are taxed in their own way, by Stripe's tax codes, and what a tax of a place is.

https://docs.stripe.com/tax/tax-codes
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from ..errors import InvalidParameterError
from ..values import Json, Object

GOODS, SERVICES, DIGITAL = "txcd_99999999", "txcd_20030000", "txcd_10000000"
SOFTWARE, SOFTWARE_FOR_BUSINESS = "txcd_10103000", "txcd_10103001"
BOOKS, FOOD, CLOTHING, SHIPPING, NONTAXABLE = (
    *("txcd_35010000", "txcd_40060003", "txcd_30011000", "txcd_92010001", "txcd_00000000"),
)
TAX_CODES: Final[Mapping[str, tuple[str, str]]] = {
    GOODS: ("General - Tangible Goods", "Any tangible or physical good."),
    SERVICES: ("General - Services", "General category for services."),
    DIGITAL: ("General - Electronically Supplied Services", "A digital service provided mainly through the internet."),
    SOFTWARE: ("Software as a service (SaaS) - personal use", "Software that is used over the internet, by people."),
    SOFTWARE_FOR_BUSINESS: (
        "Software as a service (SaaS) - business use",
        "Software used over the internet, by firms.",
    ),
    BOOKS: ("Books", "Printed books."),
    FOOD: ("Food for Non-Immediate Consumption", "Food that is not eaten where it is sold."),
    CLOTHING: ("Clothing and Footwear", "Clothing for general wear."),
    SHIPPING: ("Shipping", "The delivery of goods."),
    NONTAXABLE: ("Nontaxable", "Any nontaxable good or service."),
}
"""Those that the table of rates tells apart; a product of any other code is taxed as most are."""

_CODE: Final = re.compile(r"txcd_\d{8}")


class Rate(NamedTuple):
    """One tax of one jurisdiction, in percent."""

    percentage: Decimal
    level: str
    jurisdiction: str
    tax_type: str
    display_name: str


class Local(NamedTuple):
    """The taxes of a place. ``exempt`` and ``reduced`` kinds of products differ from the standard."""

    rates: tuple[Rate, ...]
    exempt: frozenset[str] = frozenset()
    reduced: Mapping[str, Decimal] = {}


def check_tax_code(code: str, param: str) -> None:
    """Refuse what cannot be one of Stripe's tax codes.

    Raises:
        InvalidParameterError: ``resource_missing``.
    """
    if not _CODE.fullmatch(code):
        raise InvalidParameterError(f"No such tax code: '{code}'", code="resource_missing", param=param)


def tax_code_object(code: str) -> Object:
    """A tax code of the table as the API shows it."""
    name, description = TAX_CODES[code]
    return {"id": code, "object": "tax_code", "description": description, "name": name}


def tax_code_shown(code: str | None) -> Json:
    """What a tax code expands to: itself, where the table does not describe it."""
    return tax_code_object(code) if code is not None and code in TAX_CODES else code
