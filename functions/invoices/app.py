"""Invoices: made for a customer, finalized, mailed, paid, taken back; those of subscriptions are read here too."""

import os
from http import HTTPStatus
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from marketplace.adapters import wiring
from marketplace.domain.invoices import InvoiceLine
from marketplace.edge.billing_views import CreditNoteView, InvoiceView
from marketplace.edge.fields import (
    DEFAULT_PAGE,
    Amount,
    Currency,
    Cursor,
    Filter,
    Id,
    Liability,
    Limit,
    Metadata,
    Name,
    Reason,
    RequestModel,
    Time,
)
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing
from marketplace.services import invoice_acts, invoice_reading, invoices
from marketplace.services.invoices import NewInvoice

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.SALES, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class LineBody(RequestModel):
    """A line; `application_fee_amount` is what the platform takes of it, in place of the merchant's policy."""

    description: Name
    unit_amount: Amount
    quantity: int = 1
    application_fee_amount: Amount | None = None
    tax_code: Id | None = None
    tax_behavior: Literal["inclusive", "exclusive"] | None = None


class InvoiceBody(RequestModel):
    """An invoice to be: with a due date it is mailed, without one the customer's saved details are charged for it.

    `on_behalf_of` makes the merchant the one whose name and country are on it, in the platform's region only.
    """

    merchant_id: Id
    customer_id: Id
    currency: Currency
    lines: list[LineBody]
    due_date: Time | None = None
    description: Annotated[str | None, Field(max_length=500)] = None
    application_fee_amount: Amount | None = None
    on_behalf_of: bool = False
    automatic_tax: Annotated[bool | None, Field(description="Without: by the money policy.")] = None
    tax_liability: Liability = None
    coupon_id: Id | None = None
    promotion_code: Id | None = None
    metadata: Metadata = Field(default_factory=dict)

    def as_invoice(self) -> NewInvoice:
        """As the use case takes it."""
        lines = tuple(
            InvoiceLine(
                description=line.description,
                unit_amount=line.unit_amount,
                quantity=line.quantity,
                fee=line.application_fee_amount,
                tax_code=line.tax_code,
                tax_behavior=line.tax_behavior,
            )
            for line in self.lines
        )
        return NewInvoice(lines=lines, **self.model_dump(exclude={"lines"}))


class InvoiceChangeBody(RequestModel):
    """What changes of a draft; the rest stays."""

    description: Annotated[str | None, Field(max_length=500)] = None
    due_date: Time | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.description is None and self.due_date is None:
            raise ValueError("name at least one of description and due_date")
        return self


class PayBody(RequestModel):
    """With which saved details; or that it was paid outside of Stripe."""

    payment_method_id: Id | None = None
    paid_elsewhere: bool = False

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.paid_elsewhere and self.payment_method_id is not None:
            raise ValueError("what was paid elsewhere is not charged")
        return self


class CreditNoteBody(RequestModel):
    """How much is taken back, in minor units of the invoice's currency."""

    amount: Amount
    memo: Reason | None = None


@app.post("/invoices", status_code=HTTPStatus.CREATED)
def create_invoice(body: InvoiceBody, key: IdempotencyKey, caller: Caller) -> InvoiceView:
    """Make a draft with its lines."""
    wanted = once(caller, "POST /invoices", key, body)
    return InvoiceView.seen_by(caller, invoices.create_invoice(ports, caller, body.as_invoice(), wanted))


