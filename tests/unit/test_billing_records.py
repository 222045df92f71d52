"""Records of subscriptions and invoices as they follow Stripe: what they take over, and what they do not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest

from marketplace.domain import subscriptions
from marketplace.domain.invoice_splits import SplitBy
from marketplace.domain.invoices import (
    DRAFT_LASTS,
    LOOK_AGAIN,
    Invoice,
    InvoiceStatus,
    SeveralPayments,
    as_at_stripe,
    deleted,
    is_to_be_split,
    next_look,
    payment_intent_of,
)
from marketplace.domain.invoices import TRANSITIONS as OF_INVOICES
from marketplace.domain.states import ImpossibleTransition
from marketplace.domain.subscriptions import RUNNING, Subscription, SubscriptionStatus

from ..fakes import stripe

NOW = datetime(2026, 11, 29, tzinfo=UTC)
DRAFT = Invoice(
    id="invoice-1", merchant_id="merchant-1", customer_id="ann", currency="usd", fee_policy={"percent": "10"},
    split=SplitBy.AMOUNT, subscription_id="subscription-1", status=InvoiceStatus.DRAFT, amount_due=1_000, total=1_000,
    created_at=NOW,
)  # fmt: skip
SUBSCRIPTION = Subscription(
    id="subscription-1", merchant_id="merchant-1", customer_id="ann", product_id="product-1", price_id="price-1",
    quantity=1, unit_amount=1_000, currency="usd", interval="month", fee_policy={"percent": "10"}, split=SplitBy.AMOUNT,
    status=SubscriptionStatus.ACTIVE, created_at=NOW,
)  # fmt: skip


def test_a_status_that_nobody_here_knows_changes_nothing_but_what_else_was_read() -> None:
    read = as_at_stripe(DRAFT, {**stripe.invoice(total=2_000), "status": "frozen"}, NOW)
    assert (read.status, read.total) == (InvoiceStatus.DRAFT, 2_000)
    after = subscriptions.as_at_stripe(SUBSCRIPTION, stripe.subscription(status="frozen"), NOW)
    assert (after.status, after.stripe_subscription_id) == (SubscriptionStatus.ACTIVE, "sub_1")


def test_what_has_ended_does_not_begin_again() -> None:
    with pytest.raises(ImpossibleTransition):
        as_at_stripe(replace(DRAFT, status=InvoiceStatus.PAID), stripe.invoice("open", 1_000), NOW)
    canceled = replace(SUBSCRIPTION, status=SubscriptionStatus.CANCELED)
    with pytest.raises(ImpossibleTransition):
        subscriptions.as_at_stripe(canceled, stripe.subscription(), NOW)


def test_whatever_happened_between_two_looks_can_be_read() -> None:
    """Of Stripe's steps any number, one after the other."""
    _i, _s = InvoiceStatus, SubscriptionStatus
    of_invoices: Mapping[InvoiceStatus, set[InvoiceStatus]] = {
        _i.REQUESTED: {_i.DRAFT, _i.REFUSED}, _i.DRAFT: {_i.OPEN, _i.DELETED},
        _i.OPEN: {_i.PAID, _i.VOID, _i.UNCOLLECTIBLE}, _i.UNCOLLECTIBLE: {_i.PAID, _i.VOID},
    }  # fmt: skip
    of_subscriptions: Mapping[SubscriptionStatus, set[SubscriptionStatus]] = {
        _s.REQUESTED: {_s.OPEN, _s.REFUSED}, _s.OPEN: {_s.EXPIRED, _s.INCOMPLETE},
        **{each: {*RUNNING, _s.CANCELED, _s.INCOMPLETE_EXPIRED} for each in RUNNING},
    }  # fmt: skip
    assert {each: _after(each, of_invoices) for each in _i} == OF_INVOICES
    assert {each: _after(each, of_subscriptions) for each in _s} == subscriptions.TRANSITIONS


