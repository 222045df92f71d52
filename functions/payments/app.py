"""Payments: what is charged without a buyer on Stripe's page."""

import os
from http import HTTPStatus
from typing import Annotated, Literal, Self

from pydantic import Field

from marketplace.adapters import wiring
from marketplace.domain.transactions import CaptureMethod
from marketplace.edge.fields import Amount, Id, Metadata, RequestModel
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.line_items import Line
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import View
from marketplace.services import off_session
from marketplace.services.baskets import Basket
from marketplace.services.off_session import OffSessionPayment

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.SALES, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class PaymentBody(RequestModel):
    """A sale to be paid with saved details. Inline amounts, their merchants, fees and customers are for operators."""

    line_items: list[Line]
    payment_method_id: Id
    merchant_id: Id | None = None
    application_fee_amount: Amount | None = None
    customer_id: Id | None = None
    refund_application_fee: bool = True
    hold: bool = False
    capture_method: Literal["automatic", "manual"] = "automatic"
    metadata: Metadata = Field(default_factory=dict)

    def as_basket(self) -> Basket:
        """As the use case takes it."""
        items = tuple(line.as_item() for line in self.line_items)
        terms = self.model_dump(exclude={"line_items", "payment_method_id"})
        return Basket(items=items, **terms | {"capture_method": CaptureMethod(self.capture_method)})


class DeclineView(View):
    """Why it was not paid: `what` and `action` can be shown to the buyer."""

    code: str
    what: str
    action: str


class PaymentView(View):
    """A payment with saved details. `client_secret` is for the buyer alone, while his bank wants him to confirm."""

    transaction_id: str
    payment_intent_id: str | None
    payment_method_id: str
    status: str
    decline: DeclineView | None
    client_secret: Annotated[str | None, Field(description="For Stripe.js: `confirmCardPayment`. Never to be stored.")]

    @classmethod
    def of_payment(cls, made: OffSessionPayment) -> Self:
        """From the use case's answer."""
        words = made.words
        decline = None if words is None else DeclineView(code=str(made.decline), what=words.what, action=words.action)
        return cls(
            transaction_id=made.transaction_id,
            payment_intent_id=made.payment_intent_id,
            payment_method_id=made.payment_method_id,
            status=made.status,
            decline=decline,
            client_secret=made.client_secret,
        )


@app.post("/payments", status_code=HTTPStatus.CREATED)
def create_payment(body: PaymentBody, key: IdempotencyKey, caller: Caller) -> PaymentView:
    """Charge a customer's saved payment details for a sale."""
    wanted = once(caller, "POST /payments", key, body)
    made = off_session.charge_saved(ports, caller, body.as_basket(), body.payment_method_id, wanted)
    return PaymentView.of_payment(made)


@app.get("/payments/<transaction_id>")
def read_payment(transaction_id: str, caller: Caller) -> PaymentView:
    """Where a payment with saved details stands, by its transaction."""
    return PaymentView.of_payment(off_session.read_payment(ports, caller, transaction_id))
