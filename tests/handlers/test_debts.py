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
    for user in (merchant_user(other), BUYER):
        assert backend.send(user, "GET", path).problem == "not-found"
    first = backend.send(OPERATOR, "GET", path, query={"limit": "1"}).json
    rest = backend.send(OPERATOR, "GET", path, query={"limit": "1", "cursor": first["cursor"]}).json
    assert first["data"] + rest["data"] == found["data"]
    assert backend.send(OPERATOR, "GET", f"/merchants/{other}/debts").json == {"data": [], "cursor": None}
    assert backend.send(OPERATOR, "GET", "/merchants/nobody/debts").problem == "not-found"
