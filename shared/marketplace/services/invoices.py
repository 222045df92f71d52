"""Invoices: made by an operator for a customer, and taken through their life; every one read and listed."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any, Final

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import Customer
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidAmount, InvalidBasket, InvoiceNotChangeable, NotFound, RequestUnderWay
from marketplace.domain.fees import FeePolicy, require_fee_within
from marketplace.domain.invoice_splits import SplitBy
from marketplace.domain.invoices import Invoice, InvoiceLine, InvoiceStatus, invoice_id_of, next_look, transaction_id_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.domain.regions import require_same_region
from marketplace.domain.splits import ASKED_FEE
from marketplace.domain.stripe_objects import Object
from marketplace.domain.transactions import MOST_LINE_ITEMS, ChargeType
from marketplace.operations import Operation
from marketplace.ports import Conflict, Create, Page, Ports, Ref, Replace, one
from marketplace.services.baskets import MOST_QUANTITY, require_sellable
from marketplace.services.commands import perform_once, replay, require_done
from marketplace.services.customers import at_stripe, own_payment_method
from marketplace.services.idempotency import Once
from marketplace.services.invoice_commands import ACTS, CREATE_INVOICE
from marketplace.services.invoice_following import follow_invoice, read_stripes, stored_invoice
from marketplace.services.subscriptions import own_filter, read_subscription

_S = InvoiceStatus
AUTOMATIC, BY_MAIL = "charge_automatically", "send_invoice"
# From where each step can be asked for: https://docs.stripe.com/invoicing/overview#workflow-overview
ALLOWED: Final[Mapping[CommandKind, frozenset[InvoiceStatus]]] = {
    CommandKind.UPDATE_INVOICE: frozenset({_S.DRAFT}),
    CommandKind.FINALIZE_INVOICE: frozenset({_S.DRAFT}),
    CommandKind.SEND_INVOICE: frozenset({_S.DRAFT, _S.OPEN}),
    CommandKind.PAY_INVOICE: frozenset({_S.OPEN, _S.UNCOLLECTIBLE}),
    CommandKind.VOID_INVOICE: frozenset({_S.OPEN, _S.UNCOLLECTIBLE}),
    CommandKind.MARK_INVOICE_UNCOLLECTIBLE: frozenset({_S.OPEN}),
    CommandKind.CREATE_CREDIT_NOTE: frozenset({_S.OPEN, _S.UNCOLLECTIBLE, _S.PAID}),
}


@dataclass(frozen=True, kw_only=True)
class NewInvoice:
    """What is asked for. ``due_date`` makes it one that is mailed, and paid by then; without it is charged.

    ``application_fee_amount`` None leaves the fee to the lines, and to the merchant's policy for those that name none.
    ``on_behalf_of`` puts the merchant's name on it, as whose sale it settles.
    """

    merchant_id: str
    customer_id: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    due_date: datetime | None = None
    description: str | None = None
    application_fee_amount: int | None = None
    on_behalf_of: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True, kw_only=True)
class CreditNote:
    """A part of an invoice taken back: ``amount`` in minor units."""

    credit_note_id: str
    number: str | None
    amount: int
    invoice: Invoice


def create_invoice(ports: Ports, caller: Principal, wanted: NewInvoice, once: Once) -> Invoice:
    """Make a draft with its lines. From the first commit on a crash delays it and repeats nothing.

    Raises:
        NotAllowed, InvalidBasket, InvalidAmount, FeeExceedsAmount, MerchantNotReady, CurrencyNotAccepted,
        CustomerNotReady, RegionNotSupported, StripeRefused, IdempotencyKeyReused, RequestUnderWay.
        NotFound: no such merchant or customer.
        OutcomeUnknown: it is made without the caller; the same key gives it later.
    """
    caller.require(Role.OPERATOR)
    key, buyer, seller = (
        Ref(IdempotencyRecord, once.scope), Ref(Customer, wanted.customer_id), Ref(Merchant, wanted.merchant_id)
    )  # fmt: skip
    found = ports.store.get(key, buyer, seller)
    used, customer, merchant = found(key), found(buyer), found(seller)
    if used is not None:
        return stored_invoice(ports, require_done(replay(ports, CREATE_INVOICE, once, used)).result)
    if merchant is None or customer is None:
        raise NotFound("merchant" if merchant is None else "customer")
    invoice = _planned(ports, wanted, merchant)
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=invoice.id,
        kind=CommandKind.CREATE_INVOICE,
        params=invoice_params(wanted, invoice, at_stripe(customer), command_id),
        result=invoice.id,
        now=invoice.created_at,
    )
    invoice = replace(invoice, changed_by=command_id)
    done = require_done(perform_once(ports, CREATE_INVOICE, once, command, invoice, Create(invoice)))
    return stored_invoice(ports, done.result)


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


def update_invoice(
    ports: Ports, caller: Principal, invoice_id: str, *, description: str | None, due_date: datetime | None, once: Once
) -> Invoice:
    """Change what a draft says. Raises as ``finalize_invoice`` does."""
    params: dict[str, Any] = {"description": description} if description is not None else {}
    if due_date is not None:
        params["due_date"] = int(due_date.timestamp())
    return _act(ports, caller, invoice_id, CommandKind.UPDATE_INVOICE, params, once)


def finalize_invoice(ports: Ports, caller: Principal, invoice_id: str, once: Once) -> Invoice:
    """Give a draft its number and its page: from then on it is owed.

    Raises:
        NotAllowed, NotFound, InvoiceNotChangeable, StripeRefused, IdempotencyKeyReused, OutcomeUnknown.
        RequestUnderWay: also while another change has not ended.
    """
    return _act(ports, caller, invoice_id, CommandKind.FINALIZE_INVOICE, {"auto_advance": False}, once)


def send_invoice(ports: Ports, caller: Principal, invoice_id: str, once: Once) -> Invoice:
    """Have Stripe mail an invoice that has a due date. Raises as ``finalize_invoice`` does."""
    if read_invoice(ports, caller, invoice_id).collection_method != BY_MAIL:
        raise InvoiceNotChangeable("an invoice that is charged is not mailed")
    return _act(ports, caller, invoice_id, CommandKind.SEND_INVOICE, {}, once)


def pay_invoice(
    ports: Ports, caller: Principal, invoice_id: str, *, payment_method_id: str | None, paid_elsewhere: bool, once: Once
) -> Invoice:
    """Charge the customer's saved details for it, or say that it was paid outside of Stripe.

    Raises as ``finalize_invoice`` does, and StripeRefused with the code of a decline.
    """
    invoice = read_invoice(ports, caller, invoice_id)
    if paid_elsewhere:
        return _act(ports, caller, invoice_id, CommandKind.PAY_INVOICE, {"paid_out_of_band": True}, once)
    params: dict[str, Any] = {"off_session": True}
    if payment_method_id is not None:
        customer = one(ports.store, Ref(Customer, invoice.customer_id or ""))
        if customer is None:
            raise NotFound("payment method")
        params["payment_method"] = own_payment_method(ports, customer, payment_method_id).id
    return _act(ports, caller, invoice_id, CommandKind.PAY_INVOICE, params, once)


def void_invoice(ports: Ports, caller: Principal, invoice_id: str, once: Once) -> Invoice:
    """Take an invoice back as if it had never been. Raises as ``finalize_invoice`` does."""
    return _act(ports, caller, invoice_id, CommandKind.VOID_INVOICE, {}, once)


def mark_uncollectible(ports: Ports, caller: Principal, invoice_id: str, once: Once) -> Invoice:
    """Give up on an invoice; it can still be paid. Raises as ``finalize_invoice`` does."""
    return _act(ports, caller, invoice_id, CommandKind.MARK_INVOICE_UNCOLLECTIBLE, {}, once)


def create_credit_note(
    ports: Ports, caller: Principal, invoice_id: str, *, amount: int, memo: str | None, once: Once
) -> CreditNote:
    """Take a part of an invoice back: what is owed is less; what was paid is refunded, and the merchant bears its part.

    Raises:
        InvalidAmount, and as ``finalize_invoice`` does.
    """
    invoice = read_invoice(ports, caller, invoice_id)
    require_payable(amount, invoice.currency)
    if amount > invoice.total:
        raise InvalidAmount(f"{amount} of an invoice of {invoice.total}")
    params: dict[str, Any] = {"invoice": invoice.stripe_invoice_id, "amount": amount}
    if memo is not None:
        params["memo"] = memo
    if invoice.status is _S.PAID:
        params["out_of_band_amount" if invoice.is_paid_elsewhere else "refund_amount"] = amount
    done = _perform(ports, caller, invoice, CommandKind.CREATE_CREDIT_NOTE, params, once)
    return CreditNote(
        credit_note_id=str(done.stripe_id),
        number=done.answer.get("number"),
        amount=done.answer["amount"],
        invoice=_read_again(ports, invoice),
    )


def invoice_params(wanted: NewInvoice, invoice: Invoice, stripe_customer_id: str, command_id: str) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/invoices`). It advances by nobody's hand but ours."""
    due = (
        {"collection_method": AUTOMATIC}
        if wanted.due_date is None
        else {"collection_method": BY_MAIL, "due_date": int(wanted.due_date.timestamp())}
    )
    return {
        "customer": stripe_customer_id,
        "currency": wanted.currency,
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {**wanted.metadata, "invoice_id": invoice.id, "command_id": command_id},
        **due,
        **({"description": wanted.description} if wanted.description else {}),
        **({"on_behalf_of": invoice.on_behalf_of} if invoice.on_behalf_of else {}),
    }


