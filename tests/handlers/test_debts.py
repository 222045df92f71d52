"""Debts: listed to operators and to the merchant that owes, to nobody else."""

from dataclasses import replace

from marketplace.domain.debts import Debt
from marketplace.ports import Create

from .backend import BUYER, OPERATOR, Backend, merchant_user


def test_what_a_merchant_owes_is_listed_to_it_and_to_operators(backend: Backend) -> None:
    one, other = backend.merchant(), backend.merchant(name="Linen")
    ports = backend.ports_of("merchants.app")
    owed = Debt(
        id=ports.ids.new("debt", owner=one), merchant_id=one, transaction_id="transaction-1", cause="refund-1",
        amount=5_400, currency="usd", transfer_id=None, refusal="balance_insufficient", netted=1_000, collected=400,
        created_at=backend.clock.now(),
    )  # fmt: skip
    backend.wait(1)
    settled = replace(owed, id=ports.ids.new("debt", owner=one), netted=5_000)
    ports.store.commit(Create(owed), Create(settled))
    path = f"/merchants/{one}/debts"
    found = backend.send(OPERATOR, "GET", path).json
    assert [(debt["id"], debt["status"], debt["rest"]) for debt in found["data"]] == [
        (settled.id, "settled", 0), (owed.id, "open", 4_000)
    ]  # fmt: skip
    assert backend.send(merchant_user(one), "GET", path).json == found
    assert backend.send(merchant_user(other), "GET", path).problem == "not-found"
    assert backend.send(BUYER, "GET", path).problem == "not-allowed"
    first = backend.send(OPERATOR, "GET", path, query={"limit": "1"}).json
    rest = backend.send(OPERATOR, "GET", path, query={"limit": "1", "cursor": first["cursor"]}).json
    assert first["data"] + rest["data"] == found["data"]
    assert backend.send(OPERATOR, "GET", f"/merchants/{other}/debts").json == {"data": [], "cursor": None}
    assert backend.send(OPERATOR, "GET", "/merchants/nobody/debts").problem == "not-found"
    everybody = backend.send(OPERATOR, "GET", "/debts").json["data"]
    assert [debt["id"] for debt in everybody] == [owed.id]
    for user in (merchant_user(one), BUYER):
        assert backend.send(user, "GET", "/debts").problem == "not-allowed"


def test_a_debt_is_given_up_by_an_operator_with_a_reason(backend: Backend) -> None:
    merchant = backend.merchant()
    sale = backend.paid_sale(merchant)
    ports = backend.ports_of("merchants.app")
    owed = Debt(
        id=ports.ids.new("debt", owner=merchant), merchant_id=merchant, transaction_id=sale, cause="refund-1",
        amount=5_400, currency="usd", transfer_id=None, refusal=None, created_at=backend.clock.now(),
    )  # fmt: skip
    ports.store.commit(Create(owed))
    path, body = f"/debts/{owed.id}/write-off", {"reason": "closed"}
    before = backend.store.snapshot()
    for user, sent, problem in (
        (merchant_user(merchant), body, "not-allowed"),
        (BUYER, body, "not-allowed"),
        (OPERATOR, {}, "invalid-request"),
        (OPERATOR, {"reason": " "}, "invalid-request"),
        (OPERATOR, {"reason": "x", "amount": 1}, "invalid-request"),
    ):
        assert backend.send(user, "POST", path, sent, key="w").problem == problem
    assert backend.send(OPERATOR, "POST", path, body).problem == "idempotency-key-required"
    absent = owed.id.replace(owed.id[-20:], 20 * "0")
    assert backend.send(OPERATOR, "POST", f"/debts/{absent}/write-off", body, key="w").problem == "not-found"
    assert backend.store.snapshot() == before
    answer = backend.send(OPERATOR, "POST", path, body, key="w")
    assert (answer.status, answer.json["status"], answer.json["reason"]) == (200, "written_off", "closed")
    assert backend.send(OPERATOR, "POST", path, body, key="w").json == answer.json
    assert backend.send(OPERATOR, "POST", path, body, key="again").problem == "debt-not-open"
    assert backend.send(merchant_user(merchant), "GET", f"/debts/{owed.id}").json == answer.json
    assert backend.send(merchant_user("merchant-" + 26 * "0"), "GET", f"/debts/{owed.id}").problem == "not-found"
    assert backend.send(OPERATOR, "GET", "/debts").json["data"] == []
