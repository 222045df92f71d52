"""Follow an invoice: read it again from Stripe, tell a draft its fee, and begin the sale that a paid one is.

The record is read before Stripe is: whoever wrote it meanwhile makes the commit fail, so that what is kept last was
read at Stripe last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, override

from marketplace.domain import invoices
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.errors import NotFound, StripeRefused, Unavailable
from marketplace.domain.invoice_sales import is_sale
from marketplace.domain.invoice_splits import draft_terms, invoice_fee
from marketplace.domain.invoices import Invoice, as_at_stripe, invoice_id_of, is_to_be_split, transaction_id_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.stripe_objects import Object, at, id_of
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Payment
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Create, Ports, Ref, Replace, one
from marketplace.services.commands import MOST_COMMIT_TRIES, Handler, find_made, follow_up, handles
from marketplace.services.invoice_orders import GONE
from marketplace.services.paid_invoices import begin_sale, read_intent, settle
from marketplace.services.subscription_following import follow_subscription, watch_subscription


class InvoiceHandler(Handler[Invoice]):
    """A change of an invoice; its record is read again after it."""

    @override
    def load(self, ports: Ports, command: Command) -> Invoice:
        return stored_invoice(ports, command.subject)

    @override
    def succeeded(self, ports: Ports, subject: Invoice, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return [Replace(subject, replace(subject, changed_by=None))]

    @override
    def refused(self, ports: Ports, subject: Invoice, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, changed_by=None))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return find_made([ports.stripe.read(Operation.READ_INVOICE, *command.target)], command)


class SplitInvoice(InvoiceHandler):
    """The fee of a draft. Where it comes too late Stripe refuses, and the charge is settled after its payment."""

    operation = Operation.UPDATE_INVOICE


class _Step(NamedTuple):
    """What one look at Stripe decided: ``intent`` is the payment that is to be settled after the commit."""

    after: Invoice
    changes: Sequence[Change] = ()
    intent: Object | None = None


SPLIT_INVOICE: Final = SplitInvoice()
handles(CommandKind.SPLIT_INVOICE, SPLIT_INVOICE)


def follow_invoice(ports: Ports, stripe_invoice_id: str, invoice_id: str) -> bool:
    """Read an invoice again and keep what it says; False where it is none of ours. To repeat it is harmless.

    A crash after the sale was begun leaves it due, and the next event or the sweep settles it.

    Raises:
        SeveralPayments.
        Unavailable: Stripe or DynamoDB did not answer.
    """
    for _ in range(MOST_COMMIT_TRIES):
        before = one(ports.store, Ref(Invoice, invoice_id))
        if before is not None and before.stripe_invoice_id not in {None, stripe_invoice_id}:
            return False  # its metadata was copied from one of ours
        found = read_stripes(ports, stripe_invoice_id)
        heard = before or (found and _heard_of(ports, found, invoice_id))
        if not heard:
            return False
        if found is None:
            after, changes, intent = _Step(invoices.deleted(heard))
        else:
            after, changes, intent = _step(ports, heard, found)
        written = [] if after == before else [Create(after) if before is None else Replace(before, after)]
        try:
            ports.store.commit(*written, *changes)
        except Conflict:
            continue
        follow_up(ports, changes)
        if intent is not None:
            settle(ports, str(after.transaction_id), intent)
        return True
    raise Unavailable("the invoice keeps changing")


def sale_of_charge(ports: Ports, charge: Object) -> str | None:
    """The sale whose invoice a charge paid, begun now if nobody has heard of it yet; None where it is none of ours.

    Raises:
        Unavailable: also where Stripe says that an invoice of ours is not paid by now.
    """
    known, intent_id = ports.store.transaction_of(charge["id"]), id_of(charge.get("payment_intent"))
    if known is not None or intent_id is None:
        return known
    params = {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
    paid = next(iter(ports.stripe.each(Operation.LIST_INVOICE_PAYMENTS, params=params)), None)
    found = paid and read_stripes(ports, str(id_of(paid["invoice"])))
    if not found or not follow_invoice(ports, found["id"], invoice_id_of(found)):
        return None
    if one(ports.store, Ref(Payment, transaction_id_of(found))) is None:
        raise Unavailable("the invoice of this charge is not paid yet")
    return transaction_id_of(found)


def watch_invoice(ports: Ports, invoice: Invoice) -> None:
    """Look at an invoice whose events should be here by now. Raises as `follow_invoice` does."""
    if invoice.stripe_invoice_id is not None:
        follow_invoice(ports, invoice.stripe_invoice_id, invoice.id)
    else:
        ports.store.commit(Replace(invoice, replace(invoice, due_at=invoices.next_look(invoice, ports.clock.now()))))


def watch_billing(ports: Ports, subscription: Subscription) -> None:
    """Look at a subscription whose events should be here by now, and at its latest invoice: both may have been lost."""
    latest = watch_subscription(ports, subscription).latest_invoice_id
    found = latest and read_stripes(ports, latest)
    if found:
        follow_invoice(ports, found["id"], invoice_id_of(found))


def read_stripes(ports: Ports, stripe_invoice_id: str) -> Object | None:
    """An invoice with its payments as Stripe has it now; None where it was deleted. Raises StripeUnavailable."""
    try:
        found = ports.stripe.read(Operation.READ_INVOICE, stripe_invoice_id, params={"expand": ["payments"]})
    except StripeRefused as refused:
        if refused.code != GONE:
            raise
        return None
    return None if found.get("deleted") else found


def stored_invoice(ports: Ports, invoice_id: str) -> Invoice:
    """The record. Raises NotFound."""
    found = one(ports.store, Ref(Invoice, invoice_id))
    if found is None:
        raise NotFound("invoice")
    return found


def with_split(ports: Ports, invoice: Invoice) -> tuple[Invoice, list[Change]]:
    """A draft that is being told its fee, where it needs to be and its merchant can be paid; else as it is."""
    if not is_to_be_split(invoice):
        return invoice, []
    merchant = one(ports.store, Ref(Merchant, invoice.merchant_id))
    if merchant is None or not merchant.is_ready or merchant.account_id is None:
        return invoice, []
    fee = invoice_fee(invoice.fee_policy, invoice.amount_due, invoice.total, invoice.currency)
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=invoice.id,
        kind=CommandKind.SPLIT_INVOICE,
        target=(str(invoice.stripe_invoice_id),),
        params={**draft_terms(fee, merchant.account_id), "metadata": {"command_id": command_id}},
        result=invoice.id,
        now=ports.clock.now(),
    )
    return replace(invoice, split_amount=invoice.amount_due, changed_by=command_id), [Create(command)]


def _step(ports: Ports, heard: Invoice, found: Object) -> _Step:
    """The invoice as it is now, what else is written with it, and its payment where that is to be settled."""
    after, changes = with_split(ports, as_at_stripe(heard, found, ports.clock.now()))
    intent_id = invoices.payment_intent_of(found)
    if after.status is not invoices.InvoiceStatus.PAID or not is_sale(found, intent_id):
        return _Step(after, changes)
    if after.transaction_id is not None:
        payment = one(ports.store, Ref(Payment, after.transaction_id))
        is_settled = intent_id is None or (payment is not None and payment.is_settled)
        return _Step(after, changes, None if is_settled else read_intent(ports, str(intent_id)))
    intent = None if intent_id is None else read_intent(ports, intent_id)
    after = replace(after, transaction_id=transaction_id_of(found))
    return _Step(after, [*changes, *begin_sale(ports, after, found, intent)], intent)


def _heard_of(ports: Ports, found: Object, invoice_id: str) -> Invoice | None:
    """The record of an invoice that Stripe made for a subscription of ours; None of any other."""
    stripe_id, subscription_id = invoices.subscription_of(found)
    if stripe_id is None or subscription_id is None or invoice_id != invoice_id_of(found):
        return None
    subscription = one(ports.store, Ref(Subscription, subscription_id))
    if subscription is not None and subscription.stripe_subscription_id is None:
        follow_subscription(ports, subscription_id, stripe_id)
        subscription = one(ports.store, Ref(Subscription, subscription_id))
    if subscription is None or subscription.stripe_subscription_id != stripe_id:
        return None
    return Invoice(
        id=invoice_id,
        merchant_id=subscription.merchant_id,
        customer_id=subscription.customer_id,
        currency=found["currency"],
        fee_policy=subscription.fee_policy,
        split=subscription.split,
        subscription_id=subscription.id,
        metadata=subscription.metadata,
        created_at=at(found["created"]),
    )
