"""The process dies before or after any call of a port, and the next try ends as if it had not (F02, F09, F10, F15)."""

from collections.abc import Callable

import pytest

from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.errors import RequestUnderWay
from marketplace.domain.refunds import RefundStatus
from marketplace.domain.stripe_objects import session_facts
from marketplace.domain.transactions import Payment, TransactionStatus, join
from marketplace.operations import Operation
from marketplace.ports import Change, Replace
from marketplace.services.accounts import NewMerchant
from marketplace.services.checkout import CreateCheckoutSession, expire_checkout_session
from marketplace.services.merchants import create_merchant

from .crashes import ProcessDied
from .market import OPERATOR, Market

Act = Callable[[Market], object]
MOST_STEPS = 120


def each_step(prepare: Act, act: Act) -> list[tuple[int, Market]]:
    """A market for every step of ``act``, in which the process died there."""
    died = []
    for step in range(MOST_STEPS):
        market = Market()
        prepare(market)
        market.fuse.set(step)
        try:
            act(market)
        except ProcessDied:
            died.append((step, market))
        else:
            market.fuse.set(None)
            return died
    raise AssertionError("the act has more steps than the test looks at")


def refund_again(market: Market, amount: int) -> None:
    """After a process died in a refund: the sweep looks, the client asks again, the events come."""
    market.advance(60)
    market.sweep()
    market.refund(market.transaction_id, amount, key="r")
    market.sweep()
    market.take_in(*market.events())


def sold(market: Market) -> None:
    market.transaction_id = market.sell(market.ready_merchant(), 10_000).transaction_id


def paid(market: Market) -> None:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    market.take_in(*market.events())
    market.transaction_id = session.transaction_id


def test_f09_a_checkout_that_dies_anywhere_gives_the_same_session_when_it_is_asked_for_again() -> None:
    died = each_step(lambda market: market.ready_merchant(), lambda market: market.sell(market.only_merchant(), 10_000))
    assert len(died) >= 6
    for step, market in died:
        market.advance(60)
        session = market.sell(market.only_merchant(), 10_000)
        (at_stripe,) = market.at_stripe("/v1/checkout/sessions")
        assert session.checkout_session_id == at_stripe["id"], step
        assert session.url == at_stripe["url"]
        assert market.violations(session.transaction_id) == []


def test_f09_a_checkout_that_dies_and_is_not_asked_for_again_is_finished_by_the_sweep() -> None:
    died = each_step(lambda market: market.ready_merchant(), lambda market: market.sell(market.only_merchant(), 10_000))
    for step, market in died:
        market.advance(60)
        assert market.sweep().troubles == []
        transactions = market.all_transactions()
        assert len(market.at_stripe("/v1/checkout/sessions")) == len(transactions), step
        for books in transactions:
            assert books.payment.status is TransactionStatus.OPEN
            assert market.violations(books.transaction.id) == []


def test_f10_a_refund_that_dies_anywhere_is_made_once() -> None:
    died = each_step(paid, lambda market: market.refund(market.transaction_id, 4_000, key="r"))
    assert len(died) >= 6
    for step, market in died:
        market.advance(60)
        market.sweep()
        refund = market.refund(market.transaction_id, 4_000, key="r")
        assert refund.status is RefundStatus.SUCCEEDED
        market.take_in(*market.events())
        assert len(market.at_stripe("/v1/refunds")) == 1, step
        books = market.books(market.transaction_id)
        assert len(books.refunds) == 1
        assert books.payment.refundable == 6_000
        assert market.violations(market.transaction_id) == []
        assert market.unsettled(market.transaction_id) == []


def test_f10_the_events_of_a_refund_that_died_may_come_before_it_is_finished() -> None:
    died = each_step(paid, lambda market: market.refund(market.transaction_id, 4_000, key="r"))
    for step, market in died:
        market.take_in(*market.events())
        assert market.violations(market.transaction_id) == [], step
        market.advance(60)
        market.sweep()
        market.take_in(*market.events())
        assert market.violations(market.transaction_id) == []
        assert market.unsettled(market.transaction_id) == []
        assert len(market.at_stripe("/v1/refunds")) == len(market.books(market.transaction_id).refunds)


def test_f15_medusa_16681_a_refund_left_for_days_is_looked_for_before_it_is_asked_for_again() -> None:
    """spree#14500, mercur: the key was pruned after a day, and the transfer made again."""
    died = each_step(paid, lambda market: market.refund(market.transaction_id, 4_000, key="r"))
    for step, market in died:
        market.advance(3 * 24 * 3600)  # Stripe has forgotten the idempotency key
        market.calls.clear()
        market.sweep()
        books = market.books(market.transaction_id)
        assert len(market.at_stripe("/v1/refunds")) == len(books.refunds), step
        if books.refunds and Operation.CREATE_REFUND in market.calls:
            looked = market.calls.index(Operation.LIST_REFUNDS)
            assert looked < market.calls.index(Operation.CREATE_REFUND)
        assert market.unsettled(market.transaction_id) == []


def test_a_merchant_whose_creation_died_has_one_account() -> None:
    wanted = NewMerchant(name="Clay", contact_email="c@example.com", country="us", currencies=("usd",), fee_policy=None)

    def create(market: Market) -> object:
        return create_merchant(market.ports, OPERATOR, wanted, market.once("merchants", "clay"))

    for step, market in each_step(lambda market: None, create):
        market.advance(60)
        create(market)
        assert len(market.accounts_at_stripe()) == 1, step


