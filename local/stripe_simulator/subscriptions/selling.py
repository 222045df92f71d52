"""What a subscription sells: the prices that its items and its first invoice's extra lines name or describe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .. import money
from ..catalog import PRICES, PRODUCTS, add_price
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..invoices.lines import DraftLine, of_price
from ..values import Object

MOST_ITEMS: Final = 20  # https://docs.stripe.com/billing/subscriptions/multiple-products


def extra_line(context: Context, given: Mapping[str, Any], param: str, now: int) -> DraftLine:
    """A line of ``add_invoice_items``: a one-time price."""
    if given.get("discounts"):
        raise UnsupportedError(f"discounts in {param}")
    price = _one_time(context, given, param)
    line = of_price(context, price, given.get("quantity", 1))
    return replace(line, period=(now, now), tax_rates=tuple(given.get("tax_rates") or ()))


def recurring_price(context: Context, given: Mapping[str, Any], param: str, *, is_sold: bool = False) -> Object:
    """The recurring price that an item names or describes; one that was sold already may be inactive since.

    ``_kept`` is of a schedule's phases, whose prices were active when they were planned.

    Raises:
        InvalidParameterError: none, an inactive one, or one that does not recur.
    """
    if ("price" in given) == ("price_data" in given):
        raise InvalidParameterError(
            f"You must specify either `price` or `price_data` for each item: see `{param}`.",
            code="parameter_missing",
            param=f"{param}[price]",
        )
    if "price_data" in given:
        described = given["price_data"]
        product = context.state.get(PRODUCTS, described["product"], param=f"{param}[price_data][product]")
        shown = {name: each for name, each in described.items() if name != "product"}
        return add_price(context, {**shown, "active": False}, product["id"])
    price = context.state.get(PRICES, given["price"], param=f"{param}[price]")
    if not (price["active"] or is_sold or given.get("_kept")):
        raise InvalidParameterError(
            "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
        )
    if price["type"] != "recurring":
        raise InvalidParameterError(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{param}[price]",
        )
    if price["recurring"]["usage_type"] == "metered":
        raise UnsupportedError("metered prices")
    return price


def one_currency(prices: Sequence[Object]) -> str:
    """The currency of all of a subscription's prices.

    Raises:
        InvalidParameterError: several, or too many or no prices.
    """
    if not 0 < len(prices) <= MOST_ITEMS:
        raise InvalidParameterError(f"A subscription has 1 to {MOST_ITEMS} items.", param="items")
    currencies = {price["currency"] for price in prices}
    if len(currencies) > 1:
        raise InvalidParameterError("All prices on a subscription must have the same currency.", param="items")
    return money.currency_code(currencies.pop())


def _one_time(context: Context, given: Mapping[str, Any], param: str) -> Object:
    if "price" in given:
        price = context.state.get(PRICES, given["price"], param=f"{param}[price]")
    else:
        described = given["price_data"]
        product = context.state.get(PRODUCTS, described["product"], param=f"{param}[price_data][product]")
        shown = {name: each for name, each in described.items() if name != "product"}
        price = add_price(context, {**shown, "active": False}, product["id"])
    if price["type"] != "one_time":
        raise InvalidParameterError("Only one-time prices can be added to an invoice.", param=f"{param}[price]")
    return price
