"""Checkout Sessions in mode subscription: it begins after the payment, and its first invoice is paid by that."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .conftest import START
from .paying import assert_exact, heard, listen, refused
from .shop import SUCCESS, line, ready_seller, submit
from .test_catalog import assert_whole

CARD = {"card": "4242424242424242"}
DAY = 24 * 3_600


def monthly(amount: int = 2_000, *, quantity: int = 1) -> dict[str, Any]:
    """A line item that recurs, described on the spot."""
    item = line(amount, quantity=quantity, name="Tea club")
    item["price_data"]["recurring"] = {"interval": "month"}
    return item


def new_club(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    params: Any = {"mode": "subscription", "success_url": SUCCESS, "line_items": [monthly()], **more}
    return client.v1.checkout.sessions.create(params)


def latest(client: stripe.StripeClient, session: str) -> dict[str, Any]:
    expand: Any = {"expand": ["subscription", "invoice.payments", "customer"]}
    found: dict[str, Any] = client.v1.checkout.sessions.retrieve(session, expand).to_dict()
    return found


def test_a_subscription_begins_when_it_is_paid(simulator: Simulator, client: stripe.StripeClient) -> None:
    data: Any = {"description": "The club", "metadata": {"level": "gold"}}
    session = new_club(client, line_items=[line(500, name="Pot"), monthly(quantity=2)], subscription_data=data)
    assert_whole(session, but=("redirect_on_completion",))
    assert (session.amount_total, session.payment_intent, session.subscription) == (4_500, None, None)
    assert session.payment_method_collection == "always"
    listen(simulator)
    assert submit(simulator, session.id, **CARD, email="ann@b.test").status == 303
    kinds = ("customer.sub", "invoice", "payment_intent", "checkout")
    assert [each for each in heard(simulator) if each.startswith(kinds)] == [
        *("payment_intent.created", "payment_intent.succeeded", "customer.subscription.created", "invoice.created"),
        *("invoice.finalized", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"),
        *("customer.subscription.updated", "invoice_payment.paid", "checkout.session.completed"),
    ]
    done = latest(client, session.id)
    assert (done["status"], done["payment_status"], done["payment_intent"]) == ("complete", "paid", None)
    subscription, invoice = done["subscription"], done["invoice"]
    assert (subscription["status"], subscription["description"]) == ("active", "The club")
    assert (subscription["metadata"], done["customer"]["email"]) == ({"level": "gold"}, "ann@b.test")
    assert [each["quantity"] for each in subscription["items"]["data"]] == [2]
    assert (invoice["status"], invoice["amount_paid"], invoice["billing_reason"]) == (
        *("paid", 4_500),
        "subscription_create",
    )
    assert [each["amount"] for each in invoice["lines"]["data"]] == [4_000, 500]
    (paid,) = invoice["payments"]["data"]
    (intent,) = client.v1.payment_intents.list().data
    assert (paid["payment"]["payment_intent"], paid["status"]) == (intent.id, "paid")
    (saved,) = client.v1.customers.payment_methods.list(done["customer"]["id"]).data
    assert (subscription["default_payment_method"], saved.allow_redisplay) == (saved.id, "limited")
    assert [each.id for each in client.v1.checkout.sessions.list({"subscription": subscription["id"]}).data] == [
        session.id
    ]
    assert_exact(simulator)


def test_a_renewal_is_paid_with_what_was_saved(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_club(client)
    submit(simulator, session.id, **CARD)
    simulator.advance(32 * DAY)
    invoices = client.v1.invoices.list({"subscription": latest(client, session.id)["subscription"]["id"]}).data
    assert [(each.billing_reason, each.status, each.amount_paid) for each in invoices] == [
        ("subscription_cycle", "paid", 2_000),
        ("subscription_create", "paid", 2_000),
    ]
    assert_exact(simulator)


def test_a_declined_buyer_has_no_subscription_yet(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_club(client)
    assert submit(simulator, session.id, card="4000000000000002").status == 402
    assert client.v1.subscriptions.list().data == []
    challenged = submit(simulator, session.id, card="4000002760003184").headers["Location"]
    assert client.v1.subscriptions.list().data == []
    simulator.request("POST", challenged, {"action": "complete"})
    assert latest(client, session.id)["subscription"]["status"] == "active"
    assert len(client.v1.payment_intents.list().data) == 1


def test_a_trial_costs_nothing_and_keeps_the_card(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_club(client, subscription_data={"trial_period_days": 7})
    assert (session.amount_total, session.payment_status) == (0, "no_payment_required")
    assert b"by card" in simulator.request("GET", f"/c/pay/{session.id}").body
    assert submit(simulator, session.id, card="4000000000000002").status == 402
    submit(simulator, session.id, **CARD)
    done = latest(client, session.id)
    subscription = done["subscription"]
    assert (subscription["status"], subscription["trial_end"]) == ("trialing", START + 7 * DAY)
    assert (done["payment_status"], done["invoice"]["amount_due"]) == ("no_payment_required", 0)
    assert subscription["default_payment_method"]
    simulator.advance(8 * DAY)
    renewed = client.v1.subscriptions.retrieve(subscription["id"])
    assert renewed.status == "active"
    assert [each.amount for each in client.v1.charges.list().data] == [2_000]


def test_a_trial_needs_no_card_where_none_is_collected(simulator: Simulator, client: stripe.StripeClient) -> None:
    end: Any = {"trial_period_days": 3, "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}}
    session = new_club(client, subscription_data=end, payment_method_collection="if_required")
    assert submit(simulator, session.id, method="none").status == 303
    done = latest(client, session.id)
    assert (done["subscription"]["status"], done["subscription"]["default_payment_method"]) == ("trialing", None)
    simulator.advance(4 * DAY)
    assert client.v1.subscriptions.retrieve(done["subscription"]["id"]).status == "canceled"


def test_a_pot_is_paid_for_while_the_club_is_on_trial(simulator: Simulator, client: stripe.StripeClient) -> None:
    items = [monthly(), line(500, name="Pot")]
    session = new_club(client, line_items=items, subscription_data={"trial_period_days": 7})
    assert session.amount_total == 500
    submit(simulator, session.id, **CARD)
    done = latest(client, session.id)
    assert (done["invoice"]["amount_paid"], done["subscription"]["status"]) == (500, "trialing")
    assert_exact(simulator)


def test_the_seller_gets_his_part_of_the_first_payment(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    data: Any = {"transfer_data": {"destination": seller}, "application_fee_percent": 12.5}
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"}).id
    session = new_club(client, line_items=[monthly(1_001)], subscription_data=data, discounts=[{"coupon": coupon}])
    submit(simulator, session.id, **CARD)
    simulator.run_due()
    (transfer,) = client.v1.transfers.list().data
    (fee,) = client.v1.application_fees.list().data
    due = 1_001 - 501  # half of it, to the half up
    assert (transfer.amount, fee.amount) == (due, 63)  # 62.5
    subscription = latest(client, session.id)["subscription"]
    assert (subscription["application_fee_percent"], len(subscription["discounts"])) == (12.5, 1)
    simulator.advance(32 * DAY)
    assert [each.amount for each in client.v1.transfers.list().data] == [1_001, due]
    assert_exact(simulator)


def test_taxes_of_the_first_invoice_are_those_of_the_session(simulator: Simulator, client: stripe.StripeClient) -> None:
    on_top, inside = (
        client.v1.tax_rates.create({"display_name": "VAT", "inclusive": inclusive, "percentage": 7.7}).id
        for inclusive in (False, True)
    )
    items = [{**line(333, name="Pot"), "tax_rates": [inside]}, monthly(1_999)]
    session = new_club(client, line_items=items, subscription_data={"default_tax_rates": [on_top]})
    assert session.amount_total == 333 + 1_999 + 154  # 153.923
    submit(simulator, session.id, **CARD)
    done = latest(client, session.id)
    invoice = done["invoice"]
    assert (invoice["total"], invoice["status"]) == (done["amount_total"], "paid")
    tax = sum(each["amount"] for each in invoice["total_taxes"])
    assert tax == done["total_details"]["amount_tax"] == 154 + 24  # 23.807 of 333
    shown = client.v1.checkout.sessions.line_items.list(session.id).data
    assert [each.description for each in shown] == ["Pot", "Tea club"]


def test_a_cent_falls_on_the_same_line_here_and_on_the_invoice(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    high, low = (
        client.v1.tax_rates.create({"display_name": "VAT", "inclusive": False, "percentage": percentage}).id
        for percentage in (19, 7.7)
    )
    coupon = client.v1.coupons.create({"amount_off": 101, "currency": "usd"}).id
    items = [{**line(100, name="Pot"), "tax_rates": [high]}, {**monthly(100), "tax_rates": [low]}]
    session = new_club(client, line_items=items, discounts=[{"coupon": coupon}])
    # what recurs is first on an invoice and has the odd cent off: 49 and 3.773 of it, 50 and 9.5 of it
    assert session.amount_total == 49 + 4 + 50 + 10
    submit(simulator, session.id, **CARD)
    assert latest(client, session.id)["invoice"]["total"] == 113


def test_what_else_a_customer_owes_is_not_on_the_first_invoice(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"email": "ann@b.test"}).id
    client.v1.invoice_items.create({"customer": customer, "amount": 700, "currency": "usd"})
    session = new_club(client, customer=customer)
    submit(simulator, session.id, **CARD)
    assert latest(client, session.id)["invoice"]["total"] == 2_000


def test_a_debit_completes_the_session_and_pays_later(simulator: Simulator, client: stripe.StripeClient) -> None:
    session = new_club(client)
    submit(simulator, session.id, test_account="000123456789")
    done = latest(client, session.id)
    assert (done["status"], done["payment_status"], done["invoice"]["status"]) == ("complete", "unpaid", "open")
    simulator.advance(3)
    done = latest(client, session.id)
    assert (done["payment_status"], done["invoice"]["status"]) == ("paid", "paid")
    assert done["subscription"]["status"] == "active"
    assert_exact(simulator)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"line_items": [line(500)]}, "at least one recurring"),
        ({"customer_creation": "always"}, "subscription` mode"),
        ({"payment_intent_data": {"description": "x"}}, "subscription` mode"),
        ({"subscription_data": {"trial_period_days": 0}}, "at least a day"),
        ({"subscription_data": {"trial_end": START + DAY}}, "48 hours"),
        ({"subscription_data": {"application_fee_percent": 101}}, "from 0 to 100"),
        ({"subscription_data": {"transfer_data": {"destination": "acct_none"}}}, "No such destination"),
        ({"line_items": [monthly()] * 21}, "up to 20"),
    ],
)
def test_what_stripe_refuses_is_refused_at_creation(client: stripe.StripeClient, change: Any, said: str) -> None:
    with refused(match=said):
        new_club(client, **change)


@pytest.mark.parametrize(
    "data",
    [
        {"billing_cycle_anchor": START + 3 * DAY},
        {"invoice_settings": {"footer": "x"}},
        {"pending_invoice_item_interval": {"interval": "month"}},
    ],
)
def test_what_the_simulator_cannot_do_it_says(client: stripe.StripeClient, data: Any) -> None:
    with refused(stripe.APIError, match="does not implement"):
        new_club(client, subscription_data=data)
