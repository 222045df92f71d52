"""Refunds, and what they recover."""

import os
from http import HTTPStatus
from typing import Annotated, Final, Literal, Self

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, model_validator

from marketplace.adapters import wiring
from marketplace.domain.errors import NotFound
from marketplace.domain.refunds import RefundStatus
from marketplace.domain.transactions import MOST_LINE_ITEMS
from marketplace.edge.fields import DEFAULT_PAGE, Amount, Cursor, Filter, Id, Limit, RequestModel, Since, Until
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.refund_views import RefundView, concerns
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing
from marketplace.services import refunds
from marketplace.services.refunds import RefundRequest

NOT_KNOWN: Final = frozenset({RefundStatus.REQUESTED, RefundStatus.UNKNOWN})
Status = Annotated[RefundStatus | None, Query(description="Those that stand so now.")]

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class RefundLine(RequestModel):
    """Items of a line, by its number in the transaction's `line_items`; without `quantity` all that are left of it."""

    line: Annotated[int, Field(ge=0)]
    quantity: Annotated[int | None, Field(ge=1)] = None


class RefundBody(RequestModel):
    """A refund: of all that is left without an `amount`, of the fee as the sale says without a word on it.

    Of a cart it is of `merchant_id`'s part, or of everybody's in proportion to what is left of each; a merchant refunds
    its own. With `line_items` it is of those, at what was paid for them, and neither amount nor merchant is named.
    """

    amount: Amount | None = None
    merchant_id: Id | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    refund_application_fee: bool | None = None
    line_items: Annotated[list[RefundLine] | None, Field(min_length=1, max_length=MOST_LINE_ITEMS)] = None

    @model_validator(mode="after")
    def _is_of_lines_or_of_an_amount(self) -> Self:
        if self.line_items is not None and (self.amount, self.merchant_id) != (None, None):
            raise ValueError("line_items, or an amount and a merchant")
        if len({each.line for each in self.line_items or ()}) != len(self.line_items or ()):
            raise ValueError("each line once")
        return self

    def of(self, transaction_id: str) -> RefundRequest:
        """As the use case takes it."""
        lines = {each.line: each.quantity for each in self.line_items or ()}
        return RefundRequest(transaction_id=transaction_id, lines=lines, **self.model_dump(exclude={"line_items"}))


@app.post(
    "/transactions/<transaction_id>/refunds",
    responses={
        HTTPStatus.CREATED: {"description": "Refunded"},
        HTTPStatus.ACCEPTED: {
            "description": "Recorded; Stripe has not answered yet, and it goes on without the caller"
        },
    },
)
def create_refund(
    transaction_id: str, body: RefundBody, key: IdempotencyKey, caller: Caller
) -> tuple[RefundView, HTTPStatus]:
    """Refund a transaction, whole or in part."""
    wanted = once(caller, f"POST /transactions/{transaction_id}/refunds", key, body, subject=transaction_id)
    refund = refunds.request_refund(ports, caller, body.of(transaction_id), wanted)
    status = HTTPStatus.ACCEPTED if refund.status in NOT_KNOWN else HTTPStatus.CREATED
    return RefundView.seen_by(caller, refund), status


@app.get("/refunds")
def list_refunds(
    caller: Caller,
    merchant_id: Filter = None,
    status: Status = None,
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Listing[RefundView]:
    """Refunds, newest first: those that concern the caller, or for operators one merchant or all.

    A page of a `status` may be short, or empty, and not the last: the list goes on as long as there is a `cursor`.
    """
    page = refunds.list_refunds(
        ports, caller, merchant_id=merchant_id, cursor=cursor, limit=limit, status=status, since=since, until=until
    )
    return Listing(data=RefundView.all_seen_by(caller, page.items), cursor=page.cursor)


@app.get("/transactions/<transaction_id>/refunds")
def refunds_of_sale(transaction_id: str, caller: Caller) -> Listing[RefundView]:
    """The refunds of a transaction, the first first: all of them, on one page."""
    found = refunds.refunds_of_sale(ports, caller, transaction_id)
    return Listing(data=RefundView.all_seen_by(caller, found), cursor=None)


@app.get("/refunds/<refund_id>")
def read_refund(refund_id: str, caller: Caller) -> RefundView:
    """A refund."""
    found = refunds.read_refund(ports, caller, refund_id)
    if not concerns(caller, found):
        raise NotFound("refund")
    return RefundView.seen_by(caller, found)
