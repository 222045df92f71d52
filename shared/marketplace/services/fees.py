"""Stripe's fee of a payment, which no event carries."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from marketplace.domain.transactions import Payment, PaymentFacts
from marketplace.ports import Operation, Ports

PARTIAL_CAPTURE: Final = "partial_capture_reversal"


def with_fee(ports: Ports, payment: Payment, facts: PaymentFacts) -> PaymentFacts:
    """The facts with Stripe's fee: one read, of the balance transaction, when it is new.

    What was captured in part is booked whole and the rest turned back with its part of the fee; that has a balance
    transaction of its own, found by the charge.
    """
    if facts.balance_transaction_id is None or payment.processing_fee is not None:
        return facts
    authorized = facts.authorized or payment.authorized
    if authorized is not None and facts.captured is not None and facts.captured < authorized:
        booked = list(_of_partial_capture(ports, str(facts.charge_id)))
    else:
        booked = [ports.stripe.read(Operation.READ_BALANCE_TRANSACTION, facts.balance_transaction_id)]
    fee = sum(each["fee"] for each in booked)
    return replace(facts, processing_fee=fee, processing_fee_currency=booked[0]["currency"])


def _of_partial_capture(ports: Ports, charge_id: str) -> Iterator[Mapping[str, Any]]:
    expand = ["balance_transaction", "refunds.data.balance_transaction"]
    charge = ports.stripe.read(Operation.READ_CHARGE, charge_id, params={"expand": expand})
    yield charge["balance_transaction"]
    for refund in charge["refunds"]["data"]:
        booked = refund["balance_transaction"]
        if booked and booked["reporting_category"] == PARTIAL_CAPTURE:
            yield booked
