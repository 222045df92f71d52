"""The line items of a Checkout Session: a price of the catalog, or one described on the spot, and how often.

https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from .. import money
from ..catalog import PRICES, PRODUCTS, add_price, add_product, price_currency_options
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..metadata import merged
from ..shelves import Collection
from ..state import public
from ..values import Object

ITEMS: Final = Collection("item", indexes=("_session",))
MAXIMUM_LINE_ITEMS: Final = 100
MAXIMUM_QUANTITY: Final = 999_999
_UNSUPPORTED: Final = ("tax_rates",)


def priced(context: Context, given: Sequence[Mapping[str, Any]], currency: str | None) -> list[dict[str, Any]]:
    """The line items with their prices and amounts, not kept yet; all in one currency.

    Raises:
        InvalidParameterError: none or too many, an inactive or recurring price, several currencies, a wrong quantity.
    """
    if not given:
        raise InvalidParameterError(
            "`line_items` are required in `payment` mode.", code="parameter_missing", param="line_items"
        )
    if len(given) > MAXIMUM_LINE_ITEMS:
        raise InvalidParameterError(
            f"A Checkout Session can have up to {MAXIMUM_LINE_ITEMS} line items.", param="line_items"
        )
    wanted = money.currency_code(currency) if currency else None
    items = []
    for position, each in enumerate(given):
        items.append(_item(context, each, f"line_items[{position}]", wanted))
        wanted = wanted or items[0]["currency"]
    return items


def keep(context: Context, session: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Keep the items of a session; the last one first, so that a list, newest first, shows them as they were given."""
    for item in reversed(items):
        context.state.insert(ITEMS, {**item, "_session": session})


def _item(context: Context, given: Mapping[str, Any], param: str, currency: str | None) -> dict[str, Any]:
    for name in _UNSUPPORTED:
        if given.get(name):
            raise UnsupportedError(f"the parameter {param}[{name}]")
    if given.get("adjustable_quantity", {}).get("enabled"):
        raise UnsupportedError(f"the parameter {param}[adjustable_quantity]")
    quantity = given.get("quantity")
    if quantity is None:
        raise InvalidParameterError(
            f"Quantity is required. Add `quantity` to `{param}`.", code="parameter_missing", param=f"{param}[quantity]"
        )
    if not 1 <= quantity <= MAXIMUM_QUANTITY:
        raise InvalidParameterError(
            f"This value must be from 1 to {MAXIMUM_QUANTITY}.",
            code="parameter_invalid_integer",
            param=f"{param}[quantity]",
        )
    price = _price(context, given, param)
    paid_in = currency or price["currency"]
    amount = _unit_amount(context, price, paid_in, param) * quantity
    total = int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    product = context.state.get(PRODUCTS, price["product"])
    return {
        "id": context.ids.new("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": paid_in,
        "description": product["name"],
        "metadata": merged({}, given.get("metadata")),
        "price": public(price),
        "quantity": quantity,
    }


def _price(context: Context, given: Mapping[str, Any], param: str) -> Object:
    if ("price" in given) == ("price_data" in given):
        raise InvalidParameterError(
            f"You must specify either `price` or `price_data` for each line item: see `{param}`.", param=param
        )
    if "price_data" in given:
        return _described(context, given["price_data"], f"{param}[price_data]")
    price = context.state.get(PRICES, given["price"], param=f"{param}[price]")
    if not price["active"]:
        raise InvalidParameterError(
            "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
        )
    if not context.state.get(PRODUCTS, price["product"])["active"]:
        raise InvalidParameterError(
            f"The price {price['id']} cannot be bought because its product `{price['product']}` is not active.",
            param=f"{param}[price]",
        )
    _require_one_time(price["type"] == "one_time", f"{param}[price]")
    return price


def _described(context: Context, given: Mapping[str, Any], param: str) -> Object:
    """A price made on the spot, which cannot be used again."""
    _require_one_time("recurring" not in given, f"{param}[recurring]")
    if ("product" in given) == ("product_data" in given):
        raise InvalidParameterError("You must specify either `product` or `product_data`.", param=f"{param}[product]")
    if "product" in given:
        product = context.state.get(PRODUCTS, given["product"], param=f"{param}[product]")
    else:
        product = add_product(context, {**given["product_data"], "active": False})
    shown = {name: each for name, each in given.items() if name not in ("product", "product_data")}
    return add_price(context, {**shown, "active": False}, product["id"])


def _require_one_time(is_one_time: bool, param: str) -> None:  # noqa: FBT001 - the condition itself
    if not is_one_time:
        raise InvalidParameterError(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            param=param,
        )


def _unit_amount(context: Context, price: Object, currency: str, param: str) -> Decimal:
    """The exact amount of one, in the session's currency."""
    amounts: Mapping[str, Any] = price
    if price["currency"] != currency:
        found = price_currency_options(context.state, price).get(currency)
        if found is None:
            raise InvalidParameterError(
                f"All line items of a Checkout Session are in one currency. This one is {currency}, and the price "
                f"{price['id']} has no amount in it: its currency is {price['currency']}.",
                param=param,
            )
        amounts = found
    if amounts.get("unit_amount") is not None:
        return Decimal(amounts["unit_amount"])
    if amounts.get("unit_amount_decimal") is None:
        raise UnsupportedError("line items with tiered prices or amounts that the buyer chooses")
    return Decimal(amounts["unit_amount_decimal"])
