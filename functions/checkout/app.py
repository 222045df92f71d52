"""Checkout Sessions: what a buyer pays in."""

import os
from http import HTTPStatus
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from marketplace.adapters import wiring
from marketplace.domain.errors import InvalidBasket
from marketplace.domain.transactions import CaptureMethod, ChargeType
from marketplace.edge.fields import (
    Amount,
    Country,
    Currency,
    Email,
    Id,
    Liability,
    Metadata,
    Name,
    RequestModel,
    StatementDescriptor,
    Time,
    Url,
)
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.line_items import Line
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import View
from marketplace.services import checkout, setups, subscriptions
from marketplace.services.baskets import Basket, CatalogItem
from marketplace.services.session_terms import MOST_SHIPPING_OPTIONS, SessionTerms, ShippingOption, UiMode
from marketplace.services.setups import NewSetup
from marketplace.services.subscriptions import NewSubscription

SETUP, SUBSCRIPTION = "setup", "subscription"
# https://docs.stripe.com/js/appendix/supported_locales, and `auto`
Locale = Annotated[str, Field(pattern=r"^(auto|[a-z]{2,3}(-[A-Z0-9]{2,3})?)$")]
MOST_COUNTRIES: Final = 250
LONGEST_SHIPPING_NAME: Final = 100
OF_SESSIONS: Final = {
    *("ui_mode", "return_url", "expires_at", "locale", "collect_phone", "shipping_countries", "shipping_options"),
    *("description", "statement_descriptor_suffix"),
}
OF_SETUPS: Final = {"mode", "currency", "customer_id", "success_url", "cancel_url"}
OF_SUBSCRIPTIONS: Final = {
    *("mode", "line_items", "customer_id", "success_url", "cancel_url", "trial_days", "metadata"),
    *("automatic_tax", "tax_liability", "coupon_id", "promotion_code", "allow_promotion_codes"),
}

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RETURNS, Part.SALES, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class ShippingBody(RequestModel):
    """A way to ship, and how it is taxed where tax is collected."""

    name: Annotated[str, Field(max_length=LONGEST_SHIPPING_NAME, pattern=r"\S")]
    amount: Amount
    tax_code: Id | None = None
    tax_behavior: Literal["inclusive", "exclusive"] | None = None


