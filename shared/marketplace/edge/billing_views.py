"""Subscriptions and invoices as they are shown. A buyer is not shown what the platform takes."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import Field

from marketplace.domain.invoices import Invoice
from marketplace.domain.principals import Principal, Role
from marketplace.domain.subscriptions import Subscription
from marketplace.edge.views import View
from marketplace.services.invoice_acts import CreditNote
from marketplace.services.invoice_reading import ListedInvoice, ShownInvoice
from marketplace.services.subscription_previews import Preview

FeePolicyData = Annotated[
    dict[str, Any] | None, Field(description="What the platform takes of each invoice; not for buyers.")
]


class SubscriptionView(View):
    """A subscription. `paused` is what becomes of the invoices while nothing is collected, null where it is."""

    id: str
    status: str
    merchant_id: str
    customer_id: str
    product_id: str
    price_id: str
    quantity: int
    unit_amount: int
    currency: str
    interval: str
    interval_count: int
    fee_policy: FeePolicyData
    automatic_tax: bool
    tax_liability: Annotated[str, Field(description="platform or merchant: who remits its tax.")]
    coupon_id: Annotated[str | None, Field(description="That it was begun with.")]
    promotion_code: str | None
    allow_promotion_codes: bool
    checkout_session_id: str | None
    stripe_subscription_id: str | None
    started_at: datetime | None
    current_period_start: datetime | None
    current_period_end: datetime | None
    trial_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    ended_at: datetime | None
    paused: str | None
    resumes_at: datetime | None
    refund_due: Annotated[
        int, Field(description="For time that was paid and will not be used; 0 once the buyer has it back.")
    ]
    refund_failure: Annotated[
        str | None, Field(description="Why a refund of it did not come about; it is asked for again.")
    ]
    metadata: dict[str, str]
    waits_for: str | None
    created_at: datetime

    @classmethod
    def seen_by(cls, caller: Principal, subscription: Subscription) -> Self:
        """As its role may see it."""
        names = set(cls.model_fields) - {"fee_policy"}
        fields = {name: getattr(subscription, name) for name in names}
        shown = None if caller.role is Role.BUYER else dict(subscription.fee_policy)
        return cls(**{**fields, "status": subscription.status.value, "fee_policy": shown})


class PreviewedLineView(View):
    """A line of what would be billed; below zero it is a credit."""

    description: str
    amount: int
    is_proration: bool


class PreviewView(View):
    """The next invoice as it would be. Change with the same `prorated_at`, and it is what is billed."""

    prorated_at: datetime
    currency: str
    total: Annotated[
        int, Field(description="Below zero where more is credited than charged: such a change is refused.")
    ]
    amount_due: int
    lines: list[PreviewedLineView]

    @classmethod
    def of_preview(cls, preview: Preview) -> Self:
        """From the use case's answer."""
        lines = [PreviewedLineView.of(line) for line in preview.lines]
        return cls(
            prorated_at=preview.prorated_at,
            currency=preview.currency,
            total=preview.total,
            amount_due=preview.amount_due,
            lines=lines,
        )


class ListedInvoiceView(View):
    """An invoice of a subscription, as Stripe has it now. The links are for whoever has them."""

    id: str
    stripe_invoice_id: str
    invoice_number: str | None
    status: str
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    transaction_id: Annotated[str | None, Field(description="The sale that it is, once it was paid.")]
    created_at: datetime
    hosted_invoice_url: str | None
    invoice_pdf: str | None

    @classmethod
    def of_listed(cls, listed: ListedInvoice) -> Self:
        """From the use case's answer."""
        names = set(cls.model_fields) - {"created_at", "invoice_number"}
        created_at = datetime.fromtimestamp(listed.created_at, UTC)
        fields = {name: getattr(listed, name) for name in names}
        return cls(**fields, invoice_number=listed.number, created_at=created_at)


class InvoiceLineView(View):
    """A line of an invoice that was made here."""

    description: str
    unit_amount: int
    quantity: int
    tax_code: str | None
    tax_behavior: str | None


class InvoiceView(View):
    """An invoice. `transaction_id` is its sale, once it was paid with money that came by Stripe."""

    id: str
    status: str
    merchant_id: str
    customer_id: str | None
    subscription_id: str | None
    transaction_id: str | None
    stripe_invoice_id: str | None
    invoice_number: str | None
    billing_reason: str | None
    collection_method: str
    on_behalf_of: str | None
    currency: str
    lines: Annotated[list[InvoiceLineView], Field(description="Of an invoice that was made here.")]
    automatic_tax: bool
    tax_liability: Annotated[str, Field(description="platform or merchant: who remits its tax.")]
    coupon_id: Annotated[str | None, Field(description="Of an invoice that was made here.")]
    promotion_code: str | None
    subtotal: Annotated[int, Field(description="Before discounts, and before tax that is on top.")]
    discount: int
    tax: Annotated[int, Field(description="All of it, in the prices or on top.")]
    total: int
    amount_due: int
    amount_paid: int
    is_paid_elsewhere: bool
    attempt_count: int
    next_payment_attempt: datetime | None
    due_date: datetime | None
    fee_policy: FeePolicyData
    metadata: dict[str, str]
    waits_for: str | None
    created_at: datetime
    hosted_invoice_url: Annotated[str | None, Field(description="Stripe's page, where one invoice is read.")] = None
    invoice_pdf: Annotated[str | None, Field(description="Where one invoice is read.")] = None

    @classmethod
    def seen_by(cls, caller: Principal, invoice: Invoice) -> Self:
        """As its role may see it."""
        apart = {"fee_policy", "lines", "status", "invoice_number", "hosted_invoice_url", "invoice_pdf"}
        names = set(cls.model_fields) - apart
        shown = None if caller.role is Role.BUYER else dict(invoice.fee_policy)
        return cls(
            **{name: getattr(invoice, name) for name in names},
            status=invoice.status.value,
            invoice_number=invoice.number,
            lines=[InvoiceLineView.of(line) for line in invoice.lines],
            fee_policy=shown,
        )

    @classmethod
    def with_links(cls, caller: Principal, shown: ShownInvoice) -> Self:
        """One invoice, read by itself."""
        links = {"hosted_invoice_url": shown.hosted_invoice_url, "invoice_pdf": shown.invoice_pdf}
        return cls.seen_by(caller, shown.invoice).model_copy(update=links)


class CreditNoteView(View):
    """A part of an invoice taken back."""

    credit_note_id: str
    credit_note_number: str | None
    amount: int
    invoice: InvoiceView

    @classmethod
    def of_note(cls, caller: Principal, note: CreditNote) -> Self:
        """From the use case's answer."""
        invoice = InvoiceView.seen_by(caller, note.invoice)
        return cls(
            credit_note_id=note.credit_note_id, credit_note_number=note.number, amount=note.amount, invoice=invoice
        )
