"""What becomes of the subscriptions of a merchant that was lost: nothing is collected for them, or they are ended."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Final

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.errors import OutcomeUnknown, RequestUnderWay, StripeRefused, SubscriptionNotChangeable
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.subscriptions import Subscription
from marketplace.ports import Ports, Ref, Replace, one
from marketplace.services.accounts import get_merchant
from marketplace.services.idempotency import Once
from marketplace.services.subscription_endings import WhilePaused, cancel_subscription, pause_subscription

PAGE: Final = 100
MOST_AT_ONCE: Final = 20  # that one look ends: each is some calls to Stripe


def end_subscriptions(ports: Ports, merchant_id: str) -> None:
    """Pause or end what is still collected for a lost merchant, by policy, a bounded number at each look.

    Each is asked for once for each loss: what somebody resumed since, or took to another merchant, goes on. While more
    are left the merchant stays due.

    Raises:
        Conflict: the merchant has moved on; it stays due.
        Unavailable.
    """
    merchant = get_merchant(ports, merchant_id)
    if not merchant.is_lost:
        return
    to_end = list(islice(_collected(ports, merchant), MOST_AT_ONCE + 1))
    for subscription, once in to_end[:MOST_AT_ONCE]:
        _end(ports, subscription, once)
    if len(to_end) > MOST_AT_ONCE:
        ports.store.commit(Replace(merchant, replace(merchant, due_at=ports.clock.now())))


def _collected(ports: Ports, merchant: Merchant) -> Iterator[tuple[Subscription, Once]]:
    """What is collected for it, and was not asked to end for this loss yet."""
    cursor, loss = None, f"{merchant.id} {merchant.status_since}"
    while True:
        page = ports.store.subscriptions(merchant_id=merchant.id, customer_id=None, cursor=cursor, limit=PAGE)
        for each in page.items:
            once = Once.of(SYSTEM, f"lost {each.id}", loss, {})
            if each.is_running and each.paused is None and not _is_asked(ports, once):
                yield each, once
        cursor = page.cursor
        if cursor is None:
            return


def _is_asked(ports: Ports, once: Once) -> bool:
    return one(ports.store, Ref(IdempotencyRecord, once.scope, once.subject)) is not None


def _end(ports: Ports, subscription: Subscription, once: Once) -> None:
    # its command goes on, it has ended meanwhile, or the next look finds it
    with suppress(OutcomeUnknown, RequestUnderWay, StripeRefused, SubscriptionNotChangeable):
        if ports.policy.money.cancels_lost_subscriptions:
            cancel_subscription(ports, SYSTEM, subscription.id, at_period_end=False, prorates=True, once=once)
        else:
            pause_subscription(ports, SYSTEM, subscription.id, WhilePaused.VOID, None, once)
