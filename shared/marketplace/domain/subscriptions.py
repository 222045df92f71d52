"""Subscriptions: what a buyer pays again and again, as Stripe has it. They go back and forth, so nothing is joined.

The record holds what was agreed to (whose it is, the fee) and what was last read from Stripe. Money is in the
transactions of its paid invoices alone.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.invoice_splits import SplitBy
from marketplace.domain.portions import TaxLiability
from marketplace.domain.principals import Principal, Role
from marketplace.domain.states import require_transition
from marketplace.domain.stripe_objects import Object, at, id_of

RENEWAL_EXPECTED: Final = timedelta(hours=6)  # after a period's end Stripe's events should have told of the next one
LOOK_AGAIN: Final = timedelta(hours=24)
REFUND_AGAIN: Final = timedelta(hours=1)  # what was refused is asked for again after as long again as has passed
REFUND_AGAIN_AT_LAST: Final = timedelta(days=30)


class SubscriptionStatus(StrEnum):
    """Where a subscription stands; from ``incomplete`` on Stripe's words."""

    REQUESTED = "requested"  # the intent is durable, Stripe's session is not known yet
    REFUSED = "refused"  # Stripe refused to make the session
    OPEN = "open"  # the buyer can subscribe on Stripe's page
    EXPIRED = "expired"  # the session ended, and nobody subscribed
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"  # a renewal was not paid, and is tried again
    UNPAID = "unpaid"  # and is not tried any more
    PAUSED = "paused"  # a trial that ended without a way to pay
    CANCELED = "canceled"


