"""What a session asks of the buyer, where it is shown, what he may change: exact whatever he makes of it (C4, C8)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from marketplace.domain.errors import (
    InvalidBasket,
    InvalidReturnUrl,
    NotAllowed,
)
from marketplace.domain.principals import Principal, Role
from marketplace.domain.transactions import ChargeType, TransactionStatus
from marketplace.services.baskets import Basket, CatalogItem, InlineItem
from marketplace.services.checkout import CheckoutSession, create_checkout_session, read_checkout_session
from marketplace.services.idempotency import Once
from marketplace.services.session_terms import SessionTerms, ShippingOption, UiMode

from .market import OPERATOR, SHOP, Market
from .test_catalog import catalog
from .test_customers import ANN, new_customer

VASE = InlineItem(name="Vase", unit_amount=1_000, currency="usd", quantity=2, bounds=(1, 5))


def sell(
    market: Market, *, item: InlineItem = VASE, terms: SessionTerms | None = None, key: str = "s", **more: Any
) -> CheckoutSession:
    asked = terms or SessionTerms()
    urls: dict[str, Any] = (
        {"success_url": f"{SHOP}/thanks", "cancel_url": SHOP} if asked.ui_mode is UiMode.HOSTED else {}
    )
    merchant = market.only_merchant()
    basket = Basket(items=(item,), merchant_id=merchant.id, metadata={}, terms=asked, **urls, **more)
    return create_checkout_session(market.ports, OPERATOR, basket, market.once("POST /checkout/sessions", key))


def at_stripe(market: Market) -> dict[str, Any]:
    return market.at_stripe("/v1/checkout/sessions")[0]


@pytest.fixture
def shop(market: Market) -> Market:
    market.ready_merchant()
    return market


@pytest.mark.parametrize("quantity", [1, 2, 5])
def test_the_fee_is_of_what_the_buyer_bought_in_the_end(shop: Market, quantity: int) -> None:
    sale = sell(shop)
    plan = shop.books(sale.transaction_id).transaction
    assert (plan.charge_type, plan.amount, plan.fee) == (ChargeType.SEPARATE, 2_000, 200)
    shop.submit(str(sale.checkout_session_id), card="4242424242424242", **quantities(shop, quantity))
    shop.take_in(*shop.events())
    books = shop.books(sale.transaction_id)
    assert (books.payment.status, books.payment.captured) == (TransactionStatus.PAID, 1_000 * quantity)
    assert shop.stripe_balance(shop.only_merchant().account_id) == {"usd": 900 * quantity}
    assert shop.violations(sale.transaction_id) == []
    assert shop.refund(sale.transaction_id, None, key="line", lines={0: 1}).amount == 1_000
    if quantity > 1:
        shop.refund(sale.transaction_id, None, key="all")
    shop.take_in(*shop.events())
    assert shop.stripe_balance(shop.only_merchant().account_id) == {}


def quantities(market: Market, quantity: int) -> dict[str, str]:
    """What the buyer fills in on Stripe's page."""
    session = at_stripe(market)
    (line,) = market.at_stripe(f"/v1/checkout/sessions/{session['id']}/line_items")
    return {f"quantity_{line['id']}": str(quantity)}


def test_a_destination_charge_of_what_may_change_is_refused_before_stripe_is_asked(shop: Market) -> None:
    shop.calls.clear()
    with pytest.raises(InvalidBasket):
        sell(shop, charge_type=ChargeType.DESTINATION)
    assert shop.calls == []
    fixed = sell(shop, item=replace(VASE, bounds=()))
    assert shop.books(fixed.transaction_id).transaction.charge_type is ChargeType.DESTINATION


@pytest.mark.parametrize("bounds", [(3, 5), (0, 1), (-1, 5), (1, 10_001), (5, 1)])
def test_bounds_that_do_not_hold_the_quantity_are_refused(shop: Market, bounds: tuple[int, int]) -> None:
    with pytest.raises(InvalidBasket):
        sell(shop, item=replace(VASE, bounds=bounds))


