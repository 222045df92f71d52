"""The catalog at Stripe: what is archived is not sold, whoever was faster, and every change is made once."""

from itertools import count
from typing import Any

import pytest

from marketplace.domain.catalog import Interval, Price, Product, Recurring, TaxBehavior
from marketplace.domain.errors import (
    InvalidPrice,
    NotFound,
    OutcomeUnknown,
    PriceNotForSale,
    RequestUnderWay,
    StripeRefused,
)
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.transactions import TransactionStatus
from marketplace.services.baskets import Basket, CatalogItem
from marketplace.services.catalog import (
    NewPrice,
    ProductDetails,
    create_price,
    create_product,
    list_prices,
    list_products,
    read_price,
    read_product,
    update_price,
    update_product,
)
from marketplace.services.checkout import CheckoutSession, create_checkout_session
from marketplace.services.off_session import charge_saved

from .market import OPERATOR, SHOP, Market
from .test_crashes import each_step
from .test_customers import new_customer, save_card

TEA = ProductDetails(
    description="From Assam",
    images=("https://shop.example/tea.png",),
    tax_code="txcd_99999999",
    statement_descriptor="TEA CLUB",
)
ONCE = NewPrice(unit_amount=1_200, currency="usd")
MONTHLY = NewPrice(
    unit_amount=900,
    currency="usd",
    recurring=Recurring(interval=Interval.MONTH, interval_count=2, trial_period_days=14),
    tax_behavior=TaxBehavior.EXCLUSIVE,
)
KEYS = count()


def new_product(market: Market, merchant: Merchant, *, key: str = "product", name: str = "Tea") -> Product:
    return create_product(market.ports, OPERATOR, merchant.id, TEA, name, market.once("POST products", key))


def new_price(market: Market, product: Product, wanted: NewPrice = ONCE, *, key: str = "price") -> Price:
    return create_price(market.ports, OPERATOR, product.id, wanted, market.once(f"POST {product.id}", key))


def change(market: Market, product: Product, *, key: str | None = None, **details: Any) -> Product:
    once = market.once(f"PATCH {product.id}", key or str(next(KEYS)), {each: str(details[each]) for each in details})
    return update_product(market.ports, OPERATOR, product.id, ProductDetails(**details), once)


def change_price(
    market: Market, price: Price, *, active: bool | None = None, tax_behavior: TaxBehavior | None = None
) -> Price:
    once = market.once(f"PATCH {price.id}", str(next(KEYS)))
    return update_price(market.ports, OPERATOR, price.id, once, active=active, tax_behavior=tax_behavior)


def basket(*prices: Price, **terms: Any) -> Basket:
    items = tuple(CatalogItem(price_id=price.id, quantity=1) for price in prices)
    return Basket(items=items, success_url=f"{SHOP}/thanks", cancel_url=SHOP, metadata={}, **terms)


def buy(market: Market, *prices: Price) -> CheckoutSession:
    return create_checkout_session(market.ports, OPERATOR, basket(*prices), market.once("POST", str(next(KEYS))))


def catalog(market: Market) -> tuple[Product, Price]:
    product = new_product(market, market.ready_merchant())
    return product, new_price(market, product)


def test_a_product_and_its_prices_are_at_stripe_as_they_are_here(market: Market) -> None:
    product = new_product(market, market.ready_merchant())
    (at_stripe,) = market.at_stripe("/v1/products")
    assert at_stripe["id"] == product.stripe_product_id
    assert (at_stripe["description"], at_stripe["images"]) == (product.description, list(product.images))
    assert (at_stripe["tax_code"], at_stripe["statement_descriptor"]) == ("txcd_99999999", "TEA CLUB")
    monthly, once = new_price(market, product, MONTHLY, key="monthly"), new_price(market, product)
    prices = {each["id"]: each for each in market.at_stripe("/v1/prices")}
    recurs = prices[str(monthly.stripe_price_id)]
    assert (recurs["recurring"]["interval"], recurs["recurring"]["interval_count"]) == ("month", 2)
    assert (recurs["tax_behavior"], prices[str(once.stripe_price_id)]["tax_behavior"]) == ("exclusive", "unspecified")
    assert (prices[str(once.stripe_price_id)]["recurring"], once.recurring) == (None, None)
    assert read_price(market.ports, OPERATOR, monthly.id).recurring == MONTHLY.recurring
    assert read_product(market.ports, OPERATOR, product.id) == product


