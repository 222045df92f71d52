"""The sale that a paid invoice is: planned from what its payment says, and begun like any other.

Whether Stripe has split the charge is not remembered but read: a PaymentIntent with a destination was, one without is
the platform's, and the merchant's share of it is sent by a transfer (docs/adr/0023).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from marketplace.domain.errors import Unavailable
from marketplace.domain.invoice_sales import free_facts, plan
from marketplace.domain.invoices import Invoice
from marketplace.domain.stripe_objects import Object, charge_facts, payment_intent_facts
from marketplace.domain.transactions import Payment, Transaction, join
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Create, Ports, Ref
from marketplace.services.commands import MOST_COMMIT_TRIES, follow_up
from marketplace.services.invoice_orders import ordered
from marketplace.services.sales import begun, payment_of
from marketplace.services.settlement import invoice_payment_changes, split_changes

WATCH_AFTER: Final = timedelta(minutes=10)  # Stripe's balance transaction follows a charge within seconds


def read_intent(ports: Ports, payment_intent_id: str) -> Object:
    """The payment of an invoice, with its charge. Raises StripeUnavailable."""
    params = {"expand": ["latest_charge"]}
    return ports.stripe.read(Operation.READ_PAYMENT_INTENT, payment_intent_id, params=params)


def begin_sale(ports: Ports, invoice: Invoice, found: Object, intent: Object | None) -> Sequence[Change]:
    """The records that the sale of a paid invoice begins with; ``settle`` adds what its charge says.

    One of which all was taken off has no charge, and is split as it begins. Raises StripeUnavailable.
    """
    transaction = plan(invoice, found, intent)
    if intent is None:
        return _free(ports, transaction, found)
    due_at = ports.clock.now() + WATCH_AFTER
    _, changes = begun(transaction, due_at=due_at, payment_intent_id=intent["id"])
    return changes


def _free(ports: Ports, transaction: Transaction, found: Object) -> Sequence[Change]:
    paid = join(payment_of(transaction, due_at=None), free_facts(found))
    lines = ordered(ports, found["id"], transaction.legs[0].merchant_id)
    return [Create(transaction), Create(paid), *split_changes(ports, transaction, paid, lines, {})]


def settle(ports: Ports, transaction_id: str, intent: Object) -> None:
    """Join what the payment of an invoice says to its sale, with all that follows.

    Raises:
        Unavailable: the records kept moving, or the store did not answer.
    """
    plan_ref, payment_ref = Ref(Transaction, transaction_id), Ref(Payment, transaction_id)
    for _ in range(MOST_COMMIT_TRIES):
        found = ports.store.get(plan_ref, payment_ref)
        transaction, before = found(plan_ref), found(payment_ref)
        if transaction is None or before is None:
            raise Unavailable("the sale of this invoice is not readable yet")
        after = join(before, payment_intent_facts(intent))
        charge = intent.get("latest_charge")
        after = join(after, charge_facts(charge)) if charge else after
        try:
            changes = invoice_payment_changes(ports, transaction, before, after)
            ports.store.commit(*changes)
        except Conflict:
            continue
        follow_up(ports, changes)
        return
    raise Unavailable("the payment of this invoice keeps changing")
