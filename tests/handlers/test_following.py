"""What is rarely asked of Stripe, most of it because it follows in a commit: each by the function whose key may.

The other files of this folder have the usual; test_rights.py holds both against the keys.
"""

from typing import Any

import pytest

from marketplace.domain.payment_templates import PaymentTemplate
from marketplace.domain.policies import MoneyPolicy, Shortfall
from marketplace.domain.responsibilities import AccountPolicy, AccountsApi
from marketplace.operations import Operation
from marketplace.ports import Done
from marketplace.services.events import take_in

from ..fakes import stripe
from .backend import OPERATOR, SHOP, Answer, Backend, Context, stripe_event
from .test_billing import Billing, paid_with
from .test_reconcile_and_audit import topup

VAT = {"country": "DE", "jurisdiction_level": "country", "tax_type": "vat", "percentage": 19.0, "inclusive": True}
SENT = {"id": "tr_1", "amount": 900, "created": stripe.SECOND, "destination_payment": "py_1"}


class House:
    """Functions under a policy of their own, and the sales that a test begins with."""

    def __init__(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        self.backend = backend
        self.answers = backend.stripe.answers
        self._patch = monkeypatch

    def decides(self, function: str, **policy: Any) -> None:
        """The operator's policy, as one function is told of it."""
        module = self.backend.modules[function]
        decided = module.ports.policy._replace(**policy)
        self._patch.setattr(module, "ports", module.ports._replace(policy=decided))

    def paid(self, merchant: str, **fields: Any) -> str:
        """A separate charge of 10.00 that has settled."""
        item = {"name": "Cup", "unit_amount": 1_000, "currency": "usd", "quantity": 1}
        basket = {"line_items": [item], "success_url": SHOP, "cancel_url": SHOP, "merchant_id": merchant, **fields}
        made = self.backend.send(OPERATOR, "POST", "/checkout/sessions", basket, key="sale")
        assert made.status == 201, made.text
        sale = str(made.json["transaction_id"])
        charge = {
            "id": "ch_1", "object": "charge", "status": "succeeded", "captured": True, "amount_captured": 1_000,
            "created": stripe.SECOND, "payment_intent": "pi_1", "balance_transaction": "txn_1",
            "metadata": {"transaction_id": sale},
        }  # fmt: skip
        take_in(self.backend.ports_of("webhooks.process"), stripe_event("charge.succeeded", charge))
        assert self.backend.books(sale).payment.is_settled
        return sale

    def act(self, sale: str, act: str, **body: Any) -> Answer:
        return self.backend.send(OPERATOR, "POST", f"/transactions/{sale}/{act}", body, key=act)

    def asked(self, operation: Operation) -> list[stripe.Asked]:
        return [each for each in self.backend.stripe.asked if each.operation is operation]


@pytest.fixture
def house(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(backend, monkeypatch)


def test_a_release_tells_the_merchant_s_own_payment_what_the_template_says(house: House) -> None:
    sale = house.paid(house.backend.merchant(), hold=True)
    house.decides("payments.app", template=PaymentTemplate(description="Order {transaction_id}"))
    house.answers[Operation.CREATE_TRANSFER] = [Done(SENT)]
    house.answers[Operation.UPDATE_CHARGE] = [Done({"id": "py_1"})]
    assert house.act(sale, "release").status == 200
    (told,) = house.asked(Operation.UPDATE_CHARGE)
    assert (told.ids, told.account, told.params) == (("py_1",), "acct_1", {"description": f"Order {sale}"})


def test_a_refund_of_a_line_of_a_taxed_sale_reads_what_was_paid_for_it(house: House) -> None:
    line = {
        "amount_subtotal": 1_000, "amount_discount": 0, "amount_total": 1_000, "quantity": 1, "discounts": [],
        "taxes": [{"amount": 160, "rate": VAT}], "metadata": {"line": "0"},
    }  # fmt: skip
    page = Done({"object": "list", "data": [line], "has_more": False})
    house.answers[Operation.LIST_CHECKOUT_SESSIONS] = [Done({"data": [stripe.session()], "has_more": False})] * 2
    house.answers[Operation.LIST_SESSION_LINE_ITEMS] = [page, page]
    sale = house.paid(house.backend.merchant(), automatic_tax=True, hold=True)
    read = len(house.asked(Operation.LIST_SESSION_LINE_ITEMS))
    refund = house.act(sale, "refunds", line_items=[{"line": 0}])
    assert (refund.status, refund.json["amount"]) == (201, 1_000)
    assert len(house.asked(Operation.LIST_SESSION_LINE_ITEMS)) == read + 1


def test_a_refund_that_must_be_covered_reads_the_merchant_s_balance(house: House) -> None:
    house.decides("refunds.app", money=MoneyPolicy(shortfall=Shortfall.REFUSE))
    sale = house.backend.paid_sale(house.backend.merchant())
    house.answers[Operation.READ_BALANCE] = [Done({"available": [{"amount": 1, "currency": "usd"}], "pending": []})]
    assert house.act(sale, "refunds").problem == "merchant-short"
    (read,) = house.asked(Operation.READ_BALANCE)
    assert read.account == "acct_1"


def test_who_has_a_taxed_invoice_paid_reads_its_rates_sends_the_share_and_describes_it(house: House) -> None:
    billing = Billing(house.backend)
    path = f"/invoices/{billing.invoice(automatic_tax=True).json['id']}"
    billing.ask(OPERATOR, "POST", f"{path}/finalize", key="f")
    house.decides("invoices.app", template=PaymentTemplate(description="Invoice"))
    paid, intent = paid_with()
    tax = {"amount": 160, "tax_behavior": "inclusive", "tax_rate_details": {"tax_rate": "txr_1"}}
    line = {"amount": 1_000, "subtotal": 1_000, "quantity": 1, "description": "Tea", "taxes": [tax]}
    paid |= {"lines": {"data": [line], "has_more": False}, "total_taxes": [tax], "automatic_tax": {"enabled": True}}
    house.answers[Operation.READ_INVOICE] = [Done(paid)] * 3
    house.answers[Operation.READ_PAYMENT_INTENT] = [Done(intent)]
    house.answers[Operation.READ_TAX_RATE] = [Done({"id": "txr_1", **VAT})]
    house.answers[Operation.CREATE_TRANSFER] = [Done(SENT)]
    house.answers[Operation.UPDATE_CHARGE] = [Done({"id": "py_1"})]
    answer = billing.ask(OPERATOR, "POST", f"{path}/pay", {"payment_method_id": "pm_1"}, key="p")
    assert answer.status == 200, answer.text
    (share,) = house.backend.books(answer.json["transaction_id"]).shares.values()
    assert share.taxes == {"de.country.vat": 160}
    (told,) = house.asked(Operation.UPDATE_CHARGE)
    assert (told.ids, told.account) == (("py_1",), "acct_1")


def test_a_merchant_of_a_platform_on_api_v1_is_made_and_onboarded_there(house: House) -> None:
    house.decides("merchants.app", accounts=AccountPolicy(api=AccountsApi.V1))
    account = {"id": "acct_1", "object": "account", "payouts_enabled": False}
    house.answers[Operation.CREATE_V1_ACCOUNT] = [Done(account)]
    house.answers[Operation.CREATE_V1_ACCOUNT_LINK] = [Done({"url": "https://connect.stripe.com/setup/e/1"})]
    path = f"/merchants/{house.backend.merchant()}/onboarding-links"
    assert house.backend.send(OPERATOR, "POST", path, {"return_url": SHOP}).status == 201
    assert [each.params["account"] for each in house.asked(Operation.CREATE_V1_ACCOUNT_LINK)] == ["acct_1"]
    assert house.asked(Operation.CREATE_ACCOUNT) == []


def test_whom_the_platform_has_paid_is_reconciled_too(house: House) -> None:
    source = {"id": "tr_1", "object": "transfer", "destination": "acct_1", "metadata": {}}
    line = {**topup(-900), "type": "transfer", "reporting_category": "transfer", "source": source}
    house.answers[Operation.LIST_BALANCE_TRANSACTIONS] = [Done({"data": [line], "has_more": False})]
    house.backend.modules["schedules.reconcile"].handler({}, Context(left_ms=500_000))
    assert [each.account for each in house.asked(Operation.LIST_BALANCE_TRANSACTIONS)] == [None, "acct_1"]
