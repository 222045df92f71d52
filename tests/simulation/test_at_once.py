"""Many at once, in threads over one store: one effect (F03, F11, F12). tests/e2e has the same on the local cloud."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from marketplace.domain.errors import MarketplaceError, RefundExceedsRest, RequestUnderWay, TransactionNotRefundable
from marketplace.services.events import EventOutcome

from .market import Market


def at_once[T](times: int, act: Callable[[int], T]) -> list[T | type[MarketplaceError]]:
    """What each of many simultaneous tries came to."""

    def attempt(number: int) -> T | type[MarketplaceError]:
        try:
            return act(number)
        except MarketplaceError as error:
            return type(error)

    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(attempt, range(times)))


def paid(market: Market) -> str:
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    market.take_in(*market.events())
    return session.transaction_id


def test_f03_the_same_event_a_hundred_times_at_once_is_applied_once(market: Market) -> None:
    """dj-stripe#1239: duplicates were answered with 500s."""
    session = market.sell(market.ready_merchant(), 10_000)
    market.pay(session)
    for event in market.events():
        outcomes = Counter(at_once(100, lambda _: market.take_in(event)[0]))  # noqa: B023
        assert outcomes[EventOutcome.DUPLICATE] == 99
        assert sum(outcomes.values()) == 100
    assert market.violations(session.transaction_id) == []
    assert market.unsettled(session.transaction_id) == []


def test_f11_one_key_fifty_times_at_once_is_one_refund(market: Market) -> None:
    """eliza#11022: the retry of a saga paid out twice."""
    transaction_id = paid(market)
    answers = at_once(50, lambda _: market.refund(transaction_id, 4_000, key="one").id)
    assert len({answer for answer in answers if isinstance(answer, str)}) == 1
    assert {answer for answer in answers if not isinstance(answer, str)} <= {RequestUnderWay}
    assert len(market.at_stripe("/v1/refunds")) == 1
    assert market.books(transaction_id).payment.refundable == 6_000


def test_f12_equal_refunds_with_keys_of_their_own_are_as_many(market: Market) -> None:
    transaction_id = paid(market)
    answers = at_once(5, lambda number: market.refund(transaction_id, 1_000, key=f"key-{number}").id)
    assert len(set(answers)) == 5
    assert len(market.at_stripe("/v1/refunds")) == 5


def test_twenty_refunds_at_once_never_give_back_more_than_was_paid(market: Market) -> None:
    transaction_id = paid(market)
    answers = at_once(20, lambda number: market.refund(transaction_id, 1_500, key=f"key-{number}").id)
    refused = Counter(answer for answer in answers if not isinstance(answer, str))
    assert set(refused) <= {RefundExceedsRest, TransactionNotRefundable}
    assert sum(refund["amount"] for refund in market.at_stripe("/v1/refunds")) == 6 * 1_500
    market.take_in(*market.events())
    market.sweep()
    assert market.violations(transaction_id) == []
    assert market.unsettled(transaction_id) == []


def test_a_request_that_its_twin_overtakes_before_it_is_written_down_is_answered_alike(market: Market) -> None:
    transaction_id = paid(market)
    twins: list[str] = []

    def overtake(call: str, _changes: object) -> None:
        if call == "commit" and not twins:
            twins.append("")
            twins[0] = market.refund(transaction_id, 4_000, key="one").id

    market.store.before = overtake
    assert market.refund(transaction_id, 4_000, key="one").id == twins[0]
    assert len(market.at_stripe("/v1/refunds")) == 1
