"""Stripe Tax: where a customer is, whether tax is collected there, and which. https://docs.stripe.com/tax

Registrations and settings are those of the account that is liable.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ..context import Context
from ..errors import InvalidRequestError
from ..shelves import Collection
from ..values import Object
from . import tax_rates
from .tax_table import DIGITAL, EUROPEAN_UNION, GOODS, Local, Rate, local_taxes

REGISTRATIONS: Final = Collection("tax.registration", path="/v1/tax/registrations", indexes=("status", "country"))
TAX_SETTINGS: Final = Collection("_tax_settings")
"""One for each account, ``id`` "settings"."""

_NEEDS_STATE: Final = frozenset({"US", "CA"})
_EXCLUSIVE_CURRENCIES: Final = frozenset({"usd", "cad"})  # https://docs.stripe.com/tax/products-prices-tax-behavior
_NOT_IN_EU_SCHEMES: Final = frozenset({"ioss", "oss_non_union"})
NOTHING_TAXABLE: Final = frozenset(
    {"not_collecting", "not_subject_to_tax", "not_supported", "customer_exempt", "product_exempt", "reverse_charge"}
)


class TaxPlace(NamedTuple):
    """Where a customer is, for tax. ``liable`` is the account whose registrations count.

    ``tax_ids`` are (type, value); ``tax_exempt`` is none, exempt or reverse, as on customers.
    """

    address: Mapping[str, Any]
    liable: str
    tax_ids: Sequence[tuple[str, str]] = ()
    tax_exempt: str = "none"


class Due(NamedTuple):
    """A tax and why it is what it is; ``rate`` None where the table has none for the place."""

    percentage: Decimal
    reason: str
    rate: Rate | None


def settings_of(context: Context, liable: str) -> Object:
    """The tax settings of an account, as they are before anybody said anything."""
    found = context.state.of(liable).find(TAX_SETTINGS, "settings")
    return found or {
        "id": "settings",
        "object": "tax.settings",
        "defaults": {"provider": "stripe", "tax_behavior": None, "tax_code": None},
        "head_office": None,
        "livemode": False,
        "status": "pending",
        "status_details": {"pending": {"missing_fields": ["head_office"]}},
    }


def require_ready(context: Context, liable: str) -> None:
    """Refuse automatic tax for an account that has not said where it is.

    Raises:
        InvalidRequestError.
    """
    if settings_of(context, liable)["status"] != "active":
        raise InvalidRequestError(
            "You must have a valid head office address to enable automatic tax calculation in test mode.",
            param="automatic_tax",
        )


def is_located(place: TaxPlace) -> bool:
    """Whether the address is enough to know the tax by."""
    country = place.address.get("country")
    if not country:
        return False
    if country == "US":
        return bool(place.address.get("postal_code") or place.address.get("state"))
    return country not in _NEEDS_STATE or bool(place.address.get("state") or place.address.get("postal_code"))


def behavior(context: Context, of_price: str, currency: str, place: TaxPlace) -> str:
    """``inclusive`` or ``exclusive``: the price's, else the settings'."""
    if of_price != "unspecified":
        return of_price
    default = settings_of(context, place.liable)["defaults"]["tax_behavior"] or "inferred_by_currency"
    if default != "inferred_by_currency":
        return str(default)
    return "exclusive" if currency in _EXCLUSIVE_CURRENCIES else "inclusive"


def taxes_due(context: Context, place: TaxPlace, tax_code: str | None) -> list[Due]:
    """The taxes on a product of this kind, sold to this place: at least one, be it of nothing and why."""
    country, state = str(place.address["country"]), _state(place)
    local = local_taxes(country, state)
    if local is None:
        return [Due(Decimal(0), "not_supported", None)]
    if not local.rates:
        return [Due(Decimal(0), "not_subject_to_tax", None)]
    first = local.rates[0]
    reason = _why_nothing(context, place, country, state)
    if reason:
        return [Due(Decimal(0), reason, first)]
    kind = tax_code or settings_of(context, place.liable)["defaults"]["tax_code"] or _usual(country)
    return _of_kind(local, kind)


def rate_of(context: Context, due: Due, place: TaxPlace, *, inclusive: bool) -> Object | None:
    """The tax rate object that is shown for a tax."""
    if due.rate is None or due.reason in NOTHING_TAXABLE:
        return None
    shown = due.rate._replace(percentage=due.percentage)
    return tax_rates.of_table(context, shown, str(place.address["country"]), _state(place), inclusive=inclusive)


def jurisdiction(due: Due, place: TaxPlace) -> Mapping[str, Any]:
    """Who imposes a tax."""
    country = str(place.address["country"])
    if due.rate is None:
        return {"country": country, "display_name": country, "level": "country", "state": None}
    state = None if due.rate.level == "country" else _state(place)
    return {"country": country, "display_name": due.rate.jurisdiction, "level": due.rate.level, "state": state}


def _of_kind(local: Local, kind: str) -> list[Due]:
    if kind in local.exempt:
        return [Due(Decimal(0), "product_exempt", rate) for rate in local.rates]
    reduced = local.reduced.get(kind)
    if reduced is None:
        return [Due(rate.percentage, "standard_rated", rate) for rate in local.rates]
    return [Due(reduced, "reduced_rated" if reduced else "zero_rated", rate) for rate in local.rates]


def _why_nothing(context: Context, place: TaxPlace, country: str, state: str | None) -> str | None:
    """Why nothing is collected, if nothing is."""
    if not _is_registered(context, place.liable, country, state):
        return "not_collecting"
    if place.tax_exempt == "exempt":
        return "customer_exempt"
    if place.tax_exempt == "reverse" or _is_other_business_in_europe(context, place, country):
        return "reverse_charge"
    return None


def _is_other_business_in_europe(context: Context, place: TaxPlace, country: str) -> bool:
    """A business with a VAT number in another member state owes the tax itself."""
    office = (settings_of(context, place.liable)["head_office"] or {}).get("address") or {}
    has_number = any(kind == "eu_vat" for kind, _ in place.tax_ids)
    return country in EUROPEAN_UNION and has_number and office.get("country") != country


def _is_registered(context: Context, liable: str, country: str, state: str | None) -> bool:
    active = context.state.of(liable).select(REGISTRATIONS, {"status": "active"})
    return any(_covers(registration, country, state) for registration in active)


def _covers(registration: Object, country: str, state: str | None) -> bool:
    at = registration["country"]
    options = registration["country_options"].get(at.lower(), {})
    kind = options.get("type")
    if at == country:
        if kind in _NOT_IN_EU_SCHEMES:
            return False
        if country == "US":
            return bool(options.get("state", "").upper() == (state or "").upper())
        if kind == "province_standard":
            return bool(options["province_standard"]["province"].upper() == (state or "").upper())
        return True
    return kind in ("oss_union", "oss_non_union", "ioss") and country in EUROPEAN_UNION


def _state(place: TaxPlace) -> str | None:
    found = place.address.get("state")
    if found:
        return str(found).upper()
    code = str(place.address.get("postal_code") or "")
    return _STATE_OF_ZIP.get(code[:3]) if place.address.get("country") == "US" else None


def _usual(country: str) -> str:
    """The kind of a product that says nothing of it; https://docs.stripe.com/tax/set-up: a preset of one's own."""
    return DIGITAL if country in EUROPEAN_UNION else GOODS


_STATE_OF_ZIP: Final[Mapping[str, str]] = {
    **dict.fromkeys((f"{zone:03d}" for zone in range(900, 962)), "CA"),
    **dict.fromkeys((f"{zone:03d}" for zone in (*range(100, 150), 5)), "NY"),
    **dict.fromkeys((f"{zone:03d}" for zone in (*range(750, 800), 885)), "TX"),
    **dict.fromkeys((f"{zone:03d}" for zone in range(980, 995)), "WA"),
    **dict.fromkeys((f"{zone:03d}" for zone in range(320, 350)), "FL"),
    **dict.fromkeys((f"{zone:03d}" for zone in range(600, 630)), "IL"),
    **dict.fromkeys((f"{zone:03d}" for zone in range(150, 197)), "PA"),
    **dict.fromkeys((f"{zone:03d}" for zone in range(10, 28)), "MA"),
    **dict.fromkeys((f"{zone:03d}" for zone in range(800, 817)), "CO"),
    **dict.fromkeys((f"{zone:03d}" for zone in range(970, 980)), "OR"),
}
"""The first three digits of a postal code; https://pe.usps.com/text/dmm300/L002.htm"""
