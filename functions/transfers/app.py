"""Transfers: what merchants were sent, and what an operator takes back."""

import os
from http import HTTPStatus

from marketplace.adapters import wiring
from marketplace.domain.ids import owner_of
from marketplace.edge.fields import DEFAULT_PAGE, Amount, Cursor, Filter, Limit, Reason, RequestModel
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.transfer_views import TransferView
from marketplace.edge.views import Listing
from marketplace.services import reversals

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class ReversalBody(RequestModel):
    """What to take back of a transfer, in minor units; without `amount` all that is with the merchant."""

    reason: Reason
    amount: Amount | None = None


@app.get("/transfers")
def list_transfers(
    caller: Caller, transaction_id: Filter = None, merchant_id: Filter = None, cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Listing[TransferView]:  # fmt: skip
    """The transfers of a sale, or of a merchant or all: then those of up to `limit` sales on a page, newest first."""
    page = reversals.list_transfers(
        ports, caller, transaction_id=transaction_id, merchant_id=merchant_id, cursor=cursor, limit=limit
    )
    return Listing(data=[TransferView.of_transfer(each) for each in page.items], cursor=page.cursor)


@app.get("/transfers/<transfer_id>")
def read_transfer(transfer_id: str, caller: Caller) -> TransferView:
    """A transfer with what came back of it."""
    return TransferView.of_transfer(reversals.read_transfer(ports, caller, transfer_id))


@app.post("/transfers/<transfer_id>/reversals", status_code=HTTPStatus.CREATED)
def create_reversal(transfer_id: str, body: ReversalBody, key: IdempotencyKey, caller: Caller) -> TransferView:
    """Take a transfer back, whole or in part; the money is held for the merchant until it is released or refunded."""
    sale = owner_of("transfer", transfer_id)
    wanted = once(caller, f"POST /transfers/{transfer_id}/reversals", key, body, subject=sale)
    found = reversals.reverse_transfer(ports, caller, transfer_id, wanted, amount=body.amount, reason=body.reason)
    return TransferView.of_transfer(found)
