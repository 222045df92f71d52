"""What becomes of the subscriptions of a merchant that was lost: nothing is collected for them, or they are ended."""

from contextlib import suppress
from typing import Final

from marketplace.domain.errors import OutcomeUnknown, RequestUnderWay, StripeRefused
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import SYSTEM
from marketplace.domain.subscriptions import Subscription
from marketplace.ports import Ports
from marketplace.services.accounts import get_merchant
from marketplace.services.idempotency import Once
from marketplace.services.subscription_endings import WhilePaused, cancel_subscription, pause_subscription

PAGE: Final = 100
MOST_AT_ONCE: Final = 20  # that one look ends: each is some calls to Stripe


def end_subscriptions(ports: Ports, merchant_id: str) -> None:
    """Pause or end what is still collected for a lost merchant, by policy, a bounded number at each look.

    Each is asked for once for each loss: what somebody resumed since, or took to another merchant, goes on.

    Raises:
        Unavailable.
    """
    merchant = get_merchant(ports, merchant_id)
    if not merchant.is_lost:
        return
    cursor, ended = None, 0
    while ended < MOST_AT_ONCE:
        page = ports.store.subscriptions(merchant_id=merchant_id, customer_id=None, cursor=cursor, limit=PAGE)
        for each in page.items:
            if each.is_running and each.paused is None and ended < MOST_AT_ONCE:
                ended += 1
                _end(ports, merchant, each)
        cursor = page.cursor
        if cursor is None:
            return


def _end(ports: Ports, merchant: Merchant, subscription: Subscription) -> None:
    loss = f"{merchant.id} {merchant.status_since}"
    once = Once.of(SYSTEM, f"lost {subscription.id}", loss, {})
    with suppress(RequestUnderWay, StripeRefused, OutcomeUnknown):  # its command goes on, or the next look finds it
        if ports.policy.money.cancels_lost_subscriptions:
            cancel_subscription(ports, SYSTEM, subscription.id, at_period_end=False, prorates=True, once=once)
        else:
            pause_subscription(ports, SYSTEM, subscription.id, WhilePaused.VOID, None, once)
