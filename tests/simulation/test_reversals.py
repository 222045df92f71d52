"""X1-X3: transfers as they are at Stripe, and taken back by an operator: held for the merchant, whoever has it."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.domain.commands import CommandStatus
from marketplace.domain.errors import (
    InvalidAmount,
    NotFound,
    ReversalExceedsRest,
    StripeRefused,
    TransferNotReversible,
)
from marketplace.domain.ledger import balances, merchant_payable
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.shares import Hold
from marketplace.domain.transfers import BookedTransfer, transfers_of
from marketplace.operations import Operation
from marketplace.services.releases import release
from marketplace.services.reversals import list_transfers, read_transfer, reverse_transfer

from .crashes import ProcessDied
from .market import OPERATOR, Market
from .test_carts import assert_proven, paid_cart
from .test_disputes import dispute
from .test_returns import sends_back
from .test_shortfalls import assert_books_hold, paid_out, sold


def destination(market: Market) -> tuple[str, Merchant]:
    return sold(market)


def cart(market: Market) -> tuple[str, Merchant]:
    transaction_id, (merchant, _other) = paid_cart(market, 10_000, 4_000)
    return transaction_id, merchant


def transfer_to(market: Market, transaction_id: str, merchant: Merchant) -> BookedTransfer:
    found = transfers_of(market.books(transaction_id))
    return next(each for each in found if each.share.merchant_id == merchant.id)


def take_back(market: Market, transfer: BookedTransfer, amount: int | None, key: str = "a") -> BookedTransfer:
    subject = transfer.share.transaction_id
    once = market.once(f"reverse {transfer.transfer.id}", key, {"amount": amount}, subject=subject)
    return reverse_transfer(market.ports, OPERATOR, transfer.transfer.id, once, amount=amount, reason="wrong parcel")


def at_stripe(market: Market, transfer: BookedTransfer) -> dict[str, Any]:
    return next(t for t in market.at_stripe("/v1/transfers") if t["id"] == transfer.transfer.stripe_transfer_id)


SALES = pytest.mark.parametrize("sale", [destination, cart])


@SALES
def test_a_transfer_says_what_stripe_says_before_and_after_refunds_and_reversals(
    sale: Callable[[Market], tuple[str, Merchant]],
) -> None:
    market = Market()
    transaction_id, merchant = sale(market)

    def assert_the_same() -> BookedTransfer:
        transfer = transfer_to(market, transaction_id, merchant)
        known = at_stripe(market, transfer)
        assert (transfer.amount, transfer.reversed) == (known["amount"], known["amount_reversed"])
        listed = {each["id"] for each in market.at_stripe(f"/v1/transfers/{known['id']}/reversals")}
        assert {each.stripe_reversal_id for each in transfer.reversals} == listed
        return transfer

    first = assert_the_same()
    market.refund(transaction_id, 1_000, key="r")
    market.take_in(*market.events())
    assert assert_the_same().transfer.id == first.transfer.id
    take_back(market, first, 2_000)
    market.take_in(*market.events())
    assert assert_the_same().transfer.id == first.transfer.id
    market.refund(transaction_id, 1_000, key="later")
    market.take_in(*market.events())
    assert_the_same()


@SALES
def test_what_is_taken_back_is_held_for_the_merchant_until_it_is_released(
    sale: Callable[[Market], tuple[str, Merchant]],
) -> None:
    market = Market()
    transaction_id, merchant = sale(market)
    done = take_back(market, transfer_to(market, transaction_id, merchant), 2_000)
    assert (done.reversible, [each.cause for each in done.reversals]) == (7_000, ["wrong parcel"])
    assert market.stripe_balance(merchant.account_id) == {"usd": 7_000}
    share = market.books(transaction_id).shares[merchant.id]
    assert (share.hold, share.waits_for, share.own - share.had) == (Hold.BY_HAND, "its release", 2_000)
    assert -balances(market.books(transaction_id).entries)[merchant_payable(merchant.id), "usd"] == 2_000
    market.come_to_rest()  # and nothing sends it again
    assert market.stripe_balance(merchant.account_id) == {"usd": 7_000}
    assert market.ledger_balance() == market.stripe_balance()
    release(market.ports, OPERATOR, transaction_id, market.once("release", "b", subject=transaction_id))
    assert market.stripe_balance(merchant.account_id) == {"usd": 9_000}
    assert_proven(market, transaction_id)


@SALES
def test_the_buyer_is_refunded_from_what_was_taken_back_and_the_merchant_gives_no_more(
    sale: Callable[[Market], tuple[str, Merchant]],
) -> None:
    market = Market()
    transaction_id, merchant = sale(market)
    take_back(market, transfer_to(market, transaction_id, merchant), None)
    assert market.stripe_balance(merchant.account_id) == {}
    market.order("/v1/topups", amount=10_000, currency="usd")
    market.refund(transaction_id, 10_000, key="r", merchant_id=merchant.id)
    market.take_in(*market.events())
    assert market.debts() == []
    assert market.stripe_balance(merchant.account_id) == {}
    assert_books_hold(market, transaction_id)


def test_the_whole_of_a_destination_charge_is_refunded_after_the_merchant_sent_a_part_back() -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    market.take_in(*sends_back(market, merchant, 2_000))
    market.refund(transaction_id, 10_000, key="r")
    market.take_in(*market.events())
    assert market.stripe_balance(merchant.account_id) == {}
    assert_proven(market, transaction_id)


@SALES
def test_a_merchant_that_lacks_the_money_refuses_and_nothing_has_changed(
    sale: Callable[[Market], tuple[str, Merchant]],
) -> None:
    market = Market()
    transaction_id, merchant = sale(market)
    market.onboard(merchant)
    paid_out(market, merchant)
    before = market.positions()
    transfer = transfer_to(market, transaction_id, merchant)
    with pytest.raises(StripeRefused, match="balance_insufficient"):
        take_back(market, transfer, 2_000)
    share = market.books(transaction_id).shares[merchant.id]
    assert (share.hold, share.released, share.had, share.owed) == (None, share.own, share.own, 0)
    assert (market.positions(), market.debts()) == (before, [])
    with pytest.raises(StripeRefused, match="balance_insufficient"):  # the same key: the same answer
        take_back(market, transfer, 2_000)
    assert market.calls.count(Operation.REVERSE_TRANSFER) == 1
    assert_books_hold(market, transaction_id)


def test_of_a_refunded_destination_charge_a_part_is_released_to_the_cent() -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    market.refund(transaction_id, 1_000, key="r")
    market.order("/v1/topups", amount=10_000, currency="usd")  # what was taken back is pending: the charge is so still
    market.advance(60)
    market.take_in(*market.events())
    take_back(market, transfer_to(market, transaction_id, merchant), 2_000)
    once = market.once("release", "b", {"amount": 500}, subject=transaction_id)
    release(market.ports, OPERATOR, transaction_id, once, amount=500)
    assert market.stripe_balance(merchant.account_id) == {"usd": 8_100 - 2_000 + 500}
    assert market.books(transaction_id).shares[merchant.id].waits_for == "its release"
    release(market.ports, OPERATOR, transaction_id, market.once("release", "c", subject=transaction_id))
    assert market.stripe_balance(merchant.account_id) == {"usd": 8_100}
    assert_books_hold(market, transaction_id)


@SALES
def test_only_what_is_with_the_merchant_can_be_taken_back(sale: Callable[[Market], tuple[str, Merchant]]) -> None:
    market = Market()
    transaction_id, merchant = sale(market)
    market.refund(transaction_id, 1_000, key="r", merchant_id=merchant.id)
    market.take_in(*market.events())
    transfer = transfer_to(market, transaction_id, merchant)
    assert transfer.reversible == 8_100
    calls = len(market.calls)
    for amount, refusal in ((8_101, ReversalExceedsRest), (0, InvalidAmount), (-1, InvalidAmount)):
        with pytest.raises(refusal):
            take_back(market, transfer, amount)
    assert len(market.calls) == calls
    take_back(market, transfer, 8_000)
    with pytest.raises(ReversalExceedsRest):
        take_back(market, transfer, 101, key="b")
    take_back(market, transfer, 100, key="c")
    with pytest.raises(TransferNotReversible):
        take_back(market, transfer, None, key="d")
    assert market.violations(transaction_id) == []
    assert market.ledger_balance() == market.stripe_balance()


@SALES
def test_f14_a_reversal_is_finished_once_wherever_its_process_died(
    sale: Callable[[Market], tuple[str, Merchant]],
) -> None:
    for step in range(40):
        market = Market()
        transaction_id, merchant = sale(market)
        transfer = transfer_to(market, transaction_id, merchant)
        market.fuse.set(step)
        try:
            take_back(market, transfer, 2_000)
        except ProcessDied:
            market.fuse.set(None)
        else:
            assert step > 8
            return
        market.advance(120)
        take_back(market, transfer, 2_000)
        market.sweep()
        market.take_in(*market.events())
        done = transfer_to(market, transaction_id, merchant)
        assert [each.amount for each in done.reversals] == [2_000], step
        assert all(command.status is CommandStatus.SUCCEEDED for command in done.books.commands.values())
        assert market.stripe_balance(merchant.account_id) == {"usd": 7_000}
        assert market.violations(transaction_id) == []
    raise AssertionError("it never ran to its end")


def test_a_merchant_s_transfers_are_listed_by_its_sales() -> None:
    market = Market()
    merchant, other = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    for key in ("a", "b"):
        market.pay(market.sell(merchant, 1_000, key=key))
        market.advance(1)
    market.pay(market.sell_cart({merchant: 2_000, other: 3_000}))
    market.advance(1)
    market.sell(merchant, 1_000, key="never paid")
    market.take_in(*market.events())

    def page(cursor: str | None, limit: int = 3) -> Any:
        return list_transfers(
            market.ports, OPERATOR, transaction_id=None, merchant_id=merchant.id, cursor=cursor, limit=limit
        )

    first = page(None)
    rest = page(first.cursor)
    assert [each.amount for each in (*first.items, *rest.items)] == [1_800, 1_000, 1_000]
    assert rest.cursor is None


@pytest.mark.parametrize("after", ["a dispute", "what it sends back", "a reversal"])
def test_the_transfer_of_a_destination_charge_keeps_its_id_when_it_is_written_down(after: str) -> None:
    market = Market()
    transaction_id, merchant = sold(market)
    before = transfer_to(market, transaction_id, merchant).transfer.id
    match after:
        case "a dispute":
            dispute(market, transaction_id, 4_000)
        case "what it sends back":
            market.take_in(*sends_back(market, merchant, 2_000))
        case _:
            take_back(market, transfer_to(market, transaction_id, merchant), 2_000)
    assert market.books(transaction_id).shares  # it was worked out from the payment; now it is a record
    assert transfer_to(market, transaction_id, merchant).transfer.id == before


def test_a_merchant_of_a_cart_sees_its_own_transfers_alone() -> None:
    market = Market()
    transaction_id, (one, two) = paid_cart(market, 10_000, 4_000)
    other = transfer_to(market, transaction_id, two).transfer.id
    own = Principal(role=Role.MERCHANT, subject="seller", merchant_id=one.id)
    for query in ({"transaction_id": transaction_id}, {}, {"merchant_id": two.id}):
        asked: dict[str, Any] = {"transaction_id": None, "merchant_id": None, "cursor": None, "limit": 10} | query
        listed = list_transfers(market.ports, own, **asked).items
        assert [each.share.merchant_id for each in listed] == [one.id], query
    with pytest.raises(NotFound):
        read_transfer(market.ports, own, other)


@SALES
def test_the_whole_taken_back_again_with_its_key_answers_as_it_did(
    sale: Callable[[Market], tuple[str, Merchant]],
) -> None:
    market = Market()
    transaction_id, merchant = sale(market)
    transfer = transfer_to(market, transaction_id, merchant)
    for _ in range(2):
        done = take_back(market, transfer, None)
        assert (done.reversible, [each.amount for each in done.reversals]) == (0, [9_000])
    assert market.calls.count(Operation.REVERSE_TRANSFER) == 1
