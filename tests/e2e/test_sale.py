"""A sale from checkout to its last refund, through HTTP alone. Sums are computed here and held against Stripe's."""

from typing import NamedTuple

import pytest

from tests.e2e.shop import Json, Shop, done, problem, until

UNIT_AMOUNT, QUANTITY = 3_333, 3
AMOUNT = 9_999
FEE = 1_000  # the platform's default: 10 % of 99.99
STRIPE_FEE = 320  # 2.9 % of 99.99, and 0.30


class Sale(NamedTuple):
    """A sale of a merchant that had no other before, and what it brought to the balances at Stripe (US cents)."""

    merchant: Json
    price: Json
    session: Json
    record: Json
    to_platform: int
    to_merchant: int

    @property
    def path(self) -> str:
        return f"/transactions/{self.record['id']}"


@pytest.fixture(scope="module")
def sale(shop: Shop) -> Sale:
    """Three cups at 33.33, put into the basket and paid by a buyer's browser, which names no amount."""
    merchant = shop.ready_merchant()
    price = shop.price(merchant, UNIT_AMOUNT)
    before = shop.balance()
    basket = shop.basket({"price": price["id"], "quantity": QUANTITY}, metadata={"order": "7"})
    session = done(shop.buyer.post("/checkout/sessions", basket))
    assert shop.pay(session).headers["location"] == f"{shop.stack.return_origin}/thanks"
    record = shop.settled(session)
    return Sale(merchant, price, session, record, shop.balance() - before, shop.balance(merchant["account_id"]))


def test_a_browser_s_sale_becomes_paid_and_its_record_says_all_of_it(shop: Shop, sale: Sale) -> None:
    record, session = sale.record, shop.stripe.v1.checkout.sessions.retrieve(sale.session["checkout_session_id"])
    assert (record["status"], record["amount"], record["currency"]) == ("paid", AMOUNT, "usd")
    assert record["checkout_session_id"] == session.id
    assert record["payment_intent"] == {"id": session.payment_intent, "status": "succeeded"}
    (leg,) = record["legs"]
    assert (leg["merchant_id"], leg["account_id"]) == (sale.merchant["id"], sale.merchant["account_id"])
    assert (leg["amount"], leg["fee"], leg["share"]) == (AMOUNT, FEE, AMOUNT - FEE)
    assert record["fee"] == FEE
    assert record["processing_fee"] == {"amount": STRIPE_FEE, "currency": "usd"}
    assert record["net"] == FEE - STRIPE_FEE
    assert record["refund"] == {"status": "none", "amount": 0, "refundable": AMOUNT}
    assert record["metadata"] == {"order": "7"}
    assert record["waits_for"] is None
    assert (record["line_items"][0]["unit_amount"], record["line_items"][0]["quantity"]) == (UNIT_AMOUNT, QUANTITY)


def test_the_timeline_tells_it_in_the_order_in_which_it_happened(shop: Shop, sale: Sale) -> None:
    told = [moment["what"] for moment in sale.record["timeline"]]
    assert told[:2] == ["sale planned", "checkout session created"]
    assert sorted(told[2:]) == ["paid by the buyer", "split and transferred to the merchant"]
    times = [moment["at"] for moment in sale.record["timeline"]]
    assert times == sorted(times)
    assert done(shop.operator.get(f"{sale.path}/timeline"))["data"] == sale.record["timeline"]


def test_the_ledger_balances_and_says_what_stripe_says(shop: Shop, sale: Sale) -> None:
    assert shop.ledger(sale.record["id"]) == {
        "stripe_balance": FEE - STRIPE_FEE,
        "platform_revenue": -FEE,
        "processor_fees": STRIPE_FEE,
    }
    assert (sale.to_platform, sale.to_merchant) == (FEE - STRIPE_FEE, AMOUNT - FEE)


def test_each_line_that_moved_the_balance_names_the_stripe_object_that_did(shop: Shop, sale: Sale) -> None:
    lines = [line for entry in shop.entries(sale.record["id"]) for line in entry["lines"]]
    moved = [(line["source"], line["amount"]) for line in lines if line["account"] == "stripe_balance"]
    charge = shop.stripe.v1.charges.retrieve(sale.record["charge_id"])
    assert sorted(moved) == sorted(
        [
            (charge.id, AMOUNT),
            (charge.id, -STRIPE_FEE),
            (charge.transfer, -AMOUNT),
            (charge.application_fee, FEE),
        ]
    )


