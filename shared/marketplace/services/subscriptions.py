"""Subscriptions: begun on Stripe's page, read, listed. The record is durable before Stripe hears of it."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta
from typing import Any, Final, override

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.catalog import LONGEST_TRIAL_DAYS, Price, Product, require_for_sale
from marketplace.domain.combinations import TaxMode, Way, require_combination
from marketplace.domain.commands import Command, CommandKind, record
from marketplace.domain.customers import Customer
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import FilterRequired, InvalidBasket, InvalidCustomer, NotFound
from marketplace.domain.fees import FeePolicy
from marketplace.domain.ids import owner_of
from marketplace.domain.invoice_splits import split_by, standing_terms
from marketplace.domain.merchants import Merchant
from marketplace.domain.money import require_payable
from marketplace.domain.portions import TaxLiability
from marketplace.domain.principals import Principal, Role
from marketplace.domain.subscriptions import Subscription, SubscriptionStatus, as_session_says
from marketplace.domain.transactions import ChargeType
from marketplace.operations import Operation
from marketplace.ports import Change, Create, Page, Ports, Ref, Replace, one
from marketplace.services.baskets import MOST_QUANTITY
from marketplace.services.commands import Handler, find_made, handles, made_since, perform_once, replay, require_done
from marketplace.services.customers import at_stripe
from marketplace.services.discounts import Given, discount_params, discount_refs, given, tax_params
from marketplace.services.idempotency import Once
from marketplace.services.sellable import require_can_be_liable, require_sellable
from marketplace.services.terms import Terms, require_usable, terms_of

SESSION_LIFETIME: Final = timedelta(hours=24)  # Stripe's default
WATCH_AFTER: Final = timedelta(hours=1)  # past the session's end, before Stripe is asked what became of it


@dataclass(frozen=True, kw_only=True)
class NewSubscription:
    """What is asked for: a recurring price of the catalog, ``quantity`` times.

    Trial, customer, tax, coupon and whether codes may be entered are for operators to name. ``trial_days`` None leaves
    it to the price, 0 is none.
    """

    price_id: str
    quantity: int
    success_url: str
    cancel_url: str
    customer_id: str | None = None
    trial_days: int | None = None
    automatic_tax: bool | None = None  # None is by policy
    tax_liability: TaxLiability | None = None  # None is by policy
    coupon_id: str | None = None
    promotion_code: str | None = None  # as buyers know it
    allow_promotion_codes: bool | None = None  # whether the buyer may enter one; None is by policy
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_of_operators(self) -> bool:
        """Whether it says what a browser may not say."""
        tax = (self.automatic_tax, self.tax_liability)
        named = (self.customer_id, self.trial_days, *tax, self.coupon_id, self.allow_promotion_codes)
        return any(each is not None for each in named)


@dataclass(frozen=True, kw_only=True)
class SubscriptionSession:
    """Where the buyer subscribes: ``url`` is Stripe's page."""

    subscription_id: str
    checkout_session_id: str | None
    url: str | None


