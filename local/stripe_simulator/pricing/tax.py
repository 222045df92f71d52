"""Stripe Tax: where a customer is, whether tax is collected there, and which. https://docs.stripe.com/tax

Registrations and settings are those of the account that is liable.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ..context import Context
from ..errors import InvalidRequestError
from ..shelves import Collection
from ..state import State
from ..values import Object
from . import tax_rates
from .tax_id_formats import is_well_formed
from .tax_ids import numbers_of
from .tax_kinds import DIGITAL, GOODS, NONTAXABLE, Local, Rate
from .tax_table import EUROPEAN_UNION, PROVINCIAL, local_taxes, region_of

REGISTRATIONS: Final = Collection("tax.registration", path="/v1/tax/registrations", indexes=("status", "country"))
TAX_SETTINGS: Final = Collection("_tax_settings")
"""One for each account, ``id`` "settings"."""

NOTHING_TAXABLE: Final = frozenset(
    {"not_collecting", "not_subject_to_tax", "not_supported", "customer_exempt", "product_exempt", "reverse_charge"}
)
_EXCLUSIVE_CURRENCIES: Final = frozenset({"usd", "cad"})  # https://docs.stripe.com/tax/products-prices-tax-behavior
_EUROPEAN_SCHEMES: Final = frozenset({"oss_union", "oss_non_union", "ioss"})
_NUMBERS_OF_BUSINESSES: Final[Mapping[str, str]] = {
    **dict.fromkeys(EUROPEAN_UNION, "eu_vat"),
    "AU": "au_abn",
    "CH": "ch_vat",
    "GB": "gb_vat",
    "NO": "no_vat",
    "NZ": "nz_gst",
    "SG": "sg_gst",
}
"""The tax ID by which a business owes the tax itself on what it buys from abroad."""


class TaxPlace(NamedTuple):
    """Where a customer is, for tax. ``liable`` is the account whose registrations count.

    ``tax_ids`` are (type, value); ``tax_exempt`` is none, exempt or reverse, as on customers.
    """

    address: Mapping[str, Any]
    liable: str
    tax_ids: Sequence[tuple[str, str]] = ()
    tax_exempt: str = "none"

    @property
    def country(self) -> str:
        """In upper case; empty where it is not known."""
        return str(self.address.get("country") or "").upper()

    @property
    def region(self) -> str | None:
        """The state or province."""
        return region_of(self.country, self.address.get("state"), self.address.get("postal_code"))


class Due(NamedTuple):
    """A tax and why it is what it is; ``rate`` None where the table has none for the place."""

    percentage: Decimal
    reason: str
    rate: Rate | None


def settings_of(state: State, liable: str) -> Object:
    """The tax settings of an account, as they are before anybody said anything."""
    found = state.of(liable).find(TAX_SETTINGS, "settings")
    return found or {
        "id": "settings",
        "object": "tax.settings",
        "defaults": {"provider": "stripe", "tax_behavior": None, "tax_code": None},
        "head_office": None,
        "livemode": False,
        "status": "pending",
        "status_details": {"pending": {"missing_fields": ["head_office"]}},
    }


def require_ready(context: Context, liable: str, param: str | None = "automatic_tax") -> None:
    """Refuse automatic tax for an account that has not said where it is.

    Raises:
        InvalidRequestError.
    """
    if settings_of(context.state, liable)["status"] != "active":
        raise InvalidRequestError(
            "You must have a valid head office address to enable automatic tax calculation in test mode.", param=param
        )


def is_located(place: TaxPlace) -> bool:
    """Whether the address is enough to know the tax by: in the United States the postal code, in Canada a province.

    https://docs.stripe.com/tax/customer-locations#supported-formats
    """
    if place.country == "US" and not place.address.get("postal_code"):
        return False
    return bool(place.country) and (place.country not in ("US", "CA") or place.region is not None)


def address_of(customer: Object) -> tuple[Mapping[str, Any], str]:
    """Where a customer's goods go, else where it is billed, and which of the two that is."""
    shipping = (customer.get("shipping") or {}).get("address") or {}
    if shipping.get("country"):
        return shipping, "shipping_destination"
    return customer.get("address") or {}, "billing_address"


def place_of(state: State, customer: Object, liable: str) -> TaxPlace:
    """Where a customer is, for tax, with its tax IDs."""
    return TaxPlace(
        address=address_of(customer)[0],
        liable=liable,
        tax_ids=numbers_of(state, customer["id"]),
        tax_exempt=customer.get("tax_exempt") or "none",
    )


def of_customer(state: State, customer: Object) -> dict[str, Any]:
    """``tax`` of a customer: whether its tax can be known and is collected."""
    place, source = place_of(state, customer, state.account), address_of(customer)[1]
    status, location = "unrecognized_location", None
    if is_located(place):
        location = {"country": place.country, "source": source, "state": place.region}
        local = local_taxes(place.country, place.region)
        collects = any(_is_registered(state, place, rate) for rate in (local.rates if local else ()))
        status = "supported" if collects else "not_collecting"
    return {"automatic_tax": status, "ip_address": customer.get("_ip_address"), "location": location,
            "provider": "stripe"}  # fmt: skip