def _after[S: StrEnum](status: S, steps: Mapping[S, set[S]]) -> frozenset[S]:
    """All that may follow a status, itself apart."""
    found, ways = {status}, [status]
    while ways:
        new = steps.get(ways.pop(), set()) - found
        found |= new
        ways += new
    return frozenset(found) - {status}


def test_only_a_draft_can_be_deleted() -> None:
    assert (deleted(DRAFT).status, deleted(DRAFT).due_at) == (InvoiceStatus.DELETED, None)
    for status in (InvoiceStatus.OPEN, InvoiceStatus.PAID):
        with pytest.raises(ImpossibleTransition):
            deleted(replace(DRAFT, status=status))


def test_a_period_that_is_over_is_looked_at_once_a_day() -> None:
    over = replace(SUBSCRIPTION, current_period_end=NOW)
    assert subscriptions.next_look(over, NOW) == NOW + LOOK_AGAIN
    asked = replace(over, due_at=NOW + LOOK_AGAIN)
    assert subscriptions.next_look(asked, NOW + timedelta(hours=1)) == asked.due_at
    assert subscriptions.next_look(asked, NOW + LOOK_AGAIN) == NOW + 2 * LOOK_AGAIN
    assert subscriptions.next_look(over, NOW - timedelta(hours=1)) == NOW + subscriptions.RENEWAL_EXPECTED


def test_an_invoice_that_was_paid_in_parts_is_for_somebody_to_look_at() -> None:
    def paid(*intents: str, status: str = "paid") -> dict[str, object]:
        made = [{"status": status, "payment": {"type": "payment_intent", "payment_intent": each}} for each in intents]
        return stripe.invoice("paid", 1_000, payments={"data": made})

    assert payment_intent_of(paid("pi_1")) == "pi_1"
    assert payment_intent_of(paid("pi_1", "pi_2", status="canceled")) is None
    with pytest.raises(SeveralPayments):
        payment_intent_of(paid("pi_1", "pi_2"))


def test_a_draft_is_told_its_fee_once_for_each_amount_while_nobody_is_at_it() -> None:
    assert is_to_be_split(DRAFT)
    assert is_to_be_split(replace(DRAFT, split_amount=900))
    for told in (
        replace(DRAFT, split_amount=1_000),
        replace(DRAFT, changed_by="command-1"),
        replace(DRAFT, amount_due=0),
        replace(DRAFT, split=SplitBy.PERCENT),
        replace(DRAFT, status=InvoiceStatus.OPEN),
    ):
        assert not is_to_be_split(told), told


def test_the_draft_of_a_renewal_is_looked_at_soon_and_what_has_ended_never() -> None:
    assert next_look(DRAFT, NOW) == NOW + DRAFT_LASTS
    assert next_look(replace(DRAFT, subscription_id=None), NOW) == NOW + LOOK_AGAIN
    assert next_look(replace(DRAFT, status=InvoiceStatus.PAID), NOW) is None


def test_a_refund_of_unused_time_is_looked_at_less_and_less_often() -> None:
    due = replace(SUBSCRIPTION, status=SubscriptionStatus.CANCELED, refund_due=400, refund_since=NOW)
    for passed, pause in (
        (timedelta(), timedelta(hours=1)),
        (timedelta(hours=5), timedelta(hours=5)),
        (timedelta(days=90), timedelta(days=30)),
    ):
        later = subscriptions.refund_put_off(due, NOW + passed, failure="charge_disputed")
        assert (later.due_at, later.refund_failure) == (NOW + passed + pause, "charge_disputed")
        assert subscriptions.next_look(later, NOW + passed) == later.due_at
    assert subscriptions.next_look(replace(due, refund_due=0), NOW) is None
    assert not subscriptions.refunds_unused(due, NOW - timedelta(seconds=1))
    refused = subscriptions.not_changed(due)
    assert (refused.refund_due, refused.refund_since) == (0, None)
