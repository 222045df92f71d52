"""Checkout Sessions: what a buyer pays in."""

import os
from http import HTTPStatus
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from marketplace.adapters import wiring
from marketplace.domain.transactions import CaptureMethod, ChargeType
from marketplace.edge.fields import Amount, Currency, Id, Metadata, RequestModel, Time, Url
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.line_items import Line
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import View
from marketplace.services import checkout, setups
from marketplace.services.baskets import Basket
from marketplace.services.setups import NewSetup

SETUP: Final = "setup"
OF_SETUPS: Final = {"mode", "currency", "customer_id", "success_url", "cancel_url"}

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RETURNS, Part.SALES, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class CheckoutBody(RequestModel):
    """A sale, or in mode `setup` only the saving of payment details, of a kind that pays in `currency`.

    Inline amounts, their merchants, fees, customers, holds, captures, tax and coupons are for operators to name; a
    promotion code is for everybody. Line items of several merchants are a cart: one charge, and a transfer to each of
    them.
    """

    mode: Literal["payment", "setup"] = "payment"
    line_items: list[Line] = Field(default_factory=list)
    currency: Currency | None = None
    success_url: Url
    cancel_url: Url
    merchant_id: Id | None = None
    application_fee_amount: Amount | None = None
    customer_id: Id | None = None
    refund_application_fee: bool = True
    save_payment_method: bool = False
    charge_type: Literal["destination", "separate_charges_and_transfers"] | None = None
    capture_method: Literal["automatic", "manual"] = "automatic"
    hold: bool = False
    release_at: Time | None = None
    automatic_tax: bool | None = None
    coupon_id: Id | None = None
    promotion_code: Id | None = None
    allow_promotion_codes: bool | None = None
    metadata: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_of_its_mode(self) -> Self:
        taken = OF_SETUPS if self.mode == SETUP else set(type(self).model_fields) - {"currency"}
        if self.model_fields_set - taken:
            raise ValueError(f"mode {self.mode} takes no {', '.join(sorted(self.model_fields_set - taken))}")
        if self.mode == SETUP and self.currency is None:
            raise ValueError(f"mode {SETUP} needs currency")
        return self

    def as_setup(self) -> NewSetup:
        """As the use case takes it, in mode setup."""
        return NewSetup(**self.model_dump(include=OF_SETUPS - {"mode"}))

    def as_basket(self) -> Basket:
        """As the use case takes it."""
        items = tuple(line.as_item() for line in self.line_items)
        terms = self.model_dump(exclude={"line_items", "mode", "currency"})
        charge_type = None if self.charge_type is None else ChargeType(self.charge_type)
        terms |= {"charge_type": charge_type, "capture_method": CaptureMethod(self.capture_method)}
        return Basket(items=items, **terms)


class CheckoutSessionView(View):
    """A Checkout Session; `url` is where the buyer pays, while it is open. A setup is no transaction."""

    transaction_id: str | None
    checkout_session_id: str | None
    status: str
    url: str | None


@app.post("/checkout/sessions", status_code=HTTPStatus.CREATED)
def create_session(body: CheckoutBody, key: IdempotencyKey, caller: Caller) -> CheckoutSessionView:
    """Plan a sale and make the Checkout Session that the buyer pays in, or one that only saves payment details."""
    wanted = once(caller, "POST /checkout/sessions", key, body)
    if body.mode == SETUP:
        made = setups.create_setup_session(ports, caller, body.as_setup(), wanted)
        return CheckoutSessionView(
            transaction_id=None, checkout_session_id=made.checkout_session_id, status="open", url=made.url
        )
    return CheckoutSessionView.of(checkout.create_checkout_session(ports, caller, body.as_basket(), wanted))


@app.get("/checkout/sessions/<transaction_id>")
def read_session(transaction_id: str, caller: Caller) -> CheckoutSessionView:
    """Where a session stands, by its transaction."""
    return CheckoutSessionView.of(checkout.read_checkout_session(ports, caller, transaction_id))


@app.post("/checkout/sessions/<transaction_id>/expire")
def expire_session(transaction_id: str, caller: Caller) -> CheckoutSessionView:
    """End an open session, so that it can no longer be paid."""
    return CheckoutSessionView.of(checkout.expire_checkout_session(ports, caller, transaction_id))
