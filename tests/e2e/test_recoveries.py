"""Money back over HTTP: a transfer that is reversed, a dispute that is answered or accepted, a debt given up."""

import base64

import pytest

from tests.e2e.shop import Json, Shop, done, problem, until

RECEIPT = base64.b64encode(b"%PDF-1.7 " + bytes(100_000)).decode()


@pytest.fixture
def sale(shop: Shop) -> Json:
    """A sale of 50.00, the only one of its merchant."""
    merchant = shop.ready_merchant()
    session = done(shop.operator.post("/checkout/sessions", shop.inline(merchant, 5_000)))
    assert shop.pay(session).is_redirect
    return shop.settled(session)


def test_a_transfer_is_taken_back_and_the_buyer_refunded_of_it(shop: Shop, sale: Json) -> None:
    account = sale["legs"][0]["account_id"]
    (transfer,) = done(shop.operator.get("/transfers", transaction_id=sale["id"]))["data"]
    path = f"/transfers/{transfer['id']}/reversals"
    back = done(shop.operator.post(path, {"reason": "wrong parcel", "amount": 2_000}))
    assert (back["reversible"], shop.balance(account)) == (2_500, 2_500)
    assert problem(shop.operator.post(path, {"reason": "more", "amount": 2_501})) == (409, "reversal-exceeds-rest")
    done(shop.refund(sale["id"], None))
    until(lambda: shop.balance(account), lambda balance: balance == 0)
    shop.quiet()
    assert [name for name in shop.ledger(sale["id"]) if name.startswith("merchant")] == []


def test_a_dispute_is_answered_with_a_document_and_a_text(shop: Shop, sale: Json) -> None:
    shop.dispute(sale, 2_000)
    merchant = shop.merchant(sale["legs"][0]["merchant_id"])
    (found,) = until(lambda: done(merchant.get("/disputes"))["data"], lambda data: data and data[0]["withdrawn"])
    assert [(part["amount"], part["fee"]) for part in found["parts"]] == [(2_000, 200)]
    assert problem(shop.refund(sale["id"], 100)) == (409, "transaction-not-refundable")
    path = f"/disputes/{found['id']}"
    file = done(merchant.post(f"{path}/files", {"content": RECEIPT}))
    staged = done(merchant.ask("PATCH", f"{path}/evidence", {"receipt": file["id"], "customer_name": "Ann"}))
    assert done(shop.operator.get(f"{path}/evidence")) == staged
    (known,) = shop.stripe.v1.disputes.list({"charge": sale["charge_id"]}).data
    assert (known.evidence.receipt, known.status) == (file["id"], "needs_response")
    assert problem(merchant.post(f"{path}/submit")) == (403, "not-allowed")
    assert done(shop.operator.post(f"{path}/submit"))["status"] == "under_review"
    assert problem(shop.operator.post(f"{path}/submit")) == (409, "dispute-not-answerable")


def test_a_dispute_is_accepted_and_what_the_merchant_lacks_is_given_up(shop: Shop, sale: Json) -> None:
    shop.dispute(sale)
    (owed,) = until(lambda: done(shop.operator.get("/debts"))["data"], lambda all_: _of(all_, sale))[:1]
    (found,) = done(shop.operator.get("/disputes", merchant_id=owed["merchant_id"]))["data"]
    assert done(shop.operator.post(f"/disputes/{found['id']}/accept"))["status"] == "lost"
    after = done(shop.operator.post(f"/debts/{owed['id']}/write-off", {"reason": "the shop is closed"}))
    assert (after["status"], after["written_off"]) == ("written_off", owed["amount"])
    assert shop.ledger(sale["id"])["losses"] == owed["amount"]
    shop.quiet()
    told = [moment["what"] for moment in done(shop.operator.get(f"/transactions/{sale['id']}/timeline"))["data"]]
    assert {"withdrawn by the buyer's bank", "dispute accepted", "taken back from a merchant"} <= set(told)


def _of(debts: list[Json], sale: Json) -> bool:
    return bool(debts) and debts[0]["transaction_id"] == sale["id"]
