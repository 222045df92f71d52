"""Subscriptions and invoices through their functions: who sees what, and each refusal one problem."""

from typing import Any

import pytest

from marketplace.domain.commands import Doubt
from marketplace.operations import Operation
from marketplace.ports import Done, NoAnswer, Refusal
from marketplace.services.events import take_in

from ..fakes import stripe
from .backend import BUYER, OPERATOR, SHOP, Answer, Backend, Context, User, merchant_user, stripe_event
from .test_process import message, process

BEN = User({"sub": "auth0|ben", "cognito:groups": "[buyer]"})
PAID_FOR = stripe.subscription(latest_invoice=stripe.invoice("paid", 1_000))
STRANGER = merchant_user("merchant-" + 26 * "0")


class Billing:
    """A merchant with a monthly price, and a buyer whom Stripe knows."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.merchant = backend.merchant()
        product = backend.send(OPERATOR, "POST", f"/merchants/{self.merchant}/products", {"name": "Tea"}).json
        body = {"unit_amount": 1_000, "currency": "usd", "recurring": {"interval": "month"}}
        self.price = str(backend.send(OPERATOR, "POST", f"/products/{product['id']}/prices", body).json["id"])
        backend.send(BUYER, "POST", "/customers", {}, key="c")

    def subscribe(self, user: User = BUYER, key: str | None = "s", **fields: Any) -> Answer:
        body = {
            "mode": "subscription", "line_items": [{"price": self.price, "quantity": 1}],
            "success_url": f"{SHOP}/thanks", "cancel_url": SHOP,
        }  # fmt: skip
        return self.backend.send(user, "POST", "/checkout/sessions", body | fields, key=key)

    def subscribed(self) -> str:
        """The id of a subscription that Stripe has told of."""
        subscription_id = str(self.subscribe().json["subscription_id"])
        made = stripe.subscription(metadata={"subscription_id": subscription_id})
        self.backend.stripe.answers[Operation.READ_SUBSCRIPTION] = [Done(made)]
        take_in(self.backend.ports_of("webhooks.process"), stripe_event("customer.subscription.created", made))
        return subscription_id

    def invoice(self, key: str = "i", **fields: Any) -> Answer:
        body = {
            "merchant_id": self.merchant, "customer_id": "buyer-1", "currency": "usd",
            "lines": [{"description": "A table", "unit_amount": 1_000}],
        }  # fmt: skip
        return self.backend.send(OPERATOR, "POST", "/invoices", body | fields, key=key)

    def ask(self, user: User, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        return self.backend.send(user, method, path, body, key=key)

    def asked(self, operation: Operation) -> list[Any]:
        return [each.params for each in self.backend.stripe.asked if each.operation is operation]


@pytest.fixture
def billing(backend: Backend) -> Billing:
    return Billing(backend)


def test_a_buyer_subscribes_to_a_price_and_the_merchant_is_named_as_destination(billing: Billing) -> None:
    made = billing.subscribe()
    assert (made.status, made.json["transaction_id"], made.json["status"]) == (201, None, "open")
    assert billing.subscribe().json == made.json
    (session,) = billing.asked(Operation.CREATE_CHECKOUT_SESSION)
    assert (session["mode"], session["customer"], len(session["line_items"])) == ("subscription", "cus_1", 1)
    terms = session["subscription_data"]
    assert (terms["application_fee_percent"], terms["transfer_data"]) == ("10", {"destination": "acct_1"})
    assert terms["metadata"]["subscription_id"] == made.json["subscription_id"]


def test_tax_and_a_discount_are_named_by_operators_and_stripe_is_told_nothing_of_the_split(billing: Billing) -> None:
    made = billing.ask(
        OPERATOR, "POST", "/coupons", {"name": "Tea", "percent_off": "10", "duration": "forever"}, key="d"
    )
    coupon = str(made.json["id"])
    named: dict[str, Any] = {"automatic_tax": True, "coupon_id": coupon, "customer_id": "buyer-1"}
    begun = billing.subscribe(OPERATOR, **named)
    assert begun.status == 201, begun.text
    (session,) = billing.asked(Operation.CREATE_CHECKOUT_SESSION)
    assert session["automatic_tax"] == {"enabled": True, "liability": {"type": "self"}}
    assert (session["discounts"], session["customer_update"]) == ([{"coupon": coupon}], {"address": "auto"})
    assert not {"application_fee_percent", "transfer_data"} & set(session["subscription_data"])
    shown = billing.ask(OPERATOR, "GET", f"/subscriptions/{begun.json['subscription_id']}").json
    assert (shown["automatic_tax"], shown["coupon_id"], shown["promotion_code"]) == (True, coupon, None)
    both: dict[str, Any] = {"coupon_id": coupon, "allow_promotion_codes": True, "customer_id": "buyer-1"}
    assert billing.subscribe(OPERATOR, key="b", **both).problem == "combination-refused"
    assert billing.subscribe(key="e", automatic_tax=True).problem == "not-allowed"
    assert billing.subscribe(key="f", promotion_code="TEA").problem == "not-found"
    assert billing.subscribe(key="g", tax_liability="merchant").problem == "not-allowed"
    remitted: dict[str, Any] = {"automatic_tax": True, "tax_liability": "merchant", "customer_id": "buyer-1"}
    assert billing.subscribe(OPERATOR, key="h", **remitted).status == 201
    liability = billing.asked(Operation.CREATE_CHECKOUT_SESSION)[-1]["automatic_tax"]["liability"]
    assert (liability["type"], liability["account"][:5]) == ("account", "acct_")
    assert billing.invoice(automatic_tax=True, tax_liability="merchant", key="i").status == 201
    assert billing.asked(Operation.CREATE_INVOICE)[-1]["automatic_tax"] == {"enabled": True, "liability": liability}


def test_an_invoice_with_tax_and_a_discount_is_told_no_fee(billing: Billing) -> None:
    made = billing.ask(OPERATOR, "POST", "/coupons", {"name": "Tea", "percent_off": "10"}, key="d")
    coupon = str(made.json["id"])
    lines = [{"description": "A table", "unit_amount": 500, "quantity": 2, "tax_behavior": "inclusive"}]
    billed = billing.invoice(automatic_tax=True, coupon_id=coupon, lines=lines)
    assert billed.status == 201, billed.text
    (asked,) = billing.asked(Operation.CREATE_INVOICE)
    assert asked["automatic_tax"] == {"enabled": True, "liability": {"type": "self"}}
    assert asked["discounts"] == [{"coupon": coupon}]
    (line,) = billing.asked(Operation.ADD_INVOICE_LINES)[0]["lines"]
    assert (line["quantity"], line["price_data"]) == (
        2,
        {"currency": "usd", "unit_amount": 500, "product_data": {"name": "A table"}, "tax_behavior": "inclusive"},
    )
    assert billing.asked(Operation.UPDATE_INVOICE) == []
    shown = billing.ask(OPERATOR, "GET", f"/invoices/{billed.json['id']}").json
    assert (shown["coupon_id"], shown["lines"][0]["tax_behavior"]) == (coupon, "inclusive")
    assert {"subtotal", "discount", "tax", "total"} <= set(shown)


AMOUNT = {"name": "x", "unit_amount": 1, "currency": "usd", "quantity": 1}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "two lines": ({"line_items": [{"price": "price-1", "quantity": 1}] * 2}, "invalid-basket"),
    "an amount": (
        {"line_items": [{"name": "x", "unit_amount": 1, "currency": "usd", "quantity": 1}]},
        "invalid-basket",
    ),
    "a price that is not there": ({"line_items": [{"price": "price-1", "quantity": 1}]}, "not-found"),
    "a hold": ({"hold": True}, "invalid-request"),
    "a trial for a buyer": ({"trial_days": 3}, "not-allowed"),
    "another site": ({"success_url": "https://elsewhere.example"}, "invalid-return-url"),
    "no key": ({"key": None}, "idempotency-key-required"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_subscription_is_refused(billing: Billing, case: str) -> None:
    fields, problem = WRONG[case]
    assert billing.subscribe(**fields).problem == problem
    assert billing.asked(Operation.CREATE_CHECKOUT_SESSION) == []


def test_a_subscription_is_seen_by_whose_it_is(billing: Billing) -> None:
    path = f"/subscriptions/{billing.subscribed()}"
    for user in (OPERATOR, merchant_user(billing.merchant), BUYER):
        read = billing.ask(user, "GET", path).json
        assert (read["status"], read["unit_amount"], read["stripe_subscription_id"]) == ("active", 1_000, "sub_1")
        assert (read["fee_policy"] is None) is (user is BUYER)
        listed = billing.ask(user, "GET", "/subscriptions") if user is not OPERATOR else None
        assert listed is None or [each["id"] for each in listed.json["data"]] == [read["id"]]
    for user in (BEN, STRANGER):
        assert billing.ask(user, "GET", path).problem == "not-found"
        assert billing.ask(user, "GET", "/subscriptions").json["data"] == []
    assert billing.ask(OPERATOR, "GET", "/subscriptions").problem == "filter-required"


def test_a_change_is_previewed_and_made_once(billing: Billing) -> None:
    path = f"/subscriptions/{billing.subscribed()}"
    shown = billing.ask(BUYER, "POST", f"{path}/preview", {"quantity": 3}).json
    assert (shown["total"], len(shown["lines"])) == (1_000, 1)
    change = {"quantity": 3, "prorated_at": shown["prorated_at"]}
    made = billing.ask(BUYER, "PATCH", path, change, key="k")
    assert made.status == 200, made.text
    assert billing.ask(BUYER, "PATCH", path, change, key="k").json == made.json
    (asked,) = billing.asked(Operation.UPDATE_SUBSCRIPTION)
    assert (asked["items"], asked["proration_behavior"]) == ([{"id": "si_1", "quantity": 3}], "create_prorations")
    credit = stripe.invoice(total=-500)
    billing.backend.stripe.answers[Operation.PREVIEW_INVOICE] = [Done(credit)]
    assert billing.ask(BUYER, "PATCH", path, {"quantity": 1}, key="l").problem == "credit-exceeds-invoice"
    assert billing.ask(BUYER, "PATCH", path, {}, key="m").problem == "invalid-request"
    assert billing.ask(merchant_user(billing.merchant), "PATCH", path, change, key="n").problem == "not-allowed"


@pytest.mark.parametrize("status", ["unpaid", "incomplete", "paused"])
def test_what_a_subscription_is_to_changes_only_while_it_is_collected(billing: Billing, status: str) -> None:
    subscription_id = billing.subscribed()
    now = stripe.subscription(status=status, metadata={"subscription_id": subscription_id})
    billing.backend.stripe.answers[Operation.READ_SUBSCRIPTION] = [Done(now)]
    take_in(billing.backend.ports_of("webhooks.process"), stripe_event("customer.subscription.updated", now, "evt_2"))
    answer = billing.ask(BUYER, "PATCH", f"/subscriptions/{subscription_id}", {"quantity": 3}, key="k")
    assert answer.problem == "subscription-not-changeable"
    assert billing.asked(Operation.UPDATE_SUBSCRIPTION) == []


def test_moments_are_taken_in_every_time_zone_and_shown_in_utc(billing: Billing) -> None:
    path, there = f"/subscriptions/{billing.subscribed()}", "2026-11-24T01:30:00+02:00"
    shown = billing.ask(BUYER, "POST", f"{path}/preview", {"quantity": 3, "prorated_at": there}).json
    assert shown["prorated_at"] == "2026-11-23T23:30:00Z"
    for prorated_at in (there, shown["prorated_at"]):
        change = {"quantity": 3, "prorated_at": prorated_at}
        assert billing.ask(BUYER, "PATCH", path, change, key=prorated_at).status == 200
    pause = {"resumes_at": "2027-03-28T03:00:00+02:00"}  # the first moment of summer time in Berlin
    assert billing.ask(OPERATOR, "POST", f"{path}/pause", pause, key="p").status == 200
    first, second, paused = billing.asked(Operation.UPDATE_SUBSCRIPTION)
    assert first["proration_date"] == second["proration_date"] == 1_795_476_600
    assert paused["pause_collection"]["resumes_at"] == 1_806_195_600
    for naive in ("2026-11-24T01:30:00", "2026-11-24"):
        change = {"quantity": 3, "prorated_at": naive}
        assert billing.ask(BUYER, "PATCH", path, change, key=naive).problem == "invalid-request"


def test_a_subscription_is_paused_resumed_and_ended(billing: Billing) -> None:
    path = f"/subscriptions/{billing.subscribed()}"
    seller = merchant_user(billing.merchant)
    paused = {"behavior": "void", "resumes_at": "2027-01-01T00:00:00Z"}
    assert billing.ask(seller, "POST", f"{path}/pause", paused, key="p").status == 200
    assert billing.ask(BUYER, "POST", f"{path}/pause", {}, key="q").problem == "not-allowed"
    assert billing.ask(BUYER, "POST", f"{path}/resume", key="r").status == 200
    assert billing.ask(seller, "POST", f"{path}/resume", key="s").status == 200
    assert billing.ask(BUYER, "POST", f"{path}/cancel", {}, key="t").status == 200
    asked = [{**each, "metadata": None} for each in billing.asked(Operation.UPDATE_SUBSCRIPTION)]
    assert asked == [
        {"pause_collection": {"behavior": "void", "resumes_at": 1_798_761_600}, "metadata": None},
        {"cancel_at_period_end": False, "metadata": None},
        {"pause_collection": "", "metadata": None},
        {"cancel_at_period_end": True, "metadata": None},
    ]
    rest = {"at": "period_end", "prorate": True}
    assert billing.ask(BUYER, "POST", f"{path}/cancel", rest, key="u").problem == "invalid-request"
    billing.backend.stripe.answers[Operation.READ_SUBSCRIPTION] = [Done(stripe.subscription(status="canceled"))]
    ended = billing.ask(BUYER, "POST", f"{path}/cancel", {"at": "now"}, key="v")
    assert (ended.json["status"], ended.json["waits_for"]) == ("canceled", None)
    assert billing.ask(BUYER, "POST", f"{path}/cancel", {}, key="w").problem == "subscription-not-changeable"


def test_the_invoices_of_a_subscription_have_their_links(billing: Billing) -> None:
    path = f"/subscriptions/{billing.subscribed()}/invoices"
    page = {"data": [stripe.invoice("paid", 1_000), stripe.invoice()], "has_more": True}
    billing.backend.stripe.answers[Operation.LIST_INVOICES] = [Done(page), Done(page)]
    found = billing.ask(BUYER, "GET", path).json
    assert [(each["invoice_number"], each["status"]) for each in found["data"]] == [("A-0001", "paid")]
    assert found["data"][0]["invoice_pdf"]
    assert found["data"][0]["transaction_id"].startswith("transaction-")
    assert found["cursor"] == "in_1"
    assert len(billing.ask(OPERATOR, "GET", path).json["data"]) == 2
    assert billing.ask(BEN, "GET", path).problem == "not-found"


def test_an_invoice_is_made_finalized_and_paid_by_an_operator(billing: Billing) -> None:
    made = billing.invoice()
    assert (made.status, made.json["status"], made.json["total"]) == (201, "draft", 1_000)
    assert billing.invoice().json == made.json
    (told,) = billing.asked(Operation.UPDATE_INVOICE)
    assert (told["application_fee_amount"], told["transfer_data"]) == (100, {"destination": "acct_1"})
    path = f"/invoices/{made.json['id']}"
    assert billing.ask(BUYER, "GET", path).problem == "not-found"
    named = stripe.invoice("open", 1_000, metadata={"invoice_id": made.json["id"]})
    billing.backend.stripe.answers[Operation.READ_INVOICE] = [Done(named)] * 2
    assert billing.ask(OPERATOR, "POST", f"{path}/finalize", key="f").json["status"] == "open"
    shown = billing.ask(BUYER, "GET", path).json
    assert (shown["invoice_number"], shown["fee_policy"]) == ("A-0001", None)
    assert shown["hosted_invoice_url"]
    elsewhere = stripe.invoice("paid", 1_000, amount_paid_off_stripe=1_000)
    billing.backend.stripe.answers[Operation.READ_INVOICE] = [Done(elsewhere)] * 2
    paid = billing.ask(OPERATOR, "POST", f"{path}/pay", {"paid_elsewhere": True}, key="p").json
    assert (paid["status"], paid["is_paid_elsewhere"], paid["transaction_id"]) == ("paid", True, None)
    assert billing.ask(OPERATOR, "POST", f"{path}/void", key="v").problem == "invoice-not-changeable"
    note = billing.ask(OPERATOR, "POST", f"{path}/credit-notes", {"amount": 400}, key="n").json
    assert (note["credit_note_id"], note["amount"]) == ("cn_1", 400)
    assert billing.asked(Operation.CREATE_CREDIT_NOTE)[0]["out_of_band_amount"] == 400


def test_a_decline_is_told_by_its_code(billing: Billing) -> None:
    path = f"/invoices/{billing.invoice().json['id']}"
    billing.ask(OPERATOR, "POST", f"{path}/finalize", key="f")
    billing.backend.stripe.answers[Operation.PAY_INVOICE] = [Refusal("card_declined")]
    refused = billing.ask(OPERATOR, "POST", f"{path}/pay", {}, key="p")
    assert refused.problem == "stripe-refused"
    assert "card_declined" in refused.json["detail"]


NO_INVOICE: dict[str, tuple[dict[str, Any], str]] = {
    "no lines": ({"lines": []}, "invalid-basket"),
    "nothing": ({"lines": [{"description": "x", "unit_amount": 0}]}, "invalid-amount"),
    "a fee over it": ({"application_fee_amount": 1_001}, "fee-exceeds-amount"),
    "another's": ({"merchant_id": "merchant-" + 26 * "0"}, "not-found"),
    "to nobody": ({"customer_id": "auth0|nobody"}, "not-found"),
    "a currency that the merchant does not take": ({"currency": "eur"}, "currency-not-accepted"),
    "due yesterday": ({"due_date": "2020-01-01T00:00:00Z"}, "invalid-basket"),
}


@pytest.mark.parametrize("case", NO_INVOICE)
def test_what_is_no_invoice_is_refused(billing: Billing, case: str) -> None:
    fields, problem = NO_INVOICE[case]
    assert billing.invoice(**fields).problem == problem
    assert billing.asked(Operation.CREATE_INVOICE) == []


def test_the_portal_is_one_configuration_and_a_link_for_its_customer_alone(billing: Billing) -> None:
    path, back = "/customers/buyer-1/billing-portal-sessions", {"return_url": f"{SHOP}/account"}
    made = billing.ask(BUYER, "POST", path, back)
    assert (made.status, made.json) == (201, {"url": "https://billing.stripe.com/p/session/secret"})
    (configuration,) = billing.asked(Operation.CREATE_PORTAL_CONFIGURATION)
    assert configuration["features"]["subscription_cancel"]["mode"] == "at_period_end"
    assert configuration["features"]["subscription_update"] == {"enabled": False}
    known = {"data": [{"id": "bpc_1", "metadata": configuration["metadata"]}], "has_more": False}
    billing.backend.stripe.answers[Operation.LIST_PORTAL_CONFIGURATIONS] = [Done(known)]
    assert billing.ask(OPERATOR, "POST", path, back).status == 201
    assert len(billing.asked(Operation.CREATE_PORTAL_CONFIGURATION)) == 1
    assert [each["configuration"] for each in billing.asked(Operation.CREATE_PORTAL_SESSION)] == ["bpc_1"] * 2
    assert billing.ask(BEN, "POST", path, back).problem == "not-found"
    elsewhere = {"return_url": "https://elsewhere.example"}
    assert billing.ask(BUYER, "POST", path, elsewhere).problem == "invalid-return-url"


def test_time_that_was_paid_is_refunded_by_the_sweep_where_the_cancellation_died(billing: Billing) -> None:
    backend, subscription_id = billing.backend, billing.subscribed()
    backend.stripe.answers[Operation.PREVIEW_INVOICE] = [Done(stripe.invoice(total=-400))]
    backend.stripe.answers[Operation.READ_SUBSCRIPTION] = [Done(PAID_FOR)]
    backend.stripe.answers[Operation.CANCEL_SUBSCRIPTION] = [NoAnswer(Doubt.NO_ANSWER)]
    path = f"/subscriptions/{subscription_id}/cancel"
    assert billing.ask(BUYER, "POST", path, {"at": "now", "prorate": True}, key="c").problem == "outcome-unknown"
    ended = stripe.subscription(status="canceled", latest_invoice=None)
    backend.stripe.answers[Operation.READ_SUBSCRIPTION] = [Done(ended)] * 9
    for _ in range(3):
        backend.wait(120)
        backend.modules["schedules.sweep"].handler({}, Context())
    read = billing.ask(BUYER, "GET", f"/subscriptions/{subscription_id}").json
    assert (read["status"], read["refund_due"]) == ("canceled", 0)


def test_a_cancellation_with_a_refund_and_without_an_invoice_to_refund_ends_all_the_same(billing: Billing) -> None:
    path = f"/subscriptions/{billing.subscribed()}/cancel"
    billing.backend.stripe.answers[Operation.PREVIEW_INVOICE] = [Done(stripe.invoice(total=-400))]
    ended = stripe.subscription(status="canceled")
    billing.backend.stripe.answers[Operation.READ_SUBSCRIPTION] = [Done(PAID_FOR), Done(ended)]
    answer = billing.ask(BUYER, "POST", path, {"at": "now", "prorate": True}, key="c")
    assert (answer.json["status"], answer.json["refund_due"]) == ("canceled", 0)


def test_the_list_of_a_customer_is_an_operator_s_too(billing: Billing) -> None:
    made = billing.invoice().json
    for path in ("/invoices", "/subscriptions"):
        for query in ({"customer_id": "buyer-1"}, {"merchant_id": billing.merchant}):
            found = billing.backend.send(OPERATOR, "GET", path, query=query).json["data"]
            assert [each["id"] for each in found] == ([made["id"]] if path == "/invoices" else [])


def test_a_charge_that_names_no_sale_is_looked_for_by_its_id(billing: Billing) -> None:
    charge = {
        "id": "ch_9", "object": "charge", "status": "succeeded", "captured": True, "amount_captured": 1_000,
        "created": 1_795_422_397, "payment_intent": "pi_9", "metadata": {},
    }  # fmt: skip
    assert process(billing.backend, message(stripe_event("charge.updated", charge))) == []


def paid_with(**intent: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An invoice that was paid, and its PaymentIntent with the charge."""
    payments = {"data": [{"status": "paid", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]}
    charge = {
        "id": "ch_1", "object": "charge", "status": "succeeded", "captured": True, "amount_captured": 1_000,
        "created": 1_795_422_397, "payment_intent": "pi_1", "balance_transaction": "txn_1", "metadata": {},
    }  # fmt: skip
    made = stripe.payment_intent(latest_charge=charge, **intent)
    return stripe.invoice("paid", 1_000, payments=payments), made


def test_an_invoice_that_is_paid_is_a_sale_whose_share_is_sent(billing: Billing) -> None:
    path = f"/invoices/{billing.invoice().json['id']}"
    billing.ask(OPERATOR, "POST", f"{path}/finalize", key="f")
    paid, intent = paid_with()
    answers = billing.backend.stripe.answers
    answers[Operation.READ_INVOICE] = [Done(paid)] * 2
    answers[Operation.READ_PAYMENT_INTENT] = [Done(intent)]
    answers[Operation.CREATE_TRANSFER] = [
        Done({"id": "tr_1", "amount": 900, "created": stripe.SECOND, "destination_payment": "py_1"})
    ]
    answer = billing.ask(OPERATOR, "POST", f"{path}/pay", {"payment_method_id": "pm_1"}, key="p")
    assert answer.status == 200, answer.text
    sale = answer.json["transaction_id"]
    books = billing.backend.books(sale)
    assert (books.payment.captured, books.shares[billing.merchant].had) == (1_000, 900)
    (sent,) = billing.asked(Operation.CREATE_TRANSFER)
    assert (sent["amount"], sent["source_transaction"]) == (900, "ch_1")


def test_the_time_that_is_left_of_a_paid_invoice_is_refunded(billing: Billing) -> None:
    subscription_id = billing.subscribed()
    paid, intent = paid_with(transfer_data={"destination": "acct_1"}, application_fee_amount=100)
    details = {"subscription": "sub_1", "metadata": {"subscription_id": subscription_id}}
    paid["parent"] = {"type": "subscription_details", "subscription_details": details}
    answers = billing.backend.stripe.answers
    answers[Operation.READ_INVOICE] = [Done(paid)]
    answers[Operation.READ_PAYMENT_INTENT] = [Done(intent)]
    assert process(billing.backend, message(stripe_event("invoice.paid", paid, "evt_paid"))) == []
    answers[Operation.PREVIEW_INVOICE] = [Done(stripe.invoice(total=-400))]
    answers[Operation.READ_SUBSCRIPTION] = [Done(PAID_FOR), Done(stripe.subscription(status="canceled"))]
    path = f"/subscriptions/{subscription_id}/cancel"
    assert billing.ask(BUYER, "POST", path, {"at": "now", "prorate": True}, key="c").json["refund_due"] == 0
    assert [each["amount"] for each in billing.asked(Operation.CREATE_REFUND)] == [400]
