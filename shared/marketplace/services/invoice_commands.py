"""What is asked of Stripe for an invoice: made, given its lines, changed, and taken from one status to the next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.invoices import Invoice, InvoiceLine, InvoiceStatus, as_at_stripe
from marketplace.domain.stripe_objects import Object
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Ports, Replace
from marketplace.services.commands import find_made, handles, made_since
from marketplace.services.invoice_following import InvoiceHandler, with_split

_S = InvoiceStatus


class CreateInvoice(InvoiceHandler):
    """The draft; its lines are the next command."""

    operation = Operation.CREATE_INVOICE

    @override
    def succeeded(self, ports: Ports, subject: Invoice, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        adding = lines_command(ports, subject, made["id"])
        drafted = replace(subject, stripe_invoice_id=made["id"], status=_S.DRAFT, changed_by=adding.id)
        return [Replace(subject, drafted), Create(adding)]

    @override
    def refused(self, ports: Ports, subject: Invoice, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, status=_S.REFUSED, changed_by=None, due_at=None))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"customer": command.params["customer"], "limit": 100, "created": made_since(command)}
        return find_made(ports.stripe.each(Operation.LIST_INVOICES, params=params), command)


class AddInvoiceLines(InvoiceHandler):
    """The lines of a draft, all at once; then it is told its fee."""

    operation = Operation.ADD_INVOICE_LINES

    @override
    def succeeded(self, ports: Ports, subject: Invoice, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        filled = as_at_stripe(replace(subject, changed_by=None), made, ports.clock.now())
        split, changes = with_split(ports, filled)
        return [Replace(subject, split), *changes]


class InvoiceAct(InvoiceHandler):
    """One step of an invoice's way; ``is_done`` tells it of an invoice, where an answer was lost."""

    def __init__(self, operation: Operation, is_done: Callable[[Object], bool]) -> None:
        self.operation = operation
        self._is_done = is_done

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        found = ports.stripe.read(Operation.READ_INVOICE, *command.target)
        return found if self._is_done(found) else None


class UpdateInvoice(InvoiceHandler):
    """Other words, another date."""

    operation = Operation.UPDATE_INVOICE


class CreateCreditNote(InvoiceHandler):
    """A part of an invoice taken back. Its refund comes as an event, as if it had been made in the Dashboard."""

    operation = Operation.CREATE_CREDIT_NOTE

    @override
    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"number": made.get("number"), "amount": made["amount"], "pdf": made.get("pdf")}

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"invoice": command.params["invoice"], "limit": 100}
        return find_made(ports.stripe.each(Operation.LIST_CREDIT_NOTES, params=params), command)


def _has(*statuses: InvoiceStatus) -> Callable[[Object], bool]:
    return lambda found: found["status"] in statuses


CREATE_INVOICE: Final = CreateInvoice()
CREATE_CREDIT_NOTE: Final = CreateCreditNote()
ACTS: Final[Mapping[CommandKind, InvoiceHandler]] = {
    CommandKind.CREATE_INVOICE: CREATE_INVOICE,
    CommandKind.ADD_INVOICE_LINES: AddInvoiceLines(),
    CommandKind.UPDATE_INVOICE: UpdateInvoice(),
    CommandKind.FINALIZE_INVOICE: InvoiceAct(
        Operation.FINALIZE_INVOICE, _has(_S.OPEN, _S.PAID, _S.VOID, _S.UNCOLLECTIBLE)
    ),
    # Whether it was mailed is not to be seen: it is mailed again.
    CommandKind.SEND_INVOICE: InvoiceAct(Operation.SEND_INVOICE, _has()),
    CommandKind.PAY_INVOICE: InvoiceAct(Operation.PAY_INVOICE, _has(_S.PAID)),
    CommandKind.VOID_INVOICE: InvoiceAct(Operation.VOID_INVOICE, _has(_S.VOID)),
    CommandKind.MARK_INVOICE_UNCOLLECTIBLE: InvoiceAct(Operation.MARK_INVOICE_UNCOLLECTIBLE, _has(_S.UNCOLLECTIBLE)),
    CommandKind.CREATE_CREDIT_NOTE: CREATE_CREDIT_NOTE,
}
for _kind, _handler in ACTS.items():
    handles(_kind, _handler)


def lines_command(ports: Ports, invoice: Invoice, stripe_invoice_id: str) -> Command:
    """The command that gives a draft its lines (`/v1/invoices/{invoice}/add_lines`)."""
    command_id = ports.ids.new("command")
    return record(
        command_id=command_id,
        subject=invoice.id,
        kind=CommandKind.ADD_INVOICE_LINES,
        target=(stripe_invoice_id,),
        params={
            "lines": [_line(line, invoice.currency) for line in invoice.lines],
            "invoice_metadata": {"command_id": command_id},
        },
        result=invoice.id,
        now=ports.clock.now(),
    )


def _line(line: InvoiceLine, currency: str) -> dict[str, Any]:
    """An amount; what is said of its tax stands on a price that is described on the spot."""
    if line.tax_code is None and line.tax_behavior is None:
        described = line.description if line.quantity == 1 else f"{line.quantity} x {line.description}"
        return {"amount": line.amount, "description": described}
    product = {"name": line.description, **({"tax_code": line.tax_code} if line.tax_code else {})}
    behavior = {"tax_behavior": line.tax_behavior} if line.tax_behavior else {}
    price = {"currency": currency, "unit_amount": line.unit_amount, "product_data": product, **behavior}
    return {"price_data": price, "quantity": line.quantity, "description": line.description}
