"""Invoices that an operator makes: their whole life, and where the money of each goes."""

from typing import Any

import pytest

from marketplace.domain.customers import Customer
from marketplace.domain.errors import (
    FeeExceedsAmount,
    InvalidBasket,
    InvoiceNotChangeable,
    MerchantNotReady,
    NotAllowed,
    NotFound,
    RegionNotSupported,
    StripeRefused,
)
from marketplace.domain.invoices import Invoice, InvoiceLine, InvoiceStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.principals import Principal, Role
from marketplace.domain.responsibilities import AccountPolicy
from marketplace.domain.transactions import ChargeType
from marketplace.services.invoice_acts import (
    create_credit_note,
    finalize_invoice,
    mark_uncollectible,
    pay_invoice,
    send_invoice,
    update_invoice,
    void_invoice,
)
from marketplace.services.invoice_reading import read_invoice, show_invoice
from marketplace.services.invoices import NewInvoice, create_invoice

from .market import OPERATOR, Market
from .subscribing import ANN, BEN, EXACT, customer, invoices, ledger, once, require_books, seller, stripe_customer
from .test_crashes import each_step

LINES = (
    InvoiceLine(description="A table", unit_amount=40_000),
    InvoiceLine(description="Chair", unit_amount=5_000, quantity=4),
)
TOTAL = 60_000


def draft(market: Market, **terms: Any) -> Invoice:
    """An invoice of one table and four chairs."""
    asked = wanted(market, **terms)
    return create_invoice(market.ports, OPERATOR, asked, once(OPERATOR, "POST /invoices"))


def wanted(market: Market, **terms: Any) -> NewInvoice:
    """A request for it."""
    asked = {"lines": LINES, "currency": "usd", "customer_id": ANN.subject, "merchant_id": market.only_merchant().id}
    return NewInvoice(**asked | terms)


def prepared(market: Market) -> tuple[Merchant, Customer]:
    """Who sells, and who buys."""
    return seller(market, EXACT), customer(market)


def card_of(market: Market, buyer: Customer, number: str = "pm_card_visa") -> str:
    saved = market.order(f"/v1/payment_methods/{number}/attach", customer=buyer.stripe_customer_id)
    return str(saved["id"])


def finalized(market: Market, **terms: Any) -> Invoice:
    return finalize_invoice(market.ports, OPERATOR, draft(market, **terms).id, once(OPERATOR, "finalize"))


def pay(market: Market, invoice: Invoice, method: str | None = None, *, elsewhere: bool = False) -> Invoice:
    return pay_invoice(
        market.ports, OPERATOR, invoice.id, payment_method_id=method, paid_elsewhere=elsewhere, once=once(OPERATOR, "p")
    )


def rest(market: Market) -> None:
    market.take_in(*market.events())
    market.come_to_rest()
    require_books(market)


def test_an_invoice_is_made_told_its_fee_finalized_and_paid(market: Market) -> None:
    merchant, buyer = prepared(market)
    made = draft(market)
    assert (made.status, made.total, made.split_amount, made.changed_by) == (InvoiceStatus.DRAFT, TOTAL, TOTAL, None)
    opened = finalize_invoice(market.ports, OPERATOR, made.id, once(OPERATOR, "finalize"))
    assert opened.status is InvoiceStatus.OPEN
    shown = show_invoice(market.ports, ANN, made.id)
    assert shown.hosted_invoice_url
    assert shown.invoice_pdf
    paid = pay(market, opened, card_of(market, buyer))
    assert paid.status is InvoiceStatus.PAID
    (books,) = market.all_transactions()
    assert (books.transaction.id, books.transaction.charge_type) == (paid.transaction_id, ChargeType.DESTINATION)
    assert books.transaction.fee == EXACT.fee(TOTAL, "usd")
    assert [(line.name, line.amount) for line in books.transaction.line_items] == [
        ("A table", 40_000),
        ("4 x Chair", 20_000),
    ]
    rest(market)
    assert market.stripe_balance(merchant.account_id) == {"usd": TOTAL - EXACT.fee(TOTAL, "usd")}


