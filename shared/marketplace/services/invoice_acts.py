"""The steps of an invoice's life that an operator asks for: changed, finalized, mailed, paid, taken back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import Customer
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidAmount, InvoiceNotChangeable, NotFound
from marketplace.domain.invoices import BY_MAIL, Invoice, InvoiceStatus
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.ports import Ports, Ref, one
from marketplace.services.changes import carry_out, require_free
from marketplace.services.commands import replay, require_done
from marketplace.services.customers import own_payment_method
from marketplace.services.idempotency import Once
from marketplace.services.invoice_commands import ACTS
from marketplace.services.invoice_following import follow_invoice, stored_invoice
from marketplace.services.invoice_reading import read_invoice

_S = InvoiceStatus
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
class CreditNote:
    """A part of an invoice taken back: ``amount`` in minor units."""

    credit_note_id: str
    number: str | None
    amount: int
    invoice: Invoice


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
    require_free(invoice, "this invoice")
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
    return carry_out(ports, handler, once, command, invoice, invoice, "this invoice")


def _read_again(ports: Ports, invoice: Invoice) -> Invoice:
    follow_invoice(ports, str(invoice.stripe_invoice_id), invoice.id)
    return stored_invoice(ports, invoice.id)
