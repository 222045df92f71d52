"""Invoices that Stripe split otherwise than the policy does, and events in any order and number, lost, or cut short."""

import random
from collections.abc import Callable
from itertools import count

import pytest

from marketplace.domain.fees import FeePolicy
from marketplace.domain.merchants import Merchant
from marketplace.domain.promotions import Duration
from marketplace.domain.reconciliation import LineStatus
from marketplace.domain.transactions import ChargeType

from .crashes import ProcessDied
from .market import GERMANY, Market
from .subscribing import DAY, EXACT, PERCENT, let_pass, price_of, stripe_customer, subscribe
from .subscribing import ledger as ledger_of
from .taxed_billing import (
    INCLUSIVE,
    VAT,
    begun,
    mixed,
    of_merchant,
    prepared,
    require_proven,
)
from .test_reconciliation import open_lines, to_the_end


@pytest.mark.parametrize("policy", [EXACT, PERCENT], ids=["exact", "percent"])
def test_a_coupon_of_the_dashboard_on_a_subscription_that_stripe_splits_is_the_platform_s(policy: FeePolicy) -> None:
    market, merchant = prepared(policy)
    subscription = begun(market, price_of(market, merchant, 10_000))
    market.order("/v1/coupons", id="theirs", percent_off="30", duration="forever")
    market.order(f"/v1/subscriptions/{subscription.stripe_subscription_id}", discounts=[{"coupon": "theirs"}])
    let_pass(market, 33, step_hours=1)
    first, renewal = market.all_transactions()
    is_told = policy is PERCENT
    assert renewal.transaction.charge_type is (ChargeType.DESTINATION if is_told else ChargeType.SEPARATE)
    assert (first.payment.captured, renewal.payment.captured) == (10_000, 7_000)
    assert of_merchant(market, merchant) == 2 * (10_000 - policy.fee(10_000, "usd"))
    assert ledger_of(market)["promotions:theirs"] == 3_000
    require_proven(market)
    market.refund(renewal.transaction.id, 2_000, key="a")
    market.refund(renewal.transaction.id, None, key="b")
    market.take_in(*market.events())
    assert of_merchant(market, merchant) == 10_000 - policy.fee(10_000, "usd")
    assert "promotions:theirs" not in ledger_of(market)
    require_proven(market)


@pytest.mark.parametrize("is_heard_of", [False, True])
@pytest.mark.parametrize("more", [2_000, -2_000])
def test_a_draft_that_changes_after_it_was_told_its_fee_is_evened_out(more: int, is_heard_of: bool) -> None:
    market, merchant = prepared(EXACT)
    subscription = begun(market, price_of(market, merchant, 10_000))
    market.advance(30 * DAY + 1_800)
    market.take_in(*market.events())
    draft = market.at_stripe("/v1/invoices")[0]
    assert draft["status"] == "draft"
    stripe_customer_id = stripe_customer(market)
    market.order("/v1/invoiceitems", customer=stripe_customer_id, invoice=draft["id"], amount=more, currency="usd")
    told = market.events()
    if is_heard_of:  # and told its fee anew, before it is finalized
        market.take_in(*told)
    market.advance(2 * DAY)
    market.take_in(*market.events(), *told)
    market.come_to_rest()
    renewal = market.all_transactions()[1]
    assert renewal.transaction.charge_type is ChargeType.DESTINATION
    assert renewal.payment.captured == 10_000 + more
    assert (renewal.shares != {}) is not is_heard_of
    fee = EXACT.fee(10_000 + more, "usd")
    assert of_merchant(market, merchant) == 20_000 + more - EXACT.fee(10_000, "usd") - fee
    assert subscription.id == renewal.transaction.subscription_id
    require_proven(market)
    market.refund(renewal.transaction.id, 1_234, key="a")
    market.refund(renewal.transaction.id, None, key="b")
    market.take_in(*market.events())
    market.come_to_rest()
    assert of_merchant(market, merchant) == 10_000 - EXACT.fee(10_000, "usd")
    require_proven(market)


def test_tax_that_a_draft_turned_out_to_have_is_no_merchant_s() -> None:
    """Somebody switched tax on in the Dashboard after the draft was told its fee."""
    market, merchant = prepared(EXACT)
    begun(market, price_of(market, merchant, 10_000, tax_behavior=INCLUSIVE))
    market.advance(30 * DAY + 1_800)
    market.take_in(*market.events())
    draft = market.at_stripe("/v1/invoices")[0]
    market.order(f"/v1/invoices/{draft['id']}", automatic_tax={"enabled": True})
    market.events()  # lost
    market.advance(2 * DAY)
    market.take_in(*market.events())
    renewal = market.all_transactions()[1]
    assert renewal.transaction.charge_type is ChargeType.DESTINATION
    assert ledger_of(market)[VAT] == -1_597
    net = 10_000 - 1_597
    assert of_merchant(market, merchant) == 10_000 - EXACT.fee(10_000, "usd") + net - EXACT.fee(net, "usd")
    require_proven(market)