def test_a_fee_that_was_asked_for_by_line_or_for_the_whole_is_taken(market: Market) -> None:
    _, buyer = prepared(market)
    lines = (InvoiceLine(description="A table", unit_amount=40_000, fee=1_000), LINES[1])
    for terms, fee in (
        ({"application_fee_amount": 7_000}, 7_000),
        ({"lines": lines}, 1_000 + EXACT.fee(20_000, "usd")),
    ):
        paid = pay(market, finalized(market, **terms), card_of(market, buyer))
        assert market.books(str(paid.transaction_id)).transaction.fee == fee
    with pytest.raises(FeeExceedsAmount):
        draft(market, application_fee_amount=TOTAL + 1)
    rest(market)


def test_a_draft_that_was_not_told_its_fee_is_settled_after_its_payment(market: Market) -> None:
    merchant, buyer = prepared(market)
    market.set_capability(merchant, "restricted")
    market.take_in(*market.events())
    with pytest.raises(MerchantNotReady):
        draft(market)
    market.set_capability(merchant, "active")
    market.take_in(*market.events())
    market.simulator.faults.order("error", method="POST", path="/v1/invoices/{id}", status=400)
    made = finalized(market)
    paid = pay(market, made, card_of(market, buyer))
    (books,) = market.all_transactions()
    assert (books.transaction.charge_type, paid.transaction_id) == (ChargeType.SEPARATE, books.transaction.id)
    rest(market)
    assert market.stripe_balance(merchant.account_id) == {"usd": TOTAL - EXACT.fee(TOTAL, "usd")}


def test_a_mailed_invoice_is_due_sent_and_paid_on_its_page(market: Market) -> None:
    prepared(market)
    made = draft(market, due_date=market.in_days(14))
    changed = update_invoice(
        market.ports,
        OPERATOR,
        made.id,
        description="For the house",
        due_date=market.in_days(30),
        once=once(OPERATOR, "u"),
    )
    assert changed.due_date == market.in_days(30)
    sent = send_invoice(market.ports, OPERATOR, made.id, once(OPERATOR, "send"))
    assert sent.status is InvoiceStatus.OPEN
    page = str(show_invoice(market.ports, ANN, made.id).hosted_invoice_url).partition("/i/")[2]
    answer = market.simulator.request("POST", f"/i/{page}", {"card": "4242424242424242"})
    assert answer.status in {200, 303}, answer.body
    market.take_in(*market.events())
    assert read_invoice(market.ports, ANN, made.id).status is InvoiceStatus.PAID
    rest(market)
    with pytest.raises(InvoiceNotChangeable):
        send_invoice(market.ports, OPERATOR, draft(market).id, once(OPERATOR, "send"))


def test_what_was_paid_elsewhere_is_no_sale(market: Market) -> None:
    prepared(market)
    paid = pay(market, finalized(market), elsewhere=True)
    assert (paid.status, paid.is_paid_elsewhere, paid.transaction_id) == (InvoiceStatus.PAID, True, None)
    assert ledger(market) == {}


def test_a_declined_card_leaves_it_open_and_it_is_given_up_paid_after_all_or_void(market: Market) -> None:
    _, buyer = prepared(market)
    opened = finalized(market)
    with pytest.raises(StripeRefused) as refused:
        pay(market, opened, card_of(market, buyer, "pm_card_chargeCustomerFail"))
    assert refused.value.code == "card_declined"
    assert read_invoice(market.ports, OPERATOR, opened.id).changed_by is None
    given_up = mark_uncollectible(market.ports, OPERATOR, opened.id, once(OPERATOR, "m"))
    assert given_up.status is InvoiceStatus.UNCOLLECTIBLE
    assert pay(market, given_up, card_of(market, buyer)).status is InvoiceStatus.PAID
    voided = void_invoice(market.ports, OPERATOR, finalized(market).id, once(OPERATOR, "v"))
    assert (voided.status, voided.due_at) == (InvoiceStatus.VOID, None)
    with pytest.raises(InvoiceNotChangeable):
        pay(market, voided, elsewhere=True)
    rest(market)


@pytest.mark.parametrize("split", [True, False])
def test_the_refund_of_a_credit_note_comes_back_from_everybody_who_had_it(market: Market, split: bool) -> None:
    merchant, buyer = prepared(market)
    if not split:
        market.simulator.faults.order("error", method="POST", path="/v1/invoices/{id}", status=400)
    paid = pay(market, finalized(market), card_of(market, buyer))
    market.take_in(*market.events())
    market.come_to_rest()
    for amount in (20_000, 40_000):
        note = create_credit_note(
            market.ports, OPERATOR, paid.id, amount=amount, memo="A chair broke", once=once(OPERATOR, "n")
        )
        assert note.amount == amount
        market.take_in(*market.events())
        market.come_to_rest()
    (books,) = market.all_transactions()
    assert (books.payment.refundable, len(books.refunds)) == (0, 2)
    require_books(market)
    assert market.stripe_balance(merchant.account_id) == {}