class CheckoutBody(RequestModel):
    """A sale, a subscription, or in mode `setup` only the saving of payment details of a kind that pays in `currency`.

    A subscription has one line, a recurring price of the catalog; its `trial_days` are for operators to name.

    Inline amounts, their merchants, fees, customers, holds, captures, tax, coupons, shipping and the words about the
    payment are for operators to name; a promotion code is for everybody. Line items of several merchants are a cart:
    one charge, and a transfer to each of them.
    """

    mode: Literal["payment", "subscription", "setup"] = "payment"
    line_items: list[Line] = Field(default_factory=list)
    currency: Currency | None = None
    ui_mode: Literal["hosted_page", "embedded_page", "elements"] = "hosted_page"
    success_url: Annotated[Url | None, Field(description="Of `hosted_page`, as `cancel_url`.")] = None
    cancel_url: Url | None = None
    return_url: Annotated[Url | None, Field(description="Of `embedded_page` and `elements`.")] = None
    expires_at: Annotated[Time | None, Field(description="31 minutes to 23:59 hours ahead; 24 hours without.")] = None
    locale: Locale | None = None
    collect_phone: bool = False
    shipping_countries: list[Country] = Field(default_factory=list, max_length=MOST_COUNTRIES)
    shipping_options: list[ShippingBody] = Field(default_factory=list, max_length=MOST_SHIPPING_OPTIONS)
    description: Annotated[Name | None, Field(description="Of the buyer's payment.")] = None
    statement_descriptor_suffix: Annotated[
        StatementDescriptor | None, Field(description="After the platform's name on a card's statement.")
    ] = None
    customer_email: Annotated[Email | None, Field(description="A buyer's own is his token's, where verified.")] = None
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
    tax_liability: Liability = None
    on_behalf_of: Annotated[
        bool, Field(description="Whether the one merchant is the settlement merchant: its name, country and currency.")
    ] = False
    coupon_id: Id | None = None
    promotion_code: Id | None = None
    allow_promotion_codes: bool | None = None
    trial_days: int | None = None
    metadata: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_of_its_mode(self) -> Self:
        of_sales = set(type(self).model_fields) - {"currency", "trial_days"}
        taken = {SETUP: OF_SETUPS, SUBSCRIPTION: OF_SUBSCRIPTIONS}.get(self.mode, of_sales)
        if self.model_fields_set - taken:
            raise ValueError(f"mode {self.mode} takes no {', '.join(sorted(self.model_fields_set - taken))}")
        if self.mode == SETUP and None in {self.currency, self.success_url, self.cancel_url}:
            raise ValueError(f"mode {SETUP} needs currency, success_url and cancel_url")
        if self.mode == SUBSCRIPTION and None in {self.success_url, self.cancel_url}:
            raise ValueError(f"mode {SUBSCRIPTION} needs success_url and cancel_url")
        return self

    def as_subscription(self) -> NewSubscription:
        """As the use case takes it, in mode subscription. Raises InvalidBasket."""
        items = [line.as_item() for line in self.line_items]
        if len(items) != 1 or not isinstance(items[0], CatalogItem):
            raise InvalidBasket("a subscription has one line, a price of the catalog")
        terms = self.model_dump(include=OF_SUBSCRIPTIONS - {"mode", "line_items"})
        return NewSubscription(price_id=items[0].price_id, quantity=items[0].quantity, **terms)

    def as_setup(self) -> NewSetup:
        """As the use case takes it, in mode setup."""
        return NewSetup(**self.model_dump(include=OF_SETUPS - {"mode"}))

    def as_basket(self) -> Basket:
        """As the use case takes it."""
        items = tuple(line.as_item() for line in self.line_items)
        terms = self.model_dump(exclude={"line_items", "mode", "currency", "trial_days", *OF_SESSIONS})
        charge_type = None if self.charge_type is None else ChargeType(self.charge_type)
        terms |= {"charge_type": charge_type, "capture_method": CaptureMethod(self.capture_method)}
        urls = {"success_url": self.success_url or "", "cancel_url": self.cancel_url or ""}
        return Basket(items=items, **{**terms, **urls}, terms=self.as_terms())

    def as_terms(self) -> SessionTerms:
        """Where and how it is shown, as the use case takes it."""
        return SessionTerms(
            ui_mode=UiMode(self.ui_mode),
            return_url=self.return_url,
            expires_at=self.expires_at,
            locale=self.locale,
            collects_phone=self.collect_phone,
            shipping_countries=tuple(self.shipping_countries),
            shipping_options=tuple(ShippingOption(**each.model_dump()) for each in self.shipping_options),
            description=self.description,
            statement_descriptor_suffix=self.statement_descriptor_suffix,
        )


class CheckoutSessionView(View):
    """A Checkout Session; `url` is where the buyer pays, while it is open. Only mode `payment` is a transaction."""

    transaction_id: str | None
    subscription_id: str | None = None
    checkout_session_id: str | None
    status: str
    url: str | None
    client_secret: Annotated[
        str | None, Field(description="For Stripe.js, of `embedded_page` and `elements`; in this answer alone.")
    ] = None


@app.post("/checkout/sessions", status_code=HTTPStatus.CREATED)
def create_session(body: CheckoutBody, key: IdempotencyKey, caller: Caller) -> CheckoutSessionView:
    """Plan a sale or a subscription and make its Checkout Session, or one that only saves payment details."""
    wanted = once(caller, "POST /checkout/sessions", key, body)
    if body.mode == SETUP:
        made = setups.create_setup_session(ports, caller, body.as_setup(), wanted)
        return CheckoutSessionView(
            transaction_id=None, checkout_session_id=made.checkout_session_id, status="open", url=made.url
        )
    if body.mode == SUBSCRIPTION:
        begun = subscriptions.create_subscription_session(ports, caller, body.as_subscription(), wanted)
        return CheckoutSessionView(
            transaction_id=None,
            subscription_id=begun.subscription_id,
            checkout_session_id=begun.checkout_session_id,
            status="open",
            url=begun.url,
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
