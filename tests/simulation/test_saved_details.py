"""Details saved in a setup session or with a payment, offered on Stripe's page, and charged without the buyer."""

import pytest

from marketplace.domain.customers import Customer
from marketplace.domain.errors import InvalidReturnUrl, NotFound
from marketplace.domain.principals import Principal
from marketplace.domain.transactions import TransactionStatus
from marketplace.services.baskets import Basket, InlineItem
from marketplace.services.checkout import CheckoutSession, create_checkout_session
from marketplace.services.customers import list_payment_methods
from marketplace.services.idempotency import Once
from marketplace.services.off_session import charge_saved
from marketplace.services.setups import NewSetup, SetupSession, create_setup_session

from .market import OPERATOR, SHOP, Market
from .test_carts import assert_proven
from .test_crashes import each_step
from .test_customers import ANN, new_customer

THANKS = f"{SHOP}/thanks"


def set_up(market: Market, buyer: Principal = ANN, *, success_url: str = THANKS) -> SetupSession:
    wanted = NewSetup(currency="usd", success_url=success_url, cancel_url=SHOP)
    return create_setup_session(market.ports, buyer, wanted, Once.of(buyer, "POST /checkout/sessions", "s", {}))


def basket_of(market: Market, customer: Customer, *, save: bool = False) -> Basket:
    (merchant,) = market.store.merchants(cursor=None, limit=2).items or [market.ready_merchant()]
    item = InlineItem(name="Vase", unit_amount=10_000, currency="usd", quantity=1, merchant_id=merchant.id)
    return Basket(
        items=(item,),
        success_url=THANKS,
        cancel_url=SHOP,
        customer_id=customer.id,
        save_payment_method=save,
        metadata={},
    )


def session(market: Market, customer: Customer, *, save: bool = False) -> CheckoutSession:
    once = market.once("POST /checkout/sessions", f"sale {save}")
    return create_checkout_session(market.ports, OPERATOR, basket_of(market, customer, save=save), once)


def charge(market: Market, customer: Customer, card: str) -> TransactionStatus:
    once = market.once("POST /payments", "later")
    made = charge_saved(market.ports, OPERATOR, basket_of(market, customer), card, once)
    market.take_in(*market.events())
    assert_proven(market, made.transaction_id)
    return made.status


def test_details_saved_in_a_setup_session_pay_later(market: Market) -> None:
    customer = new_customer(market)
    made = set_up(market)
    assert set_up(market) == made
    market.submit(made.checkout_session_id, card="4242424242424242")
    market.take_in(*market.events())  # none of which is a sale's
    (saved,) = list_payment_methods(market.ports, ANN, ANN.subject)
    assert charge(market, customer, saved.id) is TransactionStatus.PAID


def test_details_saved_with_a_payment_pay_later_and_are_offered_again(market: Market) -> None:
    customer = new_customer(market)
    market.pay(session(market, customer, save=True))
    market.take_in(*market.events())
    (saved,) = list_payment_methods(market.ports, ANN, ANN.subject)
    assert charge(market, customer, saved.id) is TransactionStatus.PAID
    offering = session(market, customer)
    (at_stripe, *_) = market.at_stripe("/v1/checkout/sessions")
    assert (at_stripe["id"], at_stripe["customer"]) == (offering.checkout_session_id, customer.stripe_customer_id)
    page = market.simulator.request("GET", f"/c/pay/{offering.checkout_session_id}").body.decode()
    assert "4242" in page


def test_a_setup_session_whose_creation_dies_anywhere_is_made_once() -> None:
    for later in (60, 25 * 3_600):
        for step, market in each_step(new_customer, set_up):
            market.advance(later)
            market.sweep()
            made = set_up(market)
            (there,) = market.at_stripe("/v1/checkout/sessions")
            assert there["id"] == made.checkout_session_id, step


def test_details_are_saved_for_known_customers_and_return_to_listed_origins_only(market: Market) -> None:
    with pytest.raises(NotFound, match="customer"):
        set_up(market)
    nobody = Customer(id="auth0|nobody", email=None, name=None, created_at=market.clock.now())
    with pytest.raises(NotFound, match="customer"):
        session(market, nobody, save=True)
    new_customer(market)
    with pytest.raises(InvalidReturnUrl):
        set_up(market, success_url="https://elsewhere.example/")
    assert market.at_stripe("/v1/checkout/sessions") == []
