"""Tax calculations: what the tax on a purchase would be, kept for 90 days so that it can be recorded.

https://docs.stripe.com/api/tax/calculations
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from .. import money
from ..catalog import PRODUCTS
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, ResourceMissingError, UnsupportedError
from ..lists import list_object
from ..metadata import merged
from ..shelves import Collection
from ..shipping_rates import SHIPPING_RATES, amount_in
from ..state import State, public
from ..values import Json, Object
from . import tax
from .sums import Line, LineSum, sum_up
from .tax import TaxPlace
from .tax_breakdowns import breakdown, imposed, shipping_cost
from .tax_kinds import SHIPPING, check_tax_code

_DAY_SECONDS: Final = 24 * 3_600
_KEPT_SECONDS: Final = 90 * _DAY_SECONDS  # https://docs.stripe.com/tax/standalone-tax-api#tax-transaction
_FARTHEST_TAX_DATE_SECONDS: Final = 31 * _DAY_SECONDS
_MOST_LINES: Final = 100
_ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
_OVERRIDES: Final = {"none": "none", "customer_exempt": "exempt", "reverse_charge": "reverse"}


def _lines_of(state: State, calculation: Object) -> Json:
    found = state.select(CALCULATION_LINES, {"_calculation": calculation["id"]})
    return list_object([public(line) for line in found], f"/v1/tax/calculations/{calculation['id']}/line_items")


CALCULATIONS: Final = Collection("tax.calculation", expands={"line_items": _lines_of})
CALCULATION_LINES: Final = Collection("tax.calculation_line_item", indexes=("_calculation",))


class _Item(NamedTuple):
    """What is bought: a line to sum up, and what else is said of it."""

    line: Line
    reference: str | None
    metadata: Mapping[str, str] | None


def calculate(context: Context, params: Mapping[str, Any]) -> Object:
    """A calculation from the API's parameters, kept.

    Raises:
        InvalidRequestError: no place, lines that are none, tax that is not set up.
    """
    tax.require_ready(context, context.account, param=None)
    currency = money.currency_code(params["currency"])
    details = _customer_details(context, params)
    place = _place(context, details)
    items = _items(context, params["line_items"], currency, place)
    shipping = _shipping(context, params, currency)
    sums = sum_up(context, [item.line for item in items], currency=currency, shipping=shipping, automatic_tax=place)
    now = context.clock.now()
    calculation: dict[str, Any] = {
        "id": context.ids.new("taxcalc"),
        "object": "tax.calculation",
        "amount_total": sums.total,
        "currency": currency,
        "customer": params.get("customer"),
        "customer_details": details,
        "expires_at": now + _KEPT_SECONDS,
        "livemode": False,
        "ship_from_details": _ship_from(params),
        "shipping_cost": shipping_cost(sums, (params.get("shipping_cost") or {}).get("shipping_rate")),
        "tax_amount_exclusive": sums.tax_exclusive,
        "tax_amount_inclusive": sums.tax - sums.tax_exclusive,
        "tax_breakdown": breakdown(sums),
        "tax_date": _tax_date(params, now),
    }
    context.state.insert(CALCULATIONS, calculation)
    for item, summed in reversed(list(zip(items, sums.lines, strict=True))):  # a list shows the newest first
        context.state.insert(CALCULATION_LINES, _line_item(context, calculation["id"], item, summed))
    return calculation


def standing(context: Context, calculation_id: str, *, param: str = "id") -> Object:
    """The calculation, unless it has expired.

    Raises:
        ResourceMissingError: there is none, or no longer.
    """
    found = context.state.get(CALCULATIONS, calculation_id, param=param)
    if found["expires_at"] <= context.clock.now():
        raise ResourceMissingError("tax.calculation", calculation_id, param=param)
    return found


def _customer_details(context: Context, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the request says of the customer, else what the customer's object says."""
    given = params.get("customer_details") or {}
    if "customer" not in params and "address" not in given:
        if "ip_address" in given:
            raise UnsupportedError("finding a customer's location by its ip_address")
        raise InvalidParameterError(
            "You must give either `customer` or `customer_details[address]`.",
            code="parameter_missing",
            param="customer_details[address]",
        )
    details: dict[str, Any] = {**dict.fromkeys(("address", "address_source", "ip_address")), "tax_ids": []}
    details["taxability_override"] = "none"
    if "customer" in params:
        details |= _on_file(context, params["customer"])
    if "address" in given and "address_source" not in given:
        raise InvalidParameterError(
            "`address_source` must be given with `address`.",
            code="parameter_missing",
            param="customer_details[address_source]",
        )
    details |= given
    if "address" in given:
        details["address"] = _address(given["address"])
    return details


def _on_file(context: Context, customer_id: str) -> dict[str, Any]:
    customer = context.state.find("customer", customer_id)
    if customer is None or "deleted" in customer:
        raise ResourceMissingError("customer", customer_id, param="customer")
    place, (address, source) = tax.place_of(context.state, customer, context.account), tax.address_of(customer)
    overrides = {exempt: override for override, exempt in _OVERRIDES.items()}
    return {
        "address": _address(address) if address.get("country") else None,
        "address_source": "shipping" if source == "shipping_destination" else "billing",
        "tax_ids": [{"type": kind, "value": value} for kind, value in place.tax_ids],
        "taxability_override": overrides[place.tax_exempt],
    }


