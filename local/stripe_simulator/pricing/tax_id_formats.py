"""How tax IDs are written. https://docs.stripe.com/billing/customer/tax-ids#supported-tax-id

Types that are not in the tables may have any value.
"""

import re
from collections.abc import Mapping
from typing import Final

_EUROPEAN: Final[Mapping[str, str]] = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"\d{9}",
    "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}", "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"[A-Z0-9+*]{10}\d{2}",
    "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}",
    "XI": r"\d{9}(\d{3})?",
}  # fmt: skip
_FORMATS: Final[Mapping[str, str]] = {
    "au_abn": r"\d{11}",
    "au_arn": r"\d{12}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ca_qst": r"\d{10}TQ\d{4}",
    "ch_vat": r"CHE\d{9}(MWST|TVA|IVA)",
    "eu_oss_vat": r"EU\d{9}",
    "gb_vat": r"GB(\d{9}|\d{12}|(GD|HA)\d{3})",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z]\d[A-Z0-9]{2}",
    "jp_cn": r"\d{13}",
    "jp_trn": r"T\d{13}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "us_ein": r"\d{9}",
}
"""Without the points, dashes and blanks that people put between."""

VERIFIED: Final = "000000000"
UNVERIFIED: Final = "111111111"
FOREVER_PENDING: Final = "222222222"
MAGIC_VALUES: Final = frozenset({VERIFIED, UNVERIFIED, FOREVER_PENDING})
"""https://docs.stripe.com/billing/testing#customer-tax-id-verfication"""
MAGIC_TYPES: Final = frozenset({"eu_vat", "au_abn"})

_COUNTRIES_OF_PREFIXES: Final = {"EL": "GR", "XI": "GB"}
_NOWHERE: Final = frozenset({"eu_oss_vat", "unknown"})
_BETWEEN: Final = re.compile(r"[\s.\-/]")
_PREFIX: Final = 2


def is_well_formed(kind: str, value: str) -> bool:
    """Whether a value can be a tax ID of this type; nobody is asked whether there is such a one.

    >>> is_well_formed("eu_vat", "DE123456789"), is_well_formed("us_ein", "12-3456789")
    (True, True)
    >>> is_well_formed("eu_vat", "DE12")
    False
    """
    written = _BETWEEN.sub("", value).upper()
    if kind in MAGIC_TYPES and written in MAGIC_VALUES:
        return True
    if kind == "eu_vat":
        pattern = _EUROPEAN.get(written[:_PREFIX])
        return pattern is not None and re.fullmatch(pattern, written[_PREFIX:]) is not None
    return bool(written) and re.fullmatch(_FORMATS.get(kind, r".+"), written) is not None


def country_of(kind: str, value: str) -> str | None:
    """The country that a tax ID belongs to, if it is one country's."""
    if kind == "eu_vat":
        prefix = value.strip()[:_PREFIX].upper()
        return _COUNTRIES_OF_PREFIXES.get(prefix, prefix) if prefix in _EUROPEAN else None
    return None if kind in _NOWHERE else kind[:_PREFIX].upper()
