"""Subscriptions: read, changed with the proration shown first, paused, ended; their invoices."""

import os
from typing import Literal, Self

from pydantic import model_validator

from marketplace.adapters import wiring
from marketplace.edge.billing_views import ListedInvoiceView, PreviewView, SubscriptionView
from marketplace.edge.fields import DEFAULT_PAGE, Cursor, Filter, Id, Limit, RequestModel, Time
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing
from marketplace.services import invoice_reading, subscription_changes, subscription_endings, subscriptions
from marketplace.services.subscription_changes import Proration, SubscriptionChange
from marketplace.services.subscription_endings import WhilePaused

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.SALES, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve


class ChangeBody(RequestModel):
    """Another price, another quantity, or both; `prorated_at` is the moment that a preview was made for.

    A price of another merchant takes the subscription to it: for operators, with proration `none`.
    """

    price_id: Id | None = None
    quantity: int | None = None
    proration: Literal["with_next_invoice", "at_once", "none"] = "with_next_invoice"
    prorated_at: Time | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.price_id is None and self.quantity is None:
            raise ValueError("name at least one of price_id and quantity")
        return self

    def as_change(self) -> SubscriptionChange:
        """As the use case takes it."""
        return SubscriptionChange(**self.model_dump() | {"proration": Proration(self.proration)})


class PauseBody(RequestModel):
    """What becomes of the invoices while nothing is collected; until it is resumed, or until `resumes_at`."""

    behavior: Literal["void", "keep_as_draft", "mark_uncollectible"] = "void"
    resumes_at: Time | None = None


class CancelBody(RequestModel):
    """Now, or with the period that was paid. With `prorate` the rest of it is refunded: now alone."""

    at: Literal["now", "period_end"] = "period_end"
    prorate: bool = False

    @model_validator(mode="after")
    def _has_a_rest(self) -> Self:
        if self.prorate and self.at == "period_end":
            raise ValueError("at the end of the period there is nothing to prorate")
        return self


@app.get("/subscriptions")
def list_subscriptions(
    caller: Caller, merchant_id: Filter = None, customer_id: Filter = None, cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Listing[SubscriptionView]:  # fmt: skip
    """The subscriptions of a merchant or a customer."""
    page = subscriptions.list_subscriptions(
        ports, caller, merchant_id=merchant_id, customer_id=customer_id, cursor=cursor, limit=limit
    )
    return Listing(data=[SubscriptionView.seen_by(caller, each) for each in page.items], cursor=page.cursor)


@app.get("/subscriptions/<subscription_id>")
def read_subscription(subscription_id: str, caller: Caller) -> SubscriptionView:
    """A subscription."""
    return SubscriptionView.seen_by(caller, subscriptions.read_subscription(ports, caller, subscription_id))


@app.patch("/subscriptions/<subscription_id>")
def change_subscription(
    subscription_id: str, body: ChangeBody, key: IdempotencyKey, caller: Caller
) -> SubscriptionView:
    """Change price or quantity."""
    wanted = once(caller, f"PATCH /subscriptions/{subscription_id}", key, body)
    changed = subscription_changes.change_subscription(ports, caller, subscription_id, body.as_change(), wanted)
    return SubscriptionView.seen_by(caller, changed)


@app.post("/subscriptions/<subscription_id>/preview")
def preview_change(subscription_id: str, body: ChangeBody, caller: Caller) -> PreviewView:
    """What a change would bill; nothing is changed."""
    preview = subscription_changes.preview_change(ports, caller, subscription_id, body.as_change())
    return PreviewView.of_preview(preview)


@app.post("/subscriptions/<subscription_id>/pause")
def pause_subscription(subscription_id: str, body: PauseBody, key: IdempotencyKey, caller: Caller) -> SubscriptionView:
    """Collect nothing for now."""
    wanted = once(caller, f"POST /subscriptions/{subscription_id}/pause", key, body)
    paused = subscription_endings.pause_subscription(
        ports, caller, subscription_id, WhilePaused(body.behavior), body.resumes_at, wanted
    )
    return SubscriptionView.seen_by(caller, paused)


@app.post("/subscriptions/<subscription_id>/resume")
def resume_subscription(subscription_id: str, key: IdempotencyKey, caller: Caller) -> SubscriptionView:
    """Collect again (not for buyers to ask), and take back an end with the period (not for merchants)."""
    wanted = once(caller, f"POST /subscriptions/{subscription_id}/resume", key, RequestModel())
    resumed = subscription_endings.resume_subscription(ports, caller, subscription_id, wanted)
    return SubscriptionView.seen_by(caller, resumed)


@app.post("/subscriptions/<subscription_id>/cancel")
def cancel_subscription(
    subscription_id: str, body: CancelBody, key: IdempotencyKey, caller: Caller
) -> SubscriptionView:
    """End a subscription, with its period or at once."""
    wanted = once(caller, f"POST /subscriptions/{subscription_id}/cancel", key, body)
    canceled = subscription_endings.cancel_subscription(
        ports, caller, subscription_id, at_period_end=body.at == "period_end", prorates=body.prorate, once=wanted
    )
    return SubscriptionView.seen_by(caller, canceled)


@app.get("/subscriptions/<subscription_id>/invoices")
def list_invoices(
    subscription_id: str, caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[ListedInvoiceView]:
    """The invoices of a subscription, with Stripe's page and the PDF of each."""
    page = invoice_reading.list_of_subscription(ports, caller, subscription_id, cursor=cursor, limit=limit)
    return Listing(data=[ListedInvoiceView.of_listed(each) for each in page.items], cursor=page.cursor)