def first_invoice(market: Market, merchant: Merchant) -> None:
    price = price_of(market, merchant, 10_000, tax_behavior=INCLUSIVE)
    coupon = market.coupon(percent_off="33", platform_basis_points=3_333, duration=Duration.FOREVER)
    session = subscribe(market, price, automatic_tax=True, coupon_id=coupon.id)
    market.take_in(*market.events())
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)


def renewal(market: Market, merchant: Merchant) -> None:
    mixed(market, merchant)
    market.advance(31 * DAY)


def free_renewal(market: Market, merchant: Merchant) -> None:
    coupon = market.coupon(percent_off="100", platform_basis_points=5_000, duration=Duration.FOREVER)
    begun(market, price_of(market, merchant, 10_000), coupon_id=coupon.id)
    market.advance(31 * DAY)


def stale_draft(market: Market, merchant: Merchant) -> None:
    """A renewal whose draft changed after it was told its fee."""
    begun(market, price_of(market, merchant, 10_000))
    market.advance(30 * DAY + 1_800)
    market.take_in(*market.events())
    (draft,) = [each for each in market.at_stripe("/v1/invoices") if each["status"] == "draft"]
    customer_id = stripe_customer(market)
    market.order("/v1/invoiceitems", customer=customer_id, invoice=draft["id"], amount=2_000, currency="usd")
    market.events()  # lost
    market.advance(2 * DAY)


def refunded(market: Market, merchant: Merchant) -> None:
    """A renewal, of which a part is refunded in the Dashboard and another disputed, all of it unheard of."""
    renewal(market, merchant)
    charge = market.at_stripe("/v1/charges")[0]["id"]
    market.order("/v1/refunds", charge=charge, amount=3_000)
    market.order(f"/_simulator/charges/{charge}/dispute", amount=2_000)


SETTLES = {"invoice.paid", "charge.updated"}
STORIES = [first_invoice, renewal, free_renewal, stale_draft, refunded]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_i8_events_in_any_order_and_number_end_in_the_same(story: Callable[[Market, Merchant], None]) -> None:
    market, merchant = prepared(EXACT)
    story(market, merchant)
    events = market.events()
    market.fork()
    ends = []
    for seed in range(12):
        world = market.fork()
        world.take_in(*random.Random(seed).sample(events * 2, len(events) * 2))
        world.take_in(*world.events())
        for books in world.all_transactions():
            assert world.violations(books.transaction.id) == [], seed
            assert world.unsettled(books.transaction.id) == [], seed
        ends.append(world.positions())
    assert all(end == ends[0] for end in ends)


@pytest.mark.parametrize("story", STORIES[:4], ids=lambda story: story.__name__)
def test_every_balance_transaction_is_matched_with_the_ledger(story: Callable[[Market, Merchant], None]) -> None:
    market, merchant = prepared(EXACT)
    to_the_end(market)  # its first walk begins 30 days back
    story(market, merchant)
    market.take_in(*market.events())
    market.come_to_rest()
    to_the_end(market)
    assert [(each.status, each.line.type) for each in open_lines(market)] == [(LineStatus.UNEXPLAINED, "topup")]


@pytest.mark.parametrize("story", STORIES[:4], ids=lambda story: story.__name__)
def test_what_was_lost_is_found_by_the_sweep(story: Callable[[Market, Merchant], None]) -> None:
    market, merchant = prepared(EXACT)
    story(market, merchant)
    heard = market.fork()
    heard.take_in(*heard.events())
    heard.take_in(*heard.events())
    sums, own = ledger_of(heard), of_merchant(heard, merchant)
    lost = market.fork()
    lost.events()
    for _ in range(3):
        lost.advance(DAY + 3_600)
        assert lost.sweep().troubles == []
    lost.take_in(*lost.events())
    lost.come_to_rest()
    assert (ledger_of(lost), of_merchant(lost, merchant)) == (sums, own)
    require_proven(lost)


@pytest.mark.parametrize("story", [first_invoice, free_renewal, stale_draft], ids=lambda story: story.__name__)
def test_an_event_that_dies_anywhere_ends_as_if_it_had_not(story: Callable[[Market, Merchant], None]) -> None:
    market, merchant = prepared(EXACT)
    story(market, merchant)
    events = [each for each in market.events() if each["type"] in SETTLES]
    ends = []
    for step in count():
        world = market.fork()
        world.fuse.set(step)
        try:
            world.take_in(*events)
        except ProcessDied:
            world.fuse.set(None)
        else:
            break
        world.take_in(*events)
        world.sweep()
        world.come_to_rest()
        require_proven(world)
        ends.append((ledger_of(world), of_merchant(world, merchant)))
        assert ends[-1] == ends[0], step
    assert len(ends) > 10
