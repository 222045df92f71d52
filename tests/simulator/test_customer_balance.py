"""A customer's balance: who changed it, and that each invoice takes of it what it may."""

import json
from typing import Any

import stripe

from local.stripe_simulator import Simulator

from .billing import DAY, assert_exact, customer, heard, listen, recurring, subscribe
from .conftest import START
from .paying import refused


def entries(client: stripe.StripeClient, buyer: str, where: Any = None) -> list[tuple[str, int, int]]:
    """Type, amount and balance after it, the first first."""
    found = client.v1.customers.balance_transactions.list(buyer, where).data
    return [(each.type, each.amount, each.ending_balance) for each in reversed(found)]


def billed(client: stripe.StripeClient, buyer: str, amount: int) -> stripe.Invoice:
    invoice = client.v1.invoices.create({"customer": buyer})
    item: Any = {"customer": buyer, "invoice": invoice.id, "amount": amount, "currency": "usd"}
    client.v1.invoice_items.create(item)
    return client.v1.invoices.finalize_invoice(str(invoice.id))


def test_a_credit_pays_the_next_invoices_until_it_is_used_up(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    credit = client.v1.customers.balance_transactions.create(
        buyer, {"amount": -5_000, "currency": "usd", "description": "Sorry", "metadata": {"case": "7"}}
    )
    assert (credit.ending_balance, client.v1.customers.retrieve(buyer).balance) == (-5_000, -5_000)
    listen(simulator)
    first = billed(client, buyer, 3_000)
    told = simulator.deliveries("customer.updated")
    assert [json.loads(each.body)["data"]["previous_attributes"]["balance"] for each in told][:1] == [-5_000]
    second = billed(client, buyer, 3_000)
    assert (first.status, first.amount_due, first.ending_balance) == ("paid", 0, -2_000)
    assert (second.status, second.amount_due, second.ending_balance) == ("open", 1_000, 0)
    assert entries(client, buyer) == [
        ("adjustment", -5_000, -5_000),
        ("applied_to_invoice", 3_000, -2_000),
        ("applied_to_invoice", 2_000, 0),
    ]
    assert entries(client, buyer, {"invoice": second.id}) == [("applied_to_invoice", 2_000, 0)]
    assert_exact(simulator)


def test_a_void_invoice_gives_the_credit_back(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    client.v1.customers.balance_transactions.create(buyer, {"amount": -500, "currency": "usd"})
    invoice = billed(client, buyer, 3_000)
    client.v1.invoices.void_invoice(str(invoice.id))
    assert entries(client, buyer)[1:] == [("applied_to_invoice", 500, 0), ("unapplied_from_invoice", -500, -500)]
    assert client.v1.customers.retrieve(buyer).balance == -500


def test_too_little_to_charge_is_owed(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    assert billed(client, buyer, 30).status == "paid"
    assert entries(client, buyer) == [("invoice_too_small", 30, 30)]
    assert billed(client, buyer, 3_000).amount_due == 3_030


def test_what_is_set_on_the_customer_is_an_entry_too(client: stripe.StripeClient) -> None:
    buyer = client.v1.customers.create({"balance": 700})
    client.v1.customers.update(buyer.id, {"balance": -300})
    client.v1.customers.update(buyer.id, {"balance": -300})
    assert entries(client, buyer.id) == [("initial", 700, 700), ("adjustment", -1_000, -300)]


def test_only_what_is_said_of_an_entry_can_be_changed(client: stripe.StripeClient) -> None:
    buyer, other = customer(client), customer(client)
    made = client.v1.customers.balance_transactions.create(buyer, {"amount": 100, "currency": "usd"})
    changed = client.v1.customers.balance_transactions.update(buyer, made.id, {"description": "Fee"})
    assert (changed.description, changed.amount) == ("Fee", 100)
    assert client.v1.customers.balance_transactions.retrieve(buyer, made.id).description == "Fee"
    with refused(match="No such customer balance transaction"):
        client.v1.customers.balance_transactions.retrieve(other, made.id)
    with refused(match="must not be zero"):
        client.v1.customers.balance_transactions.create(buyer, {"amount": 0, "currency": "usd"})
    with refused(match="combine currencies"):
        client.v1.customers.balance_transactions.create(buyer, {"amount": 1, "currency": "eur"})


def test_too_much_to_charge_is_owed_as_well(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    client.v1.customers.balance_transactions.create(buyer, {"amount": 1, "currency": "usd"})
    invoice = billed(client, buyer, 99_999_999)
    assert (invoice.status, invoice.amount_due, invoice.ending_balance) == ("paid", 0, 100_000_000)
    assert entries(client, buyer)[1:] == [("invoice_too_large", 99_999_999, 100_000_000)]


def test_a_deleted_customer_is_billed_no_more(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    club = subscribe(client, buyer, recurring(client, 3_000))
    client.v1.customers.balance_transactions.create(buyer, {"amount": -100, "currency": "usd"})
    opened = billed(client, buyer, 500)
    drafts = [client.v1.invoices.create({"customer": buyer, "auto_advance": on}) for on in (True, False)]
    for draft in drafts:
        item: Any = {"customer": buyer, "invoice": draft.id, "amount": 700, "currency": "usd"}
        client.v1.invoice_items.create(item)
    listen(simulator)
    client.v1.customers.delete(buyer)
    assert heard(simulator) == ["customer.subscription.deleted", "customer.deleted"]
    assert client.v1.subscriptions.retrieve(club.id).status == "canceled"
    simulator.advance(40 * DAY)
    assert [each.status for each in client.v1.invoices.list({"customer": buyer}).data] == [
        "draft", "draft", "open", "paid",
    ]  # fmt: skip
    with refused(match="deleted customer is not billed"):
        client.v1.invoices.finalize_invoice(str(drafts[1].id))
    with refused(match="has no balance"):
        client.v1.credit_notes.create(
            {"invoice": str(club.latest_invoice), "amount": 100, "credit_amount": 100, "memo": "Sorry"}
        )
    assert client.v1.invoices.void_invoice(str(opened.id)).status == "void"
    assert_exact(simulator)


def test_with_a_test_clock_its_customers_go_and_their_subscriptions(client: stripe.StripeClient) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START})
    club = subscribe(client, customer(client, test_clock=clock.id), recurring(client, 3_000))
    client.v1.test_helpers.test_clocks.delete(clock.id)
    assert client.v1.subscriptions.retrieve(club.id).status == "canceled"
