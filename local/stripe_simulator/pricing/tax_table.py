"""Rates of tax by place and kind of product: a table that is good enough to test sums with, and no tax advice.

The rates are the statutory ones of 2025 as the authorities publish them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from .tax_kinds import BOOKS, FOOD, Local, Rate
from .tax_states import UNITED_STATES, state_of

PROVINCIAL: Final = frozenset({"pst", "qst", "rst"})
"""Taxes of Canada's provinces, for which one is registered with the province."""


def _vat(percentage: str, name: str, **reduced: str) -> Local:
    rate = Rate(Decimal(percentage), "country", name, "vat", "VAT")
    codes = {"books": BOOKS, "food": FOOD}
    return Local((rate,), frozenset(), {codes[kind]: Decimal(rate) for kind, rate in reduced.items()})


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
    **{province: Local((_GST,), frozenset({FOOD})) for province in ("AB", "NT", "NU", "YT")},
    **{
        province: Local((_one(percentage, "Canada", "hst", "HST"),), frozenset({FOOD}))
        for province, percentage in {"ON": "13", "NB": "15", "NL": "15", "NS": "14", "PE": "15"}.items()
    },
    "BC": Local((_GST, _one("7", "British Columbia", "pst", "PST", "state")), frozenset({FOOD})),
    "MB": Local((_GST, _one("7", "Manitoba", "rst", "RST", "state")), frozenset({FOOD})),
    "QC": Local((_GST, _one("9.975", "Quebec", "qst", "QST", "state")), frozenset({FOOD})),
    "SK": Local((_GST, _one("6", "Saskatchewan", "pst", "PST", "state")), frozenset({FOOD})),
}
COUNTRIES: Final[Mapping[str, Local]] = {
    **EUROPEAN_UNION,
    "GB": _vat("20", "United Kingdom", books="0", food="0"),
    "CH": _vat("8.1", "Switzerland", books="2.6", food="2.6"),
    "NO": _vat("25", "Norway", books="0", food="15"),
    "AU": Local((_one("10", "Australia", "gst", "GST"),), frozenset({FOOD})),
    "NZ": Local((_one("15", "New Zealand", "gst", "GST"),)),
    "SG": Local((_one("9", "Singapore", "gst", "GST"),)),
    "JP": Local((_one("10", "Japan", "jct", "JCT"),), reduced={FOOD: Decimal(8)}),
}


_PROVINCES: Final[Mapping[str, str]] = {
    "A": "NL", "B": "NS", "C": "PE", "E": "NB", "G": "QC", "H": "QC", "J": "QC", "K": "ON", "L": "ON", "M": "ON",
    "N": "ON", "P": "ON", "R": "MB", "S": "SK", "T": "AB", "V": "BC", "X": "NT", "Y": "YT",
}  # fmt: skip
"""By the first letter of a postal code."""


def region_of(country: str, state: str | None, postal_code: str | None) -> str | None:
    """The state or province of an address, told by its postal code where the address does not name one of the table."""
    named, code = (state or "").strip().upper(), (postal_code or "").strip().upper()
    if country == "US":
        return named if named in UNITED_STATES else state_of(code)
    if country == "CA":
        return named if named in CANADA else _PROVINCES.get(code[:1])
    return named or None


def local_taxes(country: str, state: str | None) -> Local | None:
    """The taxes of a place, by its ``region_of``; None where the table has none."""
    if country in ("US", "CA"):
        return (UNITED_STATES if country == "US" else CANADA).get(state or "")
    return COUNTRIES.get(country)
