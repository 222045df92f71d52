"""Promotions: coupons, the codes that buyers enter for them, and whom they cost how much."""

import os
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from marketplace.adapters import wiring
from marketplace.domain.promotions import LONGEST_CODE, LONGEST_NAME, MOST_PRODUCTS, Duration
from marketplace.edge.fields import (
    DEFAULT_PAGE,
    LONGEST_ID,
    Amount,
    Currency,
    Cursor,
    Filter,
    Id,
    Limit,
    RequestModel,
    Time,
)
from marketplace.edge.idempotency import OptionalIdempotencyKey, key_or_new, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing, View
from marketplace.services import coupons, promotion_codes
from marketplace.services.coupons import NewCoupon
from marketplace.services.promotion_codes import NewCode

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation)
handler = app.resolve

Percent = Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,2})?$", description="Text, of at most two decimals.")]


class CouponBody(RequestModel):
    """So much off, for all products or for those named, of one merchant.

    Of what it takes off the platform funds `platform_basis_points`, the merchant whose price it is the rest. Operators
    make all coupons; a merchant those that it funds, for products of its own.
    """

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, description="Buyers see it.")]
    percent_off: Percent | None = None
    amount_off: Amount | None = None
    currency: Currency | None = None
    duration: Literal["once", "repeating", "forever"] = "once"
    duration_in_months: int | None = None
    max_redemptions: int | None = None
    redeem_by: Time | None = None
    platform_basis_points: int = 0
    product_ids: list[Id] = Field(default_factory=list, max_length=MOST_PRODUCTS)

    def as_new(self) -> NewCoupon:
        """As the use case takes it."""
        given = self.model_dump(exclude={"duration", "product_ids"})
        return NewCoupon(**given, duration=Duration(self.duration), product_ids=tuple(self.product_ids))


class PromotionCodeBody(RequestModel):
    """What buyers enter for a coupon. A minimum is of the whole order, before anything is taken off."""

    coupon_id: Id
    code: Annotated[str, Field(min_length=1, max_length=LONGEST_CODE, pattern=r"^[A-Za-z0-9-]+$")]
    max_redemptions: int | None = None
    expires_at: Time | None = None
    first_time_transaction: bool = False
    minimum_amount: Amount | None = None
    minimum_amount_currency: Currency | None = None

    def as_new(self) -> NewCode:
        """As the use case takes it."""
        return NewCode(**self.model_dump(exclude={"coupon_id"}))


class CodeChangeBody(RequestModel):
    """Whether buyers can enter it."""

    active: bool


class CouponView(View):
    """A coupon; Stripe has it under the same id."""

    id: str
    name: str
    percent_off: str | None
    amount_off: int | None
    currency: str | None
    duration: str
    duration_in_months: int | None
    max_redemptions: int | None
    redeem_by: datetime | None
    platform_basis_points: int
    merchant_id: str | None
    product_ids: list[str]
    active: bool
    created_at: datetime


class PromotionCodeView(View):
    """A promotion code."""

    id: str
    coupon_id: str
    code: str
    active: bool
    stripe_promotion_code_id: str | None
    max_redemptions: int | None
    expires_at: datetime | None
    first_time_transaction: bool
    minimum_amount: int | None
    minimum_amount_currency: str | None
    created_at: datetime


class RedemptionView(View):
    """A sale that a coupon was used in: `discount` as the buyer saw it, and whom it cost how much, before refunds.

    What it costs the platform now, refunds set off, is the ledger's account `promotions:{coupon}`.
    """

    transaction_id: str
    currency: str
    discount: int
    platform: int
    merchants: dict[str, int]
    redeemed_at: datetime


@app.post("/coupons", status_code=HTTPStatus.CREATED)
def create_coupon(body: CouponBody, caller: Caller, key: OptionalIdempotencyKey = None) -> CouponView:
    """Make a coupon."""
    wanted = once(caller, "POST /coupons", key_or_new(key), body)
    return CouponView.of(coupons.create_coupon(ports, caller, body.as_new(), wanted))


@app.get("/coupons")
def list_coupons(
    caller: Caller, merchant_id: Filter = None, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[CouponView]:
    """The coupons for a merchant's products, newest first; without a merchant those for all products."""
    page = coupons.list_coupons(ports, caller, merchant_id=merchant_id, cursor=cursor, limit=limit)
    return Listing(data=[CouponView.of(each) for each in page.items], cursor=page.cursor)


@app.get("/coupons/<coupon_id>")
def read_coupon(coupon_id: str, caller: Caller) -> CouponView:
    """A coupon."""
    return CouponView.of(coupons.read_coupon(ports, caller, coupon_id))


@app.post("/coupons/<coupon_id>/deactivate")
def deactivate_coupon(coupon_id: str, caller: Caller, key: OptionalIdempotencyKey = None) -> CouponView:
    """End a coupon, and its codes with it."""
    wanted = once(caller, f"POST /coupons/{coupon_id}/deactivate", key_or_new(key), RequestModel())
    return CouponView.of(coupons.deactivate_coupon(ports, caller, coupon_id, wanted))


@app.get("/coupons/<coupon_id>/redemptions")
def list_redemptions(
    coupon_id: str, caller: Caller, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[RedemptionView]:
    """The sales that a coupon was used in, newest first, and whom it cost how much."""
    page = coupons.list_redemptions(ports, caller, coupon_id, cursor=cursor, limit=limit)
    return Listing(data=[RedemptionView.of(each) for each in page.items], cursor=page.cursor)


@app.post("/promotion-codes", status_code=HTTPStatus.CREATED)
def create_code(body: PromotionCodeBody, caller: Caller, key: OptionalIdempotencyKey = None) -> PromotionCodeView:
    """Make a code that buyers can enter for a coupon."""
    wanted = once(caller, "POST /promotion-codes", key_or_new(key), body)
    return PromotionCodeView.of(promotion_codes.create_code(ports, caller, body.coupon_id, body.as_new(), wanted))


@app.get("/promotion-codes")
def list_codes(
    coupon_id: Annotated[str, Query(max_length=LONGEST_ID, description="Whose codes.")],
    caller: Caller,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_PAGE,
) -> Listing[PromotionCodeView]:
    """The codes of a coupon, newest first."""
    page = promotion_codes.list_codes(ports, caller, coupon_id, cursor=cursor, limit=limit)
    return Listing(data=[PromotionCodeView.of(each) for each in page.items], cursor=page.cursor)


@app.get("/promotion-codes/<promotion_code_id>")
def read_code(promotion_code_id: str, caller: Caller) -> PromotionCodeView:
    """A promotion code."""
    return PromotionCodeView.of(promotion_codes.read_code(ports, caller, promotion_code_id))


@app.patch("/promotion-codes/<promotion_code_id>")
def update_code(
    promotion_code_id: str, body: CodeChangeBody, caller: Caller, key: OptionalIdempotencyKey = None
) -> PromotionCodeView:
    """Let buyers enter a code, or no longer."""
    wanted = once(caller, f"PATCH /promotion-codes/{promotion_code_id}", key_or_new(key), body)
    found = promotion_codes.switch_code(ports, caller, promotion_code_id, wanted, active=body.active)
    return PromotionCodeView.of(found)
