"""Everything that a merchant and a buyer can have, in the store: what a walk of the access table asks for by id.

A route with a path parameter that is not in ``Estate.alone`` fails the walk, and so does a body that no function takes:
whoever adds a route says here what its parameter names and what it is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from marketplace.domain.commands import CommandKind, CommandStatus
from marketplace.domain.dead_letters import DeadLetter, DeadLetters
from marketplace.domain.disputes import Disputed
from marketplace.domain.merchants import Merchant
from marketplace.domain.refunds import Recovery, Refund, RefundPart, RefundStatus, refunded_by
from marketplace.domain.transactions import ChargeType, Leg, Transaction
from marketplace.ports import Create, Item, Store

from ..contract.examples import Examples
from .backend import SHOP

BUYER_ID: Final = "auth0|ann"
LETTER: Final = DeadLetter(
    id="a-letter", body="{}", group="pi_1", endpoint=None, sent_at=datetime(2026, 11, 23, tzinfo=UTC), tries=5,
    event=None,
)  # fmt: skip
CARD: Final = "pm_1"  # of the buyer's; every other is another's, to Stripe
PDF: Final = "JVBERi0xLjcgYSByZWNlaXB0"
BASKET: Final = {"line_items": [{"price": "price-1", "quantity": 1}]}
RETURNS: Final = {"success_url": f"{SHOP}/thanks", "cancel_url": f"{SHOP}/basket"}
# What a route takes that has something to be told; the others are sent {}.
BODIES: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("POST", "/merchants/{merchant_id}/onboarding-links"): {"return_url": f"{SHOP}/back"},
    ("POST", "/merchants/{merchant_id}/component-sessions"): {"components": {"documents": []}},
    ("PUT", "/merchants/{merchant_id}/payout-schedule"): {"interval": "daily"},
    ("POST", "/merchants/{merchant_id}/payouts"): {"amount": 100, "currency": "usd"},
    ("POST", "/merchants/{merchant_id}/products"): {"name": "Cup"},
    ("POST", "/products/{product_id}/prices"): {"unit_amount": 100, "currency": "usd"},
    ("PATCH", "/products/{product_id}"): {"name": "Cup"},
    ("PATCH", "/prices/{price_id}"): {"active": False},
    ("POST", "/coupons"): {"name": "Summer", "percent_off": "10"},
    ("POST", "/promotion-codes"): {"code": "SUMMER-10"},
    ("PATCH", "/promotion-codes/{promotion_code_id}"): {"active": True},
    ("POST", "/debts/{debt_id}/write-off"): {"reason": "closed"},
    ("POST", "/checkout/sessions"): BASKET | RETURNS,
    ("POST", "/payments"): BASKET | {"payment_method_id": CARD},
    ("PATCH", "/customers/{customer_id}"): {"name": "Ann"},
    ("POST", "/customers/{customer_id}/billing-portal-sessions"): {"return_url": f"{SHOP}/account"},
    ("PATCH", "/subscriptions/{subscription_id}"): {"quantity": 2},
    ("POST", "/subscriptions/{subscription_id}/preview"): {"quantity": 2},
    ("PATCH", "/invoices/{invoice_id}"): {"description": "For the house"},
    ("POST", "/invoices/{invoice_id}/credit-notes"): {"amount": 100},
    ("POST", "/transfers/{transfer_id}/reversals"): {"reason": "wrong parcel"},
    ("PATCH", "/disputes/{dispute_id}/evidence"): {"customer_name": "Ann"},
    ("POST", "/disputes/{dispute_id}/files"): {"content": PDF},
}
# What a route cannot be asked without, in its query.
QUERIES: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("GET", "/merchants/{merchant_id}/statement"): {"since": "2026-11-01T00:00:00Z"},
}


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Ids by the name of the path parameter that takes them.

    ``alone`` are what one merchant and one buyer have to do with and nobody else, ``shared`` those of a cart that the
    merchant has a part in, ``partners`` what is another merchant's in that cart.
    """

    merchant_id: str
    stranger_id: str  # a merchant that has nothing
    others_coupon_id: str  # of a merchant that has nothing else
    alone: dict[str, str]
    shared: dict[str, str]
    partners: dict[str, str]


