"""Transactions: one sale each. The plan is written once; the payment grows from what Stripe says, in any order.

``Transaction`` is what was intended and never changes. ``Payment`` joins facts: every field only moves up (unknown to
known, a lower rank to a higher), so any order and any number of the same events ends in the same payment.
"""

from collections.abc import Mapping
from dataclasses import field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import MarketplaceError
from marketplace.domain.portions import Portion
from marketplace.domain.principals import Principal, Role
from marketplace.domain.states import require_transition

# Stripe takes 100 of a Checkout Session, and DynamoDB reads 100 items at once: their prices, a key, the customer, a
# coupon and the merchants.
MOST_LINE_ITEMS: Final = 77
MOST_REFUNDS: Final = 100  # of one transaction: its partition is read at once


class ChargeType(StrEnum):
    """How the money reaches the merchant; https://docs.stripe.com/connect/charges."""

    DESTINATION = "destination"  # Stripe splits it at once, between one merchant and the platform
    SEPARATE = "separate_charges_and_transfers"  # the platform is paid, and sends each merchant its share


class CaptureMethod(StrEnum):
    """Whether the buyer's money is taken at once."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"  # authorized first, captured by hand, in whole or in part


class TransactionStatus(StrEnum):
    """Where a transaction stands."""

    REQUESTED = "requested"  # the intent is durable, Stripe's session is not known yet
    REFUSED = "refused"  # Stripe refused to make the session
    OPEN = "open"  # the buyer can pay
    REQUIRES_ACTION = "requires_action"  # the buyer's bank wants him to confirm a payment that he was not there for
    PROCESSING = "processing"  # the buyer has done everything, the money is under way
    AUTHORIZED = "authorized"  # the buyer's bank keeps the money for us, until ``capture_before``
    CANCELED = "canceled"  # the authorization was let go, by hand or at its end
    PAID = "paid"  # the money is there
    FAILED = "failed"  # an asynchronous payment failed
    EXPIRED = "expired"  # the session ended without a payment


_S = TransactionStatus
# Events overtake each other and the answer that they report on, so any later state may follow; none is gone back to.
# Money wins: what was said to have ended is PAID all the same when the charge is there.
TRANSITIONS: Final[Mapping[TransactionStatus, frozenset[TransactionStatus]]] = {
    _S.REQUESTED: frozenset({
        _S.OPEN, _S.REFUSED, _S.REQUIRES_ACTION, _S.PROCESSING, _S.AUTHORIZED, _S.CANCELED, _S.EXPIRED, _S.FAILED,
        _S.PAID,
    }),
    _S.OPEN: frozenset(
        {_S.REFUSED, _S.REQUIRES_ACTION, _S.PROCESSING, _S.AUTHORIZED, _S.CANCELED, _S.EXPIRED, _S.FAILED, _S.PAID}
    ),
    _S.REFUSED: frozenset(
        {_S.REQUIRES_ACTION, _S.PROCESSING, _S.AUTHORIZED, _S.CANCELED, _S.EXPIRED, _S.FAILED, _S.PAID}
    ),
    _S.REQUIRES_ACTION: frozenset({_S.PROCESSING, _S.AUTHORIZED, _S.CANCELED, _S.EXPIRED, _S.FAILED, _S.PAID}),
    _S.PROCESSING: frozenset({_S.AUTHORIZED, _S.CANCELED, _S.EXPIRED, _S.FAILED, _S.PAID}),
    _S.AUTHORIZED: frozenset({_S.CANCELED, _S.EXPIRED, _S.FAILED, _S.PAID}),
    _S.EXPIRED: frozenset({_S.CANCELED, _S.FAILED, _S.PAID}),
    _S.CANCELED: frozenset({_S.FAILED, _S.PAID}),
    _S.FAILED: frozenset({_S.PAID}),
    _S.PAID: frozenset(),
}  # fmt: skip
ENDED_UNPAID: Final = frozenset({_S.FAILED, _S.EXPIRED, _S.CANCELED, _S.REFUSED})

# A later rank wins. `payment_failed` is ours for what an asynchronous failure leaves behind, where Stripe goes back to
# `requires_payment_method`: later than `processing`, so that no late event undoes it.
SESSION_RANKS: Final = ("open", "complete", "expired")
PAYMENT_INTENT_RANKS: Final = (
    "requires_payment_method", "requires_confirmation", "requires_action", "processing", "payment_failed",
    "requires_capture", "canceled", "succeeded",
)  # fmt: skip

ONCE_TRUE: Final = frozenset({"async_payment_failed", "declined", "authentication_required", "no_payment_required"})
UNDER_WAY: Final = frozenset({"processing", "payment_failed"})


@dataclass(frozen=True, kw_only=True)
class LineItem:
    """One line of a basket: ``unit_amount`` in minor units; ``stripe_price_id`` where it comes from the catalog."""

    name: str
    unit_amount: int
    quantity: int
    stripe_price_id: str | None = None
    merchant_id: str | None = None  # None is the sale's only merchant
    tax_code: str | None = None  # of an inline amount; a price of the catalog has its product's
    tax_behavior: str | None = None
    bounds: tuple[int, ...] = ()  # least and most of it that the buyer may make of ``quantity``; none is neither

    @property
    def amount(self) -> int:
        """Minor units of the whole line."""
        return self.unit_amount * self.quantity


@dataclass(frozen=True, kw_only=True)
class Leg(Portion):
    """A merchant's part of a sale, as it is planned, or as it was paid.

    ``account_id`` is None where the merchant had none yet and its share waits for it. ``fee_policy`` is as on the
    transaction, frozen for this merchant: empty where the sale has one merchant. ``discount`` is what the buyer was
    spared, whoever funds it, in the price as he saw it; it is known, as taxes and promotions are, once he has paid.
    """

    merchant_id: str
    account_id: str | None
    fee_policy: Mapping[str, Any] = field(default_factory=dict)
    discount: int = 0


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """The plan of a sale, frozen when it was made. Amounts are minor units of ``currency``."""

    id: str
    amount: int
    currency: str
    charge_type: ChargeType
    legs: tuple[Leg, ...]
    line_items: tuple[LineItem, ...]
    customer_id: str | None
    fee_policy: Mapping[str, Any]  # the policy as it was, or {"application_fee_amount": n} where it was asked for
    refund_application_fee: bool  # whether refunds return the fee unless a refund says otherwise
    metadata: Mapping[str, str]
    created_at: datetime
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    is_held: bool = False  # whether the shares wait for a release
    release_at: datetime | None = None  # when they are released by themselves
    guest_token_hash: str | None = None  # of what a guest reads his session by
    invoice_id: str | None = None  # of the invoice that it is the payment of
    subscription_id: str | None = None  # whose invoice that is
    automatic_tax: bool = False  # Stripe Tax; who is liable is said on the legs
    has_shipping: bool = False  # whether the buyer pays for shipping too, as he chooses it
    on_behalf_of: str | None = None  # the account of the settlement merchant, where that is not the platform
    discount: str | None = None  # the coupon that it is sold with, by its id here
    promotion_code: str | None = None  # the code by which that was given
    allow_promotion_codes: bool = False  # whether the buyer may enter one on Stripe's page
    is_evened_out: bool = False  # a paid invoice that Stripe did not split as its fee policy does

    @property
    def is_split_when_completed(self) -> bool:
        """Whether only the completed order says what is whose: its tax, or a discount, is not known before."""
        return self.automatic_tax or self.discount is not None or self.allow_promotion_codes or self.is_evened_out

    @property
    def fee(self) -> int:
        """Minor units that the platform takes."""
        return sum(leg.fee for leg in self.legs)

    def is_visible_to(self, caller: Principal) -> bool:
        """Operators see all; a merchant the sales it has a leg in; a buyer his own."""
        match caller.role:
            case Role.MERCHANT:
                return any(leg.merchant_id == caller.merchant_id for leg in self.legs)
            case Role.BUYER:
                return self.customer_id == caller.subject
            case _:
                return caller.sees_everything


@dataclass(frozen=True, kw_only=True)
class PaymentFacts:
    """What one event or answer says of a payment; None is not said."""

    checkout_session_id: str | None = None
    checkout_session_status: str | None = None
    async_payment_failed: bool = False
    declined: bool = False  # off session, for good
    authentication_required: bool = False  # off session, by the buyer
    no_payment_required: bool = False  # the order was completed, and cost nothing
    payment_intent_id: str | None = None
    payment_intent_status: str | None = None
    charge_id: str | None = None
    authorized: int | None = None
    capture_before: datetime | None = None
    captured: int | None = None
    application_fee_amount: int | None = None
    transfer_id: str | None = None
    application_fee_id: str | None = None
    balance_transaction_id: str | None = None
    processing_fee: int | None = None
    processing_fee_currency: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Payment(PaymentFacts):
    """What Stripe has said of a transaction, all of it joined. Amounts are minor units; None is not known yet."""

    transaction_id: str
    amount: int
    currency: str
    charge_type: ChargeType = ChargeType.DESTINATION
    refused: bool = False
    refund_reserved: int = 0  # minor units of refunds asked for, under way or done, and not failed
    refund_count: int = 0
    is_expiring: bool = False  # an authorization whose end was found to be near
    created_at: datetime
    due_at: datetime | None = None
    version: int = 1

    @property
    def status(self) -> TransactionStatus:
        """Where the transaction stands, from the facts alone: the first that is true."""
        session, intent = self.checkout_session_status, self.payment_intent_status
        signs = (
            (_S.PAID, self.paid_at is not None or intent == "succeeded"),
            (_S.FAILED, self.async_payment_failed or self.declined),
            (_S.CANCELED, intent == "canceled" and self.authorized is not None),
            (_S.EXPIRED, session == "expired" or intent == "canceled"),
            (_S.AUTHORIZED, intent == "requires_capture"),
            (_S.PROCESSING, session == "complete" or intent in UNDER_WAY),
            (_S.REQUIRES_ACTION, self.authentication_required),
            (_S.REFUSED, self.refused),
            (_S.OPEN, self.checkout_session_id is not None),
        )
        return next((status for status, is_so in signs if is_so), _S.REQUESTED)

    @property
    def refundable(self) -> int:
        """Minor units that can still be refunded: 0 too where the Dashboard refunds what is asked for here."""
        return max(0, (self.captured or 0) - self.refund_reserved)

    @property
    def is_settled(self) -> bool:
        """Whether the charge is on the platform's balance and its split is known, so that no more of it is waited for.

        Stripe's fee comes later, with all others of its page (services/reconciliation.py).
        """
        if self.no_payment_required:
            return True
        if None in (self.paid_at, self.balance_transaction_id):
            return False
        if self.charge_type is ChargeType.SEPARATE:
            return True
        return self.transfer_id is not None and (self.application_fee_id is not None or not self.application_fee_amount)

    @property
    def is_final(self) -> bool:
        """Whether no more facts are expected without somebody acting."""
        if self.status is TransactionStatus.PAID:
            return self.is_settled
        return self.status in ENDED_UNPAID

    @property
    def waits_for(self) -> str | None:
        """In words, what a payment that is not final waits for."""
        if self.is_final:
            return None
        return {
            TransactionStatus.REQUESTED: "Stripe's answer",
            TransactionStatus.REQUIRES_ACTION: "the buyer's confirmation",
            TransactionStatus.OPEN: "the buyer",
            TransactionStatus.PROCESSING: "the buyer's bank",
            TransactionStatus.AUTHORIZED: "its capture",
        }.get(self.status, "the charge's balance transaction")


class ContradictoryFacts(MarketplaceError):
    """Two events name different objects for what can be only one; nothing is applied and somebody has to look."""


def join(payment: Payment, facts: PaymentFacts) -> Payment:
    """The payment with the facts added; the same object when it knew them all. Order and repetition do not matter.

    Raises:
        ContradictoryFacts: a known id or amount differs.
    """
    joined: dict[str, Any] = {each.name: _join(each.name, payment, facts) for each in fields(facts)}
    known = replace(payment, **joined)
    if known.status is not payment.status:
        require_transition(TRANSITIONS, payment.status, known.status)
    return payment if known == payment else known


def _join(name: str, payment: Payment, facts: PaymentFacts) -> object:
    known, said = getattr(payment, name), getattr(facts, name)
    if said is None or said == known:
        return known
    if known is None:
        return said
    if name in ONCE_TRUE:
        return known or said
    if name == "checkout_session_status":
        return max(known, said, key=SESSION_RANKS.index)
    if name == "payment_intent_status":
        return max(known, said, key=PAYMENT_INTENT_RANKS.index)
    raise ContradictoryFacts(f"{payment.transaction_id}: {name} is {known}, an event says {said}")
