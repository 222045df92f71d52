"""The line items of a Checkout Session: a price of the catalog, or one described on the spot, and how often.

https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from ..catalog import PRICES, PRODUCTS, add_price, add_product, price_currency_options
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..metadata import merged
from ..shelves import Collection
from ..state import State, public
from ..values import Object
from .checks import PAYMENT, SUBSCRIPTION

ITEMS: Final = Collection(
    "item",
    indexes=("_session",),
    expands={
        "discounts": lambda _state, item: item["_discounts"],
        "taxes": lambda _state, item: item["_taxes"],
    },
)
"""``_each``: the exact amount of one, as text; ``_tax_rates``: ids; ``_optional``: which optional item it came of."""

MAXIMUM_LINE_ITEMS: Final = 100
MAXIMUM_OF_A_TYPE: Final = 20  # in mode subscription, recurring or one-time
MAXIMUM_QUANTITY: Final = 999_999
_USUAL_MAXIMUM: Final = 99  # of an adjustable quantity


class Order(NamedTuple):
    """What all items of a session have in common; in a trial nothing that recurs costs anything yet."""

    mode: str
    currency: str | None
    has_trial: bool = False


def priced(context: Context, given: Sequence[Mapping[str, Any]], order: Order) -> list[dict[str, Any]]:
    """The line items with their prices and amounts, not kept yet; all in one currency.

    Raises:
        InvalidParameterError: none or too many, an inactive price or one of another mode, several currencies, a wrong
            quantity.
    """
    if not given:
        raise InvalidParameterError(
            f"`line_items` are required in `{order.mode}` mode.", code="parameter_missing", param="line_items"
        )
    items = []
    for position, each in enumerate(given):
        items.append(item_of(context, each, f"line_items[{position}]", order))
        order = order._replace(currency=items[0]["currency"])
    check_number(items, order.mode)
    return items


def check_number(items: Sequence[Mapping[str, Any]], mode: str) -> None:
    """Refuse more items than a session can have, and a subscription to nothing.

    Raises:
        InvalidParameterError: too many, or none that recurs.
    """
    recurring = sum(each["price"]["type"] == "recurring" for each in items)
    most, counted = MAXIMUM_LINE_ITEMS, len(items)
    if mode == SUBSCRIPTION:
        most, counted = MAXIMUM_OF_A_TYPE, max(recurring, len(items) - recurring)
        if not recurring:
            raise InvalidParameterError(
                "You must provide at least one recurring price in `subscription` mode when using prices.",
                param="line_items",
            )
    if counted > most:
        raise InvalidParameterError(f"A Checkout Session can have up to {most} line items.", param="line_items")


def item_of(
    context: Context, given: Mapping[str, Any], param: str, order: Order, *, price: Object | None = None
) -> dict[str, Any]:
    """One line item of the API's parameters, with the amounts that it has before discounts and taxes.

    ``price`` is what an item that stays has cost so far: also one that nobody could choose any more.
    """
    price = price or _price(context, given, param)
    recurs = price["type"] == "recurring"
    if order.mode == PAYMENT and recurs:
        raise InvalidParameterError(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            param=f"{param}[price]",
        )
    paid_in = order.currency or price["currency"]
    each = Decimal(0) if recurs and order.has_trial else _unit_amount(context, price, paid_in, param)
    product = context.state.get(PRODUCTS, price["product"])
    adjustable = adjustable_quantity(given.get("adjustable_quantity"))
    quantity = _quantity(given, price, adjustable, param)
    item = {
        "id": context.ids.new("li"),
        "object": "item",
        "adjustable_quantity": adjustable,
        "amount_discount": 0,
        "amount_tax": 0,
        "currency": paid_in,
        "description": product["name"],
        "metadata": merged({}, given.get("metadata")),
        "price": public(price),
        "_discounts": [],
        "_each": str(each),
        "_optional": None,
        "_tax_rates": list(given.get("tax_rates") or ()),
        "_taxes": [],
    }
    return with_quantity(item, quantity)


def with_quantity(item: Mapping[str, Any], quantity: int | None) -> dict[str, Any]:
    """The item so many times, before discounts and taxes; a metered price has no quantity, and costs nothing now."""
    amount = Decimal(item["_each"]) * (quantity or 0)
    total = int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return {**item, "amount_subtotal": total, "amount_total": total, "quantity": quantity}


def adjustable_quantity(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Within which bounds the buyer may change a quantity; None where he may not.

    Raises:
        InvalidParameterError: there is nothing between the bounds.
    """
    if not given or not given["enabled"]:
        return None
    least, most = given.get("minimum", 0), given.get("maximum", _USUAL_MAXIMUM)
    if not 0 <= least <= most <= MAXIMUM_QUANTITY:
        raise InvalidParameterError(
            f"An adjustable quantity lies between 0 and {MAXIMUM_QUANTITY}, its minimum is no more than its maximum.",
            param="adjustable_quantity",
        )
    return {"enabled": True, "maximum": most, "minimum": least}


