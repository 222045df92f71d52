"""What a sale is planned from: its prices, merchants and customer, read at once with the use of its key."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from marketplace.domain.books import IdempotencyRecord
from marketplace.domain.catalog import Price, Product
from marketplace.domain.customers import Customer
from marketplace.domain.errors import NotFound
from marketplace.domain.merchants import Merchant
from marketplace.domain.principals import Principal, Role
from marketplace.domain.shares import Share
from marketplace.domain.transactions import CaptureMethod, ChargeType, Payment, Transaction
from marketplace.ports import Change, Create, Ports, Ref
from marketplace.services.baskets import Basket, merchants_of, plan_sale
from marketplace.services.discounts import Given, discount_refs, given
from marketplace.services.idempotency import Once


class Sources(NamedTuple):
    """What was found. ``used`` is the earlier use of the request's key, ``customer`` whom the sale is to."""

    used: IdempotencyRecord | None
    customer: Customer | None
    merchants: Mapping[str, Merchant | None]
    prices: Mapping[str, Price | None]
    products: Mapping[str, Product | None]
    discount: Given


def require_may_ask(caller: Principal, basket: Basket) -> None:
    """Refuse what only operators name. Raises NotAllowed."""
    caller.require(Role.OPERATOR, Role.BUYER, Role.GUEST)
    if basket.names_amounts or basket.customer_id is not None:
        caller.require(Role.OPERATOR)


def customer_of(caller: Principal, basket: Basket) -> str | None:
    """Whom the sale is to: a buyer himself, or whom the operator names."""
    return caller.subject if caller.role is Role.BUYER else basket.customer_id


def read_sources(ports: Ports, caller: Principal, basket: Basket, once: Once) -> Sources:
    """One read, and another one each of catalog prices' products and of what a promotion code stands for.

    Raises:
        InvalidBasket, NotFound, InvalidCoupon, DiscountNotUsable.
    """
    key, buyer = Ref(IdempotencyRecord, once.scope), Ref(Customer, customer_of(caller, basket) or "")
    merchants = {merchant_id: Ref(Merchant, merchant_id) for merchant_id in merchants_of(basket)}
    prices = {price_id: Ref(Price, price_id) for price_id in basket.price_ids}
    of_discount = discount_refs(basket.coupon_id, basket.promotion_code)
    found = ports.store.get(key, buyer, *merchants.values(), *prices.values(), *of_discount)
    bought = {price_id: found(ref) for price_id, ref in prices.items()}
    return Sources(
        used=found(key),
        customer=found(buyer),
        merchants={merchant_id: found(ref) for merchant_id, ref in merchants.items()},
        prices=bought,
        products=_products_of(ports, bought.values()),
        discount=Given() if found(key) else given(ports, found, basket.coupon_id, basket.promotion_code),
    )


def _products_of(ports: Ports, prices: Iterable[Price | None]) -> Mapping[str, Product | None]:
    products = {price.product_id: Ref(Product, price.product_id) for price in prices if price is not None}
    found = ports.store.get(*products.values()) if products else None
    return {} if found is None else {product_id: found(ref) for product_id, ref in products.items()}


def plan(ports: Ports, caller: Principal, basket: Basket, sources: Sources) -> Transaction:
    """The plan, or the reason why there can be none; as plan_sale, and NotFound for a merchant."""
    merchants = {name: merchant for name, merchant in sources.merchants.items() if merchant is not None}
    if len(merchants) != len(sources.merchants):
        raise NotFound("merchant")
    return plan_sale(
        transaction_id=ports.ids.new("transaction"),
        basket=basket,
        prices={price_id: price for price_id, price in sources.prices.items() if price is not None},
        products={product_id: each for product_id, each in sources.products.items() if each is not None},
        merchants=merchants,
        caller=caller,
        policy=ports.policy,
        now=ports.clock.now(),
        coupon=sources.discount.coupon,
    )


def begun(
    transaction: Transaction, *, due_at: datetime, payment_intent_id: str | None = None
) -> tuple[Payment, Sequence[Change]]:
    """The payment of a new sale, and the records to begin it with; ``due_at`` is when it should have come to an end."""
    payment = replace(payment_of(transaction, due_at=due_at), payment_intent_id=payment_intent_id)
    return payment, (Create(transaction), Create(payment), *map(Create, planned_shares(transaction)))


def payment_of(transaction: Transaction, *, due_at: datetime | None) -> Payment:
    """The payment of a sale of which nothing is heard yet."""
    return Payment(
        transaction_id=transaction.id,
        amount=transaction.amount,
        currency=transaction.currency,
        charge_type=transaction.charge_type,
        created_at=transaction.created_at,
        due_at=due_at,
    )


def planned_shares(transaction: Transaction) -> list[Share]:
    """Each merchant's share of a separate charge as it is planned; final when the money is there."""
    if transaction.charge_type is not ChargeType.SEPARATE:
        return []
    return [
        Share(
            transaction_id=transaction.id,
            merchant_id=leg.merchant_id,
            account_id=leg.account_id,
            amount=leg.amount,
            fee=leg.fee,
            currency=transaction.currency,
            created_at=transaction.created_at,
        )
        for leg in transaction.legs
    ]


def payment_intent_terms(transaction: Transaction, command_id: str) -> dict[str, Any]:
    """What a PaymentIntent is told, whoever makes it: whose it is, and how it is captured and split."""
    return {
        "metadata": {**transaction.metadata, **ours(transaction, command_id)},
        "transfer_group": transaction.id,
        **({"capture_method": "manual"} if transaction.capture_method is CaptureMethod.MANUAL else {}),
        **({"on_behalf_of": transaction.on_behalf_of} if transaction.on_behalf_of else {}),
        **_split_by_stripe(transaction),
    }


def ours(transaction: Transaction, command_id: str) -> dict[str, str]:
    """The metadata by which objects at Stripe are known to be of a sale."""
    return {"transaction_id": transaction.id, "command_id": command_id}


def _split_by_stripe(transaction: Transaction) -> dict[str, Any]:
    if transaction.charge_type is not ChargeType.DESTINATION:
        return {}
    (leg,) = transaction.legs
    fee = {} if transaction.is_split_when_completed or not leg.fee else {"application_fee_amount": leg.fee}
    return {"transfer_data": {"destination": leg.account_id}, **fee}