class CreateSubscriptionSession(Handler[Subscription]):
    """The session; the subscription begins at Stripe when the buyer has paid, or his trial has."""

    operation = Operation.CREATE_CHECKOUT_SESSION

    @override
    def load(self, ports: Ports, command: Command) -> Subscription:
        return stored_subscription(ports, command.subject)

    @override
    def keep(self, made: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"url": made["url"]}

    @override
    def succeeded(
        self, ports: Ports, subject: Subscription, command: Command, made: Mapping[str, Any]
    ) -> Sequence[Change]:
        return [Replace(subject, as_session_says(replace(subject, checkout_session_id=made["id"]), made))]

    @override
    def refused(self, ports: Ports, subject: Subscription, command: Command, code: str) -> Sequence[Change]:
        return [Replace(subject, replace(subject, status=SubscriptionStatus.REFUSED, due_at=None))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        params = {"customer": command.params["customer"], "limit": 100, "created": made_since(command)}
        return find_made(ports.stripe.each(Operation.LIST_CHECKOUT_SESSIONS, params=params), command)


CREATE_SUBSCRIPTION_SESSION: Final = CreateSubscriptionSession()
handles(CommandKind.CREATE_SUBSCRIPTION_SESSION, CREATE_SUBSCRIPTION_SESSION)


def create_subscription_session(
    ports: Ports, caller: Principal, wanted: NewSubscription, once: Once
) -> SubscriptionSession:
    """Write down a subscription, and make the session in which the buyer begins it: himself, or whom an operator names.

    Raises:
        NotAllowed, InvalidReturnUrl, InvalidBasket, InvalidCustomer, CustomerNotReady, MerchantNotReady,
        CurrencyNotAccepted, InvalidAmount, PriceNotForSale, CombinationRefused, DiscountNotUsable, InvalidCoupon,
        StripeRefused, IdempotencyKeyReused, RequestUnderWay.
        NotFound: no such price, customer, coupon or code.
        OutcomeUnknown: the session is made without the caller; the same key gives it later.
    """
    _require_may_ask(ports, caller, wanted)
    customer_id = caller.subject if caller.role is Role.BUYER else wanted.customer_id
    merchant_id = owner_of("price", wanted.price_id)
    if customer_id is None:
        raise InvalidCustomer("an operator names the customer: the subject of the buyer's token")
    if merchant_id is None:
        raise NotFound("price")
    key, buyer = Ref(IdempotencyRecord, once.scope), Ref(Customer, customer_id)
    price_ref, seller = Ref(Price, wanted.price_id), Ref(Merchant, merchant_id)
    of_discount = discount_refs(wanted.coupon_id, wanted.promotion_code)
    found = ports.store.get(key, buyer, price_ref, seller, *of_discount)
    used, customer, price, merchant = found(key), found(buyer), found(price_ref), found(seller)
    if used is not None:
        return _as_answered(require_done(replay(ports, CREATE_SUBSCRIPTION_SESSION, once, used)))
    if price is None or merchant is None:
        raise NotFound("price")
    if customer is None:
        raise NotFound("customer")
    discount = given(ports, found, wanted.coupon_id, wanted.promotion_code)
    subscription, stripe_price_id = _planned(ports, wanted, customer_id, merchant, price, discount)
    command_id = ports.ids.new("command")
    trial = _trial(wanted, price)
    session = session_params(subscription, wanted, customer, merchant, stripe_price_id, trial, discount)
    command = record(
        command_id=command_id,
        subject=subscription.id,
        kind=CommandKind.CREATE_SUBSCRIPTION_SESSION,
        params={**session, "metadata": {**session["metadata"], "command_id": command_id}},
        result=subscription.id,
        now=subscription.created_at,
    )
    changes = [Create(subscription)]
    return _as_answered(
        require_done(perform_once(ports, CREATE_SUBSCRIPTION_SESSION, once, command, subscription, *changes))
    )


def read_subscription(ports: Ports, caller: Principal, subscription_id: str) -> Subscription:
    """A subscription, to those who may see it. Raises NotFound."""
    found = one(ports.store, Ref(Subscription, subscription_id))
    if found is None or not found.is_visible_to(caller):
        raise NotFound("subscription")
    return found


def list_subscriptions(
    ports: Ports, caller: Principal, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
) -> Page[Subscription]:
    """The subscriptions of a merchant or a customer: their own to both of them, anybody's to an operator.

    Raises:
        FilterRequired: an operator names neither or both.
        NotFound: somebody else's; InvalidCursor.
    """
    merchant_id, customer_id = own_filter(caller, merchant_id, customer_id)
    return ports.store.subscriptions(merchant_id=merchant_id, customer_id=customer_id, cursor=cursor, limit=limit)


def own_filter(caller: Principal, merchant_id: str | None, customer_id: str | None) -> tuple[str | None, str | None]:
    """Whose list is read: a merchant's and a buyer's are their own. Raises FilterRequired, NotFound."""
    own = {Role.MERCHANT: (caller.merchant_id, None), Role.BUYER: (None, caller.subject)}.get(caller.role)
    if own is not None:
        if merchant_id not in {None, own[0]} or customer_id not in {None, own[1]}:
            raise NotFound("list")
        return own
    if (merchant_id is None) is (customer_id is None):
        raise FilterRequired("name one of merchant_id and customer_id")
    return merchant_id, customer_id


def stored_subscription(ports: Ports, subscription_id: str) -> Subscription:
    """The record. Raises NotFound."""
    found = one(ports.store, Ref(Subscription, subscription_id))
    if found is None:
        raise NotFound("subscription")
    return found


def session_params(
    subscription: Subscription, wanted: NewSubscription, customer: Customer, merchant: Merchant, stripe_price_id: str,
    trial_days: int | None, discount: Given,
) -> dict[str, Any]:  # fmt: skip
    """What Stripe is asked for (`/v1/checkout/sessions`). The subscription and its invoices name ours."""
    account_id = merchant.account_id if merchant.is_ready else None
    ours = {**subscription.metadata, "subscription_id": subscription.id}
    return {
        "mode": "subscription",
        "ui_mode": "hosted_page",
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        "client_reference_id": subscription.id,
        "customer": at_stripe(customer),
        "line_items": [{"price": stripe_price_id, "quantity": subscription.quantity}],
        "metadata": ours,
        **tax_params(subscription.liable, merchant.account_id),
        **({"customer_update": {"address": "auto"}} if subscription.automatic_tax else {}),
        **discount_params(discount, allow_promotion_codes=subscription.allow_promotion_codes),
        "subscription_data": {
            "metadata": ours,
            **standing_terms(subscription.split, FeePolicy.of(subscription.fee_policy), account_id),
            **({"trial_period_days": trial_days} if trial_days else {}),
        },
    }


def _planned(
    ports: Ports, wanted: NewSubscription, customer_id: str, merchant: Merchant, price: Price, discount: Given
) -> tuple[Subscription, str]:
    """The record of a subscription to be, and Stripe's id of its price; or the reason why there can be none."""
    product = one(ports.store, Ref(Product, price.product_id))
    if product is None or price.recurring is None:
        raise NotFound("price") if product is None else InvalidBasket("a subscription is to a recurring price")
    stripe_price_id = require_for_sale(price, product, is_recurring=True)
    require_sellable(merchant, price.currency, ChargeType.SEPARATE, ports.policy)
    require_payable(price.unit_amount * wanted.quantity, price.currency)
    terms = _terms(ports, wanted, price, discount)
    require_can_be_liable(merchant, terms.liable)
    policy, now = merchant.fee_policy or ports.policy.fee, ports.clock.now()
    split = split_by(policy, price.currency, is_ready=merchant.is_ready, is_usual=terms.are_usual)
    subscription = Subscription(
        id=ports.ids.new("subscription"),
        merchant_id=merchant.id,
        customer_id=customer_id,
        product_id=product.id,
        price_id=price.id,
        quantity=wanted.quantity,
        unit_amount=price.unit_amount,
        currency=price.currency,
        interval=price.recurring.interval,
        interval_count=price.recurring.interval_count,
        fee_policy=policy.as_data(),
        split=split,
        metadata=wanted.metadata,
        automatic_tax=terms.tax is not TaxMode.NONE,
        tax_liability=terms.tax_liability,
        coupon_id=terms.coupon.id if terms.coupon else None,
        promotion_code=wanted.promotion_code,
        allow_promotion_codes=terms.allow_promotion_codes,
        created_at=now,
        due_at=now + SESSION_LIFETIME + WATCH_AFTER,
    )
    return subscription, stripe_price_id


def _terms(ports: Ports, wanted: NewSubscription, price: Price, discount: Given) -> Terms:
    """Tax and discount of a subscription. Raises CombinationRefused, DiscountNotUsable."""
    coupon = discount.coupon
    terms = terms_of(
        ports.policy,
        Way.SUBSCRIPTION,
        automatic_tax=wanted.automatic_tax,
        tax_liability=wanted.tax_liability,
        allow_promotion_codes=wanted.allow_promotion_codes,
        coupon=coupon,
    )
    charge_type = ChargeType.DESTINATION if terms.are_usual else ChargeType.SEPARATE
    require_combination(Way.SUBSCRIPTION, charge_type, *terms.modes)
    if coupon is not None:
        require_usable(coupon, (price.merchant_id,), price.currency, product_id=price.product_id)
    return terms


def _trial(wanted: NewSubscription, price: Price) -> int | None:
    standing = price.recurring.trial_period_days if price.recurring else None
    return standing if wanted.trial_days is None else wanted.trial_days


def _require_may_ask(ports: Ports, caller: Principal, wanted: NewSubscription) -> None:
    caller.require(Role.OPERATOR, Role.BUYER)
    if wanted.is_of_operators:
        caller.require(Role.OPERATOR)
    if not 0 < wanted.quantity <= MOST_QUANTITY:
        raise InvalidBasket(f"a quantity is from 1 to {MOST_QUANTITY}")
    if wanted.trial_days is not None and not 0 <= wanted.trial_days <= LONGEST_TRIAL_DAYS:
        raise InvalidBasket(f"a trial has at most {LONGEST_TRIAL_DAYS} days")
    for url in (wanted.success_url, wanted.cancel_url):
        ports.policy.require_return_url(url)


def _as_answered(done: Command) -> SubscriptionSession:
    """The answer to the request that made the session, the same whenever it comes again."""
    return SubscriptionSession(
        subscription_id=done.result, checkout_session_id=done.stripe_id, url=done.answer.get("url")
    )