def behavior(context: Context, of_price: str, currency: str, place: TaxPlace) -> str:
    """``inclusive`` or ``exclusive``: the price's, else the settings'."""
    if of_price != "unspecified":
        return of_price
    default = settings_of(context.state, place.liable)["defaults"]["tax_behavior"] or "inferred_by_currency"
    if default != "inferred_by_currency":
        return str(default)
    return "exclusive" if currency in _EXCLUSIVE_CURRENCIES else "inclusive"


def kind_of(state: State, place: TaxPlace, tax_code: str | None) -> str:
    """What a product is taxed as: what it says, else what the settings say, else what is usual in the country."""
    usual = DIGITAL if place.country in EUROPEAN_UNION else GOODS
    return tax_code or settings_of(state, place.liable)["defaults"]["tax_code"] or usual


def taxes_due(context: Context, place: TaxPlace, tax_code: str | None) -> list[Due]:
    """The taxes on a product of this kind, sold to this place: at least one, be it of nothing and why."""
    local = local_taxes(place.country, place.region)
    if local is None:
        return [_nothing("not_supported", None)]
    first = local.rates[0] if local.rates else None
    kind = kind_of(context.state, place, tax_code)
    if first is None or kind == NONTAXABLE:
        return [_nothing("not_subject_to_tax", first)]
    collected = frozenset(rate for rate in local.rates if _is_registered(context.state, place, rate))
    why = _why_nothing(context.state, place) if collected else "not_collecting"
    if why:
        return [_nothing(why, first)]
    return [
        _of_kind(local, rate, kind) if rate in collected else _nothing("not_collecting", rate) for rate in local.rates
    ]


def rate_of(context: Context, due: Due, place: TaxPlace, *, inclusive: bool) -> Object | None:
    """The tax rate object that is shown for a tax, be it of nothing; https://docs.stripe.com/tax/zero-tax."""
    if due.rate is None:
        return None
    shown = due.rate._replace(percentage=due.percentage)
    return tax_rates.of_table(context, shown, place.country, place.region, inclusive=inclusive)


def jurisdiction(due: Due, place: TaxPlace) -> Mapping[str, Any]:
    """Who imposes a tax."""
    name, level = (due.rate.jurisdiction, due.rate.level) if due.rate else (place.country, "country")
    state = None if level == "country" else place.region
    return {"country": place.country, "display_name": name, "level": level, "state": state}


def _nothing(reason: str, rate: Rate | None) -> Due:
    return Due(Decimal(0), reason, rate)


def _of_kind(local: Local, rate: Rate, kind: str) -> Due:
    if kind in local.exempt:
        return _nothing("product_exempt", rate)
    reduced = local.reduced.get(kind)
    if reduced is None:
        return Due(rate.percentage, "standard_rated", rate)
    return Due(reduced, "reduced_rated" if reduced else "zero_rated", rate)


def _why_nothing(state: State, place: TaxPlace) -> str | None:
    """Why a customer pays nothing of what is collected, if it does not."""
    if place.tax_exempt == "exempt":
        return "customer_exempt"
    if place.tax_exempt == "reverse" or _is_business_abroad(state, place):
        return "reverse_charge"
    return None


def _is_business_abroad(state: State, place: TaxPlace) -> bool:
    """A business with a tax number in another country than the seller's."""
    office = (settings_of(state, place.liable)["head_office"] or {}).get("address") or {}
    wanted = _NUMBERS_OF_BUSINESSES.get(place.country)
    has_number = any(kind == wanted and is_well_formed(kind, value) for kind, value in place.tax_ids)
    return has_number and office.get("country") != place.country


def _is_registered(state: State, place: TaxPlace, rate: Rate) -> bool:
    """Whether the liable account collects this tax of the place."""
    active = state.of(place.liable).select(REGISTRATIONS, {"status": "active"})
    return any(_covers(registration, place, rate) for registration in active)


def _covers(registration: Object, place: TaxPlace, rate: Rate) -> bool:
    at: str = registration["country"]
    options = registration["country_options"][at.lower()]
    kind = options["type"]
    if kind in _EUROPEAN_SCHEMES:
        return place.country in EUROPEAN_UNION and (place.country != at or kind != "oss_union")
    if at != place.country:
        return False
    if at == "US":
        return bool(kind == "state_sales_tax" and options["state"].upper() == place.region)
    if at == "CA" and rate.tax_type in PROVINCIAL:
        province = options.get("province_standard", {}).get("province", "")
        return bool(kind == "province_standard" and province.upper() == place.region)
    return bool(kind != "province_standard")
