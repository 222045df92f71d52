"""Payments: charged without a buyer on Stripe's page; authorized and captured; held for the merchants and released."""

import os
from http import HTTPStatus
from typing import Annotated, Literal, Self

from pydantic import Field

from marketplace.adapters import wiring
from marketplace.domain.transactions import CaptureMethod
from marketplace.edge.fields import Amount, Id, Metadata, RequestModel, Time
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.line_items import Line
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.transaction_views import TransactionView
from marketplace.edge.views import View
from marketplace.services import captures, off_session, releases
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
    on_behalf_of: Annotated[bool, Field(description="Whether the one merchant is the settlement merchant.")] = False
    metadata: Metadata = Field(default_factory=dict)

    def as_basket(self) -> Basket:
        """As the use case takes it."""
        items = tuple(line.as_item() for line in self.line_items)
        terms = self.model_dump(exclude={"line_items", "payment_method_id"})
        return Basket(items=items, **terms | {"capture_method": CaptureMethod(self.capture_method)})


class CaptureBody(RequestModel):
    """What to capture, in minor units; without `amount` all that is authorized."""

    amount: Amount | None = None


class ReleaseBody(RequestModel):
    """Whose share to release, everybody's without `merchant_id`, and how much of each, all of it without `amount`."""

    merchant_id: Id | None = None
    amount: Amount | None = None


class HoldBody(RequestModel):
    """Whose share to hold, everybody's without `merchant_id`, until a release or until `release_at`."""

    merchant_id: Id | None = None
    release_at: Time | None = None


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


@app.post("/transactions/<transaction_id>/capture")
def capture(transaction_id: str, body: CaptureBody, key: IdempotencyKey, caller: Caller) -> TransactionView:
    """Take what is authorized, or a part of it; the rest is let go, and the merchants' parts are smaller with it."""
    wanted = once(caller, f"POST /transactions/{transaction_id}/capture", key, body, subject=transaction_id)
    return TransactionView.of_books(caller, captures.capture(ports, caller, transaction_id, body.amount, wanted))


@app.post("/transactions/<transaction_id>/cancel")
def cancel(transaction_id: str, key: IdempotencyKey, caller: Caller) -> TransactionView:
    """Let an authorization go."""
    wanted = once(caller, f"POST /transactions/{transaction_id}/cancel", key, RequestModel(), subject=transaction_id)
    return TransactionView.of_books(caller, captures.cancel(ports, caller, transaction_id, wanted))


@app.post("/transactions/<transaction_id>/release")
def release(transaction_id: str, body: ReleaseBody, key: IdempotencyKey, caller: Caller) -> TransactionView:
    """Let held shares be sent to their merchants."""
    wanted = once(caller, f"POST /transactions/{transaction_id}/release", key, body, subject=transaction_id)
    released = releases.release(ports, caller, transaction_id, wanted, merchant_id=body.merchant_id, amount=body.amount)
    return TransactionView.of_books(caller, released)


@app.post("/transactions/<transaction_id>/hold")
def hold(transaction_id: str, body: HoldBody, key: IdempotencyKey, caller: Caller) -> TransactionView:
    """Keep back what was not sent yet."""
    wanted = once(caller, f"POST /transactions/{transaction_id}/hold", key, body, subject=transaction_id)
    held = releases.hold(
        ports, caller, transaction_id, wanted, merchant_id=body.merchant_id, release_at=body.release_at
    )
    return TransactionView.of_books(caller, held)
