"""Refunds: how much goes back, what each merchant and the platform give of it, and where a refund stands."""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import RefundExceedsRest, TooManyRefunds, TransactionNotRefundable
from marketplace.domain.money import require_payable
from marketplace.domain.portions import Portion
from marketplace.domain.states import require_transition
from marketplace.domain.transactions import MOST_REFUNDS, Payment, Transaction, TransactionStatus


class RefundStatus(StrEnum):
    """Where a refund stands. The last five are Stripe's words."""

    REQUESTED = "requested"  # the intent is durable, its amount reserved
    UNKNOWN = "unknown"  # Stripe did not answer; never shown as failed
    REFUSED = "refused"  # Stripe's definite no; its amount is free again
    REQUIRES_ACTION = "requires_action"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # the bank sent it back, sometimes days later; its amount is free again
    CANCELED = "canceled"


_S = RefundStatus
TRANSITIONS: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    _S.REQUESTED: frozenset(
        {_S.UNKNOWN, _S.REFUSED, _S.REQUIRES_ACTION, _S.PENDING, _S.SUCCEEDED, _S.FAILED, _S.CANCELED}
    ),
    _S.UNKNOWN: frozenset({_S.REFUSED, _S.REQUIRES_ACTION, _S.PENDING, _S.SUCCEEDED, _S.FAILED, _S.CANCELED}),
    _S.REQUIRES_ACTION: frozenset({_S.PENDING, _S.SUCCEEDED, _S.FAILED, _S.CANCELED}),
    _S.PENDING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELED}),
    _S.SUCCEEDED: frozenset({_S.FAILED}),
    _S.FAILED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.REFUSED: frozenset(),
}
AT_STRIPE: Final = frozenset({_S.REQUIRES_ACTION, _S.PENDING, _S.SUCCEEDED, _S.FAILED, _S.CANCELED})
CAME_BACK: Final = frozenset({_S.FAILED, _S.CANCELED})
NO_LONGER_RESERVED: Final = CAME_BACK | {_S.REFUSED}


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What Stripe took off the merchant's transfer with a refund (minor units)."""

    transfer_reversal_id: str
    reversed: int


@dataclass(frozen=True, kw_only=True)
class FeeRefund:
    """A part of the platform's fee given back to the merchant; Stripe does not say with which refund."""

    id: str
    amount: int
    created: datetime


@dataclass(frozen=True, kw_only=True)
class RefundPart(Portion):
    """What of a refund concerns one merchant's leg.

    The buyer gets ``amount``. The platform gives ``fee``, and ``taxes`` that it owes no longer, and gets back what it
    had added as ``promotions``; the merchant gives the rest.
    """

    merchant_id: str

    @property
    def borne_by_merchant(self) -> int:
        """Minor units that the merchant gives back."""
        return self.own


@dataclass(frozen=True, kw_only=True)
class RefundedLine:
    """So many items of a line of the basket, by its number there, and what was paid for them (minor units).

    ``taxes`` are in it, by jurisdiction; ``promotions`` are what the platform had added to it, by coupon.
    """

    line: int
    quantity: int
    merchant_id: str
    amount: int
    taxes: Mapping[str, int] = field(default_factory=dict)
    promotions: Mapping[str, int] = field(default_factory=dict)

    @property
    def tax(self) -> int:
        """Minor units of it that are the authorities'."""
        return sum(self.taxes.values())


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A refund of ``amount`` minor units, of which the platform gives ``fee`` and the merchants the rest, by plan.

    ``parts`` are empty where the sale has one merchant and Stripe recovers the refund from its transfer.
    """

    id: str
    transaction_id: str
    command_id: str | None  # None where it was made elsewhere than here
    amount: int
    currency: str
    fee: int
    returns_fee: bool
    reason: str | None
    status: RefundStatus = RefundStatus.REQUESTED
    stripe_refund_id: str | None = None
    recovery: Recovery | None = None
    failure: str | None = None
    created_at: datetime
    at_stripe_since: datetime | None = None
    ended_at: datetime | None = None
    parts: tuple[RefundPart, ...] = ()
    lines: tuple[RefundedLine, ...] = ()  # where it was asked for by lines
    is_loss: bool = False  # the platform bears all of it, by policy
    version: int = 1

    @property
    def is_apportioned(self) -> bool:
        """Whether we say who bears it, rather than Stripe's own reversal."""
        return bool(self.parts) or self.is_loss

    @property
    def left_stripe(self) -> bool:
        """Whether Stripe took the money off the platform's balance, be it back since."""
        return self.status in AT_STRIPE

    @property
    def came_back(self) -> bool:
        """Whether the money is on the platform's balance again."""
        return self.status in CAME_BACK

    @property
    def stands(self) -> bool:
        """Whether the money is with the buyer or on its way there."""
        return self.left_stripe and not self.came_back

    @property
    def is_reserved(self) -> bool:
        """Whether its amount counts as refunded."""
        return self.status not in NO_LONGER_RESERVED