def _planned(ports: Ports, wanted: NewInvoice, merchant: Merchant) -> Invoice:
    """The record of an invoice to be, or the reason why there can be none."""
    if not 0 < len(wanted.lines) <= MOST_LINE_ITEMS:
        raise InvalidBasket(f"an invoice has 1 to {MOST_LINE_ITEMS} lines")
    for line in wanted.lines:
        require_payable(line.unit_amount, wanted.currency)
        if not 0 < line.quantity <= MOST_QUANTITY:
            raise InvalidBasket(f"a quantity is from 1 to {MOST_QUANTITY}")
        if line.fee is not None:
            require_fee_within(line.fee, line.amount, wanted.currency)
    require_sellable(merchant, wanted.currency, ChargeType.SEPARATE, ports.policy)
    if wanted.on_behalf_of:
        require_same_region(ports.policy.money.platform_country, merchant.country)
    now = ports.clock.now()
    if wanted.due_date is not None and wanted.due_date <= now:
        raise InvalidBasket("an invoice is due in the future")
    invoice = Invoice(
        id=ports.ids.new("invoice"),
        merchant_id=merchant.id,
        customer_id=wanted.customer_id,
        currency=wanted.currency,
        fee_policy=_fee_policy(wanted, merchant.fee_policy or ports.policy.fee),
        split=SplitBy.AMOUNT,
        lines=wanted.lines,
        metadata=wanted.metadata,
        on_behalf_of=merchant.account_id if wanted.on_behalf_of else None,
        created_at=now,
    )
    return replace(invoice, due_at=next_look(invoice, now))


