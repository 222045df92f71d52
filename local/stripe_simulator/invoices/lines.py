"""The lines of an invoice: from prices, amounts and pending items to line item objects and the invoice's sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .. import money
from ..catalog import PRODUCTS
from ..context import Context
from ..pricing.discounts import DISCOUNTS
from ..pricing.sums import Line, LineSum, Sums, TaxAmount, sum_up
from ..pricing.tax import TaxPlace
from ..pricing.tax_rates import TAX_RATES
from ..state import public
from ..values import Object
from .records import INVOICE_LINES, shown_lines


@dataclass(frozen=True)
class DraftLine:
    """What an invoice is to charge for: minor units of ``currency`` for all of it, before discounts and tax.

    ``parent`` is the line item's, ``invoice_item_details`` or ``subscription_item_details``. ``discounts`` and
    ``tax_rates`` are ids; its own, before and instead of the invoice's.
    """

    amount: int
    currency: str
    description: str | None = None
    price: Object | None = None
    quantity: int = 1
    unit_amount_decimal: str | None = None
    period: tuple[int, int] = (0, 0)
    parent: Mapping[str, Any] | None = None
    discounts: tuple[str, ...] = ()
    discountable: bool = True
    tax_rates: tuple[str, ...] = ()
    tax_behavior: str = "unspecified"
    tax_code: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def of_price(context: Context, price: Object, quantity: int, *, description: str | None = None) -> DraftLine:
    """A line of so many of a price's unit."""
    exact = Decimal(price["unit_amount_decimal"] or 0) * quantity
    amount = money.Rounding.HALF_UP.whole(exact, price["currency"])
    product = context.state.get(PRODUCTS, price["product"])
    return DraftLine(
        amount=amount,
        currency=price["currency"],
        description=description or product["name"],
        price=price,
        quantity=quantity,
        unit_amount_decimal=price["unit_amount_decimal"],
        tax_behavior=price["tax_behavior"],
        tax_code=product["tax_code"],
    )


def priced(
    context: Context,
    lines: Sequence[DraftLine],
    *,
    currency: str,
    discounts: Sequence[str],
    tax_rates: Sequence[str],
    place: TaxPlace | None,
    shipping: Line | None = None,
) -> Sums:
    """The sums of lines with the invoice's discounts and default tax rates."""
    return sum_up(
        context,
        [_as_line(context, line, tax_rates) for line in lines],
        currency=currency,
        discounts=[context.state.get(DISCOUNTS, each) for each in discounts],
        shipping=shipping,
        automatic_tax=place,
    )


def keep(context: Context, invoice: Object, lines: Sequence[DraftLine], sums: Sums) -> list[Object]:
    """Keep the lines in the place of those that were there; gives them in their order. What stays keeps its id."""
    ids: dict[str, list[str]] = {}
    for there in list(context.state.select(INVOICE_LINES, {"invoice": invoice["id"]})):
        ids.setdefault(repr(there["_line"]["parent"]), []).append(there["id"])
        context.state.delete(INVOICE_LINES, there["id"])
    made: list[Object] = []
    for line, each in zip(lines, sums.lines, strict=True):
        known = ids.get(repr(line.parent and dict(line.parent)))
        made.append(line_item(context, invoice["id"], line, each, known=known.pop(0) if known else None))
    for item in reversed(made):  # a list, newest first, shows them as they were given
        context.state.insert(INVOICE_LINES, item)
    return made


def drafts_of(lines: Sequence[Object]) -> list[DraftLine]:
    """What stored lines were made from."""
    return [DraftLine(**{**line["_line"], "period": tuple(line["_line"]["period"])}) for line in lines]


def members(invoice_id: str, made: list[Object], sums: Sums) -> dict[str, Any]:
    """An invoice's members that its lines add up to."""
    return {
        "amount_shipping": sums.shipping_amount,
        "lines": shown_lines(made, invoice_id),
        "subtotal": sums.subtotal,
        "subtotal_excluding_tax": sums.subtotal_excluding_tax,
        "total": sums.total,
        "total_discount_amounts": _discount_amounts([pair for each in sums.lines for pair in each.discount_amounts]),
        "total_excluding_tax": sums.total_excluding_tax,
        "total_pretax_credit_amounts": [
            {"amount": each["amount"], "discount": each["discount"], "type": "discount"}
            for each in _discount_amounts([pair for line in sums.lines for pair in line.discount_amounts])
        ],
        "total_taxes": _total_taxes([tax for each in sums.all_lines for tax in each.taxes]),
    }


