"""Many requests in the same moment: one effect for one intent, and never more back than was paid (F11, F12)."""

from collections import Counter

import pytest

from tests.e2e.shop import Json, Shop, at_once, done, problem, until

PAID, FEE = 10_000, 1_000
STRIPE_FEE = 320


def at_rest(shop: Shop, sale: Json) -> dict[str, int]:
    """The ledger of a sale when all that was begun has ended."""
    path = f"/transactions/{sale['id']}/refunds"
    until(lambda: done(shop.operator.get(path))["data"], lambda all_: all(r["status"] == "succeeded" for r in all_))
    shop.quiet()
    shop.sweep()
    shop.quiet()
    return shop.ledger(sale["id"])


@pytest.fixture
def sale(shop: Shop, seller: Json) -> Json:
    return shop.paid_sale(seller, PAID)


def test_twenty_refunds_at_once_never_give_back_more_than_was_paid(shop: Shop, sale: Json, seller: Json) -> None:
    platform, merchant = shop.balance(), shop.balance(seller["account_id"])
    answers = at_once(20, lambda _: shop.refund(sale["id"], 1_500))
    granted = [done(answer) for answer in answers if answer.is_success]
    refused = Counter(problem(answer) for answer in answers if not answer.is_success)
    assert refused == {(409, "refund-exceeds-rest"): 14}
    assert len({refund["id"] for refund in granted}) == 6  # six of 15.00 go into 100.00, and a seventh does not
    ledger = at_rest(shop, sale)
    at_stripe = shop.refunds_at_stripe(sale)
    assert sum(refund.amount for refund in at_stripe) == sum(refund["amount"] for refund in granted) == 9_000
    assert {refund.id for refund in at_stripe} == {refund["stripe_refund_id"] for refund in granted}
    assert shop.record(sale["id"])["refund"] == {"status": "partial", "amount": 9_000, "refundable": 1_000}
    # A tenth of the sale is left: of the fee, and of the merchant's share, which is at Stripe and not in the books.
    assert ledger == {
        "stripe_balance": 100 - STRIPE_FEE,
        "platform_revenue": -100,
        "processor_fees": STRIPE_FEE,
    }
    assert (platform - shop.balance(), merchant - shop.balance(seller["account_id"])) == (900, 8_100)


def test_one_key_many_times_at_once_is_one_refund(shop: Shop, sale: Json) -> None:
    answers = at_once(20, lambda _: shop.refund(sale["id"], 2_500, key="the-same"))
    granted = [done(answer) for answer in answers if answer.is_success]
    refused = {problem(answer) for answer in answers if not answer.is_success}
    assert refused <= {(409, "request-under-way")}
    assert {(refund["id"], refund["amount"], refund["stripe_refund_id"]) for refund in granted} == {
        (granted[0]["id"], 2_500, shop.refunds_at_stripe(sale)[0].id)
    }
    assert len(shop.refunds_at_stripe(sale)) == 1
    at_rest(shop, sale)
    again = done(shop.refund(sale["id"], 2_500, key="the-same"))
    assert (again["id"], again["status"]) == (granted[0]["id"], "succeeded")
    assert problem(shop.refund(sale["id"], 2_501, key="the-same")) == (422, "idempotency-key-reused")
    assert shop.record(sale["id"])["refund"]["amount"] == 2_500


def test_saleor_apps_2446_two_equal_refunds_with_keys_of_their_own_are_two(shop: Shop, sale: Json) -> None:
    answers = at_once(2, lambda _: done(shop.refund(sale["id"], 1_000)))
    assert len({refund["id"] for refund in answers}) == 2
    assert [refund.amount for refund in shop.refunds_at_stripe(sale)] == [1_000, 1_000]


def test_one_key_several_times_at_once_is_one_session(shop: Shop, seller: Json) -> None:
    basket = shop.inline(seller, 700)
    answers = at_once(4, lambda _: shop.operator.post("/checkout/sessions", basket, key="one-order"))
    made = [done(answer) for answer in answers if answer.is_success]
    assert {problem(answer) for answer in answers if not answer.is_success} <= {(409, "request-under-way")}
    assert all(session == made[0] for session in made)
    sessions = shop.stripe.v1.checkout.sessions.list({"limit": 100}).data
    assert [each.id for each in sessions if each.amount_total == 700] == [made[0]["checkout_session_id"]]
    assert done(shop.operator.post("/checkout/sessions", basket, key="one-order")) == made[0]
    other = shop.operator.post("/checkout/sessions", shop.inline(seller, 701), key="one-order")
    assert problem(other) == (422, "idempotency-key-reused")
