"""Transactions: what happened to a payment. Reads only; Stripe is not asked."""

import os
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from marketplace.adapters import wiring
from marketplace.domain.principals import Role
from marketplace.domain.transactions import TransactionStatus
from marketplace.edge.fields import DEFAULT_PAGE, Cursor, Filter, Limit, Since, Until
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.transaction_views import (
    JournalEntryView,
    MomentView,
    TransactionSummary,
    TransactionView,
    journal,
    moments,
)
from marketplace.edge.views import Listing
from marketplace.services import transactions

Status = Annotated[TransactionStatus | None, Query(description="Those that stand so now.")]

settings = Settings.of(os.environ, Part.TABLE, Part.CALLERS)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


@app.get("/transactions")
def list_transactions(
    caller: Caller,
    merchant_id: Filter = None,
    customer_id: Filter = None,
    status: Status = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Listing[TransactionSummary]:
    """Transactions, newest first: one's own, whoever is named; for operators of one merchant or customer or of all.

    A page of a `status` may be short, or empty, and not the last: the list goes on as long as there is a `cursor`.
    """
    page = transactions.list_transactions(
        ports, caller, merchant_id=merchant_id, customer_id=customer_id, cursor=cursor, limit=limit, status=status,
        since=since, until=until,
    )  # fmt: skip
    return Listing(data=[TransactionSummary.seen_by(caller, *sale) for sale in page.items], cursor=page.cursor)


@app.get("/transactions/<transaction_id>")
def read_transaction(transaction_id: str, caller: Caller) -> TransactionView:
    """A transaction with its refunds and its timeline."""
    return TransactionView.of_books(caller, transactions.read_transaction(ports, caller, transaction_id))


@app.get("/transactions/<transaction_id>/timeline")
def read_timeline(transaction_id: str, caller: Caller) -> Listing[MomentView]:
    """What happened to a transaction, the first first."""
    caller.require(Role.OPERATOR, Role.MERCHANT)
    found = transactions.read_transaction(ports, caller, transaction_id)
    return Listing(data=moments(caller, found), cursor=None)


@app.get("/transactions/<transaction_id>/ledger")
def read_ledger(transaction_id: str, caller: Caller) -> Listing[JournalEntryView]:
    """The ledger's entries of a transaction, the first first."""
    caller.require(Role.OPERATOR)
    return Listing(data=journal(transactions.read_transaction(ports, caller, transaction_id).entries), cursor=None)
