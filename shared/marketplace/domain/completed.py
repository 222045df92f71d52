"""What a buyer ordered in the end, as Stripe's completed line items say: amounts, discounts, and each tax by its place.

https://docs.stripe.com/api/checkout/sessions/line_items
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, NamedTuple

from marketplace.domain.money import allocate, part_of
from marketplace.domain.portions import added, spread
from marketplace.domain.stripe_objects import id_of

EXPANDED: Final = ("data.discounts", "data.taxes")
SHIPPING: Final = "shipping_cost.taxes"  # what is expanded of a session
LONGEST_JURISDICTION: Final = 100  # characters: it stands in the name of an account
UNKNOWN: Final = "unknown"


class CompletedLine(NamedTuple):
    """Minor units of one line: ``amount`` is paid for it, all in; ``taxes`` are in it, by jurisdiction.

    ``seen`` is what was taken off the price as the buyer saw it, by coupon; ``discounts`` is that without the inclusive
    tax that went with it: so much less the merchant and the platform share. ``number`` is the line's in the basket,
    None where it is not said.
    """

    merchant_id: str
    amount: int
    taxes: Mapping[str, int]
    seen: Mapping[str, int]
    discounts: Mapping[str, int]
    quantity: int = 1
    number: int | None = None


def completed_line(line: Mapping[str, Any], only_merchant: str) -> CompletedLine:
    """A line item of a completed Checkout Session, its discounts and taxes expanded."""
    taxes = line.get("taxes") or []
    inclusive = [tax for tax in taxes if tax["rate"]["inclusive"]]
    price = line["amount_subtotal"] - line["amount_discount"]
    taken = [(_coupon_of(each["discount"]), each["amount"]) for each in line.get("discounts") or []]
    ours = line.get("metadata") or {}
    return CompletedLine(
        merchant_id=ours.get("merchant_id") or only_merchant,
        amount=line["amount_total"],
        taxes=_by_jurisdiction(taxes),
        seen=added({coupon: amount} for coupon, amount in taken if amount),
        discounts=added({coupon: _without_tax(amount, price, inclusive)} for coupon, amount in taken if amount),
        quantity=line.get("quantity") or 1,
        number=int(ours["line"]) if "line" in ours else None,
    )


def shipping_lines(
    cost: Mapping[str, Any] | None, lines: Iterable[CompletedLine], planned: Mapping[str, int], step: int
) -> Sequence[CompletedLine]:
    """What shipping cost, by ``shipping_cost`` of a session, as a line of each merchant: by what its lines cost.

    Where these cost nothing, by what was ``planned`` of each. Its tax goes with it, so that no merchant has more tax of
    it than it has of the rest.
    """
    total = cost["amount_total"] if cost else 0
    if not cost or not total:
        return ()
    weights = dict.fromkeys(planned, 0)
    for line in lines:
        weights[line.merchant_id] += line.amount
    weights = weights if any(weights.values()) else dict(planned)
    amounts = allocate(total, list(weights.values()), step=step)
    left = _by_jurisdiction(cost.get("taxes") or [])
    found = []
    for merchant_id, amount, tax in zip(weights, amounts, allocate(sum(left.values()), amounts), strict=True):
        taxes = spread(tax, left)
        left = {name: rest - taxes.get(name, 0) for name, rest in left.items()}
        found.append(CompletedLine(merchant_id, amount, taxes, {}, {}))
    return found


def jurisdiction(rate: Mapping[str, Any]) -> str:
    """Whose tax it is, from Stripe's tax rate, as the name of an account can have it.

    >>> jurisdiction({"country": "DE", "jurisdiction_level": "country", "tax_type": "vat"})
    'de.country.vat'
    >>> county = {"jurisdiction": "Santa Clara County", "jurisdiction_level": "county", "tax_type": "sales_tax"}
    >>> jurisdiction({"country": "US", "state": "CA", **county})
    'us-ca.county.santa-clara-county.sales_tax'
    """
    level, country = rate.get("jurisdiction_level"), rate.get("country")
    state = None if level == "country" else rate.get("state")
    place = "-".join(part for part in (country, state) if part)
    names_itself = place and (level == "country" or (level == "state" and state))
    local = "" if names_itself else rate.get("jurisdiction") or rate.get("display_name") or ""
    parts = (place or UNKNOWN, level or "", _plain(local), rate.get("tax_type") or "")
    return ".".join(filter(None, parts)).lower()[:LONGEST_JURISDICTION]


def by_coupon(lines: Iterable[CompletedLine]) -> Mapping[str, Mapping[str, int]]:
    """Each coupon's discounts without tax, by merchant."""
    found: dict[str, dict[str, int]] = {}
    for line in lines:
        for coupon, amount in line.discounts.items():
            of_coupon = found.setdefault(coupon, {})
            of_coupon[line.merchant_id] = of_coupon.get(line.merchant_id, 0) + amount
    return found


def _by_jurisdiction(taxes: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return added({jurisdiction(tax["rate"]): tax["amount"]} for tax in taxes if tax["amount"])


def _without_tax(discount: int, price: int, inclusive: Sequence[Mapping[str, Any]]) -> int:
    """A discount less the inclusive tax that went with it: in the proportion that the rest of the price has.

    Where nothing is left of the price, by the rates that Stripe names. A credit has all of them below zero.
    """
    if price:
        tax, sign = sum(each["amount"] for each in inclusive), 1 if price > 0 else -1
        return part_of(discount, sign * (price - tax), sign * price)
    percent = sum((Decimal(str(each["rate"]["percentage"])) for each in inclusive), Decimal(0))
    return int((discount * 100 / (100 + percent)).to_integral_value(ROUND_HALF_EVEN))


def _coupon_of(discount: object) -> str:
    source = discount.get("source") or {} if isinstance(discount, Mapping) else {}
    return id_of(source.get("coupon")) or UNKNOWN


def _plain(name: str) -> str:
    return "-".join("".join(each if each.isalnum() else " " for each in name).split())
