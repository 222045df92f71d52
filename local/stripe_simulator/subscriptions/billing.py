"""What a subscription's invoices charge for, and the terms that it hands on to them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..catalog import PRODUCTS
from ..context import Context
from ..invoices import drafts
from ..invoices.lines import DraftLine
from ..invoices.records import customer_of
from ..pricing.discounts import DISCOUNTS, is_for_once, of_customer, still_valid
from ..values import Object
from . import proration
from .records import amount_of, period_of


def period_line(
    context: Context, subscription: Object, item: Object, *, free: bool = False, period: tuple[int, int] | None = None
) -> DraftLine:
    """An item for its whole period; during a trial it is free."""
    price, quantity = item["price"], item.get("quantity", 1)
    product = context.state.get(PRODUCTS, price["product"])
    amount = 0 if free else amount_of(context, price, quantity)
    described = f"{quantity} \N{MULTIPLICATION SIGN} {product['name']}"
    return DraftLine(
        amount=amount,
        currency=price["currency"],
        description=f"Trial period for {product['name']}" if free else described,
        price=price,
        quantity=quantity,
        unit_amount_decimal="0" if free else price["unit_amount_decimal"],
        period=period or period_of(item),
        parent=_parent(subscription, item, is_proration=False),
        discounts=tuple(item["discounts"]),
        tax_rates=tuple(rate["id"] for rate in item["tax_rates"] or ()),
        tax_behavior=price["tax_behavior"],
        tax_code=product["tax_code"],
    )


def proration_line(
    context: Context, subscription: Object, item: Object, moment: int, *, sign: int, period: tuple[int, int]
) -> DraftLine:
    """The rest of an item's period: credited (``sign`` -1) or charged (1)."""
    whole = period_line(context, subscription, item, period=(moment, period[1]))
    amount = sign * proration.share(amount_of(context, item["price"], item.get("quantity", 1)), period, moment,
                                    item["price"]["currency"])  # fmt: skip
    said = "Unused time on" if sign < 0 else "Remaining time on"
    return DraftLine(
        amount=amount,
        currency=whole.currency,
        description=f"{said} {whole.description}",
        price=whole.price,
        quantity=whole.quantity,
        unit_amount_decimal=None,
        period=(moment, period[1]),
        parent=_parent(subscription, item, is_proration=True),
        discounts=whole.discounts,
        tax_rates=whole.tax_rates,
        tax_behavior=whole.tax_behavior,
        tax_code=whole.tax_code,
    )


def terms_of(subscription: Object, reason: str) -> dict[str, Any]:
    """What an invoice takes over from its subscription."""
    paused = subscription["pause_collection"]
    fees: dict[str, Any] = {}
    if subscription["transfer_data"]:
        fees["transfer_data"] = subscription["transfer_data"]
    if subscription["application_fee_percent"] is not None:
        fees["application_fee_percent"] = subscription["application_fee_percent"]
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    settings: Mapping[str, Any] = subscription["payment_settings"] or {}
    return {
        **fees,
        "auto_advance": paused is None or paused["behavior"] != "keep_as_draft",
        "automatic_tax": subscription["automatic_tax"]["enabled"],
        "billing_reason": reason,
        "collection_method": subscription["collection_method"],
        "days_until_due": subscription["days_until_due"],
        "default_payment_method": subscription["default_payment_method"],
        "default_tax_rates": subscription["default_tax_rates"] or [],
        "description": subscription["description"],
        "issuer": subscription["invoice_settings"]["issuer"],
        "liability": subscription["automatic_tax"]["liability"],
        "on_behalf_of": subscription["on_behalf_of"],
        "parent": {"quote_details": None, "subscription_details": details, "type": "subscription_details"},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": settings.get("payment_method_options"),
            "payment_method_types": settings.get("payment_method_types"),
        },
    }


def discounts_at(context: Context, subscription: Object, moment: int) -> list[Object]:
    """The discounts that still take something off: those of the subscription, else those of its customer."""
    own = [found for each in subscription["discounts"] if (found := context.state.find(DISCOUNTS, each))]
    applied = own or _of_customer(context, subscription)
    return [each for each in applied if still_valid(each, moment) and not each.get("_used_up")]


def use_up(context: Context, discounts: Iterable[Object]) -> None:
    """Discounts that are for one invoice have been on one."""
    for discount in discounts:
        if is_for_once(context, discount) and not discount.get("_used_up"):
            context.state.update(DISCOUNTS, discount, {"_used_up": True})


def invoice(
    context: Context,
    subscription: Object,
    lines: Sequence[DraftLine],
    reason: str,
    moment: int,
    *,
    takes_pending: bool = True,
    **more: object,
) -> Object:
    """A draft invoice of a subscription, with the pending items of its customer, unless it is paid already."""
    customer = customer_of(context, subscription["customer"])
    applied = discounts_at(context, subscription, moment)
    terms = {**terms_of(subscription, reason), **more}
    currency = subscription["currency"]
    made = drafts.draft(context, customer=customer, currency=currency, discounts=applied, tells=False, **terms)
    pending = drafts.take_items(context, made, _pending(context, subscription)) if takes_pending else []
    made = drafts.reprice(context, made, [*pending, *lines])
    use_up(context, applied)
    context.emit("invoice.created", made)
    return made


def _pending(context: Context, subscription: Object) -> list[Object]:
    """Pending items of this subscription, and those of the customer that are of none."""
    found = drafts.pending_items(context, subscription["customer"], subscription["currency"])
    mine = {None, subscription["id"]}
    return [item for item in found if ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")
            in mine]  # fmt: skip


def _of_customer(context: Context, subscription: Object) -> list[Object]:
    found = of_customer(context, subscription["customer"])
    return [found] if found else []


def _parent(subscription: Object, item: Object, *, is_proration: bool) -> dict[str, Any]:
    details = {
        "invoice_item": None,
        "proration": is_proration,
        "proration_details": {"credited_items": None} if is_proration else None,
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    return {
        "invoice_item_details": None,
        "subscription_item_details": details,
        "type": "subscription_item_details",
    }
