"""L3: the audit finds what broke and where, once, goes on where it stopped, and takes back what holds again."""

from contextlib import suppress
from dataclasses import replace

import pytest

from marketplace.adapters.keys import key_of, ref_of
from marketplace.adapters.records import item_attributes
from marketplace.domain.audits import AT_REST, RECONCILED, Audit
from marketplace.domain.ledger import PLATFORM_REVENUE, STRIPE_BALANCE, EntryKind, JournalEntry, Line
from marketplace.ports import Create, Replace
from marketplace.services import audit as audits
from marketplace.services.audit import audit, overdue

from .crashes import ProcessDied
from .market import Market
from .test_carts import paid_cart
from .test_reconciliation import a_market_s_week, to_the_end

HOUR = 3_600


def run(market: Market, *, pages: int | None = None) -> Audit | None:
    left = iter([True] * pages) if pages is not None else None
    return audit(market.ports, has_time=lambda: left is None or next(left, False))


def found(market: Market) -> list[tuple[str, str]]:
    """Invariants and sales of what is open."""
    items = market.store.findings(cursor=None, limit=100).items
    return sorted((each.invariant, each.transaction_id) for each in items)


def a_reconciled_week(market: Market) -> None:
    a_market_s_week(market)
    for _ in range(2):  # what the first run books is audited as far as the second one gets
        to_the_end(market)
    market.advance(HOUR)


def test_a_week_of_everything_is_audited_whole_and_nothing_is_found(market: Market) -> None:
    a_reconciled_week(market)
    done = run(market)
    assert done is not None
    booked = [each for each in market.store.snapshot().values() if isinstance(each, JournalEntry)]
    assert (done.is_done, done.entries, done.findings) == (True, len(booked), 0)
    assert found(market) == []
    market.advance(HOUR)
    to_the_end(market)
    again = run(market)
    assert again is not None
    assert (again.since, again.entries) == (done.until, 0)


def test_nothing_is_audited_that_stripe_was_not_asked_about(market: Market) -> None:
    paid_cart(market, 6_000, 4_000)
    market.advance(HOUR)
    assert run(market) is None


def an_entry_that_stripe_knows_nothing_of(market: Market, transaction_id: str) -> None:
    lines = (
        Line(account=STRIPE_BALANCE, currency="usd", amount=77, source="fee_invented"),
        Line(account=PLATFORM_REVENUE, currency="usd", amount=-77),
    )
    at = market.clock.now()
    invented = JournalEntry(
        transaction_id=transaction_id, object_id="fee_invented", kind=EntryKind.FEE_REFUND, occurred_at=at, lines=lines
    )
    market.store.commit(Create(invented))


def test_an_entry_that_stripe_knows_nothing_of_is_found(market: Market) -> None:
    transaction_id, _ = paid_cart(market, 6_000, 4_000)
    an_entry_that_stripe_knows_nothing_of(market, transaction_id)
    to_the_end(market)
    run(market)
    assert (RECONCILED, transaction_id) in found(market)


def test_a_clearing_account_that_does_not_come_to_rest_is_listed_with_its_age_and_owner(market: Market) -> None:
    """I9: the charge's own events are lost but the first, so that nobody splits it."""
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    events = market.events()
    market.take_in(*(event for event in events if event["type"] == "charge.succeeded"))
    paid_at = market.books(session.transaction_id).payment.paid_at
    market.advance(2 * HOUR)
    to_the_end(market)
    run(market)
    (listed,) = (each for each in market.store.findings(cursor=None, limit=9).items if each.invariant == AT_REST)
    assert paid_at is not None
    assert (listed.transaction_id, listed.what) == (
        session.transaction_id, f"charge_clearing -10000 usd since {paid_at.isoformat()}",
    )  # fmt: skip
    market.take_in(*events)
    to_the_end(market)
    run(market)
    assert found(market) == []


def test_what_nobody_looked_at_is_counted(market: Market) -> None:
    market.sell(market.ready_merchant(), 10_000)
    assert overdue(market.ports) == 0
    market.advance(30 * 24 * HOUR)
    assert overdue(market.ports) == 1
    market.sweep()
    assert overdue(market.ports) == 0


def test_an_account_that_is_not_reconciled_is_counted(market: Market) -> None:
    to_the_end(market)
    market.advance(20 * HOUR)
    assert overdue(market.ports) == 0
    market.advance(6 * HOUR)
    assert overdue(market.ports) == 1
    to_the_end(market)
    assert overdue(market.ports) == 0


def test_what_is_broken_is_found_once_and_taken_back_when_it_holds_again(market: Market) -> None:
    transaction_id, _ = paid_cart(market, 6_000, 4_000)
    market.refund(transaction_id, 1_000, key="r")
    to_the_end(market)
    payment = market.books(transaction_id).payment
    broken = replace(payment, refund_reserved=payment.refund_reserved + 1)
    market.store.commit(Replace(payment, broken))
    for _ in range(2):
        market.advance(HOUR)
        run(market)
        assert found(market) == [("I3 no more out than in", transaction_id)]
    stands = market.books(transaction_id).payment
    market.store.commit(Replace(stands, replace(stands, refund_reserved=payment.refund_reserved)))
    run(market)
    assert found(market) == []


def test_an_entry_that_is_missing_is_found(market: Market) -> None:
    """Nobody may delete one; were it lost all the same, its fact and Stripe's line would say so."""
    transaction_id, _ = paid_cart(market, 6_000, 4_000)
    to_the_end(market)
    books = market.books(transaction_id)
    lost = next(entry for entry in books.entries if entry.kind is EntryKind.TRANSFER)
    key = key_of(ref_of(lost))
    assert key is not None
    assert market.store._items.pop(key) is not None
    run(market)
    assert ("I4 entries follow facts", transaction_id) in found(market)
    market.store._items[key] = item_attributes(lost, market.clock.now())
    run(market)
    assert found(market) == []


@pytest.mark.parametrize("pages", [1, 2])
def test_it_goes_on_where_it_stopped(market: Market, monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    monkeypatch.setattr(audits, "PAGE", 7)
    a_reconciled_week(market)
    for _ in range(40):
        run(market, pages=pages)
    (done,) = market.store.audits(cursor=None, limit=100).items
    booked = [each for each in market.store.snapshot().values() if isinstance(each, JournalEntry)]
    assert (done.is_done, done.entries) == (True, len(booked))
    assert done.entries > 7 * pages


def test_wherever_it_dies_the_next_run_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "PAGE", 10)
    template = Market()
    transaction_id, _ = paid_cart(template, 6_000, 4_000)
    to_the_end(template)
    payment = template.books(transaction_id).payment
    template.store.commit(Replace(payment, replace(payment, refund_reserved=5)))
    template.advance(HOUR)
    for step in range(40):
        market = template.fork()
        market.store.before = market.store.after = market.fuse.around_store
        market.fuse.set(step)
        with suppress(ProcessDied):
            run(market)
        market.fuse.set(None)
        done = run(market)
        assert done is None or done.is_done
        assert found(market) == [("I3 no more out than in", transaction_id)]
