"""The balance of a customer: what it owes (more than 0) or is owed (less), set off against its next invoices.

https://docs.stripe.com/billing/customer/balance
"""

from collections.abc import Mapping
from typing import Final

from ..context import Context
from ..shelves import Collection
from ..values import Object

BALANCE_ENTRIES: Final = Collection(
    "customer_balance_transaction", indexes=("customer", "invoice"), expands={"invoice": "invoice"}
)


def adjust(
    context: Context,
    customer: Object,
    amount: int,
    currency: str,
    kind: str,
    *,
    invoice: str | None = None,
    credit_note: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Object:
    """Change a customer's balance by ``amount`` minor units, and keep why: ``kind`` is Stripe's type of it."""
    customers = context.state.collection_of("customer")
    assert customers is not None  # noqa: S101 - it is always there
    current = context.state.get(customers, customer["id"])
    ending = current["balance"] + amount
    context.state.update(customers, current, {"balance": ending, "currency": current["currency"] or currency})
    entry = {
        "id": context.ids.new("cbtxn"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": context.clock.now(),
        "credit_note": credit_note,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "description": description,
        "ending_balance": ending,
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "type": kind,
    }
    return context.state.insert(BALANCE_ENTRIES, entry)
