"""Guest checkout: without a token, for prices of the catalog alone."""

import os
from http import HTTPStatus
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import Field

from marketplace.adapters import wiring
from marketplace.edge.fields import RequestModel, Url
from marketplace.edge.idempotency import HEADER, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.line_items import CatalogLine
from marketplace.edge.resolver import Api
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import View
from marketplace.services import guests
from marketplace.services.baskets import Basket
from marketplace.services.guests import GUEST, MOST_GUEST_ITEMS

LARGEST_BODY_BYTES: Final = 16 * 1024
ROUTE: Final = "POST /guest/checkout/sessions"

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.RETURNS, Part.SALES, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation, largest_body=LARGEST_BODY_BYTES)
handler = app.resolve

# https://www.rfc-editor.org/rfc/rfc9562#section-5.4, what crypto.randomUUID() gives
GuestKey = Annotated[
    str,
    Header(
        alias=HEADER,
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="A random UUID (version 4), new for each intent and told to nobody: it is what tells guests apart.",
    ),
]


class GuestCheckoutBody(RequestModel):
    """What a guest buys: prices of the catalog, and nothing else that costs or says anything."""

    line_items: list[CatalogLine] = Field(max_length=MOST_GUEST_ITEMS)
    success_url: Url
    cancel_url: Url

    def as_basket(self) -> Basket:
        """As the use case takes it."""
        items = tuple(line.as_item() for line in self.line_items)
        return Basket(items=items, success_url=self.success_url, cancel_url=self.cancel_url, metadata={})


class GuestSessionView(View):
    """A guest's session: `token` reads it again, `url` is where he pays, while it is open."""

    token: str
    status: str
    url: str | None


@app.post("/guest/checkout/sessions", status_code=HTTPStatus.CREATED)
def create_guest_session(body: GuestCheckoutBody, key: GuestKey) -> GuestSessionView:
    """Make the Checkout Session in which a guest pays, for an hour."""
    made = guests.create_guest_session(ports, body.as_basket(), key, once(GUEST, ROUTE, key, body))
    return GuestSessionView.of(made)


@app.get("/guest/checkout/sessions/<token>")
def read_guest_session(token: str) -> GuestSessionView:
    """Where a guest's session stands, for whoever has its token."""
    return GuestSessionView.of(guests.read_guest_session(ports, token))