_S = SubscriptionStatus
RUNNING: Final = frozenset({_S.INCOMPLETE, _S.TRIALING, _S.ACTIVE, _S.PAST_DUE, _S.UNPAID, _S.PAUSED})
ENDED: Final = frozenset({_S.REFUSED, _S.EXPIRED, _S.INCOMPLETE_EXPIRED, _S.CANCELED})
_AT_STRIPE: Final = RUNNING | {_S.INCOMPLETE_EXPIRED, _S.CANCELED}
# What may be read after what: between two looks at Stripe any number of its steps may lie.
TRANSITIONS: Final[Mapping[SubscriptionStatus, frozenset[SubscriptionStatus]]] = {
    _S.REQUESTED: frozenset({_S.OPEN, _S.REFUSED, _S.EXPIRED, *_AT_STRIPE}),
    _S.REFUSED: frozenset(),
    _S.OPEN: frozenset({_S.EXPIRED, *_AT_STRIPE}),
    _S.EXPIRED: frozenset(),
    **{running: _AT_STRIPE - {running} for running in sorted(RUNNING)},
    _S.INCOMPLETE_EXPIRED: frozenset(),
    _S.CANCELED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Who sells, and what the platform takes of it."""

    merchant_id: str
    fee_policy: Mapping[str, Any]
    split: SplitBy


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One product, ``quantity`` times, of one merchant. Amounts are minor units of ``currency``.

    ``fee_policy`` is as it was when the buyer subscribed, for all invoices. ``paused`` is what becomes of the invoices
    while nothing is collected (Stripe's ``pause_collection``), None where it is. ``latest_invoice_id`` is Stripe's.
    ``terms_to_be`` are those of another merchant that a change is taking it to. ``refund_due`` is how much of the time
    that was paid is to be refunded, as it was canceled before its end: by refunds from ``refund_since`` on, until the
    buyer has all of it; ``refund_failure`` is why the last one did not come about, Stripe's code or ours.
    """

    id: str
    merchant_id: str
    customer_id: str
    product_id: str
    price_id: str
    quantity: int
    unit_amount: int
    currency: str
    interval: str
    interval_count: int = 1
    fee_policy: Mapping[str, Any]
    split: SplitBy
    metadata: Mapping[str, str] = field(default_factory=dict)
    automatic_tax: bool = False  # Stripe Tax
    tax_liability: TaxLiability = TaxLiability.PLATFORM
    coupon_id: str | None = None  # that it was begun with
    promotion_code: str | None = None  # the code by which that was given
    allow_promotion_codes: bool = False  # whether the buyer could enter one
    status: SubscriptionStatus = SubscriptionStatus.REQUESTED
    checkout_session_id: str | None = None
    stripe_subscription_id: str | None = None
    stripe_item_id: str | None = None
    started_at: datetime | None = None
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    trial_end: datetime | None = None
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    paused: str | None = None
    resumes_at: datetime | None = None
    latest_invoice_id: str | None = None
    terms_to_be: Terms | None = None
    refund_due: int = 0
    refund_since: datetime | None = None
    refund_failure: str | None = None
    changed_by: str | None = None  # the command that changes it; the next change waits for its end
    created_at: datetime
    due_at: datetime | None = None
    version: int = 1

    @property
    def liable(self) -> TaxLiability | None:
        """Who is liable for its tax; None where Stripe calculates none."""
        return self.tax_liability if self.automatic_tax else None

    @property
    def is_running(self) -> bool:
        """Whether it is at Stripe, and has not ended."""
        return self.status in RUNNING

    @property
    def waits_for(self) -> str | None:
        """In words, what happens next; None at the end."""
        if self.status in ENDED:
            return "the refund of the time that is not used" if self.refund_due else None
        words = {_S.REQUESTED: "Stripe's answer", _S.OPEN: "the buyer", _S.PAST_DUE: "the next try of its payment"}
        return words.get(self.status, "the end of its period")

    def is_visible_to(self, caller: Principal) -> bool:
        """Operators see all; a merchant its own; a buyer his own."""
        match caller.role:
            case Role.MERCHANT:
                return caller.merchant_id == self.merchant_id
            case Role.BUYER:
                return caller.subject == self.customer_id
            case _:
                return caller.sees_everything


def as_at_stripe(subscription: Subscription, found: Object, now: datetime) -> Subscription:
    """The record as Stripe has the subscription now. A status that this code does not know changes nothing.

    The price is told by its id in the catalog, which stands in its metadata at Stripe; one that was set in the
    Dashboard, and is of no catalog, leaves that of the record, and its amount all the same.
    """
    known = {status.value for status in _AT_STRIPE}
    status = SubscriptionStatus(found["status"]) if found["status"] in known else subscription.status
    if status is not subscription.status:
        require_transition(TRANSITIONS, subscription.status, status)
    item = found["items"]["data"][0]
    price, pause = item["price"], found.get("pause_collection") or {}
    recurring, named = price.get("recurring") or {}, price.get("metadata") or {}
    read = replace(
        subscription,
        status=status,
        stripe_subscription_id=found["id"],
        stripe_item_id=item["id"],
        price_id=named.get("price_id") or subscription.price_id,
        quantity=item.get("quantity") or subscription.quantity,
        unit_amount=price.get("unit_amount") or subscription.unit_amount,
        interval=recurring.get("interval") or subscription.interval,
        interval_count=recurring.get("interval_count") or subscription.interval_count,
        started_at=at(found["start_date"]),
        current_period_start=at(item["current_period_start"]),
        current_period_end=at(item["current_period_end"]),
        trial_end=_time(found.get("trial_end")),
        cancel_at_period_end=bool(found.get("cancel_at_period_end")),
        cancel_at=_time(found.get("cancel_at")),
        ended_at=_time(found.get("ended_at")),
        paused=pause.get("behavior"),
        resumes_at=_time(pause.get("resumes_at")),
        latest_invoice_id=id_of(found.get("latest_invoice")),
    )
    return replace(read, due_at=next_look(read, now))


def as_session_says(subscription: Subscription, session: Object) -> Subscription:
    """The record after a look at the session in which the buyer subscribes, as long as he has not."""
    if session["status"] == "expired" and not subscription.is_running and subscription.status not in ENDED:
        require_transition(TRANSITIONS, subscription.status, SubscriptionStatus.EXPIRED)
        return replace(subscription, status=SubscriptionStatus.EXPIRED, due_at=None)
    if subscription.status is SubscriptionStatus.REQUESTED:
        return replace(subscription, status=SubscriptionStatus.OPEN, checkout_session_id=session["id"])
    return subscription


def changed(subscription: Subscription) -> Subscription:
    """The record when the change that was under way has come about."""
    terms = subscription.terms_to_be
    after = replace(subscription, changed_by=None, terms_to_be=None)
    if terms is None:
        return after
    return replace(after, merchant_id=terms.merchant_id, fee_policy=terms.fee_policy, split=terms.split)


def not_changed(subscription: Subscription) -> Subscription:
    """The record when Stripe refused the change that was under way."""
    return replace(subscription, changed_by=None, terms_to_be=None, refund_due=0, refund_since=None)


def canceled(subscription: Subscription, now: datetime) -> Subscription:
    """The record when it was canceled at once: what is to be refunded is due."""
    return replace(changed(subscription), due_at=now)


def refunds_unused(subscription: Subscription, refunded_at: datetime) -> bool:
    """Whether a refund made then counts towards what is due."""
    return subscription.refund_since is not None and refunded_at >= subscription.refund_since


def refund_put_off(subscription: Subscription, now: datetime, *, failure: str | None) -> Subscription:
    """The record when the buyer does not have what is due yet: looked at again, and asked for where it failed."""
    waited = now - (subscription.refund_since or now)
    pause = min(max(waited, REFUND_AGAIN), REFUND_AGAIN_AT_LAST)
    return replace(subscription, refund_failure=failure, due_at=now + pause)


def unused_refunded(subscription: Subscription) -> Subscription:
    """The record when the buyer has what was due, or all that he ever paid."""
    return replace(subscription, refund_due=0, refund_failure=None, due_at=None)


def next_look(subscription: Subscription, now: datetime) -> datetime | None:
    """When Stripe is asked although no event has told anything: after the period, daily while that lasts."""
    if subscription.status in ENDED:
        return max(subscription.due_at or now, now) if subscription.refund_due else None
    end = subscription.current_period_end
    if end is not None and end > now:
        return end + RENEWAL_EXPECTED
    return subscription.due_at if subscription.due_at and subscription.due_at > now else now + LOOK_AGAIN


def _time(epoch_seconds: int | None) -> datetime | None:
    return None if epoch_seconds is None else at(epoch_seconds)
