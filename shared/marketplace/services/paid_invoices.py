"""The sale that a paid invoice is: planned from what its payment says, and begun like any other.

Whether Stripe has split the charge is not remembered but read: a PaymentIntent with a destination was, one without is
the platform's, and the merchant's share of it is sent by a transfer (docs/adr/0023).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from marketplace.domain.errors import Unavailable
from marketplace.domain.invoice_splits import invoice_fee
from marketplace.domain.invoices import Invoice, transaction_id_of
from marketplace.domain.stripe_objects import Object, at, charge_facts, payment_intent_facts
from marketplace.domain.transactions import MOST_LINE_ITEMS, ChargeType, Leg, LineItem, Payment, Transaction, join
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Ports, Ref
from marketplace.services.commands import MOST_COMMIT_TRIES, follow_up
from marketplace.services.sales import begun
from marketplace.services.settlement import payment_changes

WATCH_AFTER: Final = timedelta(minutes=10)  # Stripe's balance transaction follows a charge within seconds


def read_intent(ports: Ports, payment_intent_id: str) -> Object:
    """The payment of an invoice, with its charge. Raises StripeUnavailable."""
    params = {"expand": ["latest_charge"]}
    return ports.stripe.read(Operation.READ_PAYMENT_INTENT, payment_intent_id, params=params)


def begin_sale(ports: Ports, invoice: Invoice, found: Object, intent: Object) -> Sequence[Change]:
    """The records that the sale of a paid invoice begins with; ``settle`` adds what its charge says."""
    due_at = ports.clock.now() + WATCH_AFTER
    _, changes = begun(plan(invoice, found, intent), due_at=due_at, payment_intent_id=intent["id"])
    return changes


def plan(invoice: Invoice, found: Object, intent: Object) -> Transaction:
    """The sale as it came to be paid: its fee as Stripe took it, else by the policy that the invoice was made under."""
    amount, currency = intent["amount_received"], found["currency"]
    destination = (intent.get("transfer_data") or {}).get("destination")
    fee = (
        intent.get("application_fee_amount") or 0
        if destination
        else invoice_fee(invoice.fee_policy, amount, found["total"], currency)
    )
    leg = Leg(merchant_id=invoice.merchant_id, account_id=destination, amount=amount, fee=fee)
    return Transaction(
        id=transaction_id_of(found),
        amount=amount,
        currency=currency,
        charge_type=ChargeType.DESTINATION if destination else ChargeType.SEPARATE,
        legs=(leg,),
        line_items=line_items(found, amount),
        customer_id=invoice.customer_id,
        fee_policy=invoice.fee_policy,
        refund_application_fee=True,
        metadata=invoice.metadata,
        created_at=at(found["created"]),
        invoice_id=invoice.id,
        subscription_id=invoice.subscription_id,
    )


def line_items(found: Object, amount: int) -> tuple[LineItem, ...]:
    """The lines that can be refunded one by one: all of them where they are what was charged, else the whole as one.

    Credits, discounts, tax and what the customer's balance paid make the two differ.
    """
    lines = found["lines"]["data"]
    is_all = not found["lines"].get("has_more") and len(lines) <= MOST_LINE_ITEMS
    if is_all and all(line["amount"] > 0 for line in lines) and sum(line["amount"] for line in lines) == amount:
        return tuple(map(_line_item, lines))
    return (LineItem(name=f"Invoice {found.get('number') or found['id']}", unit_amount=amount, quantity=1),)


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
            changes = payment_changes(ports, transaction, before, after)
            ports.store.commit(*changes)
        except Conflict:
            continue
        follow_up(ports, changes)
        return
    raise Unavailable("the payment of this invoice keeps changing")


def _line_item(line: Object) -> LineItem:
    quantity = line.get("quantity") or 1
    units = quantity if line["amount"] % quantity == 0 else 1
    return LineItem(name=line.get("description") or "Item", unit_amount=line["amount"] // units, quantity=units)
