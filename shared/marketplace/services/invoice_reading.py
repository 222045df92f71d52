"""Invoices as they are read and listed, those of subscriptions too."""

from dataclasses import replace

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import NotFound
from marketplace.domain.invoices import Invoice, InvoiceStatus, discount_of, invoice_id_of, transaction_id_of
from marketplace.domain.principals import Principal, Role
from marketplace.domain.stripe_objects import Object
from marketplace.operations import Operation
from marketplace.ports import Page, Ports, Ref, one
from marketplace.services.invoice_following import read_stripes
from marketplace.services.subscriptions import own_filter, read_subscription


@dataclass(frozen=True, kw_only=True)
class ShownInvoice:
    """An invoice with Stripe's page and its PDF, which are links for whoever has them: read when they are asked for."""

    invoice: Invoice
    hosted_invoice_url: str | None
    invoice_pdf: str | None


@dataclass(frozen=True, kw_only=True)
class ListedInvoice:
    """An invoice of a subscription as Stripe lists it. Amounts are minor units."""

    id: str
    stripe_invoice_id: str
    number: str | None
    status: str
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    transaction_id: str | None
    created_at: int  # Stripe's seconds
    hosted_invoice_url: str | None
    invoice_pdf: str | None


def read_invoice(ports: Ports, caller: Principal, invoice_id: str) -> Invoice:
    """An invoice, to those who may see it. Raises NotFound."""
    found = one(ports.store, Ref(Invoice, invoice_id))
    if found is None or not found.is_visible_to(caller):
        raise NotFound("invoice")
    return found


def show_invoice(ports: Ports, caller: Principal, invoice_id: str) -> ShownInvoice:
    """An invoice with its links. Raises NotFound, StripeUnavailable."""
    invoice = read_invoice(ports, caller, invoice_id)
    found = read_stripes(ports, invoice.stripe_invoice_id) if invoice.stripe_invoice_id else None
    links = found or {}
    return ShownInvoice(
        invoice=invoice, hosted_invoice_url=links.get("hosted_invoice_url"), invoice_pdf=links.get("invoice_pdf")
    )


def list_invoices(
    ports: Ports, caller: Principal, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
) -> Page[Invoice]:
    """The invoices of a merchant or a customer: their own to both of them, anybody's to an operator.

    Raises:
        FilterRequired, InvalidCursor.
        NotFound: somebody else's.
    """
    merchant_id, customer_id = own_filter(caller, merchant_id, customer_id)
    page = ports.store.invoices(merchant_id=merchant_id, customer_id=customer_id, cursor=cursor, limit=limit)
    return replace(page, items=tuple(each for each in page.items if each.is_visible_to(caller)))


def list_of_subscription(
    ports: Ports, caller: Principal, subscription_id: str, *, cursor: str | None, limit: int
) -> Page[ListedInvoice]:
    """The invoices of a subscription, the latest first, with their links; one read at Stripe.

    Raises:
        NotFound, StripeUnavailable, StripeRefused.
    """
    subscription = read_subscription(ports, caller, subscription_id)
    if subscription.stripe_subscription_id is None:
        return Page(items=(), cursor=None)
    after = {"starting_after": cursor} if cursor else {}
    params = {"subscription": subscription.stripe_subscription_id, "limit": limit, **after}
    page = ports.stripe.read(Operation.LIST_INVOICES, params=params)
    shown = [each for each in page["data"] if each.get("number") or caller.role is not Role.BUYER]
    following = page["data"][-1]["id"] if page.get("has_more") else None
    return Page(items=tuple(map(_listed, shown)), cursor=following)


def _listed(found: Object) -> ListedInvoice:
    is_free = found["total"] == 0 and discount_of(found) > 0
    is_ours = found["amount_paid"] > 0 and not found.get("amount_paid_off_stripe")
    is_sale = found["status"] == InvoiceStatus.PAID and (is_ours or is_free)
    return ListedInvoice(
        id=invoice_id_of(found),
        stripe_invoice_id=found["id"],
        number=found.get("number"),
        status=found["status"],
        currency=found["currency"],
        total=found["total"],
        amount_due=found["amount_due"],
        amount_paid=found["amount_paid"],
        transaction_id=transaction_id_of(found) if is_sale else None,
        created_at=found["created"],
        hosted_invoice_url=found.get("hosted_invoice_url"),
        invoice_pdf=found.get("invoice_pdf"),
    )
