"""From what a browser or an operator asks for to the plan of a sale: whose it is, what it costs, what the fee is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from marketplace.domain.catalog import Price
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import (
    CurrencyNotAccepted,
    InvalidBasket,
    MerchantNotReady,
    NotFound,
    PriceNotForSale,
    Unavailable,
)
from marketplace.domain.fees import FeePolicy, require_fee_within
from marketplace.domain.ids import owner_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.money import require_payable
from marketplace.domain.principals import Principal, Role
from marketplace.domain.transactions import MOST_LINE_ITEMS, ChargeType, Leg, LineItem, Transaction

MOST_QUANTITY: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class CatalogItem:
    """A price of the catalog, ``quantity`` times."""

    price_id: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class InlineItem:
    """An amount that an operator names: minor units of the basket's currency, ``quantity`` times."""

    name: str
    unit_amount: int
    currency: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Basket:
    """What is to be sold. Inline items, the merchant, the fee and the customer are for operators to name."""

    items: tuple[CatalogItem | InlineItem, ...]
    success_url: str
    cancel_url: str
    merchant_id: str | None = None
    application_fee_amount: int | None = None
    customer_id: str | None = None
    refund_application_fee: bool = True
    metadata: Mapping[str, str]

    @property
    def price_ids(self) -> tuple[str, ...]:
        """The catalog prices in it, each once."""
        return tuple(dict.fromkeys(item.price_id for item in self.items if isinstance(item, CatalogItem)))

    @property
    def names_amounts(self) -> bool:
        """Whether it says what a browser may not say."""
        inline = any(isinstance(item, InlineItem) for item in self.items)
        return inline or self.application_fee_amount is not None or not self.refund_application_fee


def merchant_of(basket: Basket) -> str:
    """The one merchant that a basket buys from.

    Raises:
        InvalidBasket: none, or several.
        NotFound: a price id that is none.
    """
    if not 0 < len(basket.items) <= MOST_LINE_ITEMS:
        raise InvalidBasket(f"a basket has 1 to {MOST_LINE_ITEMS} line items")
    owners = {owner_of("price", price_id) for price_id in basket.price_ids}
    if None in owners:
        raise NotFound("price")
    named = {owner for owner in owners if owner} | ({basket.merchant_id} if basket.merchant_id else set())
    if len(named) != 1:
        raise InvalidBasket("the line items belong to one merchant, which inline amounts name by merchant_id")
    return named.pop()


def plan_sale(
    *, transaction_id: str, basket: Basket, prices: Mapping[str, Price], merchant: Merchant, caller: Principal,
    default_policy: FeePolicy, now: datetime,
) -> Transaction:  # fmt: skip
    """The plan, or the reason why there can be none.

    Raises:
        MerchantNotReady, CurrencyNotAccepted, InvalidBasket, InvalidAmount, FeeExceedsAmount, PriceNotForSale,
        NotFound, UnknownCurrency.
    """
    if not merchant.is_ready or merchant.account_id is None:
        raise MerchantNotReady("the merchant cannot receive transfers yet")
    lines, currency = _line_items(basket.items, prices)
    if currency not in merchant.currencies:
        raise CurrencyNotAccepted(f"the merchant takes {', '.join(merchant.currencies)}")
    amount = sum(line.amount for line in lines)
    require_payable(amount, currency)
    fee, policy = _fee(basket, merchant.fee_policy or default_policy, amount, currency)
    return Transaction(
        id=transaction_id,
        amount=amount,
        currency=currency,
        charge_type=ChargeType.DESTINATION,
        legs=(Leg(merchant_id=merchant.id, account_id=merchant.account_id, amount=amount, fee=fee),),
        line_items=lines,
        customer_id=caller.subject if caller.role is Role.BUYER else basket.customer_id,
        fee_policy=policy,
        refund_application_fee=basket.refund_application_fee,
        metadata=basket.metadata,
        created_at=now,
    )


def _line_items(
    items: Sequence[CatalogItem | InlineItem], prices: Mapping[str, Price]
) -> tuple[tuple[LineItem, ...], str]:
    lines, currencies = [], set()
    for item in items:
        if not 0 < item.quantity <= MOST_QUANTITY:
            raise InvalidBasket(f"a quantity is from 1 to {MOST_QUANTITY}")
        line, currency = _catalog_line(item, prices) if isinstance(item, CatalogItem) else _inline_line(item)
        lines.append(line)
        currencies.add(currency)
    if len(currencies) != 1:
        raise InvalidBasket("the line items have one currency")
    return tuple(lines), currencies.pop()


def _catalog_line(item: CatalogItem, prices: Mapping[str, Price]) -> tuple[LineItem, str]:
    price = prices.get(item.price_id)
    if price is None:
        raise NotFound("price")
    if not price.active:
        raise PriceNotForSale("the price is archived")
    if price.stripe_price_id is None:
        raise Unavailable("Stripe has not answered for this price yet")
    line = LineItem(
        name=price.product_name,
        unit_amount=price.unit_amount,
        quantity=item.quantity,
        stripe_price_id=price.stripe_price_id,
    )
    return line, price.currency


def _inline_line(item: InlineItem) -> tuple[LineItem, str]:
    require_payable(item.unit_amount, item.currency)
    return LineItem(name=item.name, unit_amount=item.unit_amount, quantity=item.quantity), item.currency


def _fee(basket: Basket, policy: FeePolicy, amount: int, currency: str) -> tuple[int, Mapping[str, Any]]:
    asked = basket.application_fee_amount
    if asked is None:
        return policy.fee(amount, currency), policy.as_data()
    require_fee_within(asked, amount, currency)
    return asked, {"application_fee_amount": asked}
