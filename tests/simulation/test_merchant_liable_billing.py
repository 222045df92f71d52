"""Subscriptions and invoices whose tax the merchant is liable for: it is the merchant's own, and no report has it."""

from dataclasses import replace

import pytest

from marketplace.domain.errors import CombinationRefused, MerchantNotReady
from marketplace.domain.invoices import InvoiceLine
from marketplace.domain.ledger import balances, is_tax
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.portions import TaxLiability
from marketplace.ports import Replace
from marketplace.services.subscription_changes import Proration

from .market import GERMANY, Market
from .subscribing import MONTHLY, PERCENT, change, invoices, let_pass, price_of, seller, subscribe
from .taxed_billing import EXCLUSIVE, begun, billed, of_merchant, prepared, require_proven

MERCHANT = TaxLiability.MERCHANT


def registered() -> tuple[Market, Merchant]:
    """A merchant that collects VAT in Germany by itself."""
    market, merchant = prepared(PERCENT)
    market.collect_tax(merchant)
    return market, merchant


def require_no_tax_of_the_platform_s(market: Market) -> None:
    for books in market.all_transactions():
        assert [account for account, _ in balances(books.entries) if is_tax(account)] == []


def test_every_invoice_of_a_subscription_leaves_its_tax_with_the_merchant() -> None:
    market, merchant = registered()
    price = price_of(market, merchant, 10_000, MONTHLY, tax_behavior=EXCLUSIVE)
    begun(market, price, automatic_tax=True, tax_liability=MERCHANT)
    (asked,) = market.at_stripe("/v1/subscriptions")
    assert asked["automatic_tax"]["liability"] == {"type": "account", "account": merchant.account_id}
    let_pass(market, 31, hours=3)
    sales = market.all_transactions()
    assert [books.payment.captured for books in sales] == [11_900] * 2
    assert [books.shares[merchant.id].tax for books in sales] == [1_900] * 2
    assert {invoice.tax_liability for invoice in invoices(market)} == {MERCHANT}
    assert of_merchant(market, merchant) == 2 * (11_900 - 1_000)
    market.refund(sales[0].transaction.id, 5_950, key="half")
    market.take_in(*market.events())
    assert of_merchant(market, merchant) == 2 * 10_900 - 5_450
    require_proven(market)
    require_no_tax_of_the_platform_s(market)


def test_an_invoice_leaves_its_tax_with_the_merchant() -> None:
    market, merchant = registered()
    line = InvoiceLine(description="A", unit_amount=10_000, tax_behavior=EXCLUSIVE)
    billed(market, merchant, line, automatic_tax=True, tax_liability=MERCHANT)
    assert of_merchant(market, merchant) == 10_900
    require_proven(market)
    require_no_tax_of_the_platform_s(market)


def test_by_policy_merchants_are_liable_for_what_is_billed_too() -> None:
    market, merchant = prepared(PERCENT, automatic_tax=True, tax_liability=MERCHANT)
    market.collect_tax(merchant)
    session = subscribe(market, price_of(market, merchant, 10_000, MONTHLY, tax_behavior=EXCLUSIVE))
    market.submit(str(session.checkout_session_id), card="4242424242424242", **GERMANY)
    market.take_in(*market.events())
    billed(market, merchant, InvoiceLine(description="A", unit_amount=10_000, tax_behavior=EXCLUSIVE))
    assert of_merchant(market, merchant) == 2 * 10_900
    require_no_tax_of_the_platform_s(market)


def test_who_takes_a_subscription_over_is_liable_from_then_on() -> None:
    market, merchant = registered()
    other = seller(market, PERCENT, "Linen")
    market.collect_tax(other)
    price = price_of(market, merchant, 10_000, MONTHLY, tax_behavior=EXCLUSIVE)
    subscription = begun(market, price, automatic_tax=True, tax_liability=MERCHANT)
    dearer = price_of(market, other, 20_000, MONTHLY, tax_behavior=EXCLUSIVE)
    change(market, subscription, price_id=dearer.id, proration=Proration.NONE)
    market.take_in(*market.events())
    (running,) = market.at_stripe("/v1/subscriptions")
    assert running["automatic_tax"]["liability"]["account"] == other.account_id
    let_pass(market, 31, hours=3)
    assert of_merchant(market, merchant) == 10_900
    assert of_merchant(market, other) == 23_800 - 2_000
    require_proven(market)
    require_no_tax_of_the_platform_s(market)


def test_nobody_is_liable_where_no_tax_is_asked_for() -> None:
    market, merchant = registered()
    with pytest.raises(CombinationRefused):
        begun(market, price_of(market, merchant, 10_000, MONTHLY), tax_liability=MERCHANT)
    with pytest.raises(CombinationRefused):
        billed(market, merchant, InvoiceLine(description="A", unit_amount=1_000), tax_liability=MERCHANT)


def test_a_merchant_without_an_account_cannot_be_liable() -> None:
    market, merchant = prepared(PERCENT, hold_until_ready=True)
    price = price_of(market, merchant, 10_000, MONTHLY)
    known = market.merchant(merchant.id)
    market.store.commit(Replace(known, replace(known, account_id=None, status=MerchantStatus.PENDING)))
    asked = len(market.calls)
    with pytest.raises(MerchantNotReady, match="account"):
        begun(market, price, automatic_tax=True, tax_liability=MERCHANT)
    with pytest.raises(MerchantNotReady, match="account"):
        billed(
            market,
            merchant,
            InvoiceLine(description="A", unit_amount=1_000),
            automatic_tax=True,
            tax_liability=MERCHANT,
        )
    assert len(market.calls) == asked
