"""R3: a debt that an operator gives up: the platform's loss, once, and nothing more is taken from the merchant."""

from dataclasses import replace

import pytest

from marketplace.domain.debts import Debt, DebtStatus
from marketplace.domain.errors import DebtNotOpen, IdempotencyKeyReused
from marketplace.domain.ledger import LOSSES, balances, merchant_debt
from marketplace.operations import Operation
from marketplace.ports import Replace
from marketplace.services.debts import write_off

from .crashes import ProcessDied
from .market import OPERATOR, Market
from .test_shortfalls import assert_books_hold, paid_out, sold


def owing(market: Market) -> Debt:
    """A merchant that has its money at its bank owes its part of a refund."""
    market.transaction_id, merchant = sold(market)
    paid_out(market, merchant)
    market.refund(market.transaction_id, 10_000, key="a")
    market.take_in(*market.events())
    (debt,) = market.debts()
    return debt


def give_up(market: Market, debt: Debt, key: str = "w", reason: str = "the shop is closed") -> Debt:
    return write_off(market.ports, OPERATOR, debt.id, reason, market.once(f"write off {debt.id}", key, {"r": reason}))


def booked(market: Market, debt: Debt) -> tuple[int, int]:
    sums = balances(market.books(market.transaction_id).entries)
    return sums.get((LOSSES, "usd"), 0), sums.get((merchant_debt(debt.merchant_id), "usd"), 0)


def test_a_debt_that_is_given_up_is_the_platform_s_loss() -> None:
    market = Market()
    debt = owing(market)
    assert booked(market, debt) == (0, 9_000)
    after = give_up(market, debt)
    assert (after.status, after.written_off, after.reason) == (DebtStatus.WRITTEN_OFF, 9_000, "the shop is closed")
    assert booked(market, debt) == (9_000, 0)
    assert give_up(market, debt).version == after.version  # the same request again
    with pytest.raises(IdempotencyKeyReused):
        give_up(market, debt, reason="another")
    with pytest.raises(DebtNotOpen):
        give_up(market, debt, key="again")
    assert_books_hold(market, market.transaction_id)


def test_nothing_is_netted_or_collected_of_it_afterwards() -> None:
    market = Market()
    debt = owing(market)
    give_up(market, debt)
    merchant = market.merchant(debt.merchant_id)
    other = market.ready_merchant("Linen")
    tried = market.calls.count(Operation.REVERSE_TRANSFER)
    market.pay(market.sell_cart({merchant: 20_000, other: 1_000}))
    market.take_in(*market.events())
    assert market.stripe_balance(merchant.account_id) == {"usd": 18_000}
    market.come_to_rest()
    assert market.calls.count(Operation.REVERSE_TRANSFER) == tried
    assert market.debts()[0].status is DebtStatus.WRITTEN_OFF


def test_only_what_is_left_of_it_is_given_up() -> None:
    market = Market()
    debt = owing(market)
    merchant, other = market.merchant(debt.merchant_id), market.ready_merchant("Linen")
    market.pay(market.sell_cart({merchant: 5_000, other: 1_000}))
    market.take_in(*market.events())  # 45.00 of the 90.00 are netted
    after = give_up(market, market.debts()[0])
    assert (after.netted, after.written_off, after.rest) == (4_500, 4_500, 0)
    assert booked(market, debt)[0] == 4_500
    market.come_to_rest()
    assert_books_hold(market, market.transaction_id)


def test_while_it_is_being_collected_it_is_not_given_up() -> None:
    market = Market()
    debt = owing(market)
    merchant = market.merchant(debt.merchant_id)
    market.pay(market.sell(merchant, 20_000, key="later"))
    market.advance(8 * 24 * 3_600)
    market.simulator.faults.order("time_out", method="POST", path="/v1/transfers/*/reversals", count=None)
    market.take_in(*market.events())
    assert market.debts()[0].collecting == 9_000
    with pytest.raises(DebtNotOpen):
        give_up(market, debt)
    market.simulator.faults.clear()
    market.advance(3_600)
    market.sweep()
    assert market.debts()[0].status is DebtStatus.SETTLED
    with pytest.raises(DebtNotOpen):
        give_up(market, debt, key="later")


def test_nor_while_a_part_of_it_is_being_collected() -> None:
    market = Market()
    debt = owing(market)
    market.store.commit(Replace(debt, replace(debt, collecting=1_000)))
    with pytest.raises(DebtNotOpen, match="collected"):
        give_up(market, debt)


def test_f14_it_is_given_up_once_wherever_the_process_died() -> None:
    for step in range(20):
        market = Market()
        debt = owing(market)
        market.fuse.set(step)
        try:
            give_up(market, debt)
        except ProcessDied:
            market.fuse.set(None)
        else:
            assert step > 4
            return
        give_up(market, debt)
        assert booked(market, debt) == (9_000, 0), step
        assert_books_hold(market, market.transaction_id)
    raise AssertionError("it never ran to its end")
