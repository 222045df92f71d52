"""Every change of a subscription or an invoice dies before or after any of its calls, and comes about once.

The sweep finds it, while Stripe still knows its key or a day after it has forgotten it.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from marketplace.domain.commands import Command
from marketplace.domain.errors import RequestUnderWay
from marketplace.domain.invoices import Invoice, InvoiceStatus
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus
from marketplace.services.idempotency import Once
from marketplace.services.invoice_acts import (
    create_credit_note,
    finalize_invoice,
    mark_uncollectible,
    pay_invoice,
    send_invoice,
    update_invoice,
    void_invoice,
)
from marketplace.services.invoices import create_invoice
from marketplace.services.subscription_changes import Proration, SubscriptionChange, change_subscription
from marketplace.services.subscription_endings import (
    WhilePaused,
    cancel_subscription,
    pause_subscription,
    resume_subscription,
)

from .crashes import ProcessDied
from .market import OPERATOR, Market
from .subscribing import (
    EXACT,
    PERCENT,
    invoices,
    let_pass,
    once,
    price_of,
    require_books,
    seller,
    stripe_customer,
    subscribed,
)
from .test_crashes import MOST_STEPS
from .test_invoices import TOTAL, card_of, draft, finalized, pay, prepared, wanted

Act = Callable[[Market, Once], object]
LATER = (60, 25 * 3_600)  # while Stripe keeps the key, and when it does not any more


def each_step(prepare: Callable[[Market], object], act: Act, key: Once, market: Market) -> Iterator[tuple[int, Market]]:
    """A copy of a market for every step of ``act``, in which the process died there: each is done with in its turn."""
    prepare(market)
    market.fork()
    for step in range(MOST_STEPS):
        twin = market.fork()
        twin.store.before = twin.store.after = twin.fuse.around_store
        twin.fuse.set(step)
        try:
            act(twin, key)
        except ProcessDied:
            yield step, twin
        else:
            twin.fuse.set(None)
            return
    raise AssertionError("the act has more steps than the test looks at")


def rest(market: Market, seconds: int) -> None:
    """The sweep finishes what was left, twice over: a command that it must look for first is asked for again after."""
    for _ in range(2):
        market.advance(seconds)
        market.take_in(*market.events())
        assert market.sweep().troubles == []
    market.take_in(*market.events())


def require_finished(market: Market) -> None:
    """No command is open, and nothing waits for one."""
    stored = market.store.snapshot().values()
    assert [each.kind for each in stored if isinstance(each, Command) and each.is_open] == []
    assert [each.id for each in stored if isinstance(each, Subscription | Invoice) and each.changed_by] == []


def the(market: Market) -> Subscription:
    """The one subscription."""
    (found,) = (each for each in market.store.snapshot().values() if isinstance(each, Subscription))
    return found


class Story(NamedTuple):
    """What is there before, what is asked for, and what must be so once it was."""

    prepare: Callable[[Market], object]
    act: Act
    happened: Callable[[Market], bool]


def a_subscription(market: Market) -> None:
    subscribed(market, EXACT)
    let_pass(market, 10)


def a_paused_one(market: Market) -> None:
    a_subscription(market)
    pause_subscription(market.ports, OPERATOR, the(market).id, WhilePaused.VOID, None, once(OPERATOR, "pause"))


def two_sellers(market: Market) -> None:
    a_subscription(market)
    market.transaction_id = price_of(market, seller(market, PERCENT, "Linen House"), 5_000).id


def change(**wanted: Any) -> Act:
    return lambda market, key: change_subscription(
        market.ports, OPERATOR, the(market).id, SubscriptionChange(**wanted), key
    )


def take_over(market: Market, key: Once) -> object:
    (price_id,) = (each for each in [market.transaction_id] if each)
    wanted = SubscriptionChange(price_id=price_id, proration=Proration.NONE)
    return change_subscription(market.ports, OPERATOR, the(market).id, wanted, key)


def paid_for_more(market: Market) -> bool:
    """Billed once for the quantity, at once: the first month, and the rest of it for two more."""
    charges = sorted(charge["amount"] for charge in market.at_stripe("/v1/charges"))
    return the(market).quantity == 3 and charges[0] == 3_000 and len(charges) == 2


SUBSCRIPTIONS = {
    "pause": Story(
        a_subscription,
        lambda market, key: pause_subscription(
            market.ports, OPERATOR, the(market).id, WhilePaused.VOID, market.in_days(60), key
        ),
        lambda market: the(market).paused == "void" and the(market).resumes_at is not None,
    ),
    "resume": Story(
        a_paused_one,
        lambda market, key: resume_subscription(market.ports, OPERATOR, the(market).id, key),
        lambda market: the(market).paused is None,
    ),
    "quantity at once": Story(a_subscription, change(quantity=3, proration=Proration.AT_ONCE), paid_for_more),
    "quantity later": Story(
        a_subscription,
        change(quantity=3),
        lambda market: the(market).quantity == 3 and len(market.at_stripe("/v1/invoiceitems")) == 2,
    ),
    "take-over": Story(
        two_sellers,
        take_over,
        lambda market: (the(market).price_id, the(market).terms_to_be) == (market.transaction_id, None),
    ),
    "cancel with the period": Story(
        a_subscription,
        lambda market, key: cancel_subscription(
            market.ports, OPERATOR, the(market).id, at_period_end=True, prorates=False, once=key
        ),
        lambda market: the(market).cancel_at_period_end and the(market).status is SubscriptionStatus.ACTIVE,
    ),
    "cancel at once": Story(
        a_subscription,
        lambda market, key: cancel_subscription(
            market.ports, OPERATOR, the(market).id, at_period_end=False, prorates=False, once=key
        ),
        lambda market: the(market).status is SubscriptionStatus.CANCELED and not market.at_stripe("/v1/refunds"),
    ),
}


def mailed(market: Market) -> None:
    prepared(market)
    draft(market, due_date=market.in_days(14))


def opened(market: Market) -> None:
    card_of(market, prepared(market)[1])
    finalized(market)


def paid_one(market: Market) -> None:
    _, buyer = prepared(market)
    pay(market, finalized(market), card_of(market, buyer))
    market.take_in(*market.events())
    market.come_to_rest()


def credit(market: Market, key: Once) -> object:
    return create_credit_note(market.ports, OPERATOR, invoices(market)[0].id, amount=20_000, memo=None, once=key)


def has(status: InvoiceStatus) -> Callable[[Market], bool]:
    return lambda market: [each.status for each in invoices(market)] == [status]


def card(market: Market) -> str:
    """The buyer's."""
    return str(market.at_stripe(f"/v1/customers/{stripe_customer(market)}/payment_methods")[0]["id"])


