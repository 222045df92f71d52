"""Stripe's fee of a payment, which no event carries."""

from dataclasses import replace

from marketplace.domain.transactions import Payment, PaymentFacts
from marketplace.ports import Operation, Ports


def with_fee(ports: Ports, payment: Payment, facts: PaymentFacts) -> PaymentFacts:
    """The facts with Stripe's fee: one read, of the balance transaction, when it is new."""
    if facts.balance_transaction_id is None or payment.processing_fee is not None:
        return facts
    booked = ports.stripe.read(Operation.READ_BALANCE_TRANSACTION, facts.balance_transaction_id)
    return replace(facts, processing_fee=booked["fee"], processing_fee_currency=booked["currency"])