@dataclass(frozen=True, kw_only=True)
class Refunded:
    """That a refund concerns a merchant: for the merchant's list."""

    refund_id: str
    merchant_id: str
    transaction_id: str


def refunded_by(refund: Refund, sale: Transaction) -> Iterator[Refunded]:
    """What lists a refund to the merchants that it concerns: those with a part in it, without parts all of the sale."""
    for each in refund.parts or sale.legs:
        yield Refunded(refund_id=refund.id, merchant_id=each.merchant_id, transaction_id=sale.id)


@dataclass(frozen=True, kw_only=True)
class RefundFacts:
    """What an answer or event says of a refund at Stripe."""

    stripe_refund_id: str
    status: RefundStatus
    created: datetime
    recovery: Recovery | None = None
    failure: str | None = None
    ended_at: datetime | None = None


def require_anything_left(payment: Payment) -> None:
    """Refuse a refund of what was not paid, or of which nothing is left. Raises TransactionNotRefundable."""
    if payment.status is not TransactionStatus.PAID or payment.captured is None:
        raise TransactionNotRefundable(f"the transaction is {payment.status}: there is nothing to refund")
    if payment.refundable <= 0:
        raise TransactionNotRefundable("all of it is refunded or being refunded")


def require_refundable(payment: Payment, amount: int) -> None:
    """Refuse what cannot be refunded now.

    Raises:
        TransactionNotRefundable, RefundExceedsRest, TooManyRefunds, InvalidAmount.
    """
    require_anything_left(payment)
    require_payable(amount, payment.currency)
    if amount > payment.refundable:
        raise RefundExceedsRest(amount, payment.refundable)
    if payment.refund_count >= MOST_REFUNDS:
        raise TooManyRefunds(f"a transaction has at most {MOST_REFUNDS} refunds")


def reserve(payment: Payment, amount: int) -> Payment:
    """The payment with ``amount`` taken out of what can be refunded, so that no two refunds have the same part."""
    require_refundable(payment, amount)
    return replace(payment, refund_reserved=payment.refund_reserved + amount, refund_count=payment.refund_count + 1)


def release(payment: Payment, before: Refund, after: Refund) -> Payment:
    """The payment with a refund's amount refundable again, if this step of the refund ended its reservation."""
    if not before.is_reserved or after.is_reserved:
        return payment
    return replace(payment, refund_reserved=payment.refund_reserved - after.amount)


def join(refund: Refund, facts: RefundFacts) -> Refund:
    """The refund with the facts added; the same object when it knew them all. Order and repetition do not matter."""
    known = replace(
        refund,
        status=facts.status if facts.status in TRANSITIONS[refund.status] else refund.status,
        stripe_refund_id=refund.stripe_refund_id or facts.stripe_refund_id,
        at_stripe_since=refund.at_stripe_since or facts.created,
        recovery=refund.recovery or facts.recovery,
        failure=refund.failure or facts.failure,
        ended_at=_earlier(refund.ended_at, facts.ended_at),
    )
    return refund if known == refund else known


def mark(refund: Refund, status: RefundStatus, failure: str | None = None) -> Refund:
    """The refund as our own side of it ended: REFUSED, or UNKNOWN for now."""
    require_transition(TRANSITIONS, refund.status, status)
    return replace(refund, status=status, failure=failure)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [time for time in (one, other) if time is not None]
    return min(known, default=None)