def line_item(
    context: Context, invoice_id: str | None, line: DraftLine, summed: LineSum, *, known: str | None = None
) -> dict[str, Any]:
    """The line item object; ``known`` is the id that it had before."""
    off = _discount_amounts(list(summed.discount_amounts))
    stored = {name: getattr(line, name) for name in line.__dataclass_fields__}
    return {
        "id": known or context.ids.new("il"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.currency,
        "description": line.description,
        "discount_amounts": off,
        "discountable": line.discountable,
        "discounts": list(line.discounts),
        "invoice": invoice_id,
        "livemode": False,
        "metadata": dict(line.metadata),
        "parent": dict(line.parent) if line.parent else None,
        "period": {"end": line.period[1], "start": line.period[0]},
        "pretax_credit_amounts": [{**each, "type": "discount"} for each in off],
        "pricing": pricing(line.price, line.unit_amount_decimal),
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": _subscription(line),
        "subtotal": line.amount,
        "taxes": [tax_object(tax) for tax in summed.taxes],
        "_line": {**stored, "price": line.price and dict(line.price), "parent": line.parent and dict(line.parent),
                  "period": list(line.period), "metadata": dict(line.metadata)},
    }  # fmt: skip


def pricing(price: Object | None, unit_amount_decimal: str | None) -> dict[str, Any] | None:
    """``pricing`` of a line or an item."""
    if price is None:
        return None
    details = {"price": price["id"], "product": price["product"]}
    return {"price_details": details, "type": "price_details", "unit_amount_decimal": unit_amount_decimal}


def tax_object(tax: TaxAmount) -> dict[str, Any]:
    """A tax as invoices and their lines show it."""
    return {
        "amount": tax.amount,
        "tax_behavior": "inclusive" if tax.inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": tax.rate["id"]} if tax.rate else None,
        "taxability_reason": tax.taxability_reason,
        "taxable_amount": tax.taxable_amount,
        "type": "tax_rate_details",
    }


def rates(context: Context, ids: Sequence[str], param: str = "tax_rates") -> tuple[str, ...]:
    """Tax rates that exist."""
    return tuple(context.state.get(TAX_RATES, each, param=f"{param}[{at}]")["id"] for at, each in enumerate(ids))


def item_of(parent: Mapping[str, Any] | None) -> str | None:
    """The invoice item that a line's ``parent`` names."""
    details = (parent or {}).get("invoice_item_details") or (parent or {}).get("subscription_item_details") or {}
    named: str | None = details.get("invoice_item")
    return named


def _as_line(context: Context, line: DraftLine, default_rates: Sequence[str]) -> Line:
    return Line(
        amount=line.amount,
        quantity=line.quantity,
        product=line.price["product"] if line.price else None,
        discountable=line.discountable,
        discounts=[context.state.get(DISCOUNTS, each) for each in line.discounts],
        tax_rates=[context.state.get(TAX_RATES, each) for each in (line.tax_rates or default_rates)],
        tax_code=line.tax_code,
        tax_behavior=line.tax_behavior,
    )


def _subscription(line: DraftLine) -> str | None:
    details: Mapping[str, Any] = {}
    if line.parent:
        details = line.parent.get("subscription_item_details") or line.parent.get("invoice_item_details") or {}
    return details.get("subscription")


def _discount_amounts(pairs: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    by_discount: dict[str, int] = {}
    for amount, discount in pairs:
        by_discount[discount] = by_discount.get(discount, 0) + amount
    return [{"amount": amount, "discount": discount} for discount, amount in by_discount.items()]


def _total_taxes(taxes: Sequence[TaxAmount]) -> list[dict[str, Any]]:
    """Those of one rate and reason together."""
    together: dict[tuple[Any, ...], dict[str, Any]] = {}
    for tax in taxes:
        shown = tax_object(tax)
        key = (tax.rate["id"] if tax.rate else None, tax.taxability_reason, tax.inclusive)
        if key in together:
            for name in ("amount", "taxable_amount"):
                together[key][name] += shown[name]
        else:
            together[key] = shown
    return list(together.values())


def shown(lines: Sequence[Object]) -> list[Object]:
    """Line items as the API shows them."""
    return [public(line) for line in lines]
