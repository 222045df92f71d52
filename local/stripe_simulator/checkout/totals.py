"""What a session's order costs: its items, less discounts, with shipping and tax, summed up by ``pricing``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..catalog import PRODUCTS
from ..context import Context
from ..pricing import sums
from ..pricing.sums import Line, LineSum, Sums, TaxAmount
from ..pricing.tax import TaxPlace
from ..pricing.tax_rates import TAX_RATES
from ..shipping_rates import amount_in
from ..state import public
from ..values import Object
from . import line_items, shipping
from .sessions import NOTHING_DUE, SESSIONS, UNPAID


def apply(context: Context, session: Object, items: Sequence[Mapping[str, Any]], *, place: TaxPlace | None) -> Object:
    """The session with its items kept and everything summed up; ``place`` is where tax is due, if Stripe finds it.

    Raises:
        InvalidRequestError: a tax rate that there is not, or a coupon without an amount in this currency.
    """
    in_order = sorted(items, key=lambda item: item["price"]["recurring"] is None)  # as the first invoice has them
    defaults = session["_subscription"].get("default_tax_rates") or []
    rate = shipping.chosen(context, session)
    summed = sums.sum_up(
        context,
        [_line(context, item, defaults) for item in in_order],
        currency=session["currency"],
        discounts=session["_discounts"],
        shipping=_carriage(context, session, rate) if rate else None,
        automatic_tax=place,
    )
    named = {each["id"]: public(each) for each in session["_discounts"]}
    found = {item["id"]: _summed(item, each, named) for item, each in zip(in_order, summed.lines, strict=True)}
    line_items.keep(context, session["id"], [found[item["id"]] for item in items])
    changes: dict[str, Any] = {
        "amount_subtotal": summed.subtotal,
        "amount_total": summed.total,
        "automatic_tax": {**session["automatic_tax"], "status": summed.automatic_tax_status},
        "payment_status": UNPAID if summed.total else NOTHING_DUE,
        "shipping_cost": _cost(rate, summed.shipping) if rate and summed.shipping else None,
        "total_details": {
            "amount_discount": summed.discount,
            "amount_shipping": summed.shipping_amount,
            "amount_tax": summed.tax,
        },
        "_breakdown": _breakdown(summed, named),
        "_shipping_taxes": [_tax(each) for each in summed.shipping.taxes if each.rate] if summed.shipping else [],
    }
    return context.state.update(SESSIONS, session, changes)


def _line(context: Context, item: Mapping[str, Any], defaults: Sequence[str]) -> Line:
    price = item["price"]
    wanted = item["_tax_rates"] or defaults
    rates = [context.state.get(TAX_RATES, rate, param="line_items[tax_rates]") for rate in wanted]
    return Line(
        amount=item["amount_subtotal"],
        quantity=item["quantity"] or 0,
        product=price["product"],
        tax_rates=rates,
        tax_code=context.state.get(PRODUCTS, price["product"])["tax_code"],
        tax_behavior=price["tax_behavior"],
    )


def _carriage(context: Context, session: Object, rate: Object) -> Line:
    amount, behavior = amount_in(context, rate, session["currency"], "shipping_options")
    return Line(amount=amount, discountable=False, tax_code=rate["tax_code"], tax_behavior=behavior)


def _summed(item: Mapping[str, Any], each: LineSum, named: Mapping[str, Object]) -> dict[str, Any]:
    return {
        **item,
        "amount_discount": each.discount,
        "amount_tax": each.tax,
        "amount_total": each.total,
        "_discounts": [{"amount": amount, "discount": named[name]} for amount, name in each.discount_amounts],
        "_taxes": [_tax(tax) for tax in each.taxes if tax.rate],
    }


def _tax(tax: TaxAmount) -> dict[str, Any]:
    return {
        "amount": tax.amount,
        "rate": public(tax.rate or {}),
        "taxability_reason": tax.taxability_reason,
        "taxable_amount": tax.taxable_amount,
    }


def _cost(rate: Object, summed: LineSum) -> dict[str, Any]:
    return {
        "amount_subtotal": summed.subtotal,
        "amount_tax": summed.tax,
        "amount_total": summed.total,
        "shipping_rate": rate["id"],
    }


def _breakdown(summed: Sums, named: Mapping[str, Object]) -> dict[str, Any]:
    """Every discount and every tax rate once, with all that it takes or adds."""
    off: dict[str, int] = {}
    for amount, name in (each for line in summed.all_lines for each in line.discount_amounts):
        off[name] = off.get(name, 0) + amount
    return {
        "discounts": [{"amount": amount, "discount": named[name]} for name, amount in off.items()],
        "taxes": _by_rate(tax for line in summed.all_lines for tax in line.taxes),
    }


def _by_rate(taxes: Iterable[TaxAmount]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for tax in taxes:
        if not tax.rate:
            continue
        shown = _tax(tax)
        before = found.setdefault((tax.rate["id"], tax.taxability_reason), {**shown, "amount": 0, "taxable_amount": 0})
        for name in ("amount", "taxable_amount"):
            before[name] += shown[name]
    return list(found.values())
