"""Credit notes: what they take back is never more than there was, to the cent, line by line and tax by tax."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .billing import assert_exact, customer, heard, listen
from .paying import refused
from .shop import ready_seller


def invoice_of(client: stripe.StripeClient, buyer: str, *items: Any, finalized: bool = True, **more: Any) -> Any:
    """An open invoice of these amounts, or items described in full."""
    params: Any = {"customer": buyer, **more}
    made = client.v1.invoices.create(params)
    for item in items:
        described: Any = item if isinstance(item, dict) else {"amount": item, "currency": "usd"}
        wanted: Any = {"customer": buyer, "invoice": made.id, **described}
        client.v1.invoice_items.create(wanted)
    return client.v1.invoices.finalize_invoice(str(made.id)) if finalized else made


def note_on(client: stripe.StripeClient, invoice: Any, **params: Any) -> stripe.CreditNote:
    wanted: Any = {"invoice": invoice.id, **params}
    return client.v1.credit_notes.create(wanted)


def read(client: stripe.StripeClient, invoice: Any) -> Any:
    return client.v1.invoices.retrieve(invoice.id)


def test_before_the_payment_less_is_due_and_charged(simulator: Simulator, client: stripe.StripeClient) -> None:
    buyer = customer(client)
    invoice = invoice_of(client, buyer, 5_000)
    listen(simulator)
    note = note_on(client, invoice, amount=1_200, reason="order_change", memo="One less")
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("pre_payment", 1_200, 0)
    assert note.number == f"{invoice.number}-CN-01"
    assert heard(simulator) == ["invoice.updated", "credit_note.created"]
    lowered = read(client, invoice)
    assert (lowered.amount_due, lowered.amount_remaining, lowered.total) == (3_800, 3_800, 5_000)
    assert lowered.pre_payment_credit_notes_amount == 1_200
    client.v1.invoices.pay(str(invoice.id))
    assert client.v1.invoice_payments.list({"invoice": str(invoice.id)}).data[0].amount_requested == 3_800
    assert client.v1.charges.list().data[0].amount == 3_800
    assert_exact(simulator)


def test_the_fee_follows_what_is_left(simulator: Simulator, client: stripe.StripeClient) -> None:
    seller = ready_seller(simulator, client)
    invoice = invoice_of(
        client, customer(client), 5_000, transfer_data={"destination": seller}, application_fee_amount=4_500
    )
    note_on(client, invoice, amount=1_000)
    assert client.v1.payment_intents.list().data[0].application_fee_amount == 4_000
    client.v1.invoices.pay(str(invoice.id))
    simulator.advance(1)
    assert [fee.amount for fee in client.v1.application_fees.list().data] == [4_000]
    assert_exact(simulator)


def test_a_note_of_all_of_it_ends_the_invoice_and_its_payment(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    invoice = invoice_of(client, customer(client), 5_000)
    listen(simulator)
    note_on(client, invoice, amount=5_000)
    assert heard(simulator) == [
        "invoice.updated", "payment_intent.canceled", "invoice.updated", "invoice.paid", "invoice.payment_succeeded",
        "credit_note.created",
    ]  # fmt: skip
    assert (read(client, invoice).status, read(client, invoice).amount_paid) == ("paid", 0)
    (intent,) = client.v1.payment_intents.list().data
    assert intent.status == "canceled"


def test_a_direct_charge_is_refunded_by_the_seller_s_own_note(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    there: Any = {"stripe_account": seller}
    buyer = client.v1.customers.create({"name": "A"}, there).id
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": buyer}, there)
    draft: Any = {"customer": buyer, "application_fee_amount": 400}
    invoice = client.v1.invoices.create(draft, there)
    item: Any = {"customer": buyer, "invoice": invoice.id, "amount": 5_000, "currency": "usd"}
    client.v1.invoice_items.create(item, there)
    client.v1.invoices.pay(str(invoice.id), {"payment_method": method.id}, there)
    simulator.advance(1)
    asked: Any = {"invoice": invoice.id, "amount": 2_000, "refund_amount": 2_000}
    note = client.v1.credit_notes.create(asked, there)
    assert [each.amount for each in client.v1.refunds.list({}, there).data] == [2_000]
    assert client.v1.credit_notes.retrieve(note.id, {}, there).post_payment_amount == 2_000
    assert (client.v1.credit_notes.list().data, client.v1.refunds.list().data) == ([], [])
    assert simulator.request("GET", f"/credit_notes/{note.id}/pdf").status == 200
    assert [fee.amount_refunded for fee in client.v1.application_fees.list().data] == [0]
    assert_exact(simulator)


def test_a_void_note_makes_it_due_again(simulator: Simulator, client: stripe.StripeClient) -> None:
    invoice = invoice_of(client, customer(client), 5_000)
    line = invoice.lines.data[0].id
    notes = [note_on(client, invoice, lines=[{"type": "invoice_line_item", "invoice_line_item": line, "amount": 2_000}])
             for _ in range(2)]  # fmt: skip
    listen(simulator)
    voided = client.v1.credit_notes.void_credit_note(notes[0].id)
    assert (voided.status, voided.voided_at is not None) == ("void", True)
    assert heard(simulator) == ["invoice.updated", "credit_note.voided"]
    assert read(client, invoice).amount_due == 3_000
    note_on(client, invoice, lines=[{"type": "invoice_line_item", "invoice_line_item": line, "amount": 3_000}])
    assert read(client, invoice).status == "paid"
    for each in notes:
        with refused(match="only void"):
            client.v1.credit_notes.void_credit_note(each.id)


def paid(client: stripe.StripeClient, *items: Any, **more: Any) -> Any:
    invoice = invoice_of(client, customer(client), *items, **more)
    return client.v1.invoices.pay(str(invoice.id))


def test_after_the_payment_money_goes_where_it_is_said_to(simulator: Simulator, client: stripe.StripeClient) -> None:
    invoice = paid(client, 5_000)
    note = note_on(client, invoice, amount=3_000, refund_amount=1_500, credit_amount=1_000, out_of_band_amount=500)
    assert (note.type, note.post_payment_amount, note.out_of_band_amount) == ("post_payment", 3_000, 500)
    (refund,) = client.v1.refunds.list().data
    assert [(each.refund, each.amount_refunded) for each in note.refunds] == [(refund.id, 1_500)]
    assert refund.amount == 1_500
    named = str(note.customer_balance_transaction)
    entry = client.v1.customers.balance_transactions.retrieve(str(note.customer), named)
    assert (entry.amount, entry.type, entry.credit_note) == (-1_000, "credit_note", note.id)
    after = read(client, invoice)
    assert (after.status, after.amount_paid, after.post_payment_credit_notes_amount) == ("paid", 5_000, 3_000)
    with refused(match="only void"):
        client.v1.credit_notes.void_credit_note(note.id)
    simulator.advance(10)
    assert_exact(simulator)


def test_a_refund_that_was_made_already_is_named_and_no_further_than_it_goes(client: stripe.StripeClient) -> None:
    invoice = paid(client, 5_000)
    (intent,) = client.v1.payment_intents.list().data
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 2_000})
    named: Any = {"refund": refund.id, "amount_refunded": 1_500}
    note: Any = note_on(client, invoice, amount=1_500, refunds=[named], expand=["refunds.refund"])
    assert (note.refunds[0].refund.id, note.refunds[0].amount_refunded) == (refund.id, 1_500)
    with refused(match="left of the refund .500."):
        note_on(client, invoice, amount=501, refunds=[{**named, "amount_refunded": 501}])
    with refused(match="left of the refund .200."):
        twice = [{**named, "amount_refunded": amount} for amount in (300, 201)]
        note_on(client, invoice, amount=501, refunds=twice)
    with refused(match="amount_refunded .2000. is more"):
        note_on(client, invoice, amount=2_000, refunds=[{"refund": refund.id}])
    note_on(client, invoice, amount=500, refunds=[{**named, "amount_refunded": 500}])
    with refused(match="none of the invoice's payment"):
        note_on(client, paid(client, 700), amount=100, refunds=[{"refund": refund.id, "amount_refunded": 100}])
    assert len(client.v1.refunds.list().data) == 1


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"amount": 3_000}, "must equal"),
        ({"amount": 3_000, "refund_amount": 2_999}, "must equal"),
        ({"amount": 5_001, "refund_amount": 5_001}, "no more than what is left"),
        ({"amount": 0}, "more than 0"),
        ({}, "one of `amount`"),
        ({"amount": 1, "refunds": [{"refund": "re_1"}]}, "none of the invoice's payment"),
        ({"lines": [{"type": "custom_line_item", "description": "x", "quantity": 1}]}, "unit_amount"),
        ({"lines": [{"type": "invoice_line_item", "invoice_line_item": "il_1", "amount": 1}]}, "not on the invoice"),
    ],
)
def test_what_does_not_add_up_is_refused_and_changes_nothing(
    client: stripe.StripeClient, params: Any, says: str
) -> None:
    invoice = paid(client, 5_000)
    with refused(match=says):
        note_on(client, invoice, **params)
    assert client.v1.credit_notes.list({"invoice": str(invoice.id)}).data == []
    assert client.v1.refunds.list().data == []


def test_what_the_balance_paid_of_an_open_invoice_comes_back_after_what_is_due(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    buyer = customer(client)
    client.v1.customers.balance_transactions.create(buyer, {"amount": -2_000, "currency": "usd"})
    invoice = invoice_of(client, buyer, 5_000)
    assert invoice.amount_due == 3_000
    with refused(match="after payment .1000."):
        note_on(client, invoice, amount=4_000)
    note = note_on(client, invoice, amount=4_000, credit_amount=1_000)
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("mixed", 3_000, 1_000)
    after = read(client, invoice)
    assert (after.status, after.amount_due, after.amount_paid) == ("paid", 0, 0)
    assert (after.pre_payment_credit_notes_amount, after.post_payment_credit_notes_amount) == (3_000, 1_000)
    assert client.v1.customers.retrieve(buyer).balance == -1_000
    with refused(match="no payment of the invoice"):
        note_on(client, invoice, amount=1_000, refund_amount=1_000)
    with refused(match="what is left of the invoice .1000."):
        note_on(client, invoice, amount=1_001, credit_amount=1_001)
    assert_exact(simulator)


def test_what_was_owed_from_before_is_no_part_of_the_invoice(client: stripe.StripeClient) -> None:
    buyer = customer(client)
    client.v1.customers.balance_transactions.create(buyer, {"amount": 500, "currency": "usd"})
    invoice = invoice_of(client, buyer, 3_000)
    with refused(match="what is left of the invoice .3000."):
        note_on(client, invoice, amount=3_001)
    note_on(client, invoice, amount=3_000)
    assert (read(client, invoice).status, read(client, invoice).amount_due) == ("open", 500)
    (payment,) = client.v1.invoice_payments.list({"invoice": str(invoice.id)}).data
    assert (payment.amount_requested, payment.is_default) == (500, True)


def test_a_line_is_taken_back_by_units_or_by_amounts_to_the_cent(client: stripe.StripeClient) -> None:
    item: Any = {"unit_amount_decimal": "333.4", "quantity": 3, "currency": "usd"}
    invoice = paid(client, item)
    assert invoice.total == 1_000
    line: Any = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id}
    taken = [note_on(client, invoice, lines=[{**line, "quantity": 1}], credit_amount=part).total
             for part in (333, 334)]  # fmt: skip
    assert taken == [333, 334]
    for wrong, says in (({"amount": 1}, "by the same"), ({"quantity": 2}, "more than the invoice's: 3"),
                        ({"quantity": 1, "amount": 333}, "by the same"), ({"quantity": 0}, "more than")):  # fmt: skip
        with refused(match=says):
            note_on(client, invoice, lines=[{**line, **wrong}], credit_amount=333)
    assert note_on(client, invoice, lines=[line], credit_amount=333).total == 333


def test_there_is_nothing_to_take_back_of_a_draft_or_twice(client: stripe.StripeClient) -> None:
    draft = invoice_of(client, customer(client), 5_000, finalized=False)
    with refused(match="finalized invoice"):
        note_on(client, draft, amount=1)
    invoice = paid(client, 5_000)
    note_on(client, invoice, amount=4_000, refund_amount=4_000)
    with refused(match="no more than what is left"):
        note_on(client, invoice, amount=1_001, refund_amount=1_001)
    two = paid(client, 5_000, 700)
    small: Any = {"type": "invoice_line_item", "invoice_line_item": two.lines.data[1].id}
    with refused(match="what is left of it: 700"):
        note_on(client, two, lines=[{**small, "amount": 701}], refund_amount=701)
    with refused(match="what is left of it: 200"):
        note_on(client, two, lines=[{**small, "amount": 500}, {**small, "amount": 201}], refund_amount=701)


@pytest.mark.parametrize("inclusive", [False, True])
def test_discount_and_tax_come_back_in_proportion_and_close_at_zero(
    simulator: Simulator, client: stripe.StripeClient, inclusive: bool
) -> None:
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 7.7, "inclusive": inclusive}).id
    coupon = client.v1.coupons.create({"percent_off": 13, "duration": "once"}).id
    item: Any = {"amount": 999, "currency": "usd", "quantity": 1, "tax_rates": [rate]}
    invoice = paid(client, item, discounts=[{"coupon": coupon}])
    line = invoice.lines.data[0]
    notes = []
    for part in (333, 334, 332):
        wanted: Any = {
            "invoice": invoice.id,
            "lines": [{"type": "invoice_line_item", "invoice_line_item": line.id, "amount": part}],
        }
        total = client.v1.credit_notes.preview(wanted).total
        notes.append(note_on(client, invoice, lines=wanted["lines"], refund_amount=total))
    assert sum(note.total for note in notes) == invoice.total == sum(r.amount for r in client.v1.refunds.list().data)
    assert sum(note.discount_amount for note in notes) == line.discount_amounts[0].amount
    taxes = [(note.total_taxes or [])[0] for note in notes]
    assert (sum(tax.amount for tax in taxes), taxes[0].taxable_amount) == (line.taxes[0].amount, 290 - 21 * inclusive)
    with refused(match="more than what is left"):
        note_on(client, invoice, lines=[{"type": "invoice_line_item", "invoice_line_item": line.id, "amount": 1}])
    simulator.advance(10)
    assert_exact(simulator)


def test_a_preview_keeps_nothing(simulator: Simulator, client: stripe.StripeClient) -> None:
    invoice = paid(client, 5_000, 700)
    listen(simulator)
    lines: Any = [
        {"type": "invoice_line_item", "invoice_line_item": line.id, "quantity": 1} for line in invoice.lines.data
    ]
    lines.append({"type": "custom_line_item", "description": "Sorry", "quantity": 2, "unit_amount": 10})
    wanted: Any = {"invoice": invoice.id, "lines": lines[1:]}
    assert client.v1.credit_notes.preview(wanted).total == 720
    assert [line.amount for line in client.v1.credit_notes.preview_lines.list(wanted).data] == [700, 20]
    assert client.v1.credit_notes.list().data == []
    assert heard(simulator) == []
    note = note_on(client, invoice, lines=lines[1:], credit_amount=720)
    assert [line.amount for line in client.v1.credit_notes.line_items.list(note.id).data] == [700, 20]
    changed = client.v1.credit_notes.update(note.id, {"memo": "Sorry", "metadata": {"case": "7"}})
    assert (changed.memo, changed.metadata and changed.metadata["case"]) == ("Sorry", "7")
    page = simulator.request("GET", f"/credit_notes/{note.id}/pdf")
    assert (page.status, page.body[:5], b"7.20 USD" in page.body) == (200, b"%PDF-", True)
