"""Charges and refunds as they are kept: their collections, and how each begins."""

from typing import Any, Final

from ..context import Context
from ..lists import list_object
from ..shelves import Collection
from ..state import State, public
from ..values import Object
from .balances import expand_anywhere, expand_balance_transaction
from .methods import billing

_LISTED: Final = 10


def _refunds_of(state: State, charge: Object) -> Object:
    found = list(state.select(REFUNDS, {"charge": charge["id"]}))
    data = [public(refund) for refund in found[:_LISTED]]
    url = f"/v1/charges/{charge['id']}/refunds"
    return {**list_object(data, url, has_more=len(found) > _LISTED), "total_count": len(found)}


CHARGES: Final = Collection(
    "charge",
    path="/v1/charges",
    indexes=("customer", "payment_intent", "transfer_group"),
    expands={
        "application_fee": expand_anywhere("application_fee"),
        "balance_transaction": expand_balance_transaction(),
        "customer": "customer",
        "failure_balance_transaction": expand_balance_transaction("failure_balance_transaction"),
        "on_behalf_of": "account",
        "payment_intent": "payment_intent",
        "refunds": _refunds_of,
        "source_transfer": expand_anywhere("source_transfer"),
        "transfer": expand_anywhere("transfer"),
        "transfer_data.destination": "account",
    },
    found_anywhere=True,
)
"""``_available_on``: when its money is (or was) no longer pending; ``_method``: what it was paid with."""

REFUNDS: Final = Collection(
    "refund",
    path="/v1/refunds",
    indexes=("charge", "payment_intent"),
    expands={
        "balance_transaction": expand_balance_transaction(),
        "charge": "charge",
        "failure_balance_transaction": expand_balance_transaction("failure_balance_transaction"),
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
        "source_transfer_reversal": expand_anywhere("source_transfer_reversal"),
        "transfer_reversal": expand_anywhere("transfer_reversal"),
    },
    found_anywhere=True,
)


def blank_charge(context: Context, charge_id: str, amount: int, currency: str) -> dict[str, Any]:
    """A charge of which nothing but its amount is known."""
    absent = (
        *("application", "application_fee", "application_fee_amount", "balance_transaction"),
        *("calculated_statement_descriptor", "customer", "description", "failure_balance_transaction"),
        *("failure_code", "failure_message", "on_behalf_of", "outcome", "payment_intent", "payment_method"),
        *("payment_method_details", "receipt_email", "receipt_number", "receipt_url", "review"),
        *("shipping", "source", "source_transfer", "statement_descriptor", "statement_descriptor_suffix"),
        *("transfer_data", "transfer_group"),
    )
    return {
        "id": charge_id,
        "object": "charge",
        "amount": amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        **dict.fromkeys(absent),
        "billing_details": billing(None),
        "captured": False,
        "created": context.clock.now(),
        "currency": currency,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "paid": False,
        "radar_options": {},
        "refunded": False,
        "status": "pending",
    }


def blank_refund(context: Context, refund_id: str, amount: int, charge: Object) -> dict[str, Any]:
    """A refund of a charge of which nothing but its amount is known."""
    return {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": context.clock.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }
