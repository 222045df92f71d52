"""Checkout Sessions: what a buyer pays in."""

import os
from http import HTTPStatus

from pydantic import Field

from marketplace.adapters import wiring
from marketplace.edge.fields import Amount, Id, Metadata, RequestModel, Url
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.line_items import Line
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import View
from marketplace.services import checkout
from marketplace.services.baskets import Basket

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RETURNS, Part.SALES, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class CheckoutBody(RequestModel):
    """A sale. Inline amounts, their merchant, fees and customers are for operators to name."""

    line_items: list[Line]
    success_url: Url
    cancel_url: Url
    merchant_id: Id | None = None
    application_fee_amount: Amount | None = None
    customer_id: Id | None = None
    refund_application_fee: bool = True
    metadata: Metadata = Field(default_factory=dict)

    def as_basket(self) -> Basket:
        """As the use case takes it."""
        items = tuple(line.as_item() for line in self.line_items)
        return Basket(items=items, **self.model_dump(exclude={"line_items"}))


class CheckoutSessionView(View):
    """A Checkout Session; `url` is where the buyer pays, while it is open."""

    transaction_id: str
    checkout_session_id: str | None
    status: str
    url: str | None


@app.post("/checkout/sessions", status_code=HTTPStatus.CREATED)
def create_session(body: CheckoutBody, key: IdempotencyKey, caller: Caller) -> CheckoutSessionView:
    """Plan a sale and make the Checkout Session that the buyer pays in."""
    wanted = once(caller, "POST /checkout/sessions", key, body)
    return CheckoutSessionView.of(checkout.create_checkout_session(ports, caller, body.as_basket(), wanted))


@app.get("/checkout/sessions/<transaction_id>")
def read_session(transaction_id: str, caller: Caller) -> CheckoutSessionView:
    """Where a session stands, by its transaction."""
    return CheckoutSessionView.of(checkout.read_checkout_session(ports, caller, transaction_id))


@app.post("/checkout/sessions/<transaction_id>/expire")
def expire_session(transaction_id: str, caller: Caller) -> CheckoutSessionView:
    """End an open session, so that it can no longer be paid."""
    return CheckoutSessionView.of(checkout.expire_checkout_session(ports, caller, transaction_id))
