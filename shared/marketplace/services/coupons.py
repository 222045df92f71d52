"""Coupons: made here and at Stripe, deactivated, and what they have cost whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, override

from marketplace.domain.catalog import Product
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidCoupon, NotAllowed, NotFound, StripeRefused, Unavailable
from marketplace.domain.ids import owner_of
from marketplace.domain.principals import Principal, Role
from marketplace.domain.promotions import Coupon, Duration, Redemption, require_coupon
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Create, Page, Ports, Ref, Replace, one
from marketplace.services.commands import Handler, handles, perform_once, require_done
from marketplace.services.idempotency import Once

NOT_THERE: Final = "resource_missing"  # Stripe's code


@dataclass(frozen=True, kw_only=True)
class NewCoupon:
    """A coupon as it is asked for; the fields are those of `Coupon`."""

    name: str
    percent_off: str | None = None
    amount_off: int | None = None
    currency: str | None = None
    duration: Duration = Duration.ONCE
    duration_in_months: int | None = None
    max_redemptions: int | None = None
    redeem_by: datetime | None = None
    platform_basis_points: int = 0
    product_ids: tuple[str, ...] = ()


class CouponHandler(Handler[Coupon]):
    """What is asked of Stripe about a coupon."""

    @override
    def load(self, ports: Ports, command: Command) -> Coupon:
        return _stored(ports, command.subject)


class CreateCoupon(CouponHandler):
    """The coupon on the platform's account, under our id."""

    operation = Operation.CREATE_COUPON

    @override
    def succeeded(self, ports: Ports, subject: Coupon, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return [Replace(subject, replace(subject, is_at_stripe=True))]

    @override
    def refused(self, ports: Ports, subject: Coupon, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, active=False))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return _read_at_stripe(ports, command.result)


class DeleteCoupon(CouponHandler):
    """No more of it at Stripe; its codes end with it. One that is not there any more is as good as deleted."""

    operation = Operation.DELETE_COUPON
    is_kept = False

    @override
    def succeeded(self, ports: Ports, subject: Coupon, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        return []

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        return {"id": command.result} if _read_at_stripe(ports, command.result) is None else None


CREATE_COUPON: Final = CreateCoupon()
DELETE_COUPON: Final = DeleteCoupon()
handles(CommandKind.CREATE_COUPON, CREATE_COUPON)
handles(CommandKind.DELETE_COUPON, DELETE_COUPON)


def create_coupon(ports: Ports, caller: Principal, wanted: NewCoupon, once: Once) -> Coupon:
    """A coupon, made by an operator; or by a merchant, at its own cost and for products of its own.

    Raises:
        NotAllowed, NotFound, InvalidCoupon, InvalidAmount, UnknownCurrency, StripeRefused, IdempotencyKeyReused,
        RequestUnderWay, OutcomeUnknown, Unavailable.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    if caller.role is Role.MERCHANT and (wanted.platform_basis_points or not wanted.product_ids):
        raise NotAllowed("a merchant funds its coupons itself, and names the products that they are for")
    now = ports.clock.now()
    merchant_id = _merchant_of(caller, wanted.product_ids)
    coupon = Coupon(
        id=ports.ids.new("coupon"),
        name=wanted.name,
        percent_off=wanted.percent_off,
        amount_off=wanted.amount_off,
        currency=wanted.currency,
        duration=wanted.duration,
        duration_in_months=wanted.duration_in_months,
        max_redemptions=wanted.max_redemptions,
        redeem_by=wanted.redeem_by,
        platform_basis_points=wanted.platform_basis_points,
        merchant_id=merchant_id,
        product_ids=wanted.product_ids,
        created_at=now,
    )
    require_coupon(coupon, now)
    command_id = ports.ids.new("command")
    params = _coupon_params(coupon, _products_at_stripe(ports, wanted.product_ids), command_id)
    command = _command(ports, command_id, CommandKind.CREATE_COUPON, coupon.id, params, coupon.id)
    done = require_done(perform_once(ports, CREATE_COUPON, once, command, coupon, Create(coupon)))
    return _stored(ports, done.result)


def read_coupon(ports: Ports, caller: Principal, coupon_id: str) -> Coupon:
    """A coupon: to operators any, to a merchant those for its own products. Raises NotAllowed, NotFound."""
    caller.require(Role.OPERATOR, Role.MERCHANT)
    coupon = one(ports.store, Ref(Coupon, coupon_id))
    if coupon is None or not is_visible(coupon, caller):
        raise NotFound("coupon")
    return coupon


def is_visible(coupon: Coupon, caller: Principal) -> bool:
    """Whether a coupon is the caller's to see: a merchant's are those for its own products."""
    return caller.sees_everything or (coupon.merchant_id is not None and coupon.merchant_id == caller.merchant_id)


def list_coupons(
    ports: Ports, caller: Principal, *, merchant_id: str | None, cursor: str | None, limit: int
) -> Page[Coupon]:
    """The coupons for one merchant's products, a merchant's own; to operators also those for all products (None).

    Raises:
        NotAllowed, InvalidCursor.
    """
    caller.require(Role.OPERATOR, Role.MERCHANT)
    own = caller.merchant_id if caller.role is Role.MERCHANT else merchant_id
    return ports.store.coupons(own, cursor=cursor, limit=limit)


def deactivate_coupon(ports: Ports, caller: Principal, coupon_id: str, once: Once) -> Coupon:
    """End a coupon, its codes with it: no sale begins with it from now on. What is open at Stripe's page may still end.

    Raises:
        NotAllowed, NotFound, IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown, Unavailable.
    """
    coupon = read_coupon(ports, caller, coupon_id)
    if not coupon.active:
        return coupon
    if not coupon.is_at_stripe:
        raise Unavailable("Stripe has not answered for this coupon yet")
    ended = Replace(coupon, replace(coupon, active=False))
    command_id = ports.ids.new("command")
    command = _command(ports, command_id, CommandKind.DELETE_COUPON, coupon.id, {}, coupon.id, target=(coupon.id,))
    try:
        done = perform_once(ports, DELETE_COUPON, once, command, ended.stored, ended)
    except Conflict as conflict:
        raise Unavailable("the coupon is being changed") from conflict
    if done.refusal != NOT_THERE:
        require_done(done)
    return _stored(ports, coupon.id)


def list_redemptions(
    ports: Ports, caller: Principal, coupon_id: str, *, cursor: str | None, limit: int
) -> Page[Redemption]:
    """The sales that a coupon was used in, newest first, and whom it cost how much.

    Raises:
        NotAllowed, NotFound, InvalidCursor.
    """
    read_coupon(ports, caller, coupon_id)
    return ports.store.redemptions(coupon_id, cursor=cursor, limit=limit)


def _merchant_of(caller: Principal, product_ids: Sequence[str]) -> str | None:
    """Whose the products are. Raises NotFound, InvalidCoupon."""
    owners = {owner_of("product", each) for each in product_ids}
    if any(owner is None or not caller.sees_merchant(owner) for owner in owners):
        raise NotFound("product")
    if len(owners) > 1:
        raise InvalidCoupon("the products are of one merchant")
    return next(iter(owners), None)


def _products_at_stripe(ports: Ports, product_ids: Sequence[str]) -> list[str]:
    refs = [Ref(Product, each) for each in dict.fromkeys(product_ids)]
    if not refs:
        return []
    found = ports.store.get(*refs)
    products = [found(ref) for ref in refs]
    if None in products:
        raise NotFound("product")
    known = [each.stripe_product_id for each in products if each and each.stripe_product_id]
    if len(known) < len(products):
        raise Unavailable("Stripe has not answered for one of the products yet")
    return known


def _coupon_params(coupon: Coupon, products: Sequence[str], command_id: str) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/coupons`)."""
    off = {"percent_off": coupon.percent_off, "amount_off": coupon.amount_off, "currency": coupon.currency}
    limits = {
        "duration_in_months": coupon.duration_in_months,
        "max_redemptions": coupon.max_redemptions,
        "redeem_by": int(coupon.redeem_by.timestamp()) if coupon.redeem_by else None,
    }
    return {
        "id": coupon.id,
        "name": coupon.name,
        "duration": coupon.duration.value,
        **{name: value for name, value in (off | limits).items() if value is not None},
        **({"applies_to": {"products": list(products)}} if products else {}),
        "metadata": {"coupon_id": coupon.id, "command_id": command_id},
    }


def _command(
    ports: Ports, command_id: str, kind: CommandKind, subject: str, params: Mapping[str, Any], result: str,
    target: tuple[str, ...] = (),
) -> Command:  # fmt: skip
    return record(
        command_id=command_id, subject=subject, kind=kind, target=target, params=params, result=result,
        now=ports.clock.now(),
    )  # fmt: skip


def _read_at_stripe(ports: Ports, coupon_id: str) -> Mapping[str, Any] | None:
    try:
        return ports.stripe.read(Operation.READ_COUPON, coupon_id)
    except StripeRefused as refusal:
        if refusal.code != NOT_THERE:
            raise
        return None


def _stored(ports: Ports, coupon_id: str) -> Coupon:
    found = one(ports.store, Ref(Coupon, coupon_id))
    if found is None:
        raise NotFound("coupon")
    return found
