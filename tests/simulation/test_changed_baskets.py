"""Quantities that the buyer changes, discounts and tax at once: split to the cent whatever he makes of the basket."""

import random
from itertools import product
from typing import Any

import pytest

from marketplace.domain.ledger import balances
from marketplace.domain.merchants import Merchant
from marketplace.domain.transactions import ChargeType, TransactionStatus
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.checkout import CheckoutSession, create_checkout_session

from .market import GERMANY, OPERATOR, SHOP, Market

CARD = "4242424242424242"
PRICES = (3_333, 1_999, 707)
BOUNDS = (0, 9)
TOPPED_UP = 500_000


def sell(market: Market, merchants: list[Merchant], behavior: str, **terms: Any) -> CheckoutSession:
    """Three things of which the buyer may have none to nine."""
    items = tuple(
        InlineItem(
            name=f"Thing {number}", unit_amount=price, currency="usd", quantity=2, bounds=BOUNDS, tax_behavior=behavior,
            merchant_id=merchants[number % len(merchants)].id,
        )
        for number, price in enumerate(PRICES)
    )  # fmt: skip
    basket = Basket(items=items, success_url=SHOP, cancel_url=SHOP, metadata={}, **terms)
    return create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "s"))


def pay(market: Market, session: CheckoutSession, quantities: tuple[int, ...]) -> None:
    """The buyer fills in how many of each he wants."""
    lines = market.at_stripe(f"/v1/checkout/sessions/{session.checkout_session_id}/line_items")
    number = {f"Thing {position}": str(quantity) for position, quantity in enumerate(quantities)}
    wanted = {f"quantity_{line['id']}": number[line["description"]] for line in lines}
    market.submit(str(session.checkout_session_id), card=CARD, **GERMANY, **wanted)
    market.take_in(*market.events())


def assert_exact(market: Market, session: CheckoutSession) -> None:
    """All that was captured is somebody's: the merchants', the tax office's, the platform's."""
    books = market.books(session.transaction_id)
    found = {account: amount for (account, _), amount in balances(books.entries).items()}
    captured = books.payment.captured or 0
    of_merchants = sum(market.stripe_balance(leg.account_id).get("usd", 0) for leg in books.transaction.legs)
    taxes = sum(amount for account, amount in found.items() if account.startswith("tax_payable:"))
    promotions = sum(amount for account, amount in found.items() if account.startswith("promotions:"))
    assert books.payment.status is TransactionStatus.PAID
    assert of_merchants - taxes - found.get("platform_revenue", 0) - promotions == captured
    assert market.violations(session.transaction_id) == []
    assert market.unsettled(session.transaction_id) == []
    assert market.ledger_balance().get("usd", 0) == market.stripe_balance().get("usd", 0) - TOPPED_UP


@pytest.mark.parametrize("points", [0, 3_333, 10_000])
@pytest.mark.parametrize(("merchants", "behavior"), list(product([1, 2], ["inclusive", "exclusive"])))
def test_a_changed_basket_is_split_to_the_cent_with_its_discount_and_tax(
    merchants: int, behavior: str, points: int
) -> None:
    chance = random.Random(f"{merchants} {behavior} {points}")
    for _ in range(4):
        quantities = tuple(chance.randint(*BOUNDS) for _ in PRICES)
        if not any(quantities):
            continue
        market = Market()
        market.collect_tax()
        market.order("/v1/topups", amount=TOPPED_UP, currency="usd")
        market.advance(60)
        coupon = market.coupon(percent_off="15", platform_basis_points=points)
        sellers = [market.ready_merchant(f"Seller {number}") for number in range(merchants)]
        session = sell(market, sellers, behavior, automatic_tax=True, coupon_id=coupon.id)
        assert market.books(session.transaction_id).transaction.charge_type is ChargeType.SEPARATE
        pay(market, session, quantities)
        assert_exact(market, session)
        market.refund(session.transaction_id, None, key="all")
        market.take_in(*market.events())
        market.come_to_rest()
        books = market.books(session.transaction_id)
        left = {account: amount for (account, _), amount in balances(books.entries).items() if amount}
        assert set(left) <= {"stripe_balance", "processor_fees"}, quantities  # Stripe keeps its fee
        assert not any(market.stripe_balance(seller.account_id) for seller in sellers), quantities
        assert market.violations(session.transaction_id) == []


def test_the_fee_is_of_what_is_left_of_what_was_bought() -> None:
    """Five at 10.00 instead of two, 10 percent off at the merchant's cost, 19 percent on top: 53.55."""
    market = Market()
    market.collect_tax()
    clay = market.ready_merchant()
    coupon = market.coupon(percent_off="10", platform_basis_points=0)
    item = InlineItem(
        name="Vase", unit_amount=1_000, currency="usd", quantity=2, bounds=(1, 5), tax_behavior="exclusive"
    )
    basket = Basket(
        items=(item,), merchant_id=clay.id, success_url=SHOP, cancel_url=SHOP, metadata={}, automatic_tax=True,
        coupon_id=coupon.id,
    )  # fmt: skip
    session = create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", "s"))
    (line,) = market.at_stripe(f"/v1/checkout/sessions/{session.checkout_session_id}/line_items")
    market.submit(str(session.checkout_session_id), card=CARD, **GERMANY, **{f"quantity_{line['id']}": "5"})
    market.take_in(*market.events())
    books = market.books(session.transaction_id)
    assert books.payment.captured == 5_355
    found = {account: amount for (account, _), amount in balances(books.entries).items()}
    assert (found["tax_payable:de.country.vat"], found["platform_revenue"]) == (-855, -450)
    assert market.stripe_balance(clay.account_id) == {"usd": 4_050}
