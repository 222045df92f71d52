"""Changes of what a subscription is to: another price, another quantity, another merchant.

What a change costs is Stripe's to say, and shown first.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.catalog import Price, Product, require_for_sale
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import CreditExceedsInvoice, InvalidBasket, NotFound, SubscriptionNotChangeable
from marketplace.domain.invoice_splits import SplitBy, split_by, standing_terms
from marketplace.domain.invoices import InvoiceStatus
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus, Terms
from marketplace.domain.transactions import ChargeType
from marketplace.ports import Ports, Ref, one
from marketplace.services.baskets import MOST_QUANTITY
from marketplace.services.discounts import tax_params
from marketplace.services.idempotency import Once
from marketplace.services.invoice_following import read_stripes
from marketplace.services.sellable import require_can_be_liable, require_sellable
from marketplace.services.subscription_commands import UPDATE_SUBSCRIPTION, answered, perform, require_running
from marketplace.services.subscription_previews import Preview, preview
from marketplace.services.subscriptions import read_subscription

CHANGEABLE: Final = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})


class Proration(StrEnum):
    """What becomes of the rest of the period when a subscription changes within it."""

    NEXT_INVOICE = "with_next_invoice"
    AT_ONCE = "at_once"
    NONE = "none"  # what was paid is paid


BEHAVIORS: Final[Mapping[Proration, str]] = {
    Proration.NEXT_INVOICE: "create_prorations",
    Proration.AT_ONCE: "always_invoice",
    Proration.NONE: "none",
}


@dataclass(frozen=True, kw_only=True)
class SubscriptionChange:
    """Another price, another quantity, or both; None stays. ``prorated_at`` is the moment that a preview was made for.

    A price of another merchant takes the subscription to it: for operators, without proration.
    """

    price_id: str | None = None
    quantity: int | None = None
    proration: Proration = Proration.NEXT_INVOICE
    prorated_at: datetime | None = None


def change_subscription(
    ports: Ports, caller: Principal, subscription_id: str, wanted: SubscriptionChange, once: Once
) -> Subscription:
    """Change price or quantity.

    Raises:
        NotAllowed, InvalidBasket, PriceNotForSale, MerchantNotReady, CurrencyNotAccepted, SubscriptionNotChangeable,
        StripeRefused, IdempotencyKeyReused, OutcomeUnknown.
        NotFound: no such subscription or price, or another merchant's price, unless an operator asks.
        CreditExceedsInvoice: Stripe would keep what is left of the credit for invoices of other merchants.
        RequestUnderWay: also while another change has not ended.
    """
    caller.require(Role.OPERATOR, Role.BUYER)
    before = read_subscription(ports, caller, subscription_id)
    if again := answered(ports, UPDATE_SUBSCRIPTION, before, once):
        return again
    params, after = _changed(ports, caller, before, wanted)
    if wanted.proration is not Proration.NONE and (rest := -_previewed(ports, before, params).total) > 0:
        raise CreditExceedsInvoice(rest)
    return perform(ports, UPDATE_SUBSCRIPTION, before, after, params, once)


def preview_change(ports: Ports, caller: Principal, subscription_id: str, wanted: SubscriptionChange) -> Preview:
    """What a change would bill, and when; nothing is changed. Raises as ``change_subscription`` does."""
    caller.require(Role.OPERATOR, Role.BUYER)
    before = read_subscription(ports, caller, subscription_id)
    moment = (wanted.prorated_at or ports.clock.now()).astimezone(UTC)
    params, _ = _changed(ports, caller, before, replace(wanted, prorated_at=moment))
    return replace(_previewed(ports, before, params), prorated_at=moment)


def _changed(
    ports: Ports, caller: Principal, before: Subscription, wanted: SubscriptionChange
) -> tuple[dict[str, Any], Subscription]:
    """What Stripe is asked for (`/v1/subscriptions`), and the record with the terms that it will be under."""
    require_running(before)
    if before.status not in CHANGEABLE:
        raise SubscriptionNotChangeable(f"a subscription that is {before.status} cannot be changed")
    if wanted.quantity is not None and not 0 < wanted.quantity <= MOST_QUANTITY:
        raise InvalidBasket(f"a quantity is from 1 to {MOST_QUANTITY}")
    item: dict[str, Any] = {"id": before.stripe_item_id}
    if wanted.quantity is not None:
        item["quantity"] = wanted.quantity
    params: dict[str, Any] = {"items": [item], "proration_behavior": BEHAVIORS[wanted.proration]}
    if wanted.prorated_at is not None and wanted.proration is not Proration.NONE:
        params["proration_date"] = int(wanted.prorated_at.timestamp())
    if wanted.price_id is None:
        return params, before
    price, merchant, item["price"] = _to_buy(ports, wanted.price_id, before)
    if merchant.id == before.merchant_id:
        return params, before
    return _taken_over(ports, caller, before, wanted, merchant, price, params)


def _to_buy(ports: Ports, price_id: str, before: Subscription) -> tuple[Price, Merchant, str]:
    """A price that the subscription can go on at, with who sells and Stripe's id of it."""
    price = one(ports.store, Ref(Price, price_id))
    if price is None:
        raise NotFound("price")
    wanted, seller = Ref(Product, price.product_id), Ref(Merchant, price.merchant_id)
    found = ports.store.get(wanted, seller)
    product, merchant = found(wanted), found(seller)
    if product is None or merchant is None:
        raise NotFound("price")
    stripe_price_id = require_for_sale(price, product, is_recurring=True)
    if price.currency != before.currency:
        raise InvalidBasket(f"the subscription is in {before.currency}, and stays so")
    require_sellable(merchant, price.currency, ChargeType.SEPARATE, ports.policy)
    return price, merchant, stripe_price_id


def _taken_over(
    ports: Ports, caller: Principal, before: Subscription, wanted: SubscriptionChange, merchant: Merchant,
    price: Price, params: dict[str, Any],
) -> tuple[dict[str, Any], Subscription]:  # fmt: skip
    """The change to another merchant: with its terms, from the next invoice on, when all invoices so far are closed."""
    if caller.role is not Role.OPERATOR:
        raise NotFound("price")
    if wanted.proration is not Proration.NONE:
        raise SubscriptionNotChangeable("another merchant takes a subscription over without proration")
    latest = before.latest_invoice_id and read_stripes(ports, before.latest_invoice_id)
    if latest and latest["status"] in {InvoiceStatus.DRAFT, InvoiceStatus.OPEN}:
        raise SubscriptionNotChangeable("the merchant so far has an invoice that is not paid yet")
    policy = merchant.fee_policy or ports.policy.fee
    is_usual = before.split is not SplitBy.TRANSFER
    split = split_by(policy, price.currency, is_ready=merchant.is_ready, is_usual=is_usual)
    terms = Terms(merchant_id=merchant.id, fee_policy=policy.as_data(), split=split)
    account_id = merchant.account_id if merchant.is_ready else None
    standing = {"transfer_data": "", "application_fee_percent": "", **standing_terms(split, policy, account_id)}
    require_can_be_liable(merchant, before.liable)
    taxed = tax_params(before.liable, merchant.account_id)
    return {**params, **standing, **taxed}, replace(before, terms_to_be=terms)


def _previewed(ports: Ports, subscription: Subscription, params: Mapping[str, Any]) -> Preview:
    details = {name: params[name] for name in ("items", "proration_behavior", "proration_date") if name in params}
    return preview(ports, subscription, details)
