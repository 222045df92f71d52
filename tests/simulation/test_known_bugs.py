"""What other projects shipped (F13, F16, F19, F20, F31, F32): each of their bugs by the name of its issue."""

from typing import Any

import pytest

from local.stripe_simulator.settings import Settings
from marketplace.domain.commands import CommandKind, CommandStatus
from marketplace.domain.errors import CurrencyNotAccepted, InvalidAmount
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.shares import Hold, release
from marketplace.operations import Operation
from marketplace.ports import Create, Replace
from marketplace.services.shares import even_out

from .market import Market
from .test_carts import assert_proven, paid_cart

HOUR = 3_600
TRANSFER = CommandKind.CREATE_TRANSFER


def has(market: Market, merchant: Merchant, currency: str = "usd") -> int:
    return market.stripe_balance(merchant.account_id).get(currency, 0)


def test_f13_omi_7184_a_transfer_that_stripe_refused_is_asked_for_anew_and_not_answered_from_its_old_key() -> None:
    """Stripe repeats a 400 under its key for a day; the merchant is able again after hours."""
    market = Market(money=MoneyPolicy(hold_until_ready=True))
    merchant, other = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    session = market.sell_cart({merchant: 6_000, other: 4_000})
    market.set_capability(merchant, "restricted")
    market.pay(session)
    told_late = market.events()
    market.take_in(*(event for event in told_late if "account" not in event["type"]))
    books = market.books(session.transaction_id)
    assert books.shares[merchant.id].hold is Hold.REFUSED
    assert has(market, other) == 3_600
    market.set_capability(merchant, "active")
    market.take_in(*told_late, *market.events())
    market.advance(7 * HOUR)
    market.sweep()
    commands = [each for each in market.books(session.transaction_id).commands.values() if each.kind is TRANSFER]
    of_merchant = [each for each in commands if each.params["destination"] == merchant.account_id]
    assert sorted(each.status for each in of_merchant) == [CommandStatus.REFUSED, CommandStatus.SUCCEEDED]
    assert len({each.idempotency_key for each in of_merchant}) == 2
    assert has(market, merchant) == 5_400
    assert_proven(market, session.transaction_id)


def test_f16_two_transfers_of_one_leg_at_once_are_one() -> None:
    """While one writes what it is about to send, another has read the same and is faster."""
    market = Market()
    transaction_id, merchants = paid_cart(market, 6_000, 4_000, hold=True)
    market.order("/v1/topups", amount=50_000, currency="usd")
    market.advance(60)
    twins: list[str] = []

    def overtake(_call: str, changes: tuple[Any, ...]) -> None:
        asks = [each for each in changes if isinstance(each, Create) and getattr(each.item, "kind", None) is TRANSFER]
        if asks and not twins:
            twins.append("at it")
            even_out(market.ports, transaction_id, merchants[0].id)

    share = market.books(transaction_id).shares[merchants[0].id]
    market.store.commit(Replace(share, release(share)))
    market.store.before = overtake
    even_out(market.ports, transaction_id, merchants[0].id)
    assert twins == ["at it"]
    assert market.calls.count(Operation.CREATE_TRANSFER) == 1
    assert has(market, merchants[0]) == 5_400
    market.store.before = lambda *_: None
    market.take_in(*market.events())
    assert market.violations(transaction_id) == []


@pytest.mark.parametrize("amount", [50, 51, 99])
@pytest.mark.parametrize("percent", ["0", "10", "33.3"])
def test_f19_multivendorx_976_polar_of_cents_the_parts_are_the_whole_and_the_fee_goes_back_with_them(
    amount: int, percent: str
) -> None:
    market = Market(fee_percent=percent)
    merchant = market.ready_merchant()
    session = market.sell(merchant, amount)
    market.pay(session)
    market.take_in(*market.events())
    for number in range(3):
        market.refund(session.transaction_id, 1, key=f"cent-{number}")
    market.refund(session.transaction_id, None, key="rest")
    market.take_in(*market.events())
    market.advance(HOUR)
    market.sweep()  # what Stripe rounded off the fee is given back by itself
    market.take_in(*market.events())
    books = market.books(session.transaction_id)
    assert sum(refund.amount for refund in books.refunds.values()) == amount
    assert books.fee_returned() == books.transaction.fee
    assert has(market, merchant) == 0
    assert_proven(market, session.transaction_id)


