"""Transfers through their function: who sees which, and each refusal one problem."""

from typing import Any

import pytest

from marketplace.operations import Operation
from marketplace.ports import Done, Refusal
from marketplace.services.events import take_in

from .backend import BUYER, OPERATOR, Backend, charge_of, merchant_user, stripe_event

STRANGER = merchant_user("merchant-" + 26 * "0")


class Sale:
    """A destination charge that has settled, as the API tells of it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.merchant = backend.merchant()
        self.id = backend.paid_sale(self.merchant)
        settled = charge_of(self.id, transfer="tr_1", balance_transaction="txn_1", application_fee="fee_1")
        take_in(backend.ports_of("webhooks.process"), stripe_event("charge.updated", settled, "evt_2"))
        self.transfer: dict[str, Any] = backend.send(
            OPERATOR, "GET", "/transfers", query={"transaction_id": self.id}
        ).json["data"][0]

    def reverse(self, user: Any = OPERATOR, key: str | None = "k", of: str | None = None, **body: Any) -> Any:
        path = f"/transfers/{of or self.transfer['id']}/reversals"
        return self.backend.send(user, "POST", path, body, key=key)


@pytest.fixture
def sale(backend: Backend) -> Sale:
    return Sale(backend)


def test_a_transfer_is_read_and_listed_by_its_sale_and_its_merchant(sale: Sale) -> None:
    backend, transfer = sale.backend, sale.transfer
    assert (transfer["amount"], transfer["application_fee"], transfer["reversible"]) == (1_000, 100, 900)
    assert (transfer["stripe_transfer_id"], transfer["charge_id"], transfer["command_id"]) == ("tr_1", "ch_1", None)
    own = merchant_user(sale.merchant)
    for user in (OPERATOR, own):
        assert backend.send(user, "GET", f"/transfers/{transfer['id']}").json == transfer
        for query in ({"merchant_id": sale.merchant}, {"transaction_id": sale.id}):
            if user is OPERATOR or "merchant_id" not in query:
                assert backend.send(user, "GET", "/transfers", query=query).json["data"] == [transfer]
    assert backend.send(own, "GET", "/transfers").json["data"] == [transfer]
    assert backend.send(STRANGER, "GET", "/transfers", query={"merchant_id": sale.merchant}).json["data"] == []
    for path in (f"/transfers/{transfer['id']}", "/transfers/tr_1"):
        assert backend.send(STRANGER, "GET", path).problem == "not-found"
    assert backend.send(STRANGER, "GET", "/transfers", query={"transaction_id": sale.id}).problem == "not-found"
    for path in ("/transfers", f"/transfers/{transfer['id']}"):
        assert backend.send(BUYER, "GET", path).problem == "not-allowed"
    assert backend.send(OPERATOR, "GET", "/transfers").json["data"] == [transfer]
    both = {"merchant_id": sale.merchant, "transaction_id": sale.id}
    assert backend.send(OPERATOR, "GET", "/transfers", query=both).problem == "filter-required"


def test_a_transfer_is_taken_back_by_an_operator(sale: Sale) -> None:
    made = Done({"id": "trr_1", "amount": 300, "created": 1_795_422_500})
    sale.backend.stripe.answers[Operation.REVERSE_TRANSFER] = [made]
    answer = sale.reverse(reason="wrong parcel", amount=300)
    assert (answer.status, answer.json["reversible"], answer.json["reversed"]) == (201, 600, 300)
    assert [(each["amount"], each["cause"]) for each in answer.json["reversals"]] == [(300, "wrong parcel")]
    assert sale.reverse(reason="wrong parcel", amount=300).json == answer.json
    read = sale.backend.send(OPERATOR, "GET", f"/transactions/{sale.id}").json
    assert [(share["received"], share["hold"]) for share in read["shares"]] == [(600, "by_hand")]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "more than is with the merchant": ({"reason": "x", "amount": 901}, "reversal-exceeds-rest"),
    "nothing": ({"reason": "x", "amount": 0}, "invalid-amount"),
    "less than nothing": ({"reason": "x", "amount": -1}, "invalid-amount"),
    "an amount in words": ({"reason": "x", "amount": "all"}, "invalid-request"),
    "no reason": ({"amount": 1}, "invalid-request"),
    "an empty reason": ({"reason": "\n"}, "invalid-request"),
    "a reason without end": ({"reason": "x" * 501}, "invalid-request"),
    "a currency": ({"reason": "x", "currency": "eur"}, "invalid-request"),
    "no key": ({"reason": "x", "key": None}, "idempotency-key-required"),
    "by the merchant": ({"reason": "x", "user": "merchant"}, "not-allowed"),
    "by a buyer": ({"reason": "x", "user": BUYER}, "not-allowed"),
    "of a transfer that is not there": ({"reason": "x", "of": "nonsense"}, "not-found"),
    "of Stripe's id": ({"reason": "x", "of": "tr_1"}, "not-found"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_taken_back_is_one_problem_and_changes_nothing(sale: Sale, case: str) -> None:
    fields, problem = WRONG[case]
    if fields.get("user") == "merchant":
        fields = {**fields, "user": merchant_user(sale.merchant)}
    before, asked = sale.backend.store.snapshot(), len(sale.backend.stripe.asked)
    assert sale.reverse(**fields).problem == problem
    assert (sale.backend.store.snapshot(), len(sale.backend.stripe.asked)) == (before, asked)


def test_stripe_s_no_is_one_problem_and_the_merchant_keeps_what_it_had(sale: Sale) -> None:
    sale.backend.stripe.answers[Operation.REVERSE_TRANSFER] = [Refusal("balance_insufficient")]
    assert sale.reverse(reason="x").problem == "stripe-refused"
    after = sale.backend.send(OPERATOR, "GET", f"/transfers/{sale.transfer['id']}").json
    assert (after["reversible"], after["reversed"]) == (900, 0)
    assert sale.backend.send(OPERATOR, "GET", f"/merchants/{sale.merchant}/debts").json["data"] == []
