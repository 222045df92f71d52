"""Sales tax of the United States, by state, and which state a postal code is in.

The statewide rates of 2025, to which some states add those of one large city, so that sums of several jurisdictions
occur. Sources: the states' departments of revenue; https://pe.usps.com/text/dmm300/L002.htm for postal codes.
"""

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from .tax_kinds import CLOTHING, DIGITAL, FOOD, SERVICES, SHIPPING, SOFTWARE, SOFTWARE_FOR_BUSINESS, Local, Rate

_NO_SOFTWARE: Final = frozenset({SOFTWARE, SOFTWARE_FOR_BUSINESS, DIGITAL, SERVICES, FOOD})
_ONLY_FOOD: Final = frozenset({FOOD, SERVICES})
_FOOD_AND_CLOTHING: Final = _ONLY_FOOD | {CLOTHING}


def _sales(*rates: tuple[str, str, str], exempt: frozenset[str] = _ONLY_FOOD) -> Local:
    """Sales tax: (percentage, level, jurisdiction) each."""
    return Local(tuple(_rate(*each) for each in rates), exempt)


def _rate(percentage: str, level: str, name: str) -> Rate:
    shown = "Sales Tax" if level == "state" else f"{name} Sales Tax"
    return Rate(Decimal(percentage), level, name, "sales_tax", shown)


_STATEWIDE: Final[Mapping[str, tuple[str, str]]] = {
    "AL": ("4", "Alabama"), "AR": ("6.5", "Arkansas"), "AZ": ("5.6", "Arizona"), "CT": ("6.35", "Connecticut"),
    "DC": ("6", "District of Columbia"), "GA": ("4", "Georgia"), "HI": ("4", "Hawaii"), "IA": ("6", "Iowa"),
    "ID": ("6", "Idaho"), "IN": ("7", "Indiana"), "KS": ("6.5", "Kansas"), "KY": ("6", "Kentucky"),
    "LA": ("5", "Louisiana"), "MD": ("6", "Maryland"), "ME": ("5.5", "Maine"), "MI": ("6", "Michigan"),
    "MN": ("6.875", "Minnesota"), "MO": ("4.225", "Missouri"), "MS": ("7", "Mississippi"),
    "NC": ("4.75", "North Carolina"), "ND": ("5", "North Dakota"), "NE": ("5.5", "Nebraska"),
    "NJ": ("6.625", "New Jersey"), "NM": ("4.875", "New Mexico"), "NV": ("6.85", "Nevada"), "OH": ("5.75", "Ohio"),
    "OK": ("4.5", "Oklahoma"), "RI": ("7", "Rhode Island"), "SC": ("6", "South Carolina"),
    "SD": ("4.2", "South Dakota"), "TN": ("7", "Tennessee"), "UT": ("4.85", "Utah"), "VA": ("4.3", "Virginia"),
    "VT": ("6", "Vermont"), "WI": ("5", "Wisconsin"), "WV": ("6", "West Virginia"), "WY": ("4", "Wyoming"),
}  # fmt: skip
UNITED_STATES: Final[Mapping[str, Local]] = {
    **{state: _sales((percentage, "state", name)) for state, (percentage, name) in _STATEWIDE.items()},
    **dict.fromkeys(("AK", "DE", "MT", "NH", "OR"), Local(())),  # no state has one here
    "CA": _sales(("6", "state", "California"), ("0.25", "county", "San Francisco"),
                 ("2.375", "district", "San Francisco"), exempt=_NO_SOFTWARE | {SHIPPING}),
    "CO": _sales(("2.9", "state", "Colorado"), ("5.15", "city", "Denver"), ("1.1", "district", "Denver"),
                 exempt=_NO_SOFTWARE),
    "FL": _sales(("6", "state", "Florida"), ("1", "county", "Miami-Dade"), exempt=_NO_SOFTWARE),
    "IL": _sales(("6.25", "state", "Illinois"), ("1.75", "county", "Cook"), ("1.25", "city", "Chicago"),
                 ("1", "district", "Regional Transportation"), exempt=frozenset({SOFTWARE, SERVICES})),
    "MA": _sales(("6.25", "state", "Massachusetts"), exempt=_FOOD_AND_CLOTHING),
    "NY": _sales(("4", "state", "New York"), ("4.5", "city", "New York"),
                 ("0.375", "district", "Metropolitan Commuter"), exempt=_FOOD_AND_CLOTHING),
    "PA": _sales(("6", "state", "Pennsylvania"), ("2", "city", "Philadelphia"), exempt=_FOOD_AND_CLOTHING),
    "TX": _sales(("6.25", "state", "Texas"), ("1", "city", "Austin"), ("1", "district", "Austin Transit")),
    "WA": _sales(("6.5", "state", "Washington"), ("3.85", "city", "Seattle")),
}  # fmt: skip

_FIRST_ZONES: Final[Mapping[int, str | None]] = {
    0: None, 5: "NY", 6: None, 10: "MA", 28: "RI", 30: "NH", 39: "ME", 50: "VT", 55: "MA", 56: "VT", 60: "CT", 70: "NJ",
    90: None, 100: "NY", 150: "PA", 197: "DE", 200: "DC", 201: "VA", 202: "DC", 206: "MD", 220: "VA", 247: "WV",
    270: "NC", 290: "SC", 300: "GA", 320: "FL", 340: None, 341: "FL", 350: "AL", 370: "TN", 386: "MS", 398: "GA",
    400: "KY", 430: "OH", 460: "IN", 480: "MI", 500: "IA", 530: "WI", 550: "MN", 569: "DC", 570: "SD", 580: "ND",
    590: "MT", 600: "IL", 630: "MO", 660: "KS", 680: "NE", 700: "LA", 716: "AR", 730: "OK", 733: "TX", 734: "OK",
    750: "TX", 800: "CO", 820: "WY", 832: "ID", 840: "UT", 850: "AZ", 870: "NM", 885: "TX", 889: "NV", 900: "CA",
    962: None, 967: "HI", 969: None, 970: "OR", 980: "WA", 995: "AK",
}  # fmt: skip
"""The first three digits from which on postal codes are a state's; territories and the army are in none."""

_ZONE_STARTS: Final = tuple(_FIRST_ZONES)
_ZONE_DIGITS: Final = 3


def state_of(postal_code: str) -> str | None:
    """The state that a postal code is in.

    >>> state_of("94103"), state_of("02139"), state_of("00901")
    ('CA', 'MA', None)
    """
    zone = postal_code[:_ZONE_DIGITS]
    if len(zone) < _ZONE_DIGITS or not zone.isdigit():
        return None
    return _FIRST_ZONES[_ZONE_STARTS[bisect_right(_ZONE_STARTS, int(zone)) - 1]]