@app.get("/invoices")
def list_invoices(
    caller: Caller, merchant_id: Filter = None, customer_id: Filter = None, cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Listing[InvoiceView]:  # fmt: skip
    """The invoices of a merchant or a customer; buyers are shown those that were finalized."""
    page = invoice_reading.list_invoices(
        ports, caller, merchant_id=merchant_id, customer_id=customer_id, cursor=cursor, limit=limit
    )
    return Listing(data=[InvoiceView.seen_by(caller, each) for each in page.items], cursor=page.cursor)


@app.get("/invoices/<invoice_id>")
def read_invoice(invoice_id: str, caller: Caller) -> InvoiceView:
    """An invoice with Stripe's page and its PDF."""
    return InvoiceView.with_links(caller, invoice_reading.show_invoice(ports, caller, invoice_id))


@app.patch("/invoices/<invoice_id>")
def update_invoice(invoice_id: str, body: InvoiceChangeBody, key: IdempotencyKey, caller: Caller) -> InvoiceView:
    """Change what a draft says."""
    wanted = once(caller, f"PATCH /invoices/{invoice_id}", key, body)
    changed = invoice_acts.update_invoice(
        ports, caller, invoice_id, description=body.description, due_date=body.due_date, once=wanted
    )
    return InvoiceView.seen_by(caller, changed)


@app.post("/invoices/<invoice_id>/finalize")
def finalize_invoice(invoice_id: str, key: IdempotencyKey, caller: Caller) -> InvoiceView:
    """Give a draft its number: from then on it is owed."""
    wanted = once(caller, f"POST /invoices/{invoice_id}/finalize", key, RequestModel())
    return InvoiceView.seen_by(caller, invoice_acts.finalize_invoice(ports, caller, invoice_id, wanted))


@app.post("/invoices/<invoice_id>/send")
def send_invoice(invoice_id: str, key: IdempotencyKey, caller: Caller) -> InvoiceView:
    """Have Stripe mail an invoice that has a due date."""
    wanted = once(caller, f"POST /invoices/{invoice_id}/send", key, RequestModel())
    return InvoiceView.seen_by(caller, invoice_acts.send_invoice(ports, caller, invoice_id, wanted))


@app.post("/invoices/<invoice_id>/pay")
def pay_invoice(invoice_id: str, body: PayBody, key: IdempotencyKey, caller: Caller) -> InvoiceView:
    """Charge the customer's saved details for an invoice, or say that it was paid outside of Stripe."""
    wanted = once(caller, f"POST /invoices/{invoice_id}/pay", key, body)
    paid = invoice_acts.pay_invoice(
        ports, caller, invoice_id, payment_method_id=body.payment_method_id, paid_elsewhere=body.paid_elsewhere,
        once=wanted,
    )  # fmt: skip
    return InvoiceView.seen_by(caller, paid)


@app.post("/invoices/<invoice_id>/void")
def void_invoice(invoice_id: str, key: IdempotencyKey, caller: Caller) -> InvoiceView:
    """Take an invoice back as if it had never been."""
    wanted = once(caller, f"POST /invoices/{invoice_id}/void", key, RequestModel())
    return InvoiceView.seen_by(caller, invoice_acts.void_invoice(ports, caller, invoice_id, wanted))


@app.post("/invoices/<invoice_id>/mark-uncollectible")
def mark_uncollectible(invoice_id: str, key: IdempotencyKey, caller: Caller) -> InvoiceView:
    """Give up on an invoice; it can still be paid."""
    wanted = once(caller, f"POST /invoices/{invoice_id}/mark-uncollectible", key, RequestModel())
    return InvoiceView.seen_by(caller, invoice_acts.mark_uncollectible(ports, caller, invoice_id, wanted))


@app.post("/invoices/<invoice_id>/credit-notes", status_code=HTTPStatus.CREATED)
def create_credit_note(invoice_id: str, body: CreditNoteBody, key: IdempotencyKey, caller: Caller) -> CreditNoteView:
    """Take a part of an invoice back: less is owed, or what was paid is refunded."""
    wanted = once(caller, f"POST /invoices/{invoice_id}/credit-notes", key, body)
    note = invoice_acts.create_credit_note(ports, caller, invoice_id, amount=body.amount, memo=body.memo, once=wanted)
    return CreditNoteView.of_note(caller, note)
