"""Promotion codes: what buyers enter for a coupon."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, override

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import CodeTaken, InvalidCoupon, NotFound
from marketplace.domain.ids import owner_of
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.domain.promotions import CodeName, Coupon, PromotionCode, code_text, require_limits
from marketplace.operations import Operation
from marketplace.ports import Change, Conflict, Create, Page, Ports, Ref, Replace, one
from marketplace.services.commands import Handler, find_made, handles, perform_once, replay, require_done
from marketplace.services.coupons import is_visible, read_coupon
from marketplace.services.idempotency import Once


@dataclass(frozen=True, kw_only=True)
class NewCode:
    """A promotion code as it is asked for; the fields are those of `PromotionCode`."""

    code: str
    max_redemptions: int | None = None
    expires_at: datetime | None = None
    first_time_transaction: bool = False
    minimum_amount: int | None = None
    minimum_amount_currency: str | None = None


class CodeHandler(Handler[PromotionCode]):
    """What is asked of Stripe about a promotion code."""

    @override
    def load(self, ports: Ports, command: Command) -> PromotionCode:
        found = one(ports.store, Ref(PromotionCode, command.result))
        if found is None:
            raise NotFound("promotion code")
        return found


class CreateCode(CodeHandler):
    """The code at Stripe, which buyers can enter from then on."""

    operation = Operation.CREATE_PROMOTION_CODE

    @override
    def succeeded(
        self, ports: Ports, subject: PromotionCode, command: Command, made: Mapping[str, Any]
    ) -> Sequence[Change]:
        return [Replace(subject, replace(subject, stripe_promotion_code_id=made["id"]))]

    @override
    def refused(self, ports: Ports, subject: PromotionCode, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, active=False))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"code": command.params["code"], "coupon": command.subject, "limit": 100}
        return find_made(ports.stripe.each(Operation.LIST_PROMOTION_CODES, params=params), command)


class UpdateCode(CodeHandler):
    """Whether buyers can enter it."""

    operation = Operation.UPDATE_PROMOTION_CODE

    @override
    def succeeded(
        self, ports: Ports, subject: PromotionCode, command: Command, made: Mapping[str, Any]
    ) -> Sequence[Change]:
        return [Replace(subject, replace(subject, active=made["active"]))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        found = ports.stripe.read(Operation.READ_PROMOTION_CODE, *command.target)
        return found if found["active"] is command.params["active"] else None


CREATE_CODE: Final = CreateCode()
UPDATE_CODE: Final = UpdateCode()
handles(CommandKind.CREATE_PROMOTION_CODE, CREATE_CODE)
handles(CommandKind.UPDATE_PROMOTION_CODE, UPDATE_CODE)


def create_code(ports: Ports, caller: Principal, coupon_id: str, wanted: NewCode, once: Once) -> PromotionCode:
    """A code that buyers can enter for a coupon. One that another active promotion has is taken.

    Raises:
        NotAllowed, NotFound, InvalidCoupon, InvalidAmount, UnknownCurrency, CodeTaken, StripeRefused,
        IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown, Unavailable.
    """
    coupon = read_coupon(ports, caller, coupon_id)
    code = _new_code(ports, coupon, wanted)
    used, name = Ref(IdempotencyRecord, once.scope), Ref(CodeName, code.code)
    found = ports.store.get(used, name)
    earlier = found(used)
    if earlier is not None:
        return read_code(ports, caller, require_done(replay(ports, CREATE_CODE, once, earlier)).result)
    if not coupon.is_usable:
        raise InvalidCoupon("the coupon is not active")
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=coupon.id,
        kind=CommandKind.CREATE_PROMOTION_CODE,
        params=_code_params(code, command_id),
        result=code.id,
        now=code.created_at,
    )
    named = _named(ports, found(name), code)
    try:
        done = require_done(perform_once(ports, CREATE_CODE, once, command, code, Create(code), named))
    except Conflict as conflict:
        raise CodeTaken(code.code) from conflict
    return read_code(ports, caller, done.result)


def read_code(ports: Ports, caller: Principal, promotion_code_id: str) -> PromotionCode:
    """A promotion code, to those who may see its coupon. Raises NotAllowed, NotFound."""
    caller.require(Role.OPERATOR, Role.MERCHANT)
    wanted, its = Ref(PromotionCode, promotion_code_id), Ref(Coupon, owner_of("code", promotion_code_id) or "")
    found = ports.store.get(wanted, its)
    code, coupon = found(wanted), found(its)
    if code is None or coupon is None or not is_visible(coupon, caller):
        raise NotFound("promotion code")
    return code


def list_codes(
    ports: Ports, caller: Principal, coupon_id: str, *, cursor: str | None, limit: int
) -> Page[PromotionCode]:
    """The codes of a coupon, newest first. Raises NotAllowed, NotFound, InvalidCursor."""
    read_coupon(ports, caller, coupon_id)
    return ports.store.promotion_codes(coupon_id, cursor=cursor, limit=limit)


def switch_code(ports: Ports, caller: Principal, promotion_code_id: str, once: Once, *, active: bool) -> PromotionCode:
    """Let buyers enter a code, or no longer.

    Raises:
        NotAllowed, NotFound, CodeTaken, StripeRefused, IdempotencyKeyReused, RequestUnderWay, OutcomeUnknown,
        Unavailable.
    """
    code = read_code(ports, caller, promotion_code_id)
    if code.active is active:
        return code
    if code.stripe_promotion_code_id is None:
        raise NotFound("promotion code")
    name = one(ports.store, Ref(CodeName, code.code))
    named = [_named(ports, name, code)] if active else []
    command_id = ports.ids.new("command")
    command = record(
        command_id=command_id,
        subject=code.coupon_id,
        kind=CommandKind.UPDATE_PROMOTION_CODE,
        target=(code.stripe_promotion_code_id,),
        params={"active": active, "metadata": {"command_id": command_id}},
        result=code.id,
        now=ports.clock.now(),
    )
    try:
        require_done(perform_once(ports, UPDATE_CODE, once, command, code, *named))
    except Conflict as conflict:
        raise CodeTaken(code.code) from conflict
    return read_code(ports, caller, promotion_code_id)


def _new_code(ports: Ports, coupon: Coupon, wanted: NewCode) -> PromotionCode:
    now = ports.clock.now()
    if (wanted.minimum_amount is None) is not (wanted.minimum_amount_currency is None):
        raise InvalidCoupon("minimum_amount_currency goes with minimum_amount")
    if wanted.minimum_amount is not None:
        require_payable(wanted.minimum_amount, wanted.minimum_amount_currency or "")
    require_limits(wanted.max_redemptions, wanted.expires_at, now)
    return PromotionCode(
        id=ports.ids.new("code", owner=coupon.id),
        coupon_id=coupon.id,
        code=code_text(wanted.code),
        max_redemptions=wanted.max_redemptions,
        expires_at=wanted.expires_at,
        first_time_transaction=wanted.first_time_transaction,
        minimum_amount=wanted.minimum_amount,
        minimum_amount_currency=wanted.minimum_amount_currency,
        created_at=now,
    )


def _named(ports: Ports, earlier: CodeName | None, code: PromotionCode) -> Change:
    """The code's letters made this promotion's. Raises CodeTaken."""
    if earlier is None:
        return Create(CodeName(id=code.code, promotion_code_id=code.id))
    holder = one(ports.store, Ref(PromotionCode, earlier.promotion_code_id))
    coupon = holder and one(ports.store, Ref(Coupon, holder.coupon_id))
    is_over = holder is None or (holder.expires_at is not None and holder.expires_at <= ports.clock.now())
    if holder is not None and holder.id != code.id and holder.active and not is_over and coupon and coupon.active:
        raise CodeTaken(code.code)
    return Replace(earlier, replace(earlier, promotion_code_id=code.id))


def _code_params(code: PromotionCode, command_id: str) -> dict[str, Any]:
    """What Stripe is asked for (`/v1/promotion_codes`)."""
    minimum = {"minimum_amount": code.minimum_amount, "minimum_amount_currency": code.minimum_amount_currency}
    restrictions = {
        **({"first_time_transaction": True} if code.first_time_transaction else {}),
        **{name: value for name, value in minimum.items() if value is not None},
    }
    return {
        "promotion": {"type": "coupon", "coupon": code.coupon_id},
        "code": code.code,
        **({"max_redemptions": code.max_redemptions} if code.max_redemptions else {}),
        **({"expires_at": int(code.expires_at.timestamp())} if code.expires_at else {}),
        **({"restrictions": restrictions} if restrictions else {}),
        "metadata": {"promotion_code_id": code.id, "command_id": command_id},
    }
