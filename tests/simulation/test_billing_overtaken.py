"""Whoever follows a subscription or an invoice is overtaken by another, or finds it gone: what is kept stays true."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from marketplace.domain.errors import InvoiceNotChangeable, StripeRefused
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.subscriptions import SubscriptionStatus
from marketplace.services.invoice_acts import finalize_invoice
from marketplace.services.invoice_following import stored_invoice
from marketplace.services.subscription_endings import cancel_subscription

from .market import OPERATOR, Market
from .subscribing import EXACT, customer, invoices, let_pass, once, price_of, require_books, seller, subscribe
from .test_billing_crashes import a_subscription, the
from .test_invoices import draft, prepared

Act = Callable[[Market], object]


def overtaken(market: Market, act: Act, other: Act) -> Iterator[Market]:
    """A copy of a market for every commit of ``act``, before which ``other`` is done, too."""
    market.fork()
    for number in count():
        twin, commits, overtakes = market.fork(), count(), []

        def before(call: str, changes: object, *, twin: Market = twin, at: int = number) -> None:
            if call == "commit" and next(commits) == at:  # noqa: B023 - of this copy
                overtakes.append(call)  # noqa: B023 - of this copy
                twin.store.before = twin.fuse.around_store
                other(twin)

        twin.store.before = before
        act(twin)
        if not overtakes:
            return
        yield twin


def begun(market: Market) -> None:
    """A buyer has subscribed and paid; nothing of it is heard yet."""
    price = price_of(market, seller(market, EXACT))
    customer(market)
    market.submit(str(subscribe(market, price).checkout_session_id), card="4242424242424242")


def test_an_event_that_is_overtaken_by_itself_is_applied_all_the_same(market: Market) -> None:
    begun(market)
    events = market.events()
    for number, event in enumerate(events):
        for twin in overtaken(
            market,
            lambda twin: [*twin.take_in(*events[:number]), *twin.take_in(event)],  # noqa: B023 - at once
            lambda twin: twin.take_in(*events[: number + 1]),  # noqa: B023 - at once
        ):
            twin.take_in(*events)
            assert the(twin).status is SubscriptionStatus.ACTIVE
            assert [each.status for each in invoices(twin)] == [InvoiceStatus.PAID]
            (books,) = twin.all_transactions()
            assert books.payment.captured == 3_000
            assert twin.violations(books.transaction.id) == []


def test_an_end_whose_event_and_the_sweep_are_faster_refunds_once(market: Market) -> None:
    a_subscription(market)
    key, seen = once(OPERATOR, "end"), 0
    for twin in overtaken(
        market,
        lambda twin: cancel_subscription(
            twin.ports, OPERATOR, the(twin).id, at_period_end=False, prorates=True, once=key
        ),
        lambda twin: (twin.take_in(*twin.events()), twin.sweep()),
    ):
        seen += 1
        twin.take_in(*twin.events())
        twin.come_to_rest()
        assert (the(twin).status, the(twin).refund_due) == (SubscriptionStatus.CANCELED, 0)
        assert len(twin.at_stripe("/v1/refunds")) == 1
        require_books(twin)
    assert seen > 3


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_draft_that_somebody_deleted_at_stripe_is_over(market: Market, is_shown: bool) -> None:
    """Of some objects that were deleted Stripe still shows that they were."""
    prepared(market)
    made = draft(market)
    market.take_in(*market.events())
    path = f"/v1/invoices/{made.stripe_invoice_id}"
    market.simulator.request("DELETE", path, {})
    if not is_shown:
        market.simulator.faults.order("error", method="GET", path=path, status=404, code="resource_missing")
    market.take_in(*market.events())
    over = stored_invoice(market.ports, made.id)
    assert (over.status, over.due_at, over.waits_for) == (InvoiceStatus.DELETED, None, None)
    with pytest.raises(InvoiceNotChangeable):
        finalize_invoice(market.ports, OPERATOR, made.id, once(OPERATOR, "finalize"))


def test_an_invoice_that_stripe_does_not_show_is_not_taken_for_deleted(market: Market) -> None:
    prepared(market)
    made = draft(market)
    events = market.events()
    market.simulator.faults.order("error", method="GET", path="/v1/invoices/*", status=400, code="parameter_unknown")
    with pytest.raises(StripeRefused):
        market.take_in(*events)
    assert stored_invoice(market.ports, made.id).status is InvoiceStatus.DRAFT
    market.take_in(*events)
    let_pass(market, 1)
    assert stored_invoice(market.ports, made.id).status is InvoiceStatus.DRAFT
