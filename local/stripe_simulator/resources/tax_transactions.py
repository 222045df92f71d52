"""Tax transactions. https://docs.stripe.com/api/tax/transactions"""

from typing import Final

from ..context import Context
from ..pricing.tax_transactions import TRANSACTION_LINES, TRANSACTIONS, record, reverse
from ..routing import Routes
from ..values import Object

routes = Routes(TRANSACTIONS, TRANSACTION_LINES)
_PATH: Final = "/v1/tax/transactions"


@routes.api("POST", _PATH + "/create_from_calculation")
def create_from_calculation(context: Context) -> Object:
    """Record the tax that was collected as it was calculated."""
    return record(context, context.params)


@routes.api("POST", _PATH + "/create_reversal")
def create_reversal(context: Context) -> Object:
    """Record that tax was given back."""
    return reverse(context, context.params)


@routes.api("GET", _PATH + "/{transaction}")
def retrieve(context: Context, transaction: str) -> Object:
    """The transaction as it stands."""
    return context.state.get(TRANSACTIONS, transaction)


@routes.api("GET", _PATH + "/{transaction}/line_items")
def list_line_items(context: Context, transaction: str) -> Object:
    """Its lines, in the order that they were calculated in."""
    return context.list(TRANSACTION_LINES, {"_transaction": context.state.get(TRANSACTIONS, transaction)["id"]})
