"""What a browser may buy: products and prices of a merchant, kept at Stripe on the platform's account."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidPrice, PriceNotForSale, Unavailable

MOST_IMAGES: Final = 8  # of a product, https://docs.stripe.com/api/products/object#product_object-images
LONGEST_TRIAL_DAYS: Final = 730


class Interval(StrEnum):
    """The unit of time in which a recurring price is paid."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


LONGEST_INTERVAL: Final[Mapping[Interval, int]] = {  # three years
    Interval.DAY: 1095,
    Interval.WEEK: 156,
    Interval.MONTH: 36,
    Interval.YEAR: 3,
}


class TaxBehavior(StrEnum):
    """Whether an amount contains the tax on it."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


@dataclass(frozen=True, kw_only=True)
class Recurring:
    """Paid every ``interval_count`` intervals, the first time after ``trial_period_days`` where there are any.

    Stripe does not keep the trial: a subscription says it when it begins.
    """

    interval: Interval
    interval_count: int = 1
    trial_period_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product; ``stripe_product_id`` is None until Stripe has answered.

    ``tax_code`` is Stripe's kind of goods (``txcd_...``), ``statement_descriptor`` what subscribers' banks show.
    """

    id: str
    merchant_id: str
    name: str
    description: str | None = None
    images: tuple[str, ...] = ()
    tax_code: str | None = None
    statement_descriptor: str | None = None
    active: bool = True
    stripe_product_id: str | None = None
    changed_by: str | None = None  # the command that changes it; the next change waits for its end
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Price:
    """``unit_amount`` in minor units of ``currency``, once, or again and again where it is ``recurring``."""

    id: str
    merchant_id: str
    product_id: str
    unit_amount: int
    currency: str
    recurring: Recurring | None = None
    tax_behavior: TaxBehavior | None = None  # None is as Stripe's tax settings say
    active: bool = True
    stripe_price_id: str | None = None
    changed_by: str | None = None
    created_at: datetime
    version: int = 1


def require_recurring(recurring: Recurring) -> None:
    """Refuse an interval that Stripe does not bill in. Raises InvalidPrice."""
    longest, trial = LONGEST_INTERVAL[recurring.interval], recurring.trial_period_days
    if not 1 <= recurring.interval_count <= longest:
        raise InvalidPrice(f"a price recurs every 1 to {longest} {recurring.interval}s")
    if trial is not None and not 1 <= trial <= LONGEST_TRIAL_DAYS:
        raise InvalidPrice(f"a trial has 1 to {LONGEST_TRIAL_DAYS} days")


def require_for_sale(price: Price, product: Product, *, is_recurring: bool = False) -> str:
    """The price's id at Stripe, if it may be bought now: once, or as a subscription.

    Raises:
        PriceNotForSale: it or its product is archived, or it is of the other kind.
        Unavailable: Stripe has not answered for it yet.
    """
    if not (price.active and product.active):
        raise PriceNotForSale("the price is archived" if product.active else "the product is archived")
    if (price.recurring is not None) is not is_recurring:
        raise PriceNotForSale("the price recurs" if price.recurring else "the price does not recur")
    if price.stripe_price_id is None:
        raise Unavailable("Stripe has not answered for this price yet")
    return price.stripe_price_id
