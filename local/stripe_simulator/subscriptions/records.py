"""Subscriptions and their items, as they are kept. https://docs.stripe.com/api/subscriptions/object"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from .. import money
from ..catalog import PRICES
from ..context import Context
from ..invoices.moments import BY_CLOCK
from ..lists import list_object
from ..shelves import Collection, Index
from ..state import State, public
from ..values import Json, Object
from .periods import Interval, period_at

INCOMPLETE, INCOMPLETE_EXPIRED, TRIALING, ACTIVE = "incomplete", "incomplete_expired", "trialing", "active"
PAST_DUE, UNPAID, PAUSED, CANCELED = "past_due", "unpaid", "paused", "canceled"
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    INCOMPLETE: frozenset({ACTIVE, TRIALING, INCOMPLETE_EXPIRED, CANCELED}),
    TRIALING: frozenset({ACTIVE, PAST_DUE, UNPAID, PAUSED, CANCELED}),
    ACTIVE: frozenset({TRIALING, PAST_DUE, UNPAID, CANCELED}),
    PAST_DUE: frozenset({ACTIVE, TRIALING, UNPAID, CANCELED}),
    UNPAID: frozenset({ACTIVE, TRIALING, PAST_DUE, CANCELED}),
    PAUSED: frozenset({ACTIVE, PAST_DUE, CANCELED}),
    INCOMPLETE_EXPIRED: frozenset(),
    CANCELED: frozenset(),
}
"""https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses"""

ENDED: Final = frozenset({CANCELED, INCOMPLETE_EXPIRED})
RENEWING: Final = frozenset({TRIALING, ACTIVE, PAST_DUE, UNPAID})


def _prices(subscription: Object) -> Iterable[str]:
    return tuple(item["price"]["id"] for item in subscription["items"]["data"])


def _discounts_of(state: State, item: Object) -> Json:
    return [public(found) for each in item["discounts"] if (found := state.find("discount", each))]


SUBSCRIPTIONS: Final = Collection(
    "subscription",
    path="/v1/subscriptions",
    indexes=(
        *("customer", "status", "collection_method", "schedule"),
        BY_CLOCK,
        Index("price", _prices),
        Index("_running", lambda subscription: (subscription["status"] not in ENDED,)),
    ),
    expands={
        "customer": "customer",
        "default_payment_method": "payment_method",
        "discounts": _discounts_of,
        "latest_invoice": "invoice",
        "on_behalf_of": "account",
        "pending_setup_intent": "setup_intent",
        "schedule": "subscription_schedule",
        "test_clock": "test_helpers.test_clock",
        "transfer_data.destination": "account",
    },
    found_anywhere=True,
)
"""``_turn``: the number of the task that ends its current period; an older one that comes due is void."""

SUBSCRIPTION_ITEMS: Final = Collection(
    "subscription_item", path="/v1/subscription_items", indexes=("subscription",), expands={"discounts": _discounts_of}
)


def items_of(state: State, subscription: Object) -> list[Object]:
    """The items of a subscription, in their order."""
    return list(state.select(SUBSCRIPTION_ITEMS, {"subscription": subscription["id"]}, ascending=True))


def with_items(context: Context, subscription: Object, changes: Mapping[str, Any] | None = None) -> Object:
    """The subscription with its items as they stand, and with other changes."""
    shown = [public(item) for item in items_of(context.state, subscription)]
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    listed = {**list_object(shown, url), "total_count": len(shown)}
    return context.state.update(SUBSCRIPTIONS, subscription, {**(changes or {}), "items": listed})


def interval_of(price: Object) -> Interval:
    """How long a recurring price is for."""
    return Interval(price["recurring"]["interval"], price["recurring"]["interval_count"])


def cycle_at(subscription: Object, price: Object, moment: int) -> tuple[int, int]:
    """The billing period of a subscription's price that a moment lies in, counted from the subscription's anchor."""
    config = subscription["billing_cycle_anchor_config"]
    day = config["day_of_month"] if config else None
    return period_at(subscription["billing_cycle_anchor"], interval_of(price), moment, day=day)


def anchored_at(moment: int) -> dict[str, Any]:
    """The members of a subscription whose periods are counted from a moment."""
    return {"billing_cycle_anchor": moment, "billing_cycle_anchor_config": None}


def period_of(item: Object) -> tuple[int, int]:
    """An item's current period."""
    return item["current_period_start"], item["current_period_end"]


def first_end(items: Sequence[Object]) -> int:
    """When the first of the items' periods ends."""
    return min(int(item["current_period_end"]) for item in items)


def amount_of(context: Context, price: Object, quantity: int) -> int:
    """What a price costs for a whole period, in minor units: by the unit, or by its tiers."""
    if price["billing_scheme"] == "tiered":
        tiers = context.state.get(PRICES, price["id"])["_tiers"]
        exact = _tiered(tiers, quantity, graduated=price["tiers_mode"] == "graduated")
    else:
        exact = Decimal(price["unit_amount_decimal"]) * packages(price, quantity)
    return money.Rounding.HALF_UP.whole(exact, price["currency"])


def packages(price: Object, quantity: int) -> int:
    """How many units are charged for a quantity."""
    transform = price.get("transform_quantity")
    if not transform:
        return quantity
    size: int = transform["divide_by"]
    whole, rest = divmod(quantity, size)
    return whole + (1 if rest and transform["round"] == "up" else 0)


def _tiered(tiers: Sequence[Mapping[str, Any]], quantity: int, *, graduated: bool) -> Decimal:
    total, below = Decimal(0), 0  # of the tiers so far, and where they end
    for tier in tiers:
        upper = tier["up_to"]
        is_last = upper is None or quantity <= upper
        if not graduated and not is_last:
            continue
        units = quantity - below if is_last else upper - below
        counted = quantity if not graduated else units
        unit = Decimal(str(_either(tier, "unit_amount")))
        flat = Decimal(str(_either(tier, "flat_amount")))
        total += unit * counted + (flat if counted or not graduated else 0)
        if is_last:
            return total
        below = upper
    return total


def _either(tier: Mapping[str, Any], name: str) -> Json:
    """A tier's amount, as a whole number or as a decimal."""
    return tier[name] if tier[name] is not None else tier[f"{name}_decimal"] or 0
