"""Invoices with tax and discounts: their lines, what balances pay, and what goes back."""

import pytest

from marketplace.domain.errors import StripeRefused
from marketplace.domain.invoices import InvoiceLine, InvoiceStatus
from marketplace.services.invoice_acts import create_credit_note, finalize_invoice
from marketplace.services.invoice_reading import read_invoice
from marketplace.services.invoices import NewInvoice, create_invoice

from .market import GERMANY, OPERATOR
from .subscribing import ANN, PERCENT, once, stripe_customer
from .subscribing import ledger as ledger_of
from .taxed_billing import VAT, billed, mixed, of_merchant, prepared, require_proven
from .test_tax_report import report


@pytest.mark.parametrize("asked", [None, 1_500])
def test_an_invoice_has_lines_of_both_ways_to_tax_a_coupon_and_a_fee(asked: int | None) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
    lines = (
        InvoiceLine(description="Table", unit_amount=10_000, tax_behavior="exclusive"),
        InvoiceLine(description="Chair", unit_amount=2_975, quantity=2, tax_behavior="inclusive"),
    )
    invoice_id = billed(market, merchant, *lines, automatic_tax=True, coupon_id=coupon.id, application_fee_amount=asked)
    (books,) = market.all_transactions()
    assert books.payment.captured == 9_000 + 1_710 + 5_355
    found = ledger_of(market)
    assert (found[VAT], found[f"promotions:{coupon.id}"]) == (-1_710 - 855, 750)
    net = 9_000 + 4_500 + 750
    fee = 1_425 if asked is None else round(asked * net / 15_950)
    assert of_merchant(market, merchant) == net - fee
    shown = read_invoice(market.ports, OPERATOR, invoice_id)
    assert (shown.subtotal, shown.discount, shown.tax, shown.total) == (15_950, 1_595, 1_710 + 855, 16_065)
    require_proven(market)


def test_an_invoice_of_many_lines_is_read_page_by_page() -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=10_000)
    lines = [
        InvoiceLine(description=f"Day {day}", unit_amount=1_000 + day, tax_behavior="exclusive") for day in range(25)
    ]
    billed(market, merchant, *lines, automatic_tax=True, coupon_id=coupon.id)
    (invoice,) = market.at_stripe("/v1/invoices")
    assert invoice["lines"]["has_more"]
    found = ledger_of(market)
    assert -found[VAT] == sum(tax["amount"] for tax in invoice["total_taxes"])
    whole = sum(line.amount for line in lines)
    assert found[f"promotions:{coupon.id}"] == sum(each["amount"] for each in invoice["total_discount_amounts"])
    assert of_merchant(market, merchant) == whole - PERCENT.fee(whole, "usd")
    require_proven(market)


@pytest.mark.parametrize("credit", [1, 2_678, 8_033])
def test_what_the_customer_s_balance_paid_has_its_part_of_everything(credit: int) -> None:
    market, merchant = prepared(PERCENT)
    coupon = market.coupon(percent_off="10", platform_basis_points=5_000)
    path = f"/v1/customers/{stripe_customer(market)}/balance_transactions"
    market.order(path, amount=-credit, currency="usd")
    line = InvoiceLine(description="Table", unit_amount=10_000, tax_behavior="exclusive")
    billed(market, merchant, line, automatic_tax=True, coupon_id=coupon.id)
    (books,) = market.all_transactions()
    captured = books.payment.captured or 0
    assert captured == 10_710 - credit
    found = ledger_of(market)
    assert -found[VAT] == round(1_710 * captured / 10_710)
    assert found[f"promotions:{coupon.id}"] == round(500 * captured / 10_710)
    net = captured + found[VAT] + found[f"promotions:{coupon.id}"]
    assert of_merchant(market, merchant) == net - PERCENT.fee(net, "usd")
    require_proven(market)


def test_what_the_customer_s_balance_paid_all_of_is_no_sale() -> None:
    market, merchant = prepared(PERCENT)
    path = f"/v1/customers/{stripe_customer(market)}/balance_transactions"
    market.order(path, amount=-50_000, currency="usd")
    coupon = market.coupon(percent_off="10", platform_basis_points=10_000)
    line = InvoiceLine(description="Table", unit_amount=10_000)
    wanted = NewInvoice(merchant_id=merchant.id, customer_id=ANN.subject, currency="usd", lines=(line,),
                        coupon_id=coupon.id)  # fmt: skip
    made = create_invoice(market.ports, OPERATOR, wanted, once(OPERATOR, "POST"))
    finalize_invoice(market.ports, OPERATOR, made.id, once(OPERATOR, "finalize"))
    market.take_in(*market.events())
    assert market.all_transactions() == []
    assert of_merchant(market, merchant) == 0