def test_a_product_is_changed_as_far_as_it_is_said_and_everybody_sees_the_same(market: Market) -> None:
    product, price = catalog(market)
    changed = change(market, product, name="Green tea", images=())
    assert (changed.name, changed.images, changed.description) == ("Green tea", (), product.description)
    (at_stripe,) = market.at_stripe("/v1/products")
    assert (at_stripe["name"], at_stripe["images"], at_stripe["description"]) == ("Green tea", [], "From Assam")
    assert at_stripe["metadata"]["product_id"] == product.id
    sale = market.books(buy(market, price).transaction_id).transaction
    assert [line.name for line in sale.line_items] == ["Green tea"]


def test_nothing_of_an_archived_product_is_sold_until_it_is_brought_back(market: Market) -> None:
    product, price = catalog(market)
    assert not change(market, product, active=False).active
    with pytest.raises(PriceNotForSale, match="product"):
        buy(market, price)
    assert market.at_stripe("/v1/checkout/sessions") == []
    assert read_price(market.ports, OPERATOR, price.id).active
    change(market, product, active=True)
    assert buy(market, price).status is TransactionStatus.OPEN


def test_an_archived_price_is_not_sold_and_the_others_of_its_product_are(market: Market) -> None:
    product, price = catalog(market)
    other = new_price(market, product, key="other")
    change_price(market, price, active=False)
    with pytest.raises(PriceNotForSale, match="price"):
        buy(market, other, price)
    assert buy(market, other).status is TransactionStatus.OPEN
    change_price(market, price, active=True)
    assert buy(market, other, price).status is TransactionStatus.OPEN


def test_saved_details_do_not_pay_for_what_is_archived_though_stripe_would_let_them(market: Market) -> None:
    product, price = catalog(market)
    customer = new_customer(market)
    card = save_card(market, customer)
    change(market, product, active=False)
    with pytest.raises(PriceNotForSale):
        charge_saved(market.ports, OPERATOR, basket(price, customer_id=customer.id), card, market.once("POST", "p"))
    assert market.at_stripe("/v1/payment_intents") == []


def test_what_recurs_is_not_sold_once(market: Market) -> None:
    product = new_product(market, market.ready_merchant())
    with pytest.raises(PriceNotForSale, match="recurs"):
        buy(market, new_price(market, product, MONTHLY))


def test_a_sale_that_was_open_when_its_price_was_archived_can_be_paid(market: Market) -> None:
    product, price = catalog(market)
    sale = buy(market, price)
    change_price(market, price, active=False)
    change(market, product, active=False)
    market.pay(sale)
    market.take_in(*market.events())
    assert market.books(sale.transaction_id).payment.status is TransactionStatus.PAID


def test_of_an_archive_and_a_checkout_at_once_one_is_first_and_the_record_says_which(market: Market) -> None:
    """The checkout has read the price for sale; Stripe hears of the archive before it hears of the checkout."""
    product, price = catalog(market)

    def archive_first(call: str, changes: tuple[object, ...]) -> None:
        if call == "commit" and changes:
            market.store.before = market.fuse.around_store
            change(market, product, active=False)

    market.store.before = archive_first
    with pytest.raises(StripeRefused):
        buy(market, price)
    (sale,) = market.all_transactions()
    assert sale.payment.status is TransactionStatus.REFUSED
    assert market.at_stripe("/v1/checkout/sessions") == []


def test_a_change_that_dies_anywhere_is_made_once_and_then_known() -> None:
    def archived(market: Market) -> Product:
        (product,) = list_products(
            market.ports, OPERATOR, market.only_merchant().id, active=None, cursor=None, limit=2
        ).items
        return change(market, product, key="archive", active=False)

    died = each_step(catalog, archived)
    assert len(died) >= 6
    for step, market in died:
        market.advance(60)
        market.sweep()
        assert not archived(market).active, step
        (at_stripe,) = market.at_stripe("/v1/products")
        assert not at_stripe["active"]
        updates = [each for each in market.events() if each["type"] == "product.updated"]
        assert len(updates) == 1, step


