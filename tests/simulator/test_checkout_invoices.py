"""Invoices of one-time payments: made when the session is complete, paid by its payment, for the same sum."""

from typing import Any

import stripe

from local.stripe_simulator import Simulator

from .paying import assert_exact, heard, listen, refused
from .shop import line, new_session, ready_seller, submit

CARD = {"card": "4242424242424242"}


def billed(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    data: Any = {"description": "For tea", "footer": "Thanks", "metadata": {"order": "7"}}
    return new_session(client, invoice_creation={"enabled": True, "invoice_data": data}, **more)


def invoice_of(client: stripe.StripeClient, session: str) -> dict[str, Any]:
    named = client.v1.checkout.sessions.retrieve(session).invoice
    found: dict[str, Any] = client.v1.invoices.retrieve(str(named), {"expand": ["payments"]}).to_dict()
    return found


def test_a_payment_is_billed_once_it_is_made(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    coupon = client.v1.coupons.create({"percent_off": 10}).id
    rate = client.v1.tax_rates.create({"display_name": "VAT", "inclusive": False, "percentage": 20}).id
    data: Any = {"transfer_data": {"destination": seller}, "application_fee_amount": 100}
    items = [{**line(1_000, quantity=2), "tax_rates": [rate]}, line(300, name="Cup")]
    session = billed(client, line_items=items, discounts=[{"coupon": coupon}], payment_intent_data=data)
    assert (session.invoice, session.amount_total) == (None, 1_800 + 360 + 270)
    listen(simulator)
    submit(simulator, session.id, **CARD)
    told = [each for each in heard(simulator) if each.startswith(("invoice", "payment_intent", "checkout"))]
    assert told == [
        *("payment_intent.created", "payment_intent.succeeded", "invoice.created", "invoice.finalized"),
        *("invoice.updated", "invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"),
        "checkout.session.completed",
    ]
    done = client.v1.checkout.sessions.retrieve(session.id)
    invoice = invoice_of(client, session.id)
    assert (invoice["status"], invoice["total"], invoice["amount_paid"]) == ("paid", 2_430, 2_430)
    assert (invoice["description"], invoice["footer"], invoice["metadata"]) == ("For tea", "Thanks", {"order": "7"})
    assert [each["amount"] for each in invoice["lines"]["data"]] == [2_000, 300]
    (payment,) = invoice["payments"]["data"]
    assert (payment["payment"]["payment_intent"], payment["status"]) == (done.payment_intent, "paid")
    assert invoice["customer"] == done.customer
    assert client.v1.coupons.retrieve(coupon).times_redeemed == 1
    assert len(client.v1.payment_intents.list().data) == 1
    assert_exact(simulator)


def test_an_invoice_waits_for_a_bank(simulator: Simulator, client: stripe.StripeClient) -> None:
    good, bad = billed(client).id, billed(client).id
    submit(simulator, good, test_account="000123456789")
    submit(simulator, bad, test_account="000222222227")
    assert [invoice_of(client, each)["status"] for each in (good, bad)] == ["open", "open"]
    simulator.advance(3)
    assert [invoice_of(client, each)["status"] for each in (good, bad)] == ["paid", "open"]
    assert_exact(simulator)


def test_the_customers_balance_is_left_alone(simulator: Simulator, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ann@b.test", "balance": -400}).id
    session = billed(client, customer=customer)
    submit(simulator, session.id, **CARD)
    invoice = invoice_of(client, session.id)
    assert (invoice["amount_paid"], client.v1.customers.retrieve(customer).balance) == (10_000, -400)


def test_what_costs_nothing_is_billed_too(simulator: Simulator, client: stripe.StripeClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 100}).id
    session = billed(client, discounts=[{"coupon": coupon}])
    submit(simulator, session.id, method="none")
    invoice = invoice_of(client, session.id)
    assert (invoice["status"], invoice["total"]) == ("paid", 0)


def test_shipping_is_not_billed_yet(client: stripe.StripeClient) -> None:
    rate: Any = {"display_name": "Ground", "fixed_amount": {"amount": 500, "currency": "usd"}}
    with refused(stripe.APIError, match="with shipping"):
        billed(client, shipping_options=[{"shipping_rate_data": rate}])