INVOICES = {
    "create": Story(
        prepared,
        lambda market, key: create_invoice(market.ports, OPERATOR, wanted(market), key),
        lambda market: (
            [(each.status, each.total) for each in invoices(market)] == [(InvoiceStatus.DRAFT, TOTAL)]
            and len(market.at_stripe("/v1/invoices")) == 1
        ),
    ),
    "finalize": Story(
        mailed,
        lambda market, key: finalize_invoice(market.ports, OPERATOR, invoices(market)[0].id, key),
        has(InvoiceStatus.OPEN),
    ),
    "pay": Story(
        opened,
        lambda market, key: pay_invoice(
            market.ports,
            OPERATOR,
            invoices(market)[0].id,
            payment_method_id=card(market),
            paid_elsewhere=False,
            once=key,
        ),
        lambda market: has(InvoiceStatus.PAID)(market) and len(market.at_stripe("/v1/charges")) == 1,
    ),
    "update": Story(
        mailed,
        lambda market, key: update_invoice(
            market.ports, OPERATOR, invoices(market)[0].id, description="A house", due_date=market.in_days(30), once=key
        ),
        lambda market: market.at_stripe("/v1/invoices")[0]["description"] == "A house",
    ),
    "send": Story(
        mailed,
        lambda market, key: send_invoice(market.ports, OPERATOR, invoices(market)[0].id, key),
        has(InvoiceStatus.OPEN),
    ),
    "void": Story(
        opened,
        lambda market, key: void_invoice(market.ports, OPERATOR, invoices(market)[0].id, key),
        has(InvoiceStatus.VOID),
    ),
    "mark uncollectible": Story(
        opened,
        lambda market, key: mark_uncollectible(market.ports, OPERATOR, invoices(market)[0].id, key),
        has(InvoiceStatus.UNCOLLECTIBLE),
    ),
    "credit what is owed": Story(
        opened,
        credit,
        lambda market: (len(market.at_stripe("/v1/credit_notes")), market.at_stripe("/v1/refunds")) == (1, []),
    ),
    "credit what was paid": Story(
        paid_one,
        credit,
        lambda market: (len(market.at_stripe("/v1/credit_notes")), len(market.at_stripe("/v1/refunds"))) == (1, 1),
    ),
}
STORIES = SUBSCRIPTIONS | INVOICES


@pytest.mark.parametrize("later", LATER, ids=["key kept", "key forgotten"])
@pytest.mark.parametrize("name", STORIES)
def test_a_change_that_dies_anywhere_comes_about_once(name: str, later: int) -> None:
    story, key, seen = STORIES[name], once(OPERATOR, name), set()
    for step, market in each_step(story.prepare, story.act, key, Market()):
        rest(market, later)
        seen.add(story.happened(market))  # it was recorded, or the caller asks again
        story.act(market, key)
        rest(market, later)
        assert story.happened(market), step
        require_finished(market)
        market.come_to_rest()
        require_books(market)
    assert seen == {True, False}


@pytest.mark.parametrize("ends", [False, True], ids=["pauses", "ends"])
def test_a_look_at_a_lost_merchant_that_dies_anywhere_is_taken_up_by_the_next(ends: bool) -> None:
    def lost(market: Market) -> None:
        a_subscription(market)
        market.set_capability(market.only_merchant(), "rejected")
        market.take_in(*market.events())
        market.advance(120)

    def act(market: Market, _: Once) -> None:
        assert market.sweep().troubles == []

    steps = 0
    world = Market(money=MoneyPolicy(cancels_lost_subscriptions=ends))
    for step, market in each_step(lost, act, once(OPERATOR, "lost"), world):
        steps += 1
        for _ in range(3):
            market.take_in(*market.events())
            rest(market, 600)
        if ends:
            assert the(market).status is SubscriptionStatus.CANCELED, step
            assert (len(market.at_stripe("/v1/refunds")), the(market).refund_due) == (1, 0), step
        else:
            assert the(market).paused == "void", step
        require_finished(market)
    assert steps > 20


@pytest.mark.parametrize("name", sorted(set(STORIES) - {"create"}))
def test_of_two_requests_at_once_one_is_carried_out(name: str) -> None:
    """The second comes while the first stands still between its record and Stripe's answer."""
    story, first, second = STORIES[name], once(OPERATOR, name), once(OPERATOR, name)
    for _, market in each_step(story.prepare, story.act, first, Market()):
        stored = market.store.snapshot().values()
        if not any(isinstance(each, Command) and each.is_open for each in stored):
            continue
        with pytest.raises(RequestUnderWay):
            story.act(market, second)
