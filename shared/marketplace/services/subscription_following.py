"""Follow a subscription: read it again from Stripe and keep what it says, under the version of its record."""

from collections.abc import Callable
from dataclasses import replace

from marketplace.domain import subscriptions
from marketplace.domain.errors import Unavailable
from marketplace.domain.stripe_objects import id_of
from marketplace.domain.subscriptions import Subscription, as_at_stripe, as_session_says
from marketplace.operations import Operation
from marketplace.ports import Conflict, Ports, Ref, Replace, one
from marketplace.services.commands import MOST_COMMIT_TRIES


def follow_subscription(ports: Ports, subscription_id: str, stripe_id: str) -> Subscription | None:
    """The record as Stripe has the subscription now; None where it is none of ours. To repeat it is harmless.

    Raises:
        Unavailable: Stripe or DynamoDB did not answer.
    """

    def read(before: Subscription) -> Subscription | None:
        if before.stripe_subscription_id not in {None, stripe_id}:
            return None  # its metadata was copied from one of ours
        return _as_at_stripe(ports, before, stripe_id)

    return _follow(ports, subscription_id, read)


def follow_session(ports: Ports, subscription_id: str) -> Subscription | None:
    """The same of one that may not have begun: the session in which the buyer subscribes says it, if he has."""
    return _follow(ports, subscription_id, lambda before: _as_its_session_says(ports, before))


def _follow(
    ports: Ports, subscription_id: str, read: Callable[[Subscription], Subscription | None]
) -> Subscription | None:
    for _ in range(MOST_COMMIT_TRIES):
        before = one(ports.store, Ref(Subscription, subscription_id))
        after = None if before is None else read(before)
        if before is None or after is None:
            return None
        if after == before:
            return before
        change = Replace(before, after)
        try:
            ports.store.commit(change)
        except Conflict:
            continue
        return change.stored
    raise Unavailable("the subscription keeps changing")


def watch_subscription(ports: Ports, subscription: Subscription) -> Subscription:
    """Look at a subscription whose events should be here by now. Raises as `follow_subscription` does."""
    seen = follow_session(ports, subscription.id) or subscription
    due_at = subscriptions.next_look(seen, ports.clock.now())
    if seen.due_at == due_at:
        return seen
    change = Replace(seen, replace(seen, due_at=due_at))
    ports.store.commit(change)
    return change.stored


def _as_its_session_says(ports: Ports, before: Subscription) -> Subscription:
    if before.stripe_subscription_id is not None:
        return _as_at_stripe(ports, before, before.stripe_subscription_id)
    if before.checkout_session_id is None:
        return before  # its command is due by itself
    session = ports.stripe.read(Operation.READ_CHECKOUT_SESSION, before.checkout_session_id)
    made = id_of(session.get("subscription"))
    return as_session_says(before, session) if made is None else _as_at_stripe(ports, before, made)


def _as_at_stripe(ports: Ports, before: Subscription, stripe_id: str) -> Subscription:
    found = ports.stripe.read(Operation.READ_SUBSCRIPTION, stripe_id)
    return as_at_stripe(before, found, ports.clock.now())