class SetAside:
    """A queue with one dead letter."""

    def look(self) -> DeadLetters:
        return DeadLetters(letters=(LETTER,), waiting=1)

    def take(self, letter_id: str) -> None:
        return None

    def hidden(self) -> int:
        return 0


def furnish(store: Store) -> Estate:
    """Put everything into a store."""
    examples = Examples()
    owner, partner, stranger = (examples.merchant(currencies=("usd",)) for _ in range(3))
    product, customer, debt = examples.product(owner), replace(examples.customer(), id=BUYER_ID), examples.debt(owner)
    price, payout = examples.price(product), examples.merchant_payout(owner, command_id=None, is_automatic=True)
    _put(store, owner, partner, stranger, product, price, customer, debt, payout)
    other = examples.merchant()
    coupon, foreign = (examples.coupon(merchant_id=each.id, is_at_stripe=True) for each in (owner, other))
    code = examples.code(coupon, stripe_promotion_code_id=examples.stripe_id("promo", 24))
    _put(store, other, coupon, foreign, code)
    subscription = examples.subscription(price, customer_id=BUYER_ID)
    invoice = examples.invoice(subscription)
    _put(store, subscription, invoice)
    alone = _sale(store, examples, [owner])
    cart = _sale(store, examples, [owner, partner])
    return Estate(
        merchant_id=owner.id,
        stranger_id=stranger.id,
        others_coupon_id=foreign.id,
        alone={
            "merchant_id": owner.id,
            "product_id": product.id,
            "price_id": price.id,
            "debt_id": debt.id,
            "payout_id": payout.id,
            "coupon_id": coupon.id,
            "promotion_code_id": code.id,
            "customer_id": customer.id,
            "payment_method_id": CARD,
            "subscription_id": subscription.id,
            "invoice_id": invoice.id,
            "account": "stripe_balance",
            "letter_id": LETTER.id,
            **alone[owner.id],
        },
        shared=cart[owner.id],
        partners={name: found for name, found in cart[partner.id].items() if found not in cart[owner.id].values()},
    )


def _sale(store: Store, examples: Examples, merchants: list[Merchant]) -> dict[str, dict[str, str]]:
    """A sale that was charged to saved details, refunded in part and disputed; whose what of it is, by merchant."""
    is_cart = len(merchants) > 1
    legs = tuple(Leg(merchant_id=each.id, account_id=each.account_id, amount=5000, fee=500) for each in merchants)
    kind = ChargeType.SEPARATE if is_cart else ChargeType.DESTINATION
    sale = examples.transaction(
        merchants[0], legs=legs, amount=5000 * len(legs), customer_id=BUYER_ID, charge_type=kind
    )
    paid = replace(examples.full_payment(sale), payment_intent_status="succeeded", charge_type=kind, amount=sale.amount)
    charged = examples.command(
        sale.id, kind=CommandKind.CREATE_PAYMENT_INTENT, params={"payment_method": CARD}, status=CommandStatus.SUCCEEDED
    )
    dispute = replace(examples.dispute(sale), merchant_ids=tuple(each.id for each in merchants), parts=())
    _put(store, sale, paid, charged, dispute)
    made: dict[str, dict[str, str]] = {}
    for leg, merchant in zip(legs, merchants, strict=True):
        refund = _refund(examples, sale, merchant, is_cart=is_cart)
        share = examples.share(replace(sale, legs=(leg,)), charge_type=kind)
        about = Disputed(dispute_id=dispute.id, merchant_id=merchant.id, transaction_id=sale.id)
        _put(store, refund, *refunded_by(refund, sale), share, about)
        made[merchant.id] = {
            "transaction_id": sale.id,
            "refund_id": refund.id,
            "dispute_id": dispute.id,
            "transfer_id": share.transfers[0].id,
            "subject": sale.id,
            "command_id": charged.id,
        }
    return made


def _refund(examples: Examples, sale: Transaction, merchant: Merchant, *, is_cart: bool) -> Refund:
    part = RefundPart(merchant_id=merchant.id, amount=500, fee=50)
    back = Recovery(transfer_reversal_id=examples.stripe_id("trr", 24), reversed=500)
    return replace(
        examples.refund(sale),
        status=RefundStatus.SUCCEEDED,
        parts=(part,) if is_cart else (),
        recovery=None if is_cart else back,
    )


def _put(store: Store, *items: Item) -> None:
    store.commit(*map(Create, items))
