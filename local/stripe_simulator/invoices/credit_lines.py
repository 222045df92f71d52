"""What a credit note takes back, line by line: in proportion, and to exactly nothing over any number of notes.

https://docs.stripe.com/invoicing/integration/programmatic-credit-notes
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..pricing.tax_rates import TAX_RATES
from ..shelves import Collection
from ..state import public
from ..values import Object
from .lines import DraftLine, priced, tax_object
from .records import INVOICE_LINES

CREDIT_NOTE_LINES: Final = Collection("credit_note_line_item", indexes=("_credit_note", "_counted_for"))
"""``_credit_note``: whose it is; ``_counted_for``: the invoice's line that it takes back, while its note stands;
``_by``: amount or quantity, whichever it was asked by."""


def lines_of(context: Context, invoice: Object) -> list[Object]:
    """The lines that a request asks for: the invoice's in part or whole, others described on the spot, or one amount.

    Raises:
        InvalidParameterError: nothing, another invoice's line, more than is left of one, or by another measure.
    """
    params = context.params
    given: Sequence[Mapping[str, Any]] = params.get("lines") or ()
    if bool(given) == ("amount" in params):
        raise InvalidParameterError(
            "You must specify one of `amount`, `lines`, or `shipping_cost`.", code="parameter_missing", param="lines"
        )
    if not given:
        return [_plain(context, params["amount"], "Credit", invoice["currency"])]
    made: list[Object] = []
    for at, each in enumerate(given):
        is_of_invoice = each["type"] == "invoice_line_item"
        line = (_of_invoice if is_of_invoice else _described)(context, invoice, each, f"lines[{at}]", made)
        made.append(line)
    return made


def sums_of(lines: Sequence[Object]) -> dict[str, Any]:
    """The members of a credit note that its lines add up to."""
    taxes = [tax for line in lines for tax in line["taxes"]]
    inclusive = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    exclusive = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    subtotal, discount = sum(line["amount"] for line in lines), sum(line["discount_amount"] for line in lines)
    total = subtotal - discount + exclusive
    off = [each for line in lines for each in line["discount_amounts"]]
    return {
        "amount": total,
        "discount_amount": discount,
        "discount_amounts": _together(off, ("discount",), ("amount",)),
        "pretax_credit_amounts": [
            {**each, "type": "discount"} for each in _together(off, ("discount",), ("amount",))
        ],
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inclusive,
        "total": total,
        "total_excluding_tax": total - exclusive - inclusive,
        "total_taxes": _together(
            taxes, ("tax_rate_details", "tax_behavior", "taxability_reason", "type"), ("amount", "taxable_amount")
        ),
    }  # fmt: skip


def _of_invoice(
    context: Context, invoice: Object, given: Mapping[str, Any], param: str, made: Sequence[Object]
) -> Object:
    line = context.state.find(INVOICE_LINES, given.get("invoice_line_item") or "")
    if line is None or line["invoice"] != invoice["id"]:
        raise InvalidParameterError(
            f"The line item {given.get('invoice_line_item')} is not on the invoice {invoice['id']}.",
            code="resource_missing",
            param=f"{param}[invoice_line_item]",
        )
    if {"tax_amounts", "tax_rates", "unit_amount", "unit_amount_decimal"} & set(given):
        raise UnsupportedError(f"a price or taxes of its own in {param}")
    whole, currency = line["amount"], invoice["currency"]
    counted = [
        *context.state.select(CREDIT_NOTE_LINES, {"_counted_for": line["id"]}),
        *(each for each in made if each["_counted_for"] == line["id"]),
    ]
    earlier = sum(each["amount"] for each in counted)
    asked = _asked(line, given, counted, currency, param)
    if not 0 < asked <= whole - earlier:
        raise InvalidParameterError(
            f"The amount of the credit note line item is more than what is left of it: {whole - earlier}.", param=param
        )

    def part(amount: int) -> int:
        """What of one of the line's amounts is this note's: rounded on the running total, so that all of it closes."""
        running = money.Rounding.HALF_UP.share(amount, earlier + asked, whole, currency)
        return running - money.Rounding.HALF_UP.share(amount, earlier, whole, currency)

    off = [{**each, "amount": part(each["amount"])} for each in line["discount_amounts"]]
    taxes = [
        {**tax, "amount": part(tax["amount"]), "taxable_amount": part(tax["taxable_amount"])} for tax in line["taxes"]
    ]
    rates = [(tax["tax_rate_details"] or {}).get("tax_rate") for tax in taxes]
    return {
        **_plain(context, asked, line["description"], currency),
        "discount_amount": sum(each["amount"] for each in off),
        "discount_amounts": off,
        "invoice_line_item": line["id"],
        "metadata": dict(given.get("metadata") or {}),
        "pretax_credit_amounts": [{**each, "type": "discount"} for each in off],
        "quantity": given.get("quantity"),
        "tax_rates": [public(found) for each in rates if each and (found := context.state.find(TAX_RATES, each))],
        "taxes": taxes,
        "type": "invoice_line_item",
        "unit_amount": None,
        "unit_amount_decimal": None,
        "_by": next((name for name in ("amount", "quantity") if name in given), None),
        "_counted_for": line["id"],
    }


def _described(
    context: Context, invoice: Object, given: Mapping[str, Any], param: str, _made: Sequence[Object]
) -> Object:
    if {"amount", "invoice_line_item"} & set(given) or "description" not in given:
        raise InvalidParameterError(
            "A custom line item has a description, a quantity and a unit amount.", param=f"{param}[description]"
        )
    if "tax_amounts" in given:
        raise UnsupportedError(f"tax_amounts in {param}")
    quantity, currency = given.get("quantity", 1), invoice["currency"]
    unit = given.get("unit_amount_decimal", given.get("unit_amount"))
    if unit is None:
        raise InvalidParameterError("Missing required param: unit_amount.", code="parameter_missing", param=param)
    amount = money.Rounding.HALF_UP.whole(Decimal(unit) * quantity, currency)
    rates = [context.state.get(TAX_RATES, each, param=f"{param}[tax_rates]") for each in given.get("tax_rates") or ()]
    line = DraftLine(amount=amount, currency=currency, tax_rates=tuple(rate["id"] for rate in rates))
    (summed,) = priced(context, [line], currency=currency, discounts=(), tax_rates=(), place=None).lines
    return {
        **_plain(context, amount, given["description"], currency),
        "metadata": dict(given.get("metadata") or {}),
        "quantity": quantity,
        "tax_rates": [public(rate) for rate in rates],
        "taxes": [tax_object(tax) for tax in summed.taxes],
        "unit_amount": int(unit) if unit == int(unit) else None,
        "unit_amount_decimal": str(unit),
    }


def _asked(line: Object, given: Mapping[str, Any], counted: Sequence[Object], currency: str, param: str) -> int:
    """Minor units of an invoice's line that a note is to take: an amount, the price of some units, or what is left."""
    earlier: int = sum(each["amount"] for each in counted)
    named = [name for name in ("amount", "quantity") if name in given]
    if not named:
        left: int = line["amount"] - earlier
        return left
    if len(named) > 1 or any(each["_by"] not in (None, named[0]) for each in counted):
        raise InvalidParameterError(
            "A line item is credited by `quantity` or by `amount`, and by the same in all of its credit notes.",
            param=f"{param}[{named[-1]}]",
        )
    if named[0] == "amount":
        amount: int = given["amount"]
        return amount
    units = sum(each["quantity"] for each in counted if each["_by"]) + given["quantity"]
    if not 0 < given["quantity"] <= units <= (line["quantity"] or 0):
        raise InvalidParameterError(
            f"The quantity of the credit note line item is more than the invoice's: {line['quantity']}.",
            param=f"{param}[quantity]",
        )
    return money.Rounding.HALF_UP.share(line["amount"], units, line["quantity"], currency) - earlier


def _plain(context: Context, amount: int, description: str | None, currency: str) -> dict[str, Any]:
    """A line of one amount."""
    money.check_amount(amount, currency)
    return {
        "id": context.ids.new("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "custom_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        "_by": None,
        "_counted_for": None,
    }


def _together(items: Sequence[Mapping[str, Any]], same: Sequence[str], added: Sequence[str]) -> list[dict[str, Any]]:
    """Items that agree in some members as one, their amounts added."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        key = repr([item[name] for name in same])
        if key in found:
            for name in added:
                found[key][name] += item[name]
        else:
            found[key] = dict(item)
    return list(found.values())
