"""Credit notes in any number and size: together they are what the invoice was, and the books of billing show it."""

from typing import Any

import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.invoices import exactness
from local.stripe_simulator.invoices.crediting import CREDIT_NOTES
from local.stripe_simulator.invoices.records import INVOICE_LINES, INVOICES
from local.stripe_simulator.resources.customers import CUSTOMERS
from local.stripe_simulator.state import State

from .billing import assert_exact, customer
from .conftest import START
from .paying import refused
from .test_credit_notes import invoice_of, note_on, paid, read


@settings(max_examples=25, deadline=None)
@given(data=st.data(), percent=st.sampled_from([0, 7, 13, 33]), rate=st.sampled_from([0, 7.7, 19]),
       inclusive=st.booleans(), is_paid=st.booleans())  # fmt: skip
def test_any_notes_leave_what_they_did_not_take(
    data: st.DataObject, percent: int, rate: float, inclusive: bool, is_paid: bool
) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=3)
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))
    tax: Any = {"display_name": "VAT", "percentage": rate, "inclusive": inclusive}
    terms: Any = {"default_tax_rates": [client.v1.tax_rates.create(tax).id]} if rate else {}
    if percent:
        coupon = client.v1.coupons.create({"percent_off": percent, "duration": "once"}).id
        terms["discounts"] = [{"coupon": coupon}]
    amounts = data.draw(st.lists(st.integers(100, 9_999), min_size=1, max_size=2), "amounts")
    invoice = invoice_of(client, customer(client), *amounts, **terms)
    if is_paid:
        client.v1.invoices.pay(str(invoice.id))
    left = {line.id: line.amount for line in invoice.lines.data}
    given_back, voided, number = 0, 0, 0
    while any(left.values()):
        line = data.draw(st.sampled_from([each for each, amount in left.items() if amount]), "line")
        part = min(left[line], data.draw(st.integers(left[line] // 4 + 10, left[line] + 10), "part"))
        part = left[line] if left[line] - part < 10 else part  # of less than ten cents nothing may be left to credit
        lines: Any = [{"type": "invoice_line_item", "invoice_line_item": line, "amount": part}]
        wanted: Any = {"invoice": invoice.id, "lines": lines}
        with refused(match="what is left of it"):
            note_on(client, invoice, lines=[{**lines[0], "amount": left[line] + 1}])
        expected = client.v1.credit_notes.preview(wanted)
        how = {data.draw(st.sampled_from(["refund_amount", "credit_amount"]), "how"): expected.total}
        note = note_on(client, invoice, lines=lines, **(how if is_paid else {}))
        number += 1
        assert (note.total, note.number) == (expected.total, f"{invoice.number}-CN-{number:02d}")
        if not is_paid and read(client, invoice).status == "open" and voided < 2 and data.draw(st.booleans(), "void"):
            client.v1.credit_notes.void_credit_note(note.id)
            voided += 1
        else:
            left[line] -= part
            given_back += note.total
        after = read(client, invoice)
        taken = after.pre_payment_credit_notes_amount, after.post_payment_credit_notes_amount
        assert taken == ((0, given_back) if is_paid else (given_back, 0))
    assert given_back == invoice.total
    simulator.advance(10)
    assert_exact(simulator)


def test_the_examination_finds_what_does_not_add_up(simulator: Simulator, client: stripe.StripeClient) -> None:
    invoice = paid(client, 5_000)
    note = note_on(client, invoice, lines=[{"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id,
                                            "amount": 700}], credit_amount=700)  # fmt: skip
    assert_exact(simulator)
    wrong: Any = (
        (CREDIT_NOTES, note.id, {"total": 701}), (INVOICES, invoice.id, {"amount_due": 4_999}),
        (INVOICES, invoice.id, {"post_payment_credit_notes_amount": 0}), (CUSTOMERS, note.customer, {"balance": 0}),
        (INVOICES, invoice.id, {"total": 1}), (INVOICE_LINES, invoice.lines.data[0].id, {"amount": 699}),
    )  # fmt: skip
    for collection, object_id, changes in wrong:
        with simulator.store.transaction() as transaction:
            state = State(transaction, simulator.platform)
            with transaction.tried():
                state.update(collection, state.get(collection, object_id), changes)
                assert exactness.examine(simulator.store), changes
    assert_exact(simulator)
