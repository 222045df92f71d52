"""What the tests of taxed and discounted subscriptions and invoices begin with, and what has to hold of them."""

from typing import Any

from marketplace.domain.catalog import Price, TaxBehavior
from marketplace.domain.fees import FeePolicy
from marketplace.domain.invoices import InvoiceLine
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.promotions import Coupon, Duration
from marketplace.domain.subscriptions import Subscription
from marketplace.services.invoice_acts import finalize_invoice, pay_invoice
from marketplace.services.invoices import NewInvoice, create_invoice
from marketplace.services.subscriptions import stored_subscription

from .market import GERMANY, OPERATOR, Market
from .subscribing import ANN, EXACT, customer, once, price_of, seller, stripe_customer, subscribe
from .test_taxed_and_discounted import topped_up

VAT = "tax_payable:de.country.vat"
EXCLUSIVE, INCLUSIVE = TaxBehavior.EXCLUSIVE, TaxBehavior.INCLUSIVE
OWN = 500_000  # what the platform has beside its sales


def prepared(policy: FeePolicy = EXACT, **money: Any) -> tuple[Market, Merchant]:
    """A platform that collects VAT in Germany and has money of its own; who sells, and a buyer in Berlin."""
    market = Market(money=MoneyPolicy(**money))
    market.collect_tax()
    topped_up(market, OWN)
    merchant = seller(market, policy)
    market.order(f"/v1/customers/{customer(market).stripe_customer_id}", address=GERMANY)
    market.take_in(*market.events())
    return market, merchant


def begun(market: Market, price: Price, *, code: str = "", **terms: Any) -> Subscription:
    """A subscription that the buyer has begun, its first events taken in."""
    session = subscribe(market, price, **terms)
    address = GERMANY if terms.get("automatic_tax") else {}
    entered = {"code": code} if code else {}
    market.submit(str(session.checkout_session_id), card="4242424242424242", **address, **entered)
    market.take_in(*market.events())
    return stored_subscription(market.ports, session.subscription_id)


def require_proven(market: Market) -> None:
    """Every sale's books hold and are at rest, and the ledger says what Stripe's balance does."""
    for books in market.all_transactions():
        assert market.violations(books.transaction.id) == []
        assert market.unsettled(books.transaction.id) == []
    assert market.ledger_balance().get("usd", 0) == market.stripe_balance().get("usd", 0) - OWN


def of_merchant(market: Market, merchant: Merchant) -> int:
    """What the merchant has at Stripe."""
    return market.stripe_balance(merchant.account_id).get("usd", 0)


def card_of(market: Market) -> str:
    """Saved details of the buyer."""
    path = "/v1/payment_methods/pm_card_visa/attach"
    return str(market.order(path, customer=stripe_customer(market))["id"])


def billed(market: Market, merchant: Merchant, *lines: InvoiceLine, **terms: Any) -> str:
    """An invoice that was made, finalized and charged; by its id here."""
    wanted = NewInvoice(
        merchant_id=merchant.id, customer_id=ANN.subject, currency="usd", lines=lines, metadata={}, **terms
    )
    ports = market.ports
    made = create_invoice(ports, OPERATOR, wanted, once(OPERATOR, "POST /invoices"))
    finalize_invoice(ports, OPERATOR, made.id, once(OPERATOR, "finalize"))
    card = card_of(market)
    pay_invoice(ports, OPERATOR, made.id, payment_method_id=card, paid_elsewhere=False, once=once(OPERATOR, "pay"))
    market.take_in(*market.events())
    return made.id


def mixed(market: Market, merchant: Merchant) -> Coupon:
    """107.10 paid by a first invoice: 100.00 less 10 percent, half of that the platform's, and 19 percent tax."""
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000, duration=Duration.FOREVER)
    begun(market, price_of(market, merchant, 10_000, tax_behavior=EXCLUSIVE), automatic_tax=True, coupon_id=coupon.id)
    return coupon
