"""What a paid invoice charged for, as Stripe has it: read once, when its money is split."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from marketplace.domain.completed import CompletedLine
from marketplace.domain.errors import StripeRefused
from marketplace.domain.invoice_sales import NO_RATE, completed_lines, rates_of
from marketplace.domain.stripe_objects import Object
from marketplace.operations import Operation
from marketplace.ports import Ports

DISCOUNTS: Final = "data.discount_amounts.discount"
MOST_LINES: Final = 100  # of a page
GONE: Final = "resource_missing"  # Stripe's word for what it has not, or has no more


def ordered(ports: Ports, stripe_invoice_id: str, merchant_id: str) -> Sequence[CompletedLine]:
    """The lines of a finalized invoice, which stay as they are: one read, one more for each rate, and for each page.

    Raises:
        StripeUnavailable.
    """
    expand = {"expand": [f"lines.{DISCOUNTS}"]}
    found = ports.stripe.read(Operation.READ_INVOICE, stripe_invoice_id, params=expand)
    lines: Sequence[Object] = found["lines"]["data"]
    if found["lines"].get("has_more"):
        params = {"limit": MOST_LINES, "expand": [DISCOUNTS]}
        lines = list(ports.stripe.each(Operation.LIST_INVOICE_LINES, stripe_invoice_id, params=params))
    rates = {rate: _read_rate(ports, rate) for rate in sorted(rates_of(found, lines))}
    return completed_lines(found, lines, rates, merchant_id)


def _read_rate(ports: Ports, rate: str) -> Mapping[str, Any]:
    """A tax rate, by which it is known whose the tax is; one that is gone says nothing."""
    try:
        return ports.stripe.read(Operation.READ_TAX_RATE, rate)
    except StripeRefused as refused:
        if refused.code != GONE:
            raise
        return NO_RATE
