"""Discounts: coupons as they are applied to a customer, subscription, invoice or session.

https://docs.stripe.com/api/discounts
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..funds.records import CHARGES
from ..resources.customers import CUSTOMERS
from ..shelves import Collection
from ..state import public
from ..values import Object
from . import coupons, promotion_codes
from .calendar import months_later
from .coupons import COUPONS
from .promotion_codes import PROMOTION_CODES

DISCOUNTS: Final = Collection(
    "discount",
    indexes=("customer", "promotion_code", "source.coupon"),
    expands={"customer": "customer", "promotion_code": "promotion_code", "source.coupon": "coupon"},
)
MOST_DISCOUNTS: Final = 20  # of one object; https://docs.stripe.com/billing/subscriptions/coupons
_PLACES: Final = ("checkout_session", "customer", "invoice", "invoice_item", "subscription", "subscription_item")
_KINDS: Final = ("coupon", "discount", "promotion_code")


def resolve(
    context: Context,
    given: Sequence[Mapping[str, Any]],
    *,
    customer: Object | None,
    currency: str,
    subtotal: int,
    param: str = "discounts",
) -> list[Object]:
    """The discounts that ``coupon``, ``promotion_code`` or ``discount`` of each entry stand for, not kept yet.

    Raises:
        InvalidRequestError: no such, no longer valid, in another currency, or its restrictions are not met.
    """
    if len(given) > MOST_DISCOUNTS:
        raise InvalidParameterError(f"You can apply at most {MOST_DISCOUNTS} discounts.", param=param)
    found = []
    for position, each in enumerate(given):
        at = f"{param}[{position}]"
        named = [kind for kind in _KINDS if each.get(kind)]
        if len(named) != 1:
            raise InvalidParameterError(f"You must specify exactly one of {', '.join(_KINDS)}.", param=at)
        if named == ["discount"]:
            found.append(context.state.get(DISCOUNTS, each["discount"], param=f"{at}[discount]"))
        elif named == ["coupon"]:
            coupon = context.state.get(COUPONS, each["coupon"], param=f"{at}[coupon]")
            found.append(_new(context, coupon, None, currency, f"{at}[coupon]"))
        else:
            code = context.state.get(PROMOTION_CODES, each["promotion_code"], param=f"{at}[promotion_code]")
            found.append(of_code(context, code, customer=customer, currency=currency, subtotal=subtotal, param=at))
    return found


def of_code(
    context: Context, code: Object, *, customer: Object | None, currency: str, subtotal: int, param: str
) -> Object:
    """The discount of a promotion code, not kept yet.

    Raises:
        InvalidRequestError: it is not active, somebody else's, or its restrictions are not met.
    """
    coupon = context.state.get(COUPONS, code["promotion"]["coupon"])
    if not code["active"] or not coupon["valid"]:
        raise InvalidRequestError(f"The promotion code {code['code']} is not active.", param=param)
    if code["customer"] and (customer is None or code["customer"] != customer["id"]):
        raise InvalidRequestError("This promotion code cannot be redeemed by this customer.", param=param)
    if code["restrictions"]["first_time_transaction"] and customer and _has_bought(context, customer):
        raise InvalidRequestError(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            param=param,
        )
    minimum = promotion_codes.minimum_amount(code, currency)
    if minimum is not None and subtotal < minimum:
        raise InvalidRequestError(
            f"This promotion code cannot be redeemed: the order is below its minimum of {minimum} {currency}.",
            param=param,
        )
    return _new(context, coupon, code["id"], currency, param)


def keep(context: Context, discounts: Sequence[Object], **places: str | None) -> list[Object]:
    """Keep discounts where they are applied, for example ``subscription="sub_1"``, and count each redemption.

    One that is kept already stays where it was applied first.
    """
    kept = []
    for discount in discounts:
        if context.state.find(DISCOUNTS, discount["id"]):
            kept.append(discount)
            continue
        made = context.state.insert(DISCOUNTS, {**discount, **places})
        coupons.count_redemption(context, made["source"]["coupon"])
        if made["promotion_code"]:
            promotion_codes.count_redemption(context, made["promotion_code"])
        if made["subscription"]:
            context.emit("customer.discount.created", made)
        kept.append(made)
    return kept


def of_customer(context: Context, customer_id: str) -> Object | None:
    """A customer's own discount, which counts where nothing else is applied."""
    customer = context.state.find("customer", customer_id)
    shown = customer.get("discount") if customer else None
    return context.state.find(DISCOUNTS, shown["id"]) if shown else None


def give(context: Context, customer: Object, coupon: Object) -> Object:
    """Give a customer a discount of its own, in the place of the one that it has.

    Raises:
        InvalidRequestError: the coupon is no longer valid.
    """
    before = of_customer(context, customer["id"])
    if before:
        context.state.delete(DISCOUNTS, before["id"])
    [made] = keep(context, [_new(context, coupon, None, None, "coupon")], customer=customer["id"])
    _show_on_customer(context, made, public(made))
    context.emit(f"customer.discount.{'updated' if before else 'created'}", made, previous=before)
    if made["end"] is not None:
        context.schedule("discount.end", at=made["end"], discount=made["id"])
    return made


def remove(context: Context, discount: Object) -> Object:
    """Take a discount away from what it was applied to; gives the stub that is left of it."""
    own = of_customer(context, discount["customer"]) if discount["customer"] else None
    if own and own["id"] == discount["id"]:
        _show_on_customer(context, discount, None)
    context.emit("customer.discount.deleted", discount)
    stub = {**public(discount), "deleted": True}
    context.state.delete(DISCOUNTS, discount["id"])
    return stub


def still_valid(discount: Object, at: int) -> bool:
    """Whether a discount that was applied still takes something off at this moment."""
    return discount["end"] is None or at < discount["end"]


def is_for_once(context: Context, discount: Object) -> bool:
    """Whether its coupon is for one invoice only."""
    return bool(context.state.get(COUPONS, discount["source"]["coupon"])["duration"] == "once")


def _show_on_customer(context: Context, discount: Object, shown: Object | None) -> None:
    context.state.update(CUSTOMERS, {"id": discount["customer"]}, {"discount": shown})


def _new(context: Context, coupon: Object, code: str | None, currency: str | None, param: str) -> Object:
    if "deleted" in coupon or not coupon["valid"]:
        raise InvalidRequestError(f"Coupon {coupon['id']} is expired.", code="coupon_expired", param=param)
    if currency:
        coupons.amount_off(coupon, currency, param)
    now = context.clock.now()
    months = coupon["duration_in_months"]
    return {
        "id": context.ids.new("di"),
        "object": "discount",
        **dict.fromkeys(_PLACES),
        "customer_account": None,
        "end": months_later(now, months) if months else None,
        "promotion_code": code,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": now,
    }


def _has_bought(context: Context, customer: Object) -> bool:
    paid = (charge for charge in context.state.select(CHARGES, {"customer": customer["id"]}) if charge["paid"])
    return next(paid, None) is not None
