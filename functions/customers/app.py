"""Customers: who saves payment details, and the details that Stripe keeps for them."""

import os
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self

from pydantic import Field, model_validator

from marketplace.adapters import wiring
from marketplace.edge.fields import Country, Email, Id, Name, Phone, RequestModel, Url
from marketplace.edge.idempotency import OptionalIdempotencyKey, key_or_new, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing, View
from marketplace.services import billing_portal, customers
from marketplace.services.customers import Address, CustomerDetails, Shipping

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.RETURNS, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class AddressBody(RequestModel):
    """An address, as Stripe has it. It takes the place of the whole earlier one."""

    country: Country
    line1: Name | None = None
    line2: Name | None = None
    city: Name | None = None
    state: Name | None = None
    postal_code: Name | None = None

    def as_address(self) -> Address:
        """As the use case takes it."""
        return Address(**self.model_dump())


class CustomerShippingBody(RequestModel):
    """Where to send things, and to whom."""

    name: Name
    address: AddressBody
    phone: Phone | None = None

    def as_shipping(self) -> Shipping:
        """As the use case takes it."""
        return Shipping(name=self.name, address=self.address.as_address(), phone=self.phone)


class DetailsBody(RequestModel):
    """What is said of a customer. Phone, address and shipping are kept at Stripe alone, and fill in its pages."""

    email: Email | None = None
    name: Name | None = None
    phone: Phone | None = None
    address: AddressBody | None = None
    shipping: CustomerShippingBody | None = None

    def as_details(self) -> CustomerDetails:
        """As the use case takes it."""
        return CustomerDetails(
            email=self.email,
            name=self.name,
            phone=self.phone,
            address=None if self.address is None else self.address.as_address(),
            shipping=None if self.shipping is None else self.shipping.as_shipping(),
        )


class CustomerBody(DetailsBody):
    """A customer to be. `id` is the subject of the buyer's token: for operators to name, a buyer is himself.

    Phone, address and shipping are kept at Stripe alone, where they fill in its pages. `test_clock` is one of Stripe's,
    in test mode: the customer's subscriptions and invoices go by its time, so that a year passes in a minute. For
    operators.
    """

    id: Id | None = None
    test_clock: Id | None = None


class CustomerChangeBody(DetailsBody):
    """What changes; the rest stays."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.as_details() == CustomerDetails():
            raise ValueError(f"name at least one of {', '.join(DetailsBody.model_fields)}")
        return self


class PortalBody(RequestModel):
    """Where the portal leads back to."""

    return_url: Url


class PortalView(View):
    """A link to Stripe's billing portal: for this customer alone, soon, and not to be stored."""

    url: str


class CustomerView(View):
    """A customer."""

    id: str
    email: str | None
    name: str | None
    status: str
    stripe_customer_id: str | None
    created_at: datetime


class PaymentMethodView(View):
    """Saved payment details, as far as a buyer needs to tell them apart."""

    id: str
    type: str
    brand: Annotated[str | None, Field(description="A card's network, or the bank's name.")]
    last4: str | None
    expires: Annotated[str | None, Field(description="A card's last month, for example `2030-12`.")]
    created_at: datetime


@app.post("/customers", status_code=HTTPStatus.CREATED)
def create_customer(body: CustomerBody, caller: Caller, key: OptionalIdempotencyKey = None) -> CustomerView:
    """Make a customer, who can save payment details from then on."""
    wanted = once(caller, "POST /customers", key_or_new(key), body)
    made = customers.create_customer(ports, caller, body.id, body.as_details(), wanted, test_clock=body.test_clock)
    return CustomerView.of(made)


@app.get("/customers/<customer_id>")
def read_customer(customer_id: str, caller: Caller) -> CustomerView:
    """A customer."""
    return CustomerView.of(customers.read_customer(ports, caller, customer_id))


@app.patch("/customers/<customer_id>")
def update_customer(
    customer_id: str, body: CustomerChangeBody, caller: Caller, key: OptionalIdempotencyKey = None
) -> CustomerView:
    """Change a customer's details."""
    wanted = once(caller, f"PATCH /customers/{customer_id}", key_or_new(key), body)
    return CustomerView.of(customers.update_customer(ports, caller, customer_id, body.as_details(), wanted))


@app.get("/customers/<customer_id>/payment-methods")
def list_payment_methods(customer_id: str, caller: Caller) -> Listing[PaymentMethodView]:
    """The payment details that a customer has saved."""
    saved = customers.list_payment_methods(ports, caller, customer_id)
    return Listing(data=[PaymentMethodView.of(each) for each in saved], cursor=None)


@app.delete("/customers/<customer_id>/payment-methods/<payment_method_id>")
def delete_payment_method(customer_id: str, payment_method_id: str, caller: Caller) -> PaymentMethodView:
    """Have Stripe forget saved payment details."""
    return PaymentMethodView.of(customers.delete_payment_method(ports, caller, customer_id, payment_method_id))


@app.post("/customers/<customer_id>/billing-portal-sessions", status_code=HTTPStatus.CREATED)
def create_portal_session(customer_id: str, body: PortalBody, caller: Caller) -> PortalView:
    """A link to Stripe's billing portal: subscriptions, invoices, payment details."""
    return PortalView(url=billing_portal.portal_url(ports, caller, customer_id, body.return_url))
