"""What the tests of subscriptions and invoices begin with: a catalog, a buyer with a card, a subscription of his."""

from dataclasses import replace
from itertools import count
from typing import Any, Final

from marketplace.domain.catalog import Interval, Price, Recurring
from marketplace.domain.customers import Customer
from marketplace.domain.fees import FeePolicy
from marketplace.domain.invoices import Invoice
from marketplace.domain.ledger import balances
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import ChargeType
from marketplace.ports import Replace
from marketplace.services.catalog import NewPrice, ProductDetails, create_price, create_product
from marketplace.services.customers import CustomerDetails, create_customer
from marketplace.services.idempotency import Once
from marketplace.services.subscription_changes import SubscriptionChange, change_subscription
from marketplace.services.subscription_endings import cancel_subscription
from marketplace.services.subscriptions import (
    NewSubscription,
    SubscriptionSession,
    create_subscription_session,
    stored_subscription,
)

from .market import OPERATOR, SHOP, Market

ANN: Final = Principal(role=Role.BUYER, subject="auth0|ann")
BEN: Final = Principal(role=Role.BUYER, subject="auth0|ben")
DAY: Final = 24 * 3_600
DECLINED_LATER: Final = "4000000000000341"  # can be saved, and is declined when it is charged
_KEYS = count()

MONTHLY: Final = Recurring(interval=Interval.MONTH)
PERCENT: Final = FeePolicy.of({"percent": "10"})
EXACT: Final = FeePolicy.of({"percent": "2.9", "fixed": {"usd": 30}, "minimum": {"usd": 50}})
FEE: Final = 117  # of 30.00 under EXACT
SEPARATE, DESTINATION = ChargeType.SEPARATE, ChargeType.DESTINATION


def once(caller: Principal, route: str, *, subject: str | None = None) -> Once:
    """A key of its own."""
    return Once.of(caller, route, f"key-{next(_KEYS)}", {}, subject=subject)


def seller(market: Market, policy: FeePolicy | None = None, name: str = "Clay & Co") -> Merchant:
    """A merchant that can be sold for, with a fee policy of its own; its bank account is known to Stripe."""
    merchant = market.ready_merchant(name)
    market.onboard(merchant)
    market.take_in(*market.events())
    merchant = market.merchant(merchant.id)
    change = Replace(merchant, replace(merchant, fee_policy=policy))
    market.store.commit(change)
    return change.stored


def price_of(
    market: Market, merchant: Merchant, amount: int = 3_000, recurring: Recurring = MONTHLY, **terms: Any
) -> Price:
    """A recurring price."""
    details = ProductDetails(description=None)
    product = create_product(market.ports, OPERATOR, merchant.id, details, "Box of tea", once(OPERATOR, "product"))
    wanted = NewPrice(unit_amount=amount, currency="usd", recurring=recurring, **terms)
    return create_price(market.ports, OPERATOR, product.id, wanted, once(OPERATOR, "price"))


def customer(market: Market, buyer: Principal = ANN) -> Customer:
    """A buyer whom Stripe knows."""
    return create_customer(market.ports, buyer, None, CustomerDetails(name="Ann"), once(buyer, "POST /customers"))


def subscribe(
    market: Market, price: Price, buyer: Principal = ANN, *, quantity: int = 1, **terms: Any
) -> SubscriptionSession:
    """The session in which the buyer subscribes; with terms that operators alone name, one of them asks for it."""
    wanted = NewSubscription(
        price_id=price.id, quantity=quantity, success_url=f"{SHOP}/thanks", cancel_url=SHOP, **terms
    )
    caller = buyer
    if wanted.is_of_operators:
        caller, wanted = OPERATOR, replace(wanted, customer_id=buyer.subject)
    return create_subscription_session(market.ports, caller, wanted, once(caller, "POST /checkout/sessions"))


def subscribed(
    market: Market, policy: FeePolicy | None = EXACT, *, amount: int = 3_000, recurring: Recurring = MONTHLY,
    card: str = "4242424242424242",
) -> Subscription:  # fmt: skip
    """A subscription that the buyer has begun; its events are taken in."""
    price = price_of(market, seller(market, policy), amount, recurring)
    customer(market)
    session = subscribe(market, price)
    market.submit(str(session.checkout_session_id), card=card)
    market.take_in(*market.events())
    return stored_subscription(market.ports, session.subscription_id)


def change(market: Market, subscription: Subscription, caller: Principal = OPERATOR, **asked: Any) -> Subscription:
    """Another price, quantity or merchant."""
    return change_subscription(
        market.ports, caller, subscription.id, SubscriptionChange(**asked), once(caller, "PATCH /subscriptions")
    )


def cancel(
    market: Market, subscription: Subscription, caller: Principal = OPERATOR, *, at_period_end: bool,
    prorates: bool = False,
) -> Subscription:  # fmt: skip
    """The end of it; ``prorates`` gives back what is not used."""
    key = once(caller, "DELETE /subscriptions")
    return cancel_subscription(
        market.ports, caller, subscription.id, at_period_end=at_period_end, prorates=prorates, once=key
    )


def let_pass(market: Market, days: int, *, hours: int = 0, step_hours: int = 6) -> None:
    """Time passes as it does for a marketplace that runs: events come, and the sweep looks, every so many hours.

    With steps of half an hour, or of one, drafts are heard of while they are drafts.
    """
    for _ in range((days * 24 + hours) // step_hours):
        market.advance(step_hours * 3_600)
        market.take_in(*market.events())
        assert market.sweep().troubles == []
        market.take_in(*market.events())


def invoices(market: Market) -> list[Invoice]:
    """All invoices, the first first."""
    found = [item for item in market.store.snapshot().values() if isinstance(item, Invoice)]
    return sorted(found, key=lambda invoice: invoice.id)


def sales(market: Market) -> list[tuple[ChargeType, int, int]]:
    """How each paid invoice was charged, for how much, with which fee."""
    found = [books.transaction for books in market.all_transactions()]
    return [(each.charge_type, each.amount, each.fee) for each in found]


def balance(market: Market, subscription: Subscription) -> int:
    """What the merchant has at Stripe."""
    account = market.merchant(subscription.merchant_id).account_id
    return market.stripe_balance(account).get("usd", 0)


def stripe_customer(market: Market) -> str:
    """Ann, as Stripe calls her."""
    return str(market.at_stripe("/v1/customers")[0]["id"])


def ledger(market: Market) -> dict[str, int]:
    """The balances of all sales together that are not zero."""
    sums: dict[str, int] = {}
    for books in market.all_transactions():
        for (account, _), amount in balances(books.entries).items():
            sums[account] = sums.get(account, 0) + amount
    return {account: amount for account, amount in sums.items() if amount}


def require_books(market: Market) -> None:
    """Every sale's books hold, and the ledger says what Stripe's balances do."""
    for books in market.all_transactions():
        assert market.violations(books.transaction.id) == []
        assert market.unsettled(books.transaction.id) == []
    assert market.ledger_balance() == market.stripe_balance()


def at_stripe(market: Market, path: str) -> dict[str, Any]:
    """An object at Stripe."""
    answer = market.simulator.request("GET", path, {})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found