def test_the_answer_of_long_ago_does_not_undo_what_events_have_brought_since() -> None:
    """mozilla/fxa#10934: the creation is finished late, and Stripe replays what it answered then: not ready yet."""
    wanted = NewMerchant(name="Clay", contact_email="c@example.com", country="us", currencies=("usd",), fee_policy=None)
    market = Market()
    market.fuse.set(4)  # after the commit of the intent and Stripe's answer
    with pytest.raises(ProcessDied):
        create_merchant(market.ports, OPERATOR, wanted, market.once("merchants", "clay"))
    (account,) = market.accounts_at_stripe()
    market.order_capability(account["id"], "active")
    market.take_in(*market.events())
    assert market.only_merchant().is_ready
    market.advance(60)
    assert market.sweep().looked_at == 1
    assert market.only_merchant().is_ready


def test_one_item_that_no_sweep_can_finish_does_not_keep_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    market = Market()
    merchant = market.ready_merchant()
    for key in ("a", "b", "c"):
        market.fuse.set(6)  # after the read and the commit of the intent, before Stripe's answer is written
        with pytest.raises(ProcessDied):
            market.sell(merchant, 10_000, key=key)
    market.advance(60)
    first, *others = [books.transaction.id for books in market.all_transactions()]

    def succeeded(self: object, ports: object, subject: Payment, command: object, made: dict[str, str]) -> list[Change]:
        if subject.transaction_id == first:
            raise KeyError("a bug")
        return [Replace(subject, join(subject, session_facts(made)))]

    monkeypatch.setattr(CreateCheckoutSession, "succeeded", succeeded)
    assert [type(error) for _, error in market.sweep().troubles] == [KeyError]
    assert all(market.books(other).payment.status is TransactionStatus.OPEN for other in others)
    assert market.books(first).payment.status is TransactionStatus.REQUESTED


def test_two_sweeps_at_once_ask_stripe_once() -> None:
    market = Market()
    paid(market)
    market.fuse.set(4)
    with pytest.raises(ProcessDied):
        market.refund(market.transaction_id, 4_000, key="r")
    market.advance(60)
    market.calls.clear()
    swept: list[int] = []

    def sweep_too(call: str, changes: tuple[object, ...]) -> None:
        if call == "commit" and Operation.CREATE_REFUND in market.calls and not swept:
            swept.append(1)
            market.sweep()

    market.store.before = sweep_too
    market.sweep()
    assert swept
    assert market.calls == [Operation.CREATE_REFUND]
    assert market.unsettled(market.transaction_id) == []


def test_an_expiry_that_died_anywhere_ends_the_session() -> None:
    def expire(market: Market) -> object:
        return expire_checkout_session(market.ports, OPERATOR, market.transaction_id)

    for step, market in each_step(sold, expire):
        market.advance(60)
        assert expire_checkout_session(market.ports, OPERATOR, market.transaction_id).status == "expired", step
        market.sweep()
        market.take_in(*market.events())
        assert market.violations(market.transaction_id) == []


def test_f02_dj_stripe_832_an_event_whose_processing_died_is_applied_when_it_comes_again() -> None:
    def prepare(market: Market) -> None:
        session = market.sell(market.ready_merchant(), 10_000)
        market.pay(session)
        market.transaction_id, market.waiting = session.transaction_id, market.events()

    expected = Market()
    prepare(expected)
    expected.take_in(*expected.waiting)
    assert expected.books(expected.transaction_id).payment.is_settled
    for number in range(len(expected.waiting)):
        for step, market in each_step(prepare, lambda market: market.take_in(market.waiting[number])):  # noqa: B023
            market.take_in(*market.waiting)
            assert market.state() == expected.state(), (number, step)
            assert market.violations(market.transaction_id) == []


def test_a_sweep_that_dies_anywhere_leaves_the_rest_to_the_next() -> None:
    def prepare(market: Market) -> None:
        """A refund that was recorded, and then the process died, before Stripe was asked."""
        paid(market)
        market.fuse.set(4)  # after the read and the commit of the intent: two steps each
        with pytest.raises(ProcessDied):
            market.refund(market.transaction_id, 4_000, key="r")
        assert market.books(market.transaction_id).refunds
        assert not market.at_stripe("/v1/refunds")
        market.advance(60)

    for step, market in each_step(prepare, lambda market: market.sweep()):
        market.advance(120)
        market.sweep()
        market.take_in(*market.events())
        assert market.violations(market.transaction_id) == [], step
        assert market.unsettled(market.transaction_id) == []
        assert len(market.at_stripe("/v1/refunds")) == 1


def test_f28_a_zombie_that_wakes_up_late_cannot_write() -> None:
    """Its command was taken up by the sweep meanwhile; its own outcome is refused and the sweep's counts."""
    market = Market()
    paid(market)
    slept: list[bool] = []

    def sleep_through(call: str, changes: tuple[object, ...]) -> None:
        if call == "commit" and market.at_stripe("/v1/refunds") and not slept:
            slept.append(True)
            market.advance(60)
            market.sweep()

    market.store.before = sleep_through
    with pytest.raises(RequestUnderWay):
        market.refund(market.transaction_id, 4_000, key="r")
    assert len(market.at_stripe("/v1/refunds")) == 1
    assert market.violations(market.transaction_id) == []
    assert market.refund(market.transaction_id, 4_000, key="r").status is RefundStatus.SUCCEEDED


def test_a_request_that_comes_again_while_the_first_is_at_it_is_told_to_wait() -> None:
    died = each_step(paid, lambda market: market.refund(market.transaction_id, 4_000, key="r"))
    under_way = [market for _, market in died if any(c.is_open for c in refund_commands(market))]
    assert under_way
    for market in under_way:
        with pytest.raises(RequestUnderWay):
            market.refund(market.transaction_id, 4_000, key="r")


def refund_commands(market: Market) -> list[Command]:
    commands = market.books(market.transaction_id).commands.values()
    return [command for command in commands if command.kind is CommandKind.CREATE_REFUND]