def test_everybody_reads_his_own_side_of_it(shop: Shop, sale: Sale) -> None:
    merchant = done(shop.merchant(sale.merchant["id"]).get(sale.path))
    buyer = done(shop.buyer.get(sale.path))
    assert [leg["share"] for leg in merchant["legs"]] == [AMOUNT - FEE]
    assert (merchant["processing_fee"], merchant["net"]) == (None, None)
    assert (buyer["amount"], buyer["status"]) == (AMOUNT, "paid")
    assert (buyer["legs"], buyer["fee"], buyer["timeline"]) == ([], None, [])


def test_lists_have_one_s_own_sales_newest_first_page_by_page(shop: Shop, sale: Sale) -> None:
    later = shop.sell(sale.merchant, 500)["transaction_id"]
    own = shop.merchant(sale.merchant["id"])
    first = until(lambda: done(own.get("/transactions", limit="1")), lambda page: page["data"][0]["id"] == later)
    second = done(own.get("/transactions", limit="1", cursor=first["cursor"]))
    assert ([each["id"] for each in second["data"]], second["cursor"]) == ([sale.record["id"]], None)
    every = done(shop.operator.get("/transactions", merchant_id=sale.merchant["id"]))["data"]
    assert [each["id"] for each in every] == [later, sale.record["id"]]
    assert sale.record["id"] in [each["id"] for each in done(shop.buyer.get("/transactions"))["data"]]
    assert sale.record["id"] not in [each["id"] for each in done(shop.another_buyer().get("/transactions"))["data"]]


def test_an_operator_names_the_amount_and_the_fee(shop: Shop, seller: Json) -> None:
    platform, merchant = shop.balance(), shop.balance(seller["account_id"])
    sold = shop.paid_sale(seller, 25_000, application_fee_amount=1_999)
    stripe_fee = 725 + 30
    assert (sold["fee"], sold["legs"][0]["share"], sold["processing_fee"]["amount"]) == (1_999, 23_001, stripe_fee)
    assert shop.balance(seller["account_id"]) - merchant == 23_001
    assert shop.balance() - platform == shop.ledger(sold["id"])["stripe_balance"] == 1_999 - stripe_fee


def test_a_session_that_was_expired_can_no_longer_be_paid(shop: Shop, sale: Sale) -> None:
    basket = shop.basket({"price": sale.price["id"], "quantity": 1})
    session = done(shop.buyer.post("/checkout/sessions", basket))
    path = f"/checkout/sessions/{session['transaction_id']}"
    assert done(shop.buyer.get(path)) == session
    ended = done(shop.buyer.post(f"{path}/expire"))
    assert (ended["status"], ended["url"]) == ("expired", None)
    assert done(shop.buyer.post(f"{path}/expire")) == ended
    assert not shop.pay(session).is_redirect
    shop.quiet()
    assert shop.record(session["transaction_id"])["status"] == "expired"
    assert shop.entries(session["transaction_id"]) == []
    assert problem(shop.refund(session["transaction_id"])) == (409, "transaction-not-refundable")


def test_a_part_and_then_the_rest_go_back_to_the_cent(shop: Shop) -> None:
    merchant, before = shop.ready_merchant(), shop.balance()
    account, sold = merchant["account_id"], shop.paid_sale(merchant, AMOUNT)
    # The fee goes back in the proportion of FEE to AMOUNT, rounded on the running total: 333.3, 500.05, 1000.
    for amount, fee, share_left in ((3_333, 333, 5_999), (1_667, 167, 4_499), (None, 500, 0)):
        refund = done(shop.refund(sold["id"], amount))
        assert (refund["status"], refund["fee"]) == ("succeeded", fee)
        shop.quiet()
        shop.sweep()  # gives back what Stripe's own rounding kept of the fee
        shop.quiet()
        assert shop.balance(account) == share_left
    record = shop.record(sold["id"])
    assert record["refund"] == {"status": "full", "amount": AMOUNT, "refundable": 0}
    assert [refund["status"] for refund in record["refunds"]] == ["succeeded"] * 3
    assert record["refunds"] == done(shop.operator.get(f"/transactions/{sold['id']}/refunds"))["data"]
    assert [refund.amount for refund in reversed(shop.refunds_at_stripe(sold))] == [3_333, 1_667, 4_999]
    assert shop.ledger(sold["id"]) == {"stripe_balance": -STRIPE_FEE, "processor_fees": STRIPE_FEE}
    assert shop.balance() - before == -STRIPE_FEE
    assert problem(shop.refund(sold["id"], 1)) == (409, "transaction-not-refundable")
