"""From what a browser or an operator asks for to the plan of a sale: whose it is, what it costs, what the fee is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from marketplace.domain.catalog import Price, Product, require_for_sale
from marketplace.domain.combinations import TaxMode, Way, require_combination
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidBasket, NotFound
from marketplace.domain.fees import FeePolicy, require_fee_within
from marketplace.domain.holds import require_release_date
from marketplace.domain.ids import owner_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.money import require_payable
from marketplace.domain.portions import TaxLiability
from marketplace.domain.principals import Principal, Role
from marketplace.domain.promotions import Coupon
from marketplace.domain.shares import MOST_MERCHANTS
from marketplace.domain.transactions import MOST_LINE_ITEMS, CaptureMethod, ChargeType, Leg, LineItem, Transaction
from marketplace.ports import Policy
from marketplace.services.sellable import require_sellable, settlement_merchant
from marketplace.services.session_terms import SessionTerms
from marketplace.services.terms import Terms, require_usable, terms_of

MOST_QUANTITY: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class CatalogItem:
    """A price of the catalog, ``quantity`` times."""

    price_id: str
    quantity: int
    bounds: tuple[int, ...] = ()  # least and most that the buyer may make of it; none is neither


@dataclass(frozen=True, kw_only=True)
class InlineItem:
    """An amount that an operator names: minor units of the basket's currency, ``quantity`` times.

    ``merchant_id`` None is the basket's merchant.
    """

    name: str
    unit_amount: int
    currency: str
    quantity: int
    merchant_id: str | None = None
    tax_code: str | None = None
    tax_behavior: str | None = None
    bounds: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Basket:
    """What is to be sold. Inline items, the merchant, the fee and the customer are for operators to name."""

    items: tuple[CatalogItem | InlineItem, ...]
    success_url: str = ""  # of a Checkout Session
    cancel_url: str = ""
    merchant_id: str | None = None
    application_fee_amount: int | None = None
    customer_id: str | None = None
    refund_application_fee: bool = True
    charge_type: ChargeType | None = None  # None is by policy
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    hold: bool = False  # the merchants' shares wait for a release
    release_at: datetime | None = None  # and are released then by themselves
    save_payment_method: bool = False  # for payments without the buyer
    terms: SessionTerms = SessionTerms()
    customer_email: str | None = None  # of a buyer whom Stripe does not know; never beside a customer
    guest_token_hash: str | None = None
    way: Way = Way.CHECKOUT
    automatic_tax: bool | None = None  # None is by policy
    tax_liability: TaxLiability | None = None  # None is by policy
    on_behalf_of: bool = False  # whether the merchant is the settlement merchant, whose name the buyer's bank shows
    coupon_id: str | None = None
    promotion_code: str | None = None  # as buyers know it
    allow_promotion_codes: bool | None = None  # whether the buyer may enter one; None is by policy
    metadata: Mapping[str, str]

    @property
    def is_held(self) -> bool:
        """Whether the shares are kept back after the payment."""
        return self.hold or self.release_at is not None

    @property
    def price_ids(self) -> tuple[str, ...]:
        """The catalog prices in it, each once."""
        return tuple(dict.fromkeys(item.price_id for item in self.items if isinstance(item, CatalogItem)))

    @property
    def names_amounts(self) -> bool:
        """Whether it says what a browser may not say."""
        inline = any(isinstance(item, InlineItem) for item in self.items)
        terms = self.application_fee_amount is not None or not self.refund_application_fee
        terms = terms or self.charge_type is not None or self.is_held or self.capture_method is CaptureMethod.MANUAL
        taxed = self.automatic_tax is not None or self.tax_liability is not None or self.on_behalf_of
        discounted = self.coupon_id is not None or self.allow_promotion_codes is not None
        shown = self.terms.is_of_operators or self.customer_email is not None
        return inline or terms or taxed or discounted or shown

    @property
    def total_may_change(self) -> bool:
        """Whether the buyer has a say in what it comes to."""
        ships = any(option.amount for option in self.terms.shipping_options)
        return ships or any(item.bounds for item in self.items)


def merchants_of(basket: Basket) -> tuple[str, ...]:
    """The merchants that a basket buys from, in the order of its items.

    Raises:
        InvalidBasket: none, or too many, or an inline item that names none.
        NotFound: a price id that is none.
    """
    if not 0 < len(basket.items) <= MOST_LINE_ITEMS:
        raise InvalidBasket(f"a basket has 1 to {MOST_LINE_ITEMS} line items")
    merchants = tuple(dict.fromkeys(_merchant_of(basket, item) for item in basket.items))
    if (
        basket.merchant_id
        and merchants != (basket.merchant_id,)
        and any(isinstance(item, CatalogItem) for item in basket.items)
    ):
        raise InvalidBasket("the line items belong to another merchant than merchant_id names")
    if len(merchants) > MOST_MERCHANTS:
        raise InvalidBasket(f"a basket buys from at most {MOST_MERCHANTS} merchants")
    if len(merchants) > 1 and basket.application_fee_amount is not None:
        raise InvalidBasket("a fee can be asked for where there is one merchant; several have their policies")
    return merchants


def plan_sale(
    *, transaction_id: str, basket: Basket, prices: Mapping[str, Price], products: Mapping[str, Product],
    merchants: Mapping[str, Merchant], caller: Principal, policy: Policy, now: datetime,
    coupon: Coupon | None = None,
) -> Transaction:  # fmt: skip
    """The plan, or the reason why there can be none; ``coupon`` is that of the basket.

    Raises:
        MerchantNotReady, CurrencyNotAccepted, InvalidBasket, InvalidAmount, FeeExceedsAmount, PriceNotForSale,
        NotFound, UnknownCurrency, InvalidReleaseDate, CombinationRefused, DiscountNotUsable.
    """
    require_release_date(basket.release_at, now)
    lines, currency = _line_items(basket, prices, products)
    terms = terms_of(
        policy,
        basket.way,
        automatic_tax=basket.automatic_tax,
        tax_liability=basket.tax_liability,
        allow_promotion_codes=basket.allow_promotion_codes,
        coupon=coupon,
    )
    charge_type = _charge_type(basket, merchants, terms)
    require_combination(basket.way, charge_type, *terms.modes)
    if coupon is not None:
        require_usable(coupon, merchants, currency)
    for merchant in merchants.values():
        require_sellable(merchant, currency, charge_type, policy)
    on_behalf_of = settlement_merchant(
        merchants.values(),
        wanted=basket.on_behalf_of,
        is_liable=terms.liable is TaxLiability.MERCHANT,
        charge_type=charge_type,
        policy=policy.money,
    )
    amount = sum(line.amount for line in lines)
    require_payable(amount, currency)
    legs = tuple(
        replace(_leg(basket, merchant, lines, currency, policy.fee), tax_liability=terms.tax_liability)
        for merchant in merchants.values()
    )
    return Transaction(
        id=transaction_id,
        amount=amount,
        currency=currency,
        charge_type=charge_type,
        legs=legs,
        line_items=lines,
        customer_id=caller.subject if caller.role is Role.BUYER else basket.customer_id,
        fee_policy=legs[0].fee_policy if len(legs) == 1 else {},
        refund_application_fee=basket.refund_application_fee,
        metadata=basket.metadata,
        created_at=now,
        capture_method=basket.capture_method,
        is_held=basket.is_held,
        release_at=basket.release_at,
        guest_token_hash=basket.guest_token_hash,
        automatic_tax=terms.tax is not TaxMode.NONE,
        has_shipping=bool(basket.terms.shipping_options),
        on_behalf_of=on_behalf_of,
        discount=coupon.id if coupon else None,
        promotion_code=basket.promotion_code,
        allow_promotion_codes=terms.allow_promotion_codes,
    )


def _charge_type(basket: Basket, merchants: Mapping[str, Merchant], terms: Terms) -> ChargeType:
    """One merchant and no hold: destination, the cheapest; a cart, a hold or a merchant that waits: separate.

    Where only the completed order tells what is the merchant's, it is separate too: one transfer of just that. Of a
    destination charge that is asked for, all is transferred and a part taken back.
    So is what the buyer may still change: its fee is known when it is paid (services/session_terms.py).

    Raises:
        InvalidBasket: a destination charge was asked for and is impossible.
    """
    only_separate = len(merchants) > 1 or basket.is_held or basket.total_may_change
    if basket.charge_type is ChargeType.DESTINATION and only_separate:
        raise InvalidBasket("a destination charge has one merchant, a total that stays, and cannot be held")
    needed = only_separate or not terms.are_usual or not all(each.is_ready for each in merchants.values())
    return basket.charge_type or (ChargeType.SEPARATE if needed else ChargeType.DESTINATION)


def _leg(
    basket: Basket, merchant: Merchant, lines: Sequence[LineItem], currency: str, default_policy: FeePolicy
) -> Leg:
    amount = sum(line.amount for line in lines if line.merchant_id == merchant.id)
    fee, fee_policy = _fee(basket, merchant.fee_policy or default_policy, amount, currency)
    return Leg(merchant_id=merchant.id, account_id=merchant.account_id, amount=amount, fee=fee, fee_policy=fee_policy)


def _merchant_of(basket: Basket, item: CatalogItem | InlineItem) -> str:
    if isinstance(item, CatalogItem):
        owner = owner_of("price", item.price_id)
        if owner is None:
            raise NotFound("price")
        return owner
    named = item.merchant_id or basket.merchant_id
    if named is None:
        raise InvalidBasket("an inline item, or its basket, names its merchant by merchant_id")
    return named


def _line_items(
    basket: Basket, prices: Mapping[str, Price], products: Mapping[str, Product]
) -> tuple[tuple[LineItem, ...], str]:
    lines, currencies = [], set()
    for item in basket.items:
        if not 0 < item.quantity <= MOST_QUANTITY:
            raise InvalidBasket(f"a quantity is from 1 to {MOST_QUANTITY}")
        _require_bounds(item)
        if isinstance(item, CatalogItem):
            line, currency = _catalog_line(item, prices, products)
        else:
            line, currency = _inline_line(item)
        lines.append(replace(line, merchant_id=_merchant_of(basket, item), bounds=item.bounds))
        currencies.add(currency)
    if len(currencies) != 1:
        raise InvalidBasket("the line items have one currency")
    return tuple(lines), currencies.pop()


def _require_bounds(item: CatalogItem | InlineItem) -> None:
    if item.bounds:
        least, most = item.bounds
        if not 0 <= least <= item.quantity <= most <= MOST_QUANTITY:
            raise InvalidBasket(f"a quantity is between its bounds, and those are from 0 to {MOST_QUANTITY}")


def _catalog_line(
    item: CatalogItem, prices: Mapping[str, Price], products: Mapping[str, Product]
) -> tuple[LineItem, str]:
    price = prices.get(item.price_id)
    product = products.get(price.product_id) if price else None
    if price is None or product is None:
        raise NotFound("price")
    line = LineItem(
        name=product.name,
        unit_amount=price.unit_amount,
        quantity=item.quantity,
        stripe_price_id=require_for_sale(price, product),
    )
    return line, price.currency


def _inline_line(item: InlineItem) -> tuple[LineItem, str]:
    require_payable(item.unit_amount, item.currency)
    line = LineItem(
        name=item.name,
        unit_amount=item.unit_amount,
        quantity=item.quantity,
        tax_code=item.tax_code,
        tax_behavior=item.tax_behavior,
    )
    return line, item.currency


def _fee(basket: Basket, policy: FeePolicy, amount: int, currency: str) -> tuple[int, Mapping[str, Any]]:
    asked = basket.application_fee_amount
    if asked is None:
        return policy.fee(amount, currency), policy.as_data()
    require_fee_within(asked, amount, currency)
    return asked, {"application_fee_amount": asked}
