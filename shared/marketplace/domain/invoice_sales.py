"""The sale that a paid invoice is: planned from what the invoice and its payment say, both of which stay as they are.

Its lines are told as those of a completed Checkout Session are, so that it is split by the same rules.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from marketplace.domain.completed import CompletedLine, completed_line
from marketplace.domain.invoice_splits import invoice_fee, is_as_agreed
from marketplace.domain.invoices import Invoice, discount_of, is_usual, liability_of, transaction_id_of
from marketplace.domain.stripe_objects import Object, at
from marketplace.domain.transactions import MOST_LINE_ITEMS, ChargeType, Leg, LineItem, PaymentFacts, Transaction

ON_TOP: Final = "exclusive"  # Stripe's word for a tax that the price does not have in it
NO_RATE: Final[Mapping[str, Any]] = {"percentage": 0}  # of a tax that names none


def is_sale(found: Object, payment_intent_id: str | None) -> bool:
    """Whether a paid invoice is one: money came by Stripe, or a discount left nothing of it to be paid.

    What a customer's balance paid, or somebody elsewhere, is none.
    """
    return payment_intent_id is not None or (found["total"] == 0 and discount_of(found) > 0)


def plan(invoice: Invoice, found: Object, intent: Object | None) -> Transaction:
    """The sale as it came to be paid; ``intent`` is None where all of it was taken off.

    Where Stripe split the charge as was agreed, its fee counts. What is taxed or discounted, or was split otherwise, is
    evened out by the fee policy that the invoice was made under; its leg is what was asked for before discounts, and
    the completed lines say what became of it.
    """
    payment = intent or {}
    amount, currency = payment.get("amount_received") or 0, found["currency"]
    destination = (payment.get("transfer_data") or {}).get("destination")
    is_evened_out, asked = not is_usual(found), amount
    if is_evened_out:
        asked = max(0, found["subtotal"])
        fee = invoice_fee(invoice.fee_policy, asked, asked, currency)
    else:
        fee = invoice_fee(invoice.fee_policy, amount, found["total"], currency)
        taken = payment.get("application_fee_amount") or 0
        if destination and is_as_agreed(invoice.split, taken, fee):
            fee = taken
        elif destination:
            is_evened_out = True
    leg = Leg(
        merchant_id=invoice.merchant_id,
        account_id=destination,
        amount=asked,
        fee=fee,
        tax_liability=liability_of(found),
    )
    return Transaction(
        id=transaction_id_of(found),
        amount=amount,
        currency=currency,
        charge_type=ChargeType.DESTINATION if destination else ChargeType.SEPARATE,
        legs=(leg,),
        line_items=line_items(found, amount),
        customer_id=invoice.customer_id,
        fee_policy=invoice.fee_policy,
        refund_application_fee=True,
        metadata=invoice.metadata,
        created_at=at(found["created"]),
        invoice_id=invoice.id,
        subscription_id=invoice.subscription_id,
        automatic_tax=bool((found.get("automatic_tax") or {}).get("enabled")),
        is_evened_out=is_evened_out,
    )


def free_facts(found: Object) -> PaymentFacts:
    """What an invoice says of which everything was taken off."""
    paid_at = (found.get("status_transitions") or {}).get("paid_at") or found["created"]
    return PaymentFacts(no_payment_required=True, captured=0, paid_at=at(paid_at))


def line_items(found: Object, amount: int) -> tuple[LineItem, ...]:
    """The lines that can be refunded one by one: all of them where they are what was charged, else the whole as one.

    Credits, discounts, tax and what the customer's balance paid make the two differ.
    """
    lines = found["lines"]["data"]
    is_all = not found["lines"].get("has_more") and len(lines) <= MOST_LINE_ITEMS
    if is_all and all(line["amount"] > 0 for line in lines) and sum(line["amount"] for line in lines) == amount:
        return tuple(map(_line_item, lines))
    return (LineItem(name=f"Invoice {found.get('number') or found['id']}", unit_amount=amount, quantity=1),)


def rates_of(found: Object, lines: Iterable[Object]) -> set[str]:
    """Stripe's ids of the tax rates of an invoice and its lines."""
    taxes = [*(found.get("total_taxes") or []), *(tax for line in lines for tax in line.get("taxes") or [])]
    return {rate for rate in map(_rate_of, taxes) if rate is not None}


def completed_lines(
    found: Object, lines: Iterable[Object], rates: Mapping[str, Object], merchant_id: str
) -> list[CompletedLine]:
    """What an invoice charged for, ``lines`` with their discounts expanded, ``rates`` by Stripe's id.

    The last one is what the total has and no line does: shipping, and what was rounded on the whole.
    """
    given = list(lines)
    return [completed_line(_as_completed(line, rates), merchant_id) for line in [*given, *_rest(found, given)]]


def _as_completed(line: Object, rates: Mapping[str, Object]) -> dict[str, Any]:
    """A line in the words of a Checkout Session's line items."""
    return {
        "amount_subtotal": line["subtotal"],
        "amount_discount": _discount(line),
        "amount_total": line["subtotal"] - _discount(line) + _on_top(line),
        "discounts": line.get("discount_amounts") or [],
        "taxes": [
            {"amount": tax["amount"], "rate": {**rates.get(rate or "", NO_RATE), "inclusive": not is_on_top}}
            for tax in line.get("taxes") or []
            for rate, is_on_top in [_kind_of(tax)]
        ],
    }


def _rest(found: Object, lines: Iterable[Object]) -> Iterator[dict[str, Any]]:
    """What the total has and no line does, as one more line, where there is anything."""
    amount, taxed = found["total"], Counter[tuple[str | None, bool]]()
    for tax in found.get("total_taxes") or []:
        taxed[_kind_of(tax)] += tax["amount"]
    for line in lines:
        amount -= line["subtotal"] - _discount(line) + _on_top(line)
        for tax in line.get("taxes") or []:
            taxed[_kind_of(tax)] -= tax["amount"]
    taxes = [
        {"amount": left, "tax_behavior": ON_TOP if is_on_top else "", "tax_rate_details": {"tax_rate": rate}}
        for (rate, is_on_top), left in taxed.items()
        if left
    ]
    if amount or taxes:
        yield {"subtotal": amount - _on_top({"taxes": taxes}), "taxes": taxes}


def _discount(line: Object) -> int:
    return sum(each["amount"] for each in line.get("discount_amounts") or [])


def _on_top(line: Object) -> int:
    return sum(tax["amount"] for tax in line.get("taxes") or [] if _kind_of(tax)[1])


def _kind_of(tax: Object) -> tuple[str | None, bool]:
    """Stripe's id of its rate, and whether it comes on top of the price."""
    return _rate_of(tax), tax["tax_behavior"] == ON_TOP


def _rate_of(tax: Object) -> str | None:
    rate = (tax.get("tax_rate_details") or {}).get("tax_rate")
    return None if rate is None else str(rate)


def _line_item(line: Object) -> LineItem:
    quantity = line.get("quantity") or 1
    units = quantity if line["amount"] % quantity == 0 else 1
    return LineItem(name=line.get("description") or "Item", unit_amount=line["amount"] // units, quantity=units)
