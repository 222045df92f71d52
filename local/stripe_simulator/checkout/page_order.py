"""The part of the pay page that shows the order: items, what can be changed of them, the code, shipping, the sums."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..catalog import PRICES, PRODUCTS
from ..context import Context
from ..money import amount_text
from ..pages import Markup, fill, joined
from ..shipping_rates import SHIPPING_RATES
from ..values import Object
from . import line_items

_ORDER: Final = """
<h2>Your order</h2>
<table>
<tbody>{rows}</tbody>
<tfoot>{sums}</tfoot>
</table>
{extras}
{update}
"""
_ROW: Final = '<tr><td>{name}{quantity}</td><td class="amount">{amount}</td></tr>'
_SUM: Final = '<tr><th scope="row">{name}</th><td class="amount">{amount}</td></tr>'
_NUMBER: Final = """
<label for="{field}">{label}</label>
<input id="{field}" name="{field}" type="number" inputmode="numeric" min="{least}" max="{most}" value="{value}">
"""
_CHECK: Final = """
<label class="choice"><input type="checkbox" name="{field}" value="{value}"> <span>{label}</span></label>
"""
_CODE: Final = """
<label for="code">Promotion code</label>
<input id="code" name="code" value="{code}" autocomplete="off">
"""
_OPTION: Final = """
<label class="choice"><input type="radio" name="shipping_rate" value="{rate}"{checked}>
<span>{name}, {amount}{estimate}</span></label>
"""
_SHIPPING: Final = "<fieldset><legend>Shipping</legend>{options}</fieldset>"
_REMOVE: Final = """
<p><button class="small quiet" name="quantity_{item}" value="0">Remove {name}</button></p>
"""
_UPDATE: Final = '<button name="action" value="update" class="quiet">Update the order</button>'


def order(context: Context, session: Object) -> Markup:
    """The order, with a button to update it where something can be changed."""
    items = line_items.of_session(context.state, session)
    extras = [
        *(_change_of(item) for item in items),
        *_optional(context, session, items),
        _code(session),
        _shipping(context, session),
    ]
    extras = [each for each in extras if each]
    changes = bool(extras) or session["automatic_tax"]["enabled"]
    return fill(
        _ORDER,
        rows=joined(_row(item) for item in items),
        sums=joined(_sums(session)),
        extras=joined(extras),
        update=Markup(_UPDATE if changes else ""),
    )


def _row(item: Object) -> Markup:
    quantity = item["quantity"] or 0
    recurring = item["price"]["recurring"]
    every = f", every {_span(recurring['interval_count'], recurring['interval'])}" if recurring else ""
    return fill(
        _ROW,
        name=f"{item['description']}{every}",
        quantity=f" × {quantity}" if quantity != 1 and item["quantity"] is not None else "",  # noqa: RUF001 - a multiplication sign
        amount=amount_text(item["amount_subtotal"], item["currency"]),
    )


def _sums(session: Object) -> list[Markup]:
    details, currency = session["total_details"], session["currency"]
    shipping = session["shipping_cost"]
    lines = [
        ("Subtotal", session["amount_subtotal"], details["amount_discount"] or details["amount_tax"] or shipping),
        ("Discount", -details["amount_discount"], details["amount_discount"]),
        ("Shipping", details["amount_shipping"], shipping),
        ("Tax", details["amount_tax"], details["amount_tax"]),
    ]
    found = [
        fill(_SUM, name=name, amount=amount_text(amount, currency)) for name, amount, is_shown in lines if is_shown
    ]
    if session["automatic_tax"]["status"] == "requires_location_inputs":
        found.append(fill(_SUM, name="Tax", amount="depends on the address"))
    return [*found, fill(_SUM, name="Total due", amount=amount_text(session["amount_total"], currency))]


def _change_of(item: Object) -> Markup:
    bounds, field = item["adjustable_quantity"], f"quantity_{item['id']}"
    if bounds:
        least = 0 if item["_optional"] is not None else bounds["minimum"]
        label = f"Quantity of {item['description']}"
        return fill(_NUMBER, field=field, label=label, least=least, most=bounds["maximum"], value=item["quantity"] or 0)
    if item["_optional"] is not None and item["quantity"]:
        return fill(_REMOVE, item=item["id"], name=item["description"])
    return Markup()


def _optional(context: Context, session: Object, items: Sequence[Object]) -> list[Markup]:
    """What can be added and was not; what was added and taken away can be added by its quantity."""
    present = {item["_optional"] for item in items}
    return [
        fill(_CHECK, field=f"optional_{position}", value="1", label=_offer(context, option))
        for position, option in enumerate(session["optional_items"] or ())
        if position not in present
    ]


def _offer(context: Context, option: Mapping[str, Any]) -> str:
    price = context.state.get(PRICES, option["price"])
    name = context.state.get(PRODUCTS, price["product"])["name"]
    return f"Add {option['quantity']} {name}"


def _code(session: Object) -> Markup:
    return fill(_CODE, code=session["_code"] or "") if session["allow_promotion_codes"] else Markup()


def _shipping(context: Context, session: Object) -> Markup:
    options = session["shipping_options"]
    if not options:
        return Markup()
    chosen = session["shipping_cost"]["shipping_rate"]
    shown = []
    for option in options:
        rate = context.state.get(SHIPPING_RATES, option["shipping_rate"])
        amount = amount_text(option["shipping_amount"], session["currency"]) if option["shipping_amount"] else "free"
        shown.append(
            fill(
                _OPTION,
                rate=rate["id"],
                checked=Markup(" checked" if rate["id"] == chosen else ""),
                name=rate["display_name"],
                amount=amount,
                estimate=_estimate(rate["delivery_estimate"]),
            )
        )
    return fill(_SHIPPING, options=joined(shown))


def _estimate(estimate: Mapping[str, Any] | None) -> str:
    bounds = [(estimate or {}).get(name) for name in ("minimum", "maximum")]
    shown = [_span(bound["value"], bound["unit"].replace("_", " ")) for bound in bounds if bound]
    return f", {' to '.join(shown)}" if shown else ""


def _span(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
