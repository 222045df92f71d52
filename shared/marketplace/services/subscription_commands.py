"""What is asked of Stripe for a subscription that has begun: a change, or its end; one at a time."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override

from marketplace.domain import subscriptions
from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.errors import SubscriptionNotChangeable
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.operations import Operation
from marketplace.ports import Change, Ports, Ref, Replace, one
from marketplace.services.changes import carry_out, require_free
from marketplace.services.commands import Handler, find_made, handles, replay, require_done
from marketplace.services.idempotency import Once
from marketplace.services.subscription_following import follow_subscription
from marketplace.services.subscriptions import stored_subscription


class UpdateSubscription(Handler[Subscription]):
    """A change at Stripe. The record is read again after it, so that an answer of long ago changes nothing."""

    operation = Operation.UPDATE_SUBSCRIPTION

    @override
    def load(self, ports: Ports, command: Command) -> Subscription:
        return stored_subscription(ports, command.subject)

    @override
    def succeeded(
        self, ports: Ports, subject: Subscription, command: Command, made: Mapping[str, Any]
    ) -> Sequence[Change]:
        return [Replace(subject, subscriptions.changed(subject))]

    @override
    def refused(self, ports: Ports, subject: Subscription, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, subscriptions.not_changed(subject))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return find_made([ports.stripe.read(Operation.READ_SUBSCRIPTION, *command.target)], command)


class CancelSubscription(UpdateSubscription):
    """The end of a subscription, at once."""

    operation = Operation.CANCEL_SUBSCRIPTION
    is_kept = False

    @override
    def succeeded(
        self, ports: Ports, subject: Subscription, command: Command, made: Mapping[str, Any]
    ) -> Sequence[Change]:
        return [Replace(subject, subscriptions.canceled(subject, ports.clock.now()))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        found = ports.stripe.read(Operation.READ_SUBSCRIPTION, *command.target)
        return found if found["status"] == SubscriptionStatus.CANCELED else None


UPDATE_SUBSCRIPTION: Final = UpdateSubscription()
CANCEL_SUBSCRIPTION: Final = CancelSubscription()
handles(CommandKind.UPDATE_SUBSCRIPTION, UPDATE_SUBSCRIPTION)
handles(CommandKind.CANCEL_SUBSCRIPTION, CANCEL_SUBSCRIPTION)


def answered(ports: Ports, handler: UpdateSubscription, before: Subscription, once: Once) -> Subscription | None:
    """The answer to a request that comes again with its key, whatever has become of the subscription; else None.

    Raises:
        StripeRefused, IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown.
    """
    used = one(ports.store, Ref(IdempotencyRecord, once.scope, once.subject))
    if used is None:
        return None
    require_done(replay(ports, handler, once, used))
    return _read_again(ports, before)


def perform(
    ports: Ports, handler: UpdateSubscription, before: Subscription, after: Subscription, params: Mapping[str, Any],
    once: Once,
) -> Subscription:  # fmt: skip
    """Record a change and carry it out; ``after`` is the record with what the change was agreed to.

    Raises:
        StripeRefused, IdempotencyKeyReused, OutcomeUnknown.
        RequestUnderWay: also while another change has not ended.
    """
    require_free(before, "this subscription")
    command_id = ports.ids.new("command")
    is_cancellation = handler is CANCEL_SUBSCRIPTION
    command = record(
        command_id=command_id,
        subject=before.id,
        kind=CommandKind.CANCEL_SUBSCRIPTION if is_cancellation else CommandKind.UPDATE_SUBSCRIPTION,
        target=(str(before.stripe_subscription_id),),
        params=params if is_cancellation else {**params, "metadata": {"command_id": command_id}},
        result=before.id,
        now=ports.clock.now(),
    )
    carry_out(ports, handler, once, command, before, after, "this subscription")
    return _read_again(ports, before)


def require_running(subscription: Subscription) -> Subscription:
    """The subscription, if it has begun and has not ended. Raises SubscriptionNotChangeable."""
    if not subscription.is_running or subscription.stripe_subscription_id is None:
        raise SubscriptionNotChangeable(f"the subscription is {subscription.status}")
    return subscription


def _read_again(ports: Ports, subscription: Subscription) -> Subscription:
    found = follow_subscription(ports, subscription.id, str(subscription.stripe_subscription_id))
    return found or stored_subscription(ports, subscription.id)
