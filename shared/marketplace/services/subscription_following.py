"""Follow a subscription: read it again from Stripe and keep what it says, under the version of its record."""

from dataclasses import replace

from marketplace.domain import subscriptions
from marketplace.domain.errors import Unavailable
from marketplace.domain.stripe_objects import Object, id_of
from marketplace.domain.subscriptions import Subscription, as_at_stripe, as_session_says
from marketplace.operations import Operation
from marketplace.ports import Conflict, Ports, Ref, Replace, one
from marketplace.services.commands import MOST_COMMIT_TRIES


def follow_subscription(ports: Ports, subscription_id: str, stripe_id: str | None) -> Subscription | None:
    """The record as Stripe has the subscription now; None where it is none of ours. To repeat it is harmless.

    ``stripe_id`` None is not known: the session in which the buyer subscribes says it, if he has.

    Raises:
        Unavailable: Stripe or DynamoDB did not answer.
    """
    for _ in range(MOST_COMMIT_TRIES):
        before = one(ports.store, Ref(Subscription, subscription_id))
        if before is None:
            return None
        known = before.stripe_subscription_id
        if known is not None and stripe_id not in {None, known}:
            return None  # its metadata was copied from one of ours
        after = _as_at_stripe(ports, before, known or stripe_id)
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
    seen = follow_subscription(ports, subscription.id, subscription.stripe_subscription_id) or subscription
    due_at = subscriptions.next_look(seen, ports.clock.now())
    if seen.due_at == due_at:
        return seen
    change = Replace(seen, replace(seen, due_at=due_at))
    ports.store.commit(change)
    return change.stored


def _as_at_stripe(ports: Ports, before: Subscription, stripe_id: str | None) -> Subscription:
    if stripe_id is not None:
        return as_at_stripe(before, _read(ports, stripe_id), ports.clock.now())
    if before.checkout_session_id is None:
        return before  # its command is due by itself
    session = ports.stripe.read(Operation.READ_CHECKOUT_SESSION, before.checkout_session_id)
    made = id_of(session.get("subscription"))
    return as_session_says(before, session) if made is None else _as_at_stripe(ports, before, made)


def _read(ports: Ports, stripe_id: str) -> Object:
    return ports.stripe.read(Operation.READ_SUBSCRIPTION, stripe_id)
