"""Rates of tax by place and kind of product: a table that is good enough to test sums with, and no tax advice.

The rates are the statutory ones of 2025 as the authorities publish them; in the United States those of one large city a
state. Kinds of products are Stripe's tax codes: https://docs.stripe.com/tax/tax-codes
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

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


def _sales(state: str, *rates: tuple[str, str, str], exempt: frozenset[str]) -> Local:
    """Sales tax: (percentage, level, jurisdiction) each."""
    made = (
        Rate(Decimal(percent), level, name, "sales_tax", f"{name} Sales Tax" if level != "state" else "Sales Tax")
        for percent, level, name in rates
    )
    return Local(tuple(made), exempt | {NONTAXABLE}) if state else Local(())


_NO_SOFTWARE: Final = frozenset({SOFTWARE, SOFTWARE_FOR_BUSINESS, DIGITAL, SERVICES, FOOD})
_ONLY_FOOD: Final = frozenset({FOOD, SERVICES})
UNITED_STATES: Final[Mapping[str, Local]] = {
    "CA": _sales(
        "CA", ("6", "state", "California"), ("0.25", "county", "San Francisco"), ("2.375", "district", "San Francisco"),
        exempt=_NO_SOFTWARE | {SHIPPING},
    ),
    "NY": _sales(
        "NY", ("4", "state", "New York"), ("4.5", "city", "New York"), ("0.375", "district", "Metropolitan Commuter"),
        exempt=_ONLY_FOOD | {CLOTHING},
    ),
    "TX": _sales("TX", ("6.25", "state", "Texas"), ("1", "city", "Austin"), ("1", "district", "Austin Transit"),
                 exempt=_ONLY_FOOD),
    "WA": _sales("WA", ("6.5", "state", "Washington"), ("3.85", "city", "Seattle"), exempt=_ONLY_FOOD),
    "FL": _sales("FL", ("6", "state", "Florida"), ("1", "county", "Miami-Dade"), exempt=_NO_SOFTWARE),
    "IL": _sales("IL", ("6.25", "state", "Illinois"), ("1.75", "county", "Cook"), ("1.25", "city", "Chicago"),
                 ("1", "district", "Regional Transportation"), exempt=frozenset({SOFTWARE, SERVICES})),
    "PA": _sales("PA", ("6", "state", "Pennsylvania"), ("2", "city", "Philadelphia"), exempt=_ONLY_FOOD | {CLOTHING}),
    "MA": _sales("MA", ("6.25", "state", "Massachusetts"), exempt=_ONLY_FOOD | {CLOTHING}),
    "CO": _sales("CO", ("2.9", "state", "Colorado"), ("5.15", "city", "Denver"), ("1.1", "district", "Denver"),
                 exempt=_NO_SOFTWARE),
    **dict.fromkeys(("OR", "DE", "MT", "NH"), Local((), frozenset())),
}  # fmt: skip


def _vat(percentage: str, name: str, **reduced: str) -> Local:
    rate = Rate(Decimal(percentage), "country", name, "vat", "VAT")
    codes = {"books": BOOKS, "food": FOOD}
    return Local((rate,), frozenset({NONTAXABLE}), {codes[kind]: Decimal(rate) for kind, rate in reduced.items()})


EUROPEAN_UNION: Final[Mapping[str, Local]] = {
    "AT": _vat("20", "Austria", books="10", food="10"), "BE": _vat("21", "Belgium", books="6", food="6"),
    "BG": _vat("20", "Bulgaria", books="9"), "HR": _vat("25", "Croatia", books="5", food="5"),
    "CY": _vat("19", "Cyprus", books="3", food="5"), "CZ": _vat("21", "Czechia", books="0", food="12"),
    "DK": _vat("25", "Denmark"), "EE": _vat("24", "Estonia", books="9"), "FI": _vat("25.5", "Finland", books="14",
    food="14"), "FR": _vat("20", "France", books="5.5", food="5.5"), "DE": _vat("19", "Germany", books="7", food="7"),
    "GR": _vat("24", "Greece", books="6", food="13"), "HU": _vat("27", "Hungary", books="5", food="18"),
    "IE": _vat("23", "Ireland", books="0", food="0"), "IT": _vat("22", "Italy", books="4", food="10"),
    "LV": _vat("21", "Latvia", books="5", food="12"), "LT": _vat("21", "Lithuania", books="5"),
    "LU": _vat("17", "Luxembourg", books="3", food="3"), "MT": _vat("18", "Malta", books="5", food="0"),
    "NL": _vat("21", "Netherlands", books="9", food="9"), "PL": _vat("23", "Poland", books="5", food="5"),
    "PT": _vat("23", "Portugal", books="6", food="6"), "RO": _vat("21", "Romania", books="11", food="11"),
    "SK": _vat("23", "Slovakia", books="5", food="5"), "SI": _vat("22", "Slovenia", books="5", food="9.5"),
    "ES": _vat("21", "Spain", books="4", food="4"), "SE": _vat("25", "Sweden", books="6", food="12"),
}  # fmt: skip


def _one(percentage: str, name: str, tax_type: str, display_name: str, level: str = "country") -> Rate:
    return Rate(Decimal(percentage), level, name, tax_type, display_name)


_GST: Final = _one("5", "Canada", "gst", "GST")
CANADA: Final[Mapping[str, Local]] = {
    **{province: Local((_GST,), frozenset({NONTAXABLE, FOOD})) for province in ("AB", "NT", "NU", "YT")},
    **{
        province: Local((_one(percentage, "Canada", "hst", "HST"),), frozenset({NONTAXABLE, FOOD}))
        for province, percentage in {"ON": "13", "NB": "15", "NL": "15", "NS": "14", "PE": "15"}.items()
    },
    "BC": Local((_GST, _one("7", "British Columbia", "pst", "PST", "state")), frozenset({NONTAXABLE, FOOD})),
    "MB": Local((_GST, _one("7", "Manitoba", "rst", "RST", "state")), frozenset({NONTAXABLE, FOOD})),
    "QC": Local((_GST, _one("9.975", "Quebec", "qst", "QST", "state")), frozenset({NONTAXABLE, FOOD})),
    "SK": Local((_GST, _one("6", "Saskatchewan", "pst", "PST", "state")), frozenset({NONTAXABLE, FOOD})),
}
COUNTRIES: Final[Mapping[str, Local]] = {
    **EUROPEAN_UNION,
    "GB": _vat("20", "United Kingdom", books="0", food="0"),
    "CH": _vat("8.1", "Switzerland", books="2.6", food="2.6"),
    "NO": _vat("25", "Norway", books="0", food="15"),
    "AU": Local((_one("10", "Australia", "gst", "GST"),), frozenset({NONTAXABLE, FOOD})),
    "NZ": Local((_one("15", "New Zealand", "gst", "GST"),), frozenset({NONTAXABLE})),
    "SG": Local((_one("9", "Singapore", "gst", "GST"),), frozenset({NONTAXABLE})),
    "JP": Local((_one("10", "Japan", "jct", "JCT"),), frozenset({NONTAXABLE}), {FOOD: Decimal(8)}),
}


def local_taxes(country: str, state: str | None) -> Local | None:
    """The taxes of a place; None where the table has none."""
    if country in ("US", "CA"):
        return (UNITED_STATES if country == "US" else CANADA).get((state or "").upper())
    return COUNTRIES.get(country)
