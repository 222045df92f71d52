"""Sales whose tax the merchant is liable for, and sales on behalf of a merchant: books, and Stripe's, to the cent."""

from typing import Any

import pytest

from marketplace.domain.errors import CombinationRefused, MerchantNotReady, RegionNotSupported, StripeRefused
from marketplace.domain.ledger import balances, is_tax
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.portions import TaxLiability
from marketplace.domain.responsibilities import AccountPolicy
from marketplace.domain.transactions import CaptureMethod, ChargeType
from marketplace.operations import Operation
from marketplace.services.captures import capture
from marketplace.services.checkout import CheckoutSession
from marketplace.services.tax_reports import tax_report

from .market import GERMANY, OPERATOR, Market

SETTLEMENT = AccountPolicy(card_payments=True)
VAT = "de.country.vat"
CHARGE_TYPES = [None, ChargeType.DESTINATION]


def registered(market: Market, name: str = "Clay & Co") -> Merchant:
    """A merchant that collects VAT in Germany by itself; the platform does not."""
    merchant = market.ready_merchant(name)
    market.collect_tax(merchant)
    return merchant


def sell(market: Market, merchant: Merchant, amount: int, *, key: str = "sale", behavior: str = "exclusive",
         **terms: Any) -> CheckoutSession:  # fmt: skip
    asked: dict[str, Any] = {"automatic_tax": True, "tax_liability": TaxLiability.MERCHANT} | terms
    return market.sell_cart({merchant: amount}, key=key, tax_behavior=behavior, **asked)


def pay(market: Market, session: CheckoutSession) -> None:
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)
    market.take_in(*market.events())


def journal(market: Market, session: CheckoutSession) -> dict[str, int]:
    return {account: amount for (account, _), amount in balances(market.books(session.transaction_id).entries).items()}


def assert_proven(market: Market, *sessions: CheckoutSession, topped_up: int = 0) -> None:
    """The books hold, are at rest, owe no authority anything, and say of the platform's balance what Stripe says."""
    for session in sessions:
        assert market.violations(session.transaction_id) == []
        assert market.unsettled(session.transaction_id) == []
        assert [account for account in journal(market, session) if is_tax(account)] == []
    assert market.ledger_balance().get("usd", 0) == market.stripe_balance().get("usd", 0) - topped_up


@pytest.mark.parametrize("charge_type", CHARGE_TYPES)
@pytest.mark.parametrize(("behavior", "price"), [("exclusive", 10_000), ("inclusive", 11_900)])
def test_the_tax_is_the_merchant_s_and_the_fee_is_of_what_is_left(
    charge_type: ChargeType | None, behavior: str, price: int
) -> None:
    market = Market()
    clay = registered(market)
    session = sell(market, clay, price, behavior=behavior, charge_type=charge_type)
    (made,) = market.at_stripe("/v1/checkout/sessions")
    assert made["automatic_tax"]["liability"] == {"type": "account", "account": clay.account_id}
    pay(market, session)
    books = market.books(session.transaction_id)
    assert books.payment.captured == 11_900
    assert market.stripe_balance(clay.account_id) == {"usd": 10_900}
    assert books.shares[clay.id].taxes == {VAT: 1_900}
    assert journal(market, session)["platform_revenue"] == -1_000
    assert_proven(market, session)
    assert market.calls.count(Operation.REVERSE_TRANSFER) == (1 if charge_type else 0)


@pytest.mark.parametrize("charge_type", CHARGE_TYPES)
def test_refunds_give_the_merchant_s_tax_back_in_proportion_and_close_at_zero(charge_type: ChargeType | None) -> None:
    market = Market()
    clay = registered(market)
    session = sell(market, clay, 10_000, charge_type=charge_type)
    pay(market, session)
    returned = []
    for number, amount in enumerate((3_333, 1, 5_017, 1, None)):
        refund = market.refund(session.transaction_id, amount, key=f"refund-{number}")
        market.take_in(*market.events())
        (part,) = refund.parts
        returned.append(part.tax)
        assert_proven(market, session)
    assert returned == [532, 0, 801, 1, 566]  # 19 of each 119, on the running total
    assert market.stripe_balance(clay.account_id) == {}
    assert set(journal(market, session)) <= {"stripe_balance", "processor_fees"}


def test_a_refund_that_keeps_the_fee_takes_it_of_the_merchant_and_all_of_the_tax() -> None:
    market = Market()
    clay = registered(market)
    session = sell(market, clay, 10_000)
    pay(market, session)
    refund = market.refund(session.transaction_id, 5_950, key="half", refund_application_fee=False)
    market.take_in(*market.events())
    assert (refund.parts[0].tax, refund.parts[0].own) == (950, 5_950)
    assert market.stripe_balance(clay.account_id) == {"usd": 10_900 - 5_950}
    assert_proven(market, session)


@pytest.mark.parametrize("charge_type", CHARGE_TYPES)
def test_a_dispute_takes_the_tax_of_the_merchant_and_a_win_gives_it_back(charge_type: ChargeType | None) -> None:
    market = Market()
    clay = registered(market)
    session = sell(market, clay, 10_000, charge_type=charge_type)
    pay(market, session)
    before = journal(market, session)
    (charge,) = market.at_stripe("/v1/charges")
    dispute = market.order(f"/_simulator/charges/{charge['id']}/dispute", amount=5_950)
    market.take_in(*market.events())
    assert market.stripe_balance(clay.account_id) == {"usd": 5_450 - 1_500}  # with Stripe's fee for the dispute
    assert_proven(market, session)
    market.order(f"/_simulator/disputes/{dispute['id']}/decide", outcome="won")
    market.take_in(*market.events())
    market.come_to_rest()
    assert market.stripe_balance(clay.account_id) == {"usd": 10_900 - 1_500}
    assert journal(market, session)["platform_revenue"] == before["platform_revenue"]
    assert market.violations(session.transaction_id) == []


