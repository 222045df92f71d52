"""The balance of a customer: what it owes (more than 0) or is owed (less), set off against its next invoices.

https://docs.stripe.com/billing/customer/balance
"""

from collections.abc import Mapping
from typing import Final

from ..context import Context
from ..errors import InvalidRequestError
from ..shelves import Collection
from ..values import Object
from .moments import now_for

BALANCE_ENTRIES: Final = Collection(
    "customer_balance_transaction",
    indexes=("customer", "invoice"),
    expands={"credit_note": "credit_note", "customer": "customer", "invoice": "invoice"},
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
    tells: bool = True,
) -> Object:
    """Change a customer's balance by ``amount`` minor units, and keep why: ``kind`` is Stripe's type of it.

    Raises:
        InvalidRequestError: the customer is deleted.

    There is no event for the entry; ``customer.updated`` tells of the balance, unless ``tells`` leaves that to others.
    """
    customers = context.state.collection_of("customer")
    assert customers is not None  # noqa: S101 - it is always there
    current = context.state.get(customers, customer["id"])
    if "deleted" in current:
        raise InvalidRequestError(f"The customer {current['id']} is deleted, and has no balance.", param="customer")
    ending = current["balance"] + amount
    after = context.state.update(customers, current, {"balance": ending, "currency": current["currency"] or currency})
    if tells:
        context.emit("customer.updated", after, previous=current)
    entry = {
        "id": context.ids.new("cbtxn"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": now_for(context, current),
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