@pytest.mark.parametrize("by_credit_note", [False, True])
def test_refunds_and_credit_notes_return_everybody_s_part_and_close_at_zero(by_credit_note: bool) -> None:
    market, merchant = prepared(PERCENT)
    coupon = mixed(market, merchant)
    (books,) = market.all_transactions()
    back = 0
    for number, amount in enumerate((5_355, 1, 1_997, 3_357)):
        if by_credit_note:
            invoice_id = str(books.transaction.invoice_id)
            create_credit_note(
                market.ports, OPERATOR, invoice_id, amount=amount, memo=None, once=once(OPERATOR, f"n{number}")
            )
        else:
            market.refund(books.transaction.id, amount, key=f"refund-{number}")
        market.take_in(*market.events())
        market.come_to_rest()
        back += amount
        left = 10_710 - back
        found = ledger_of(market)
        assert abs(-found.get(VAT, 0) - 1_710 * left / 10_710) <= 0.5
        assert abs(found.get(f"promotions:{coupon.id}", 0) - 500 * left / 10_710) <= 0.5
        assert abs(of_merchant(market, merchant) - 8_550 * left / 10_710) <= 1
        require_proven(market)
    assert not {VAT, f"promotions:{coupon.id}", "platform_revenue"} & set(ledger_of(market))
    assert of_merchant(market, merchant) == 0
    market.advance(60)
    assert [(row.collected, row.returned, row.due) for row in report(market, days=30).rows] == [(1_710, 1_710, 0)]


def test_a_dispute_takes_tax_and_promotion_back_and_a_win_restores_them() -> None:
    market, merchant = prepared(PERCENT)
    coupon = mixed(market, merchant)
    before = ledger_of(market)
    (charge,) = market.at_stripe("/v1/charges")
    dispute = market.order(f"/_simulator/charges/{charge['id']}/dispute", amount=10_710)
    market.take_in(*market.events())
    assert not {VAT, f"promotions:{coupon.id}", "platform_revenue"} & set(ledger_of(market))
    require_proven(market)
    market.order(f"/_simulator/disputes/{dispute['id']}/decide", outcome="won")
    market.take_in(*market.events())
    market.come_to_rest()
    after = ledger_of(market)
    assert {name: after[name] for name in before if name != "stripe_balance"} == {
        name: amount for name, amount in before.items() if name != "stripe_balance"
    }
    assert of_merchant(market, merchant) == 8_550 - 1_500  # the dispute's fee is not returned


def test_the_report_of_tax_has_what_invoices_collected() -> None:
    market, merchant = prepared(PERCENT)
    mixed(market, merchant)
    billed(market, merchant, InvoiceLine(description="A", unit_amount=999), automatic_tax=True)
    market.advance(60)
    collected = sum(tax["amount"] for each in market.at_stripe("/v1/invoices") for tax in each["total_taxes"])
    (row,) = report(market).rows
    assert (row.jurisdiction, row.collected, row.due) == ("de.country.vat", collected, collected)


def test_an_invoice_whose_tax_nobody_knows_is_not_owed_until_the_customer_has_an_address() -> None:
    market, merchant = prepared(PERCENT)
    known = f"/v1/customers/{stripe_customer(market)}"
    market.order(known, address="")
    line = InvoiceLine(description="Table", unit_amount=10_000, tax_behavior="exclusive")
    wanted = NewInvoice(merchant_id=merchant.id, customer_id=ANN.subject, currency="usd", lines=(line,),
                        automatic_tax=True)  # fmt: skip
    made = create_invoice(market.ports, OPERATOR, wanted, once(OPERATOR, "POST"))
    with pytest.raises(StripeRefused) as refused:
        finalize_invoice(market.ports, OPERATOR, made.id, once(OPERATOR, "finalize"))
    assert refused.value.code == "customer_tax_location_invalid"
    market.order(known, address=GERMANY)
    market.order(f"/v1/invoices/{made.stripe_invoice_id}", description="Priced anew")
    opened = finalize_invoice(market.ports, OPERATOR, made.id, once(OPERATOR, "finalize"))
    assert (opened.status, opened.tax, opened.total) == (InvoiceStatus.OPEN, 1_900, 11_900)
