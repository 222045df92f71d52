"""How tax calculations show taxes: each on its line by jurisdiction, and all of them by state."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ..values import Object
from . import tax
from .sums import LineSum, Sums, TaxAmount


def imposed(each: TaxAmount) -> dict[str, Any]:
    """One tax on one line, by one jurisdiction."""
    is_imposed = each.taxability_reason not in tax.NOTHING_TAXABLE
    return {
        "amount": each.amount,
        "jurisdiction": each.jurisdiction,
        "sourcing": "destination",
        "tax_rate_details": _of_line(each.rate) if each.rate and is_imposed else None,
        "taxability_reason": each.taxability_reason,
        "taxable_amount": each.taxable_amount,
    }


def shipping_cost(sums: Sums, rate: str | None) -> dict[str, Any] | None:
    """What shipping costs, by the shipping rate or without one, with its taxes."""
    summed = sums.shipping
    if summed is None:
        return None
    shown = {
        "amount": summed.subtotal,
        "amount_tax": summed.tax,
        "tax_behavior": summed.line.tax_behavior,
        "tax_breakdown": [imposed(each) for each in summed.taxes],
        "tax_code": summed.line.tax_code,
    }
    return {**shown, "shipping_rate": rate} if rate else shown


def breakdown(sums: Sums) -> list[dict[str, Any]]:
    """All taxes of one state, kind, percentage and reason together, whichever of its jurisdictions imposed them."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for shown in (each for line in sums.all_lines for each in _by_state(line)):
        key = (shown["inclusive"], shown["taxability_reason"], *shown["tax_rate_details"].values())
        before = found.setdefault(key, {**shown, "amount": 0, "taxable_amount": 0})
        for name in ("amount", "taxable_amount"):
            before[name] += shown[name]
    return list(found.values())


def _by_state(line: LineSum) -> Iterable[dict[str, Any]]:
    """The taxes of a line, those of one state and kind as one: 6, 0.25 and 2.375 percent are 8.625."""
    groups: dict[tuple[Any, ...], list[TaxAmount]] = {}
    for each in line.taxes:
        country, state = ((each.jurisdiction or {}).get(name) for name in ("country", "state"))
        kind = each.rate["tax_type"] if each.rate else None
        groups.setdefault((country, state, kind, each.taxability_reason), []).append(each)
    for (country, state, kind, reason), taxes in groups.items():
        percentage = sum((Decimal(str(each.rate["percentage"])) for each in taxes if each.rate), Decimal(0))
        yield {
            "amount": sum(each.amount for each in taxes),
            "inclusive": taxes[0].inclusive,
            "tax_rate_details": {
                "country": country,
                "flat_amount": None,
                "percentage_decimal": str(float(percentage)),
                "rate_type": "percentage" if kind else None,
                "state": state,
                "tax_type": kind,
            },
            "taxability_reason": reason,
            "taxable_amount": taxes[0].taxable_amount,
        }


def _of_line(rate: Object) -> dict[str, Any]:
    return {
        "display_name": rate["display_name"],
        "percentage_decimal": str(rate["percentage"]),
        "tax_type": rate["tax_type"],
    }
