"""Payments that do not succeed at once: declined cards, and bank debits whose outcome comes later."""

import httpx
import pytest

from tests.e2e.shop import Json, Shop, done, problem, until

DECLINED, BANK = "4000000000000002", {"method": "us_bank_account"}
SUCCEEDS_LATER, FAILS_LATER, SAYS_NOTHING = "000123456789", "000222222227", "000000000009"


def status_of(shop: Shop, session: Json) -> str:
    return str(shop.record(session["transaction_id"])["status"])


def test_a_declined_card_leaves_the_session_open_for_another(shop: Shop, seller: Json) -> None:
    session = shop.sell(seller, 4_200)
    assert shop.pay(session, card=DECLINED).status_code == httpx.codes.PAYMENT_REQUIRED
    shop.quiet()
    assert status_of(shop, session) == "open"
    assert shop.entries(session["transaction_id"]) == []
    assert shop.pay(session).is_redirect
    sold = shop.settled(session)
    assert sold["payment_intent"]["status"] == "succeeded"
    assert [moment["what"] for moment in sold["timeline"]].count("paid by the buyer") == 1


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_bank_debit_is_booked_when_the_bank_says_so_and_not_before(shop: Shop, seller: Json, outcome: str) -> None:
    platform, merchant = shop.balance(), shop.balance(seller["account_id"])
    session = shop.sell(seller, 10_000)
    path = f"/transactions/{session['transaction_id']}"
    assert shop.pay(session, account=SAYS_NOTHING, **BANK).is_redirect
    waiting = until(lambda: shop.record(session["transaction_id"]), lambda sale: sale["status"] == "processing")
    assert waiting["waits_for"]
    assert shop.entries(session["transaction_id"]) == []
    assert problem(shop.operator.post(f"{path}/refunds")) == (409, "transaction-not-refundable")

    intent = waiting["payment_intent"]["id"]
    done(httpx.post(f"{shop.stack.stripe}/_simulator/payment_intents/{intent}/settle", json={"outcome": outcome}))
    shop.quiet()
    if outcome == "succeeded":
        shop.settled(session)
    fees = shop.ledger(session["transaction_id"]).get("processor_fees", 0)
    came = (shop.balance() - platform, shop.balance(seller["account_id"]) - merchant)
    if outcome == "failed":
        assert (status_of(shop, session), came, fees) == ("failed", (0, 0), 0)
    else:
        assert fees > 0
        assert (status_of(shop, session), came) == ("paid", (1_000 - fees, 9_000))
        assert shop.ledger(session["transaction_id"])["stripe_balance"] == 1_000 - fees


def test_banks_answer_by_themselves(shop: Shop, seller: Json) -> None:
    good, bad = shop.sell(seller, 5_000), shop.sell(seller, 6_000)
    for session, account in ((good, SUCCEEDS_LATER), (bad, FAILS_LATER)):
        assert shop.pay(session, account=account, **BANK).is_redirect
    until(lambda: status_of(shop, good), lambda status: status == "paid")
    until(lambda: status_of(shop, bad), lambda status: status == "failed")
    assert shop.ledger(shop.settled(good)["id"])["platform_revenue"] == -500
    assert shop.entries(bad["transaction_id"]) == []