@pytest.mark.parametrize("points", [0, 5_000, 10_000])
def test_a_discount_keeps_its_funding(points: int) -> None:
    market = Market()
    market.order("/v1/topups", amount=100_000, currency="usd")
    market.advance(60)
    clay = registered(market)
    coupon = market.coupon(percent_off="10", platform_basis_points=points)
    session = sell(market, clay, 10_000, coupon_id=coupon.id)
    pay(market, session)
    promotion = 1_000 * points // 10_000
    fee = (9_000 + promotion) // 10
    assert market.stripe_balance(clay.account_id) == {"usd": 9_000 + 1_710 + promotion - fee}
    market.refund(session.transaction_id, None, key="all")
    market.take_in(*market.events())
    assert market.stripe_balance(clay.account_id) == {}
    assert_proven(market, session, topped_up=100_000)


def test_what_is_captured_in_part_has_its_part_of_the_tax() -> None:
    market = Market()
    clay = registered(market)
    sessions = []
    for charge_type in CHARGE_TYPES:
        terms: dict[str, Any] = {"charge_type": charge_type, "capture_method": CaptureMethod.MANUAL}
        session = sell(market, clay, 10_000, key=f"{charge_type}", **terms)
        pay(market, session)
        sale = session.transaction_id
        capture(market.ports, OPERATOR, sale, 5_950, market.once("capture", "k", {}, subject=sale))
        market.take_in(*market.events())
        assert market.books(sale).shares[clay.id].taxes == {VAT: 950}
        sessions.append(session)
    assert market.stripe_balance(clay.account_id) == {"usd": 2 * 5_450}
    assert_proven(market, *sessions)


def test_the_platform_s_report_does_not_count_it() -> None:
    market = Market()
    clay = registered(market)
    pay(market, sell(market, clay, 10_000))
    since = market.clock.now().replace(hour=0)
    market.advance(3_600)
    assert list(tax_report(market.ports, OPERATOR, since, None).rows) == []


def test_who_is_liable_is_by_policy_where_a_request_does_not_say() -> None:
    market = Market(money=MoneyPolicy(automatic_tax=True, tax_liability=TaxLiability.MERCHANT))
    clay = registered(market)
    by_policy = market.sell_cart({clay: 10_000}, key="by-policy")
    pay(market, by_policy)
    assert market.stripe_balance(clay.account_id) == {"usd": 10_900}
    market.collect_tax()
    asked = market.sell_cart({clay: 10_000}, key="asked", tax_liability=TaxLiability.PLATFORM)
    pay(market, asked)
    assert market.stripe_balance(clay.account_id) == {"usd": 10_900 + 9_000}


def test_a_merchant_that_has_not_set_its_tax_up_is_refused_by_stripe_before_anybody_can_pay() -> None:
    market = Market()
    clay = market.ready_merchant()
    with pytest.raises(StripeRefused):
        sell(market, clay, 10_000)
    assert market.at_stripe("/v1/checkout/sessions") == []


@pytest.mark.parametrize("charge_type", CHARGE_TYPES)
def test_a_sale_on_behalf_of_a_merchant_is_charged_in_its_name(charge_type: ChargeType | None) -> None:
    market = Market(accounts=SETTLEMENT)
    clay = market.ready_merchant()
    market.onboard(clay)
    market.take_in(*market.events())
    session = market.sell_cart({clay: 10_000}, charge_type=charge_type, on_behalf_of=True)
    pay(market, session)
    (charge,) = market.at_stripe("/v1/charges")
    assert (charge["on_behalf_of"], market.books(session.transaction_id).transaction.on_behalf_of) == (
        clay.account_id, clay.account_id
    )  # fmt: skip
    assert market.stripe_balance(clay.account_id) == {"usd": 9_000}
    assert_proven(market, session)


def test_only_one_merchant_with_card_payments_in_reach_is_the_settlement_merchant() -> None:
    market = Market(money=MoneyPolicy(platform_country="de"), accounts=SETTLEMENT)
    clay, linen = market.ready_merchant("Clay"), market.ready_merchant("Linen")
    asked = len(market.calls)
    with pytest.raises(MerchantNotReady, match="card payments"):
        market.sell_cart({clay: 10_000}, on_behalf_of=True)
    for merchant in (clay, linen):
        market.onboard(merchant)
    market.take_in(*market.events())
    asked = len(market.calls)
    with pytest.raises(RegionNotSupported):
        market.sell_cart({clay: 10_000}, on_behalf_of=True, charge_type=ChargeType.SEPARATE)
    for terms in ({"on_behalf_of": True}, {"automatic_tax": True, "tax_liability": TaxLiability.MERCHANT}):
        with pytest.raises(CombinationRefused):
            market.sell_cart({clay: 10_000, linen: 10_000}, **terms)
    with pytest.raises(CombinationRefused):
        market.sell_cart({clay: 10_000}, tax_liability=TaxLiability.MERCHANT)
    assert len(market.calls) == asked
    abroad = market.sell_cart({clay: 10_000}, on_behalf_of=True, charge_type=ChargeType.DESTINATION)
    assert abroad.url is not None
