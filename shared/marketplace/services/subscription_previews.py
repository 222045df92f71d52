"""What Stripe would bill for a subscription, asked before anything is changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.domain.deferred import dataclass
from marketplace.domain.stripe_objects import Object, at
from marketplace.domain.subscriptions import Subscription
from marketplace.operations import Operation
from marketplace.ports import Ports


@dataclass(frozen=True, kw_only=True)
class PreviewedLine:
    """A line of what would be billed; ``amount`` in minor units, below zero a credit."""

    description: str
    amount: int
    is_proration: bool


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the next invoice would be with a change made at ``prorated_at``. Amounts are minor units.

    ``total`` is below zero where more is credited than charged.
    """

    prorated_at: datetime
    currency: str
    total: int
    amount_due: int
    lines: tuple[PreviewedLine, ...]


def preview(ports: Ports, subscription: Subscription, details: Mapping[str, Any]) -> Preview:
    """The next invoice as ``details`` (Stripe's ``subscription_details``) would make it.

    Raises:
        StripeRefused, StripeUnavailable.
    """
    params = {"subscription": str(subscription.stripe_subscription_id), "subscription_details": details}
    found = ports.stripe.read(Operation.PREVIEW_INVOICE, params=params)
    return Preview(
        prorated_at=at(found["created"]),
        currency=found["currency"],
        total=found["total"],
        amount_due=found["amount_due"],
        lines=tuple(map(_line, found["lines"]["data"])),
    )


def _line(line: Object) -> PreviewedLine:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return PreviewedLine(
        description=line.get("description") or "", amount=line["amount"], is_proration=bool(details.get("proration"))
    )