def _fee_policy(wanted: NewInvoice, policy: FeePolicy) -> Mapping[str, Any]:
    """The merchant's policy, or the fee as it was asked for: of the whole, or of some of the lines."""
    total, asked = sum(line.amount for line in wanted.lines), wanted.application_fee_amount
    named = [line.fee for line in wanted.lines if line.fee is not None]
    if asked is None and not named:
        return policy.as_data()
    if asked is None:
        rest = sum(line.amount for line in wanted.lines if line.fee is None)
        asked = sum(named) + (policy.fee(rest, wanted.currency) if rest else 0)
    require_fee_within(asked, total, wanted.currency)
    return {ASKED_FEE: asked}


def _act(
    ports: Ports, caller: Principal, invoice_id: str, kind: CommandKind, params: Mapping[str, Any], once: Once
) -> Invoice:
    invoice = read_invoice(ports, caller, invoice_id)
    _perform(ports, caller, invoice, kind, params, once)
    return _read_again(ports, invoice)


def _perform(
    ports: Ports, caller: Principal, invoice: Invoice, kind: CommandKind, params: Mapping[str, Any], once: Once
) -> Command:
    """Record a step and carry it out, or answer as the first request with this key was."""
    caller.require(Role.OPERATOR)
    handler = ACTS[kind]
    used = one(ports.store, Ref(IdempotencyRecord, once.scope, once.subject))
    if used is not None:
        return require_done(replay(ports, handler, once, used))
    if invoice.status not in ALLOWED[kind]:
        raise InvoiceNotChangeable(f"the invoice is {invoice.status}")
    if invoice.changed_by is not None:
        raise RequestUnderWay("another change of this invoice has not ended")
    command_id = ports.ids.new("command")
    is_note = kind is CommandKind.CREATE_CREDIT_NOTE
    is_named = is_note or kind is CommandKind.UPDATE_INVOICE
    command = record(
        command_id=command_id,
        subject=invoice.id,
        kind=kind,
        target=() if is_note else (str(invoice.stripe_invoice_id),),
        params={**params, **({"metadata": {"command_id": command_id}} if is_named else {})},
        result=invoice.id,
        now=ports.clock.now(),
    )
    taken = Replace(invoice, replace(invoice, changed_by=command_id))
    try:
        return require_done(perform_once(ports, handler, once, command, taken.stored, taken))
    except Conflict as conflict:
        raise RequestUnderWay("another change of this invoice has not ended") from conflict


def _read_again(ports: Ports, invoice: Invoice) -> Invoice:
    follow_invoice(ports, str(invoice.stripe_invoice_id), invoice.id)
    return stored_invoice(ports, invoice.id)


def _listed(found: Object) -> ListedInvoice:
    is_sale = found["status"] == _S.PAID and found["amount_paid"] and not found.get("amount_paid_off_stripe")
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