def test_f32_a_merchant_that_loses_its_capability_after_the_checkout_is_held_with_a_reason_and_resumes() -> None:
    market = Market(money=MoneyPolicy(hold_until_ready=True))
    merchant, other = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    session = market.sell_cart({merchant: 6_000, other: 4_000})
    market.set_capability(merchant, "restricted")
    market.take_in(*market.events())
    market.pay(session)
    market.take_in(*market.events())
    share = market.books(session.transaction_id).shares[merchant.id]
    assert (share.hold, share.waits_for) == (Hold.NOT_READY, "the merchant to be able to receive transfers")
    assert (has(market, merchant), has(market, other)) == (0, 3_600)
    market.set_capability(merchant, "active")
    market.take_in(*market.events())
    market.advance(7 * HOUR)
    market.sweep()
    assert has(market, merchant) == 5_400
    assert_proven(market, session.transaction_id)


@pytest.mark.parametrize(
    ("currency", "amount", "part"), [("jpy", 1_001, 334), ("kwd", 10_010, 3_340), ("usd", 99_999_999, 33_333_333)]
)
def test_f31_paymenter_1258_minor_units_are_a_currency_s_own_from_checkout_to_refund(
    currency: str, amount: int, part: int
) -> None:
    market = Market()
    merchant = market.ready_merchant()
    session = market.sell_cart({merchant: amount}, currency=currency)
    market.pay(session)
    market.take_in(*market.events())
    (charge,) = market.at_stripe("/v1/charges")
    assert (charge["amount"], charge["currency"]) == (amount, currency)
    market.refund(session.transaction_id, part, key="part")
    assert [each["amount"] for each in market.at_stripe("/v1/refunds")] == [part]
    market.take_in(*market.events())
    assert market.books(session.transaction_id).payment.refundable == amount - part
    assert market.violations(session.transaction_id) == []


@pytest.mark.parametrize("merchants", [1, 2])
def test_f20_gumroad_6464_what_stripe_would_convert_is_refused_before_anything_is_asked(merchants: int) -> None:
    """A payment of 10,000 yen reaches a balance in dollars as 67.00, and its transfers have that currency."""
    market = Market(money=MoneyPolicy(settlement_currencies=("usd",)), settings=Settings(converts_currencies=True))
    sellers = [market.ready_merchant(name) for name in ("Clay", "Linen")[:merchants]]
    market.calls.clear()
    before = market.state()
    with pytest.raises(CurrencyNotAccepted, match="the platform takes usd"):
        market.sell_cart(dict.fromkeys(sellers, 10_000), currency="jpy")
    assert market.state() == before
    assert market.calls == []
    session = market.sell_cart(dict.fromkeys(sellers, 10_000), key="dollars")
    market.pay(session)
    market.take_in(*market.events())
    market.refund(session.transaction_id, None, key="all")
    market.take_in(*market.events())
    assert_proven(market, session.transaction_id)


@pytest.mark.parametrize(
    ("currency", "amount"), [("usd", 0), ("usd", -1), ("usd", 100_000_000), ("kwd", 10_005), ("isk", 1_050)]
)
def test_f31_an_amount_that_a_currency_has_not_is_refused_and_nothing_is_planned(currency: str, amount: int) -> None:
    market = Market()
    merchant = market.ready_merchant()
    market.calls.clear()
    before = market.state()
    with pytest.raises(InvalidAmount):
        market.sell_cart({merchant: amount}, currency=currency)
    assert market.state() == before
    assert market.calls == []