def _place(context: Context, details: Mapping[str, Any]) -> TaxPlace:
    place = TaxPlace(
        address=details["address"] or {},
        liable=context.account,
        tax_ids=[(each["type"], each["value"]) for each in details["tax_ids"]],
        tax_exempt=_OVERRIDES[details["taxability_override"]],
    )
    if not tax.is_located(place):
        raise InvalidRequestError(
            "We could not determine the customer's tax location based on the provided customer address.",
            code="customer_tax_location_invalid",
            param="customer_details[address]",
        )
    return place


def _items(context: Context, given: Sequence[Mapping[str, Any]], currency: str, place: TaxPlace) -> list[_Item]:
    if not 1 <= len(given) <= _MOST_LINES:
        raise InvalidParameterError(f"A calculation has from 1 to {_MOST_LINES} line items.", param="line_items")
    items = [_item(context, each, f"line_items[{at}]", currency, place) for at, each in enumerate(given)]
    references = [item.reference for item in items if item.reference]
    for at, reference in enumerate(references):
        if reference in references[:at]:
            raise InvalidParameterError(f"The reference '{reference}' is not unique.", param="line_items[reference]")
    return items


def _item(context: Context, given: Mapping[str, Any], param: str, currency: str, place: TaxPlace) -> _Item:
    if "performance_location" in given:
        raise UnsupportedError(f"the parameter {param}[performance_location] of {context.path}")
    money.check_amount(given["amount"], currency, f"{param}[amount]")
    quantity = given.get("quantity", 1)
    if quantity < 1:
        raise InvalidParameterError("This value must be greater than or equal to 1.", param=f"{param}[quantity]")
    product, code = given.get("product"), given.get("tax_code")
    if code:
        check_tax_code(code, f"{param}[tax_code]")
    if product:
        code = code or context.state.get(PRODUCTS, product, param=f"{param}[product]")["tax_code"]
    line = Line(
        amount=given["amount"],
        quantity=quantity,
        product=product,
        tax_code=tax.kind_of(context.state, place, code),
        tax_behavior=given.get("tax_behavior", "exclusive"),
    )
    return _Item(line, given.get("reference"), merged({}, given["metadata"]) if "metadata" in given else None)


def _shipping(context: Context, params: Mapping[str, Any], currency: str) -> Line | None:
    """The line of what shipping costs: by its rate, or by what was given, and not both."""
    given = params.get("shipping_cost")
    if given is None:
        return None
    if ("shipping_rate" in given) == ("amount" in given):
        raise InvalidParameterError(
            "You must give exactly one of `shipping_rate` and `amount`.", param="shipping_cost[amount]"
        )
    if "shipping_rate" in given:
        for name in ("tax_behavior", "tax_code"):
            if name in given:
                raise InvalidParameterError(
                    f"You cannot give `{name}` with a shipping rate.", param=f"shipping_cost[{name}]"
                )
        rate = context.state.get(SHIPPING_RATES, given["shipping_rate"], param="shipping_cost[shipping_rate]")
        amount, behavior = amount_in(context, rate, currency, "shipping_cost[shipping_rate]")
        code = rate["tax_code"]
    else:
        amount, behavior, code = given["amount"], given.get("tax_behavior", "unspecified"), given.get("tax_code")
        money.check_amount(amount, currency, "shipping_cost[amount]")
        if code:
            check_tax_code(code, "shipping_cost[tax_code]")
    usual = "exclusive" if behavior == "unspecified" else behavior
    return Line(amount=amount, discountable=False, tax_code=code or SHIPPING, tax_behavior=usual)


def _tax_date(params: Mapping[str, Any], now: int) -> int:
    date: int = params.get("tax_date", now)
    if abs(date - now) > _FARTHEST_TAX_DATE_SECONDS:
        raise InvalidParameterError("The tax date must be within 31 days of the current time.", param="tax_date")
    return date


def _ship_from(params: Mapping[str, Any]) -> dict[str, Any] | None:
    given = params.get("ship_from_details")
    return {"address": _address(given["address"])} if given else None


def _address(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given.get(name) or None for name in _ADDRESS}


def _line_item(context: Context, calculation_id: str, item: _Item, summed: LineSum) -> dict[str, Any]:
    line_id = context.ids.new("tax_li")
    return {
        "id": line_id,
        "object": "tax.calculation_line_item",
        "amount": summed.subtotal,
        "amount_tax": summed.tax,
        "livemode": False,
        "metadata": item.metadata,
        "product": item.line.product,
        "quantity": item.line.quantity,
        "reference": item.reference or line_id,
        "tax_behavior": item.line.tax_behavior,
        "tax_breakdown": [imposed(each) for each in summed.taxes],
        "tax_code": item.line.tax_code,
        "_calculation": calculation_id,
    }
