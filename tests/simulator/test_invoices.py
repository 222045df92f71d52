"""Invoices: drafted, finalized, collected, retried, voided; their items, payments, page and PDF."""

import re
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .billing import DAY, assert_exact, customer, heard, listen
from .conftest import START
from .shop import ready_seller


def item(client: stripe.StripeClient, buyer: str, amount: int = 10_000, **more: Any) -> str:
    params: Any = {"customer": buyer, "amount": amount, "currency": "usd", "description": "Work", **more}
    return client.v1.invoice_items.create(params).id


def draft(client: stripe.StripeClient, buyer: str, **more: Any) -> stripe.Invoice:
    """A draft of what is pending."""
    params: Any = {"customer": buyer, "pending_invoice_items_behavior": "include", **more}
    return client.v1.invoices.create(params)


def opened(client: stripe.StripeClient, buyer: str, amount: int = 10_000, **more: Any) -> stripe.Invoice:
    item(client, buyer, amount)
    return client.v1.invoices.finalize_invoice(str(draft(client, buyer, **more).id))


def test_a_draft_takes_pending_items_only_when_asked(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    item(client, buyer)
    without = client.v1.invoices.create({"customer": buyer})
    assert (without.total, without.lines.data) == (0, [])
    with_them = draft(client, buyer)
    assert (with_them.status, with_them.total, with_them.number, with_them.hosted_invoice_url) == (
        "draft", 10_000, None, None,
    )  # fmt: skip
    assert draft(client, buyer).total == 0


def test_an_invoice_advances_by_itself_after_an_hour_and_is_paid(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer = customer(client)
    item(client, buyer)
    listen(simulator)
    made = draft(client, buyer, auto_advance=True)
    assert made.automatically_finalizes_at == made.next_payment_attempt == START + 3_600
    simulator.advance(3_599)
    assert client.v1.invoices.retrieve(str(made.id)).status == "draft"
    simulator.advance(1)
    paid = client.v1.invoices.retrieve(str(made.id), {"expand": ["payments"]})
    assert (paid.status, paid.amount_paid, paid.amount_remaining, paid.attempt_count) == ("paid", 10_000, 0, 1)
    assert paid.number is not None
    assert re.fullmatch(r"[A-Z0-9]{8}-0001", paid.number)
    assert paid.payments is not None
    (payment,) = paid.payments.data
    assert (payment.status, payment.amount_paid, payment.is_default) == ("paid", 10_000, True)
    assert heard(simulator) == [
        *("invoice.created", "payment_intent.created", "invoice.finalized", "charge.succeeded"),
        *("payment_intent.succeeded", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"),
        *("invoice_payment.paid", "charge.updated"),
    ]
    assert_exact(simulator)


def test_a_payment_that_fails_is_tried_again_and_then_left(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client, "pm_card_chargeCustomerFail")
    item(client, buyer)
    listen(simulator)
    made = draft(client, buyer, auto_advance=True)
    simulator.advance(3_600)
    tries = []
    for days in (3, 5, 7, 30):
        seen = client.v1.invoices.retrieve(str(made.id))
        tries.append((seen.status, seen.attempt_count, bool(seen.next_payment_attempt)))
        simulator.advance(days * DAY)
    assert tries == [("open", 1, True), ("open", 2, True), ("open", 3, True), ("open", 4, False)]
    assert heard(simulator).count("invoice.payment_failed") == 4


def test_it_is_paid_with_another_card_when_the_buyer_brings_one(client: stripe.StripeClient) -> None:
    buyer = customer(client, "pm_card_chargeCustomerFail")
    found = opened(client, buyer)
    with pytest.raises(stripe.CardError) as declined:
        client.v1.invoices.pay(str(found.id))
    assert declined.value.code == "card_declined"
    method = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": buyer})
    assert client.v1.invoices.pay(str(found.id), {"payment_method": method.id}).status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        client.v1.invoices.pay(str(found.id))


def test_an_open_invoice_advances_by_itself_when_it_is_told_to_and_no_more_when_not(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer = customer(client)
    found, other = opened(client, buyer), opened(client, buyer)
    for each in (found, other):
        advanced = client.v1.invoices.update(str(each.id), {"auto_advance": True})
        assert (advanced.next_payment_attempt, advanced.automatically_finalizes_at) == (START + 3_600, None)
    stopped = client.v1.invoices.update(str(other.id), {"auto_advance": False})
    assert stopped.next_payment_attempt is None
    simulator.advance(3_600)
    assert [client.v1.invoices.retrieve(str(each.id)).status for each in (found, other)] == ["paid", "open"]


def test_nothing_to_pay_with_is_said_and_elsewhere_is_a_way(client: stripe.StripeClient) -> None:
    buyer = customer(client, None)
    found = opened(client, buyer)
    with pytest.raises(stripe.InvalidRequestError, match="default_payment_method"):
        client.v1.invoices.pay(str(found.id))
    paid = client.v1.invoices.pay(str(found.id), {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 10_000, 10_000)
    (payment,) = client.v1.invoice_payments.list({"invoice": str(found.id)}).data
    assert payment.status == "canceled"


@pytest.mark.parametrize("end", ["void_invoice", "mark_uncollectible"])
def test_an_open_invoice_is_given_up(client: stripe.StripeClient, end: str) -> None:
    found = opened(client, customer(client))
    ended = getattr(client.v1.invoices, end)(found.id)
    assert ended.status == {"void_invoice": "void", "mark_uncollectible": "uncollectible"}[end]
    with pytest.raises(stripe.InvalidRequestError):
        getattr(client.v1.invoices, end)(found.id)
    if end == "mark_uncollectible":
        assert client.v1.invoices.pay(str(found.id)).status == "paid"


def test_what_is_finalized_is_changed_no_more_and_a_draft_can_go(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    pending = item(client, buyer)
    made = draft(client, buyer)
    client.v1.invoices.delete(str(made.id))
    assert client.v1.invoice_items.retrieve(pending).invoice is None
    found = opened(client, buyer, 500)
    assert found.total == 10_500
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.update(str(found.id), {"description": "late"})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.delete(str(found.id))
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoice_items.update(pending, {"amount": 1})
    changed = client.v1.invoices.update(str(found.id), {"metadata": {"a": "b"}})
    assert changed.to_dict()["metadata"] == {"a": "b"}


def test_items_of_a_draft_change_what_it_costs(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    made = draft(client, buyer)
    one = item(client, buyer, 3_000, invoice=made.id)
    item(client, buyer, 500, invoice=made.id)
    assert client.v1.invoices.retrieve(str(made.id)).total == 3_500
    client.v1.invoice_items.update(one, {"amount": 2_000})
    assert client.v1.invoices.retrieve(str(made.id)).total == 2_500
    client.v1.invoice_items.delete(one)
    assert client.v1.invoices.retrieve(str(made.id)).total == 500
    added = client.v1.invoices.add_lines(str(made.id), {"lines": [{"amount": 250, "description": "Tip"}]})
    assert (added.total, [line.description for line in added.lines.data]) == (750, ["Work", "Tip"])


def test_discounts_and_tax_rates_are_in_the_sums(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    item(client, buyer)
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    coupon = client.v1.coupons.create({"percent_off": 10})
    made = draft(client, buyer, discounts=[{"coupon": coupon.id}], default_tax_rates=[rate.id])
    assert (made.subtotal, made.total, made.total_excluding_tax) == (10_000, 10_800, 9_000)
    assert made.total_discount_amounts is not None
    assert [each.amount for each in made.total_discount_amounts] == [1_000]
    assert made.total_taxes is not None
    assert [(tax.amount, tax.taxable_amount) for tax in made.total_taxes] == [(1_800, 9_000)]


def test_a_balance_is_set_off_and_too_little_is_carried_on(client: stripe.StripeClient) -> None:
    buyer = customer(client, balance=-4_000)
    found = opened(client, buyer)
    assert (found.starting_balance, found.amount_due, found.ending_balance) == (-4_000, 6_000, 0)
    assert client.v1.customers.retrieve(buyer).balance == 0
    small = opened(client, buyer, 30)
    assert (small.status, small.amount_due, small.ending_balance) == ("paid", 0, 30)
    assert opened(client, buyer, 970).amount_due == 1_000
    credit = opened(client, buyer, -2_500)
    assert (credit.status, client.v1.customers.retrieve(buyer).balance) == ("paid", -2_500)


@pytest.mark.parametrize("is_fee", [True, False])
def test_a_seller_gets_its_share_of_an_invoice(simulator: Simulator, client: stripe.StripeClient, is_fee: bool) -> None:
    seller = ready_seller(simulator, client)
    buyer = customer(client)
    item(client, buyer)
    terms: Any = {"transfer_data": {"destination": seller}}
    terms |= {"application_fee_amount": 1_500} if is_fee else {}
    made = draft(client, buyer, **terms)
    client.v1.invoices.pay(str(made.id))
    simulator.advance(1)
    held = client.v1.balance.retrieve({}, {"stripe_account": seller})
    assert held.pending[0].amount == (8_500 if is_fee else 10_000)
    assert_exact(simulator)


def test_fees_are_for_drafts_only(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    found = opened(client, customer(client))
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.update(str(found.id), {"transfer_data": {"destination": seller}})


def test_an_invoice_that_is_sent_has_a_page_to_pay_on(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client, None)
    item(client, buyer)
    listen(simulator)
    sent = client.v1.invoices.send_invoice(
        str(draft(client, buyer, collection_method="send_invoice", days_until_due=30).id)
    )
    assert (sent.status, sent.due_date) == ("open", START + 30 * DAY)
    assert "invoice.sent" in heard(simulator)
    path = str(sent.hosted_invoice_url).removeprefix("http://127.0.0.1:12111")
    shown = simulator.request("GET", path)
    assert "100.00 USD" in shown.body.decode()
    refused = simulator.request("POST", path, {"test_card": "4000000000000002"})
    assert (refused.status, "declined" in refused.body.decode()) == (402, True)
    assert simulator.request("POST", path, {"test_card": "4242424242424242"}).status == 303
    assert client.v1.invoices.retrieve(str(sent.id)).status == "paid"
    assert "was paid" in simulator.request("GET", path).body.decode()
    assert simulator.request("POST", path, {"test_card": "4242424242424242"}).status == 409


def test_a_bank_that_asks_leads_back_to_the_page(simulator: Simulator, client: stripe.StripeClient) -> None:
    found = opened(client, customer(client, None))
    path = f"/i/{found.id}"
    challenge = simulator.request("POST", path, {"test_card": "4000002760003184"}).headers["Location"]
    back = simulator.request("POST", challenge, {"action": "complete"})
    assert back.headers["Location"].partition("?")[0].endswith(path)
    assert client.v1.invoices.retrieve(str(found.id)).status == "paid"


def test_the_pdf_is_one_that_readers_can_read(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    item(client, buyer, description="Design (first half) \\ café")
    found = client.v1.invoices.finalize_invoice(str(draft(client, buyer).id))
    answer = simulator.request("GET", f"/i/{found.id}/pdf")
    content = answer.body
    assert answer.headers["Content-Type"] == "application/pdf"
    assert content.startswith(b"%PDF-1.4")
    begins = int(content.rpartition(b"startxref\n")[2].split(b"\n")[0])
    table = content[begins:].split(b"\n")
    count = int(table[1].split()[1])
    assert table[0] == b"xref"
    for number in range(1, count):
        offset = int(table[2 + number].split()[0])
        assert content[offset:].startswith(f"{number} 0 obj\n".encode())
    for length, stream in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", content, re.DOTALL):
        assert len(stream) == int(length)
    assert rb"Design \(first half\) \\ caf\xe9" in content.replace(b"\xe9", rb"\xe9")
    assert b"100.00 USD" in content