def test_a_credit_note_of_an_open_invoice_lowers_it_and_its_fee_in_proportion(market: Market) -> None:
    merchant, buyer = prepared(market)
    opened = finalized(market, application_fee_amount=6_000)
    create_credit_note(market.ports, OPERATOR, opened.id, amount=30_000, memo=None, once=once(OPERATOR, "n"))
    pay(market, opened, card_of(market, buyer))
    rest(market)
    (books,) = market.all_transactions()
    assert books.payment.captured == 30_000
    assert market.stripe_balance(merchant.account_id) == {"usd": 30_000 - books.transaction.fee}


@pytest.mark.parametrize(
    ("accounts", "refusal"),
    [(AccountPolicy(), MerchantNotReady), (AccountPolicy(card_payments=True), RegionNotSupported)],
)
def test_who_cannot_be_the_settlement_merchant_is_refused_before_stripe_is_asked(
    accounts: AccountPolicy, refusal: type[Exception]
) -> None:
    market = Market(money=MoneyPolicy(platform_country="de"), accounts=accounts)
    prepared(market)
    before = len(market.calls)
    with pytest.raises(refusal):
        draft(market, on_behalf_of=True)
    assert len(market.calls) == before
    assert invoices(market) == []


def test_an_invoice_that_dies_anywhere_is_made_once_and_paid_once() -> None:
    key = once(OPERATOR, "POST /invoices")
    acts = {
        "create": lambda market: create_invoice(market.ports, OPERATOR, wanted(market), key),
        "finalize": lambda market: finalize_invoice(market.ports, OPERATOR, invoices(market)[0].id, key),
        "pay": lambda market: pay_invoice(
            market.ports, OPERATOR, invoices(market)[0].id, once=key, paid_elsewhere=False,
            payment_method_id=market.at_stripe(f"/v1/customers/{stripe_customer(market)}/payment_methods")[0]["id"],
        ),
    }  # fmt: skip

    def prepare(market: Market) -> None:
        card_of(market, prepared(market)[1])

    def drafted(market: Market) -> None:
        prepare(market)
        draft(market)

    def opened(market: Market) -> None:
        prepare(market)
        finalized(market)

    for name, before in (("create", prepare), ("finalize", drafted), ("pay", opened)):
        for step, market in each_step(before, acts[name]):
            market.advance(60)
            market.take_in(*market.events())
            assert market.sweep().troubles == []
            acts[name](market)
            made = invoices(market)
            assert len(made) == len(market.at_stripe("/v1/invoices")) == 1, (name, step)
            assert (made[0].total, made[0].changed_by) == (TOTAL, None)
            assert len(market.at_stripe("/v1/charges")) == (1 if name == "pay" else 0)
            rest(market)


def test_what_is_no_invoice_is_refused_and_nobody_sees_anothers(market: Market) -> None:
    merchant, _ = prepared(market)
    with pytest.raises(InvalidBasket):
        draft(market, lines=())
    with pytest.raises(InvalidBasket):
        draft(market, due_date=market.in_days(-1))
    with pytest.raises(NotFound):
        draft(market, customer_id=BEN.subject)
    seen_by = Principal(role=Role.MERCHANT, subject="m", merchant_id=merchant.id)
    with pytest.raises(NotAllowed):
        create_invoice(market.ports, seen_by, wanted(market), once(seen_by, "POST /invoices"))
    made = draft(market)
    assert read_invoice(market.ports, seen_by, made.id).id == made.id
    for caller in (ANN, BEN, Principal(role=Role.MERCHANT, subject="o", merchant_id="merchant-" + 26 * "0")):
        with pytest.raises(NotFound):  # a buyer sees what is owed, not what is being written
            read_invoice(market.ports, caller, made.id)
    with pytest.raises(NotAllowed):
        finalize_invoice(market.ports, seen_by, made.id, once(seen_by, "finalize"))