def changed(context: Context, session: Object, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The session's items as an update wants them: those named by id with what changes, others new, the rest gone.

    Raises:
        InvalidParameterError: an id that the session does not have, and what new items are refused for.
    """
    known = {each["id"]: each for each in of_session(context.state, session)}
    order, items = order_of(session), []
    for position, each in enumerate(given):
        param = f"line_items[{position}]"
        found = known.get(each["id"]) if "id" in each else None
        if "id" in each and found is None:
            raise InvalidParameterError(f"No such line item: '{each['id']}'", code="resource_missing", param=param)
        if found is None:
            items.append(item_of(context, each, param, order))
            continue
        stays = "price" not in each and "price_data" not in each
        price = context.state.get(PRICES, found["price"]["id"]) if stays else None
        fresh = item_of(context, {**_given_of(found), **each}, param, order, price=price)
        metadata = merged(found["metadata"], each.get("metadata"))
        items.append({**fresh, "id": found["id"], "metadata": metadata, "_optional": found["_optional"]})
    if not items:
        raise InvalidParameterError("`line_items` cannot be empty.", param="line_items")
    check_number(items, session["mode"])
    return items


def order_of(session: Object) -> Order:
    """What all items of a session have in common."""
    terms = session["_subscription"]
    return Order(session["mode"], session["currency"], "trial_end" in terms or "trial_period_days" in terms)


def of_session(state: State, session: Object) -> list[Object]:
    """The session's items, in their order."""
    return list(state.select(ITEMS, {"_session": session["id"]}))


def keep(context: Context, session: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Keep the items of a session in the place of those before: the last one first, for lists show the newest first."""
    for before in list(context.state.select(ITEMS, {"_session": session})):
        context.state.delete(ITEMS, before["id"])
    for item in reversed(items):
        context.state.insert(ITEMS, {**item, "_session": session})


def _given_of(item: Object) -> dict[str, Any]:
    """What the item could have been created with, but for its price."""
    given: dict[str, Any] = {"tax_rates": item["_tax_rates"]}
    if item["adjustable_quantity"]:
        given["adjustable_quantity"] = item["adjustable_quantity"]
    if item["quantity"] is not None:
        given["quantity"] = item["quantity"]
    return given


def _quantity(given: Mapping[str, Any], price: Object, adjustable: Mapping[str, Any] | None, param: str) -> int | None:
    quantity: int | None = given.get("quantity")
    if price["recurring"] and price["recurring"]["usage_type"] == "metered":
        if quantity is not None:
            raise InvalidParameterError("You cannot set `quantity` for a metered price.", param=f"{param}[quantity]")
        return None
    if quantity is None:
        raise InvalidParameterError(
            f"Quantity is required. Add `quantity` to `{param}`.", code="parameter_missing", param=f"{param}[quantity]"
        )
    least, most = (adjustable["minimum"], adjustable["maximum"]) if adjustable else (1, MAXIMUM_QUANTITY)
    if not max(least, 1) <= quantity <= most:
        raise InvalidParameterError(
            f"This value must be from {max(least, 1)} to {most}.",
            code="parameter_invalid_integer",
            param=f"{param}[quantity]",
        )
    return quantity


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
    return price


def _described(context: Context, given: Mapping[str, Any], param: str) -> Object:
    """A price made on the spot, which cannot be used again."""
    if ("product" in given) == ("product_data" in given):
        raise InvalidParameterError("You must specify either `product` or `product_data`.", param=f"{param}[product]")
    if "product" in given:
        product = context.state.get(PRODUCTS, given["product"], param=f"{param}[product]")
    else:
        product = add_product(context, {**given["product_data"], "active": False})
    shown = {name: each for name, each in given.items() if name not in ("product", "product_data")}
    return add_price(context, {**shown, "active": False}, product["id"])


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