def test_what_is_asked_of_the_buyer_is_at_stripe_as_it_was_asked_for(shop: Market) -> None:
    terms = SessionTerms(
        locale="de",
        collects_phone=True,
        shipping_countries=("US", "CA"),
        shipping_options=(ShippingOption(name="Parcel", amount=500), ShippingOption(name="Pick up", amount=0)),
        description="Order A-17",
        statement_descriptor_suffix="A-17",
        expires_at=shop.clock.now() + timedelta(hours=2),
    )
    sale = sell(shop, item=replace(VASE, bounds=()), terms=terms, customer_email="ann@example.com")
    made = at_stripe(shop)
    assert (made["locale"], made["phone_number_collection"]["enabled"]) == ("de", True)
    assert made["shipping_address_collection"]["allowed_countries"] == ["US", "CA"]
    assert made["expires_at"] == int(shop.clock.now().timestamp()) + 7_200
    assert (made["customer_email"], made["customer"]) == ("ann@example.com", None)
    assert shop.books(sale.transaction_id).transaction.charge_type is ChargeType.SEPARATE  # shipping changes the total
    shop.advance(7_201)
    shop.take_in(*shop.events())
    assert shop.books(sale.transaction_id).payment.status is TransactionStatus.EXPIRED


@pytest.mark.parametrize("ui_mode", [UiMode.EMBEDDED, UiMode.ELEMENTS])
def test_elsewhere_than_on_stripe_s_page_the_answer_alone_has_the_secret(shop: Market, ui_mode: UiMode) -> None:
    terms = SessionTerms(ui_mode=ui_mode, return_url=f"{SHOP}/back")
    sale = sell(shop, terms=terms)
    secret = at_stripe(shop)["client_secret"]
    assert (sale.client_secret, sale.url) == (secret, None)
    assert sell(shop, terms=terms) == sale
    assert read_checkout_session(shop.ports, OPERATOR, sale.transaction_id).client_secret is None
    assert secret not in repr(shop.store.snapshot())


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (SessionTerms(ui_mode=UiMode.EMBEDDED), InvalidReturnUrl),
        (SessionTerms(ui_mode=UiMode.ELEMENTS, return_url="https://evil.example/"), InvalidReturnUrl),
        (SessionTerms(return_url=f"{SHOP}/back"), InvalidReturnUrl),
        (SessionTerms(shipping_options=(ShippingOption(name="Parcel", amount=1),)), InvalidBasket),
    ],
)
def test_what_stripe_would_refuse_is_refused_before(
    shop: Market, terms: SessionTerms, refusal: type[Exception]
) -> None:
    shop.calls.clear()
    with pytest.raises(refusal):
        sell(shop, terms=terms)
    assert shop.calls == []


@pytest.mark.parametrize("minutes", [-1, 0, 30, 24 * 60, 48 * 60])
def test_a_session_ends_when_stripe_lets_it(shop: Market, minutes: int) -> None:
    with pytest.raises(InvalidBasket):
        sell(shop, terms=SessionTerms(expires_at=shop.clock.now() + timedelta(minutes=minutes)))


def test_a_buyer_s_e_mail_is_his_token_s_and_a_customer_needs_none(market: Market) -> None:
    _, price = catalog(market)
    basket = Basket(
        items=(CatalogItem(price_id=price.id, quantity=1),), success_url=SHOP, cancel_url=SHOP, metadata={}
    )  # fmt: skip
    buyer = Principal(role=Role.BUYER, subject="auth0|eve", email="eve@example.com")
    create_checkout_session(market.ports, buyer, basket, Once.of(buyer, "POST", "1", {}))
    assert at_stripe(market)["customer_email"] == "eve@example.com"
    customer = new_customer(market)
    known = ANN._replace(email="ann@elsewhere.example")
    create_checkout_session(market.ports, known, basket, Once.of(known, "POST", "2", {}))
    made = at_stripe(market)
    assert (made["customer"], made["customer_email"]) == (customer.stripe_customer_id, None)


@pytest.mark.parametrize(
    "more",
    [
        {"customer_email": "x@example.com"}, {"terms": SessionTerms(description="x")},
        {"terms": SessionTerms(statement_descriptor_suffix="X")}, {"terms": SessionTerms(shipping_countries=("US",))},
        {"terms": SessionTerms(shipping_options=(ShippingOption(name="Free", amount=0),))},
    ],
)  # fmt: skip
def test_s06_a_browser_names_no_words_no_shipping_and_nobody_s_e_mail(market: Market, more: dict[str, Any]) -> None:
    _, price = catalog(market)
    basket = Basket(
        items=(CatalogItem(price_id=price.id, quantity=1),), success_url=SHOP, cancel_url=SHOP, metadata={}, **more
    )
    with pytest.raises(NotAllowed):
        create_checkout_session(market.ports, ANN, basket, Once.of(ANN, "POST", "1", {}))


def test_a_customer_or_an_e_mail_and_never_both(shop: Market) -> None:
    customer = new_customer(shop)
    with pytest.raises(InvalidBasket):
        sell(shop, customer_id=customer.id, customer_email="x@example.com")