def test_a_price_that_dies_anywhere_is_made_once_by_the_sweep_if_need_be() -> None:
    def product_of(market: Market) -> Product:
        (merchant,) = market.store.merchants(cursor=None, limit=2).items
        (product,) = list_products(market.ports, OPERATOR, merchant.id, active=None, cursor=None, limit=2).items
        return product

    died = each_step(
        lambda market: new_product(market, market.ready_merchant()),
        lambda market: new_price(market, product_of(market)),
    )
    assert len(died) >= 6
    for step, market in died:
        market.advance(60)
        assert market.sweep().troubles == []
        price = new_price(market, product_of(market))
        assert [each["id"] for each in market.at_stripe("/v1/prices")] == [price.stripe_price_id], step


def test_of_two_changes_at_once_the_second_is_refused_until_the_first_has_ended(market: Market) -> None:
    product, price = catalog(market)
    path = f"/v1/products/{product.stripe_product_id}"
    market.simulator.faults.order("server_error", method="POST", path=path, done=True)
    with pytest.raises(OutcomeUnknown):
        change(market, product, active=False)
    with pytest.raises(RequestUnderWay):
        change(market, product, active=True)
    market.advance(3_600)
    market.sweep()
    assert not read_product(market.ports, OPERATOR, product.id).active
    assert change(market, product, active=True).active
    assert buy(market, price).status is TransactionStatus.OPEN


def test_whether_a_price_contains_the_tax_is_said_once(market: Market) -> None:
    _, price = catalog(market)
    assert change_price(market, price, tax_behavior=TaxBehavior.INCLUSIVE).tax_behavior is TaxBehavior.INCLUSIVE
    assert change_price(market, price, tax_behavior=TaxBehavior.INCLUSIVE).active
    with pytest.raises(InvalidPrice):
        change_price(market, price, tax_behavior=TaxBehavior.EXCLUSIVE)


@pytest.mark.parametrize(
    "recurring",
    [
        Recurring(interval=Interval.YEAR, interval_count=4),
        Recurring(interval=Interval.MONTH, interval_count=0),
        Recurring(interval=Interval.DAY, interval_count=1_096),
        Recurring(interval=Interval.WEEK, trial_period_days=731),
        Recurring(interval=Interval.WEEK, trial_period_days=0),
    ],
)
def test_what_stripe_does_not_bill_is_refused_before_it_is_asked(market: Market, recurring: Recurring) -> None:
    product = new_product(market, market.ready_merchant())
    market.calls.clear()
    with pytest.raises(InvalidPrice):
        new_price(market, product, NewPrice(unit_amount=1, currency="usd", recurring=recurring))
    assert market.calls == []


def test_lists_of_what_is_for_sale_leave_the_archived_out_and_miss_nothing(market: Market) -> None:
    merchant = market.ready_merchant()
    products = [new_product(market, merchant, key=str(number), name=f"Tea {number}") for number in range(7)]
    for product in products[1:6]:
        change(market, product, active=False)
    for active, wanted in ((True, products[:1] + products[6:]), (False, products[1:6]), (None, products)):
        found: list[str] = []
        cursor = None
        while True:
            page = list_products(market.ports, OPERATOR, merchant.id, active=active, cursor=cursor, limit=2)
            assert len(page.items) <= 2
            found += [each.id for each in page.items]
            if (cursor := page.cursor) is None:
                break
        assert sorted(found) == sorted(each.id for each in wanted)
    price = new_price(market, products[0])
    assert list_prices(market.ports, OPERATOR, products[0].id, active=False, cursor=None, limit=2).items == ()
    assert list_prices(market.ports, OPERATOR, products[0].id, active=True, cursor=None, limit=2).items == (price,)


def test_another_s_catalog_is_not_found(market: Market) -> None:
    product, price = catalog(market)
    nosy = Principal(role=Role.MERCHANT, subject="nosy", merchant_id="merchant-" + 26 * "0")
    attempts = (
        lambda: read_product(market.ports, nosy, product.id),
        lambda: read_price(market.ports, nosy, price.id),
        lambda: update_product(market.ports, nosy, product.id, ProductDetails(active=False), market.once("P", "1")),
        lambda: update_price(market.ports, nosy, price.id, market.once("P", "2"), active=False, tax_behavior=None),
        lambda: list_prices(market.ports, nosy, product.id, active=None, cursor=None, limit=2),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert read_product(market.ports, OPERATOR, product.id).active
