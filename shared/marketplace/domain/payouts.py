"""Payouts: money that leaves a merchant's balance at Stripe for its bank, and may come back from there days later.

They are of the merchant's own balance and move nothing of the platform's: the ledger does not know them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import InvalidAmount
from marketplace.domain.money import smallest_payable
from marketplace.domain.states import require_transition
from marketplace.domain.stripe_objects import Object, at

LARGEST_PAYOUT: Final = 999_999_999_999  # minor units: twelve digits, the most that Stripe takes of any currency
IN_HUNDREDS: Final = frozenset({"huf", "twd"})  # paid out in whole units: https://docs.stripe.com/currencies


class PayoutStatus(StrEnum):
    """Where a payout stands."""

    REQUESTED = "requested"  # recorded; Stripe may or may not have heard of it
    UNKNOWN = "unknown"  # Stripe was asked and did not answer; never shown as failed
    REFUSED = "refused"  # Stripe's no: nothing moved
    PENDING = "pending"  # off the balance; it can still be canceled at Stripe
    IN_TRANSIT = "in_transit"
    PAID = "paid"  # expected to have arrived
    CANCELED = "canceled"  # before it left; the money is on the balance again
    FAILED = "failed"  # the bank sent it back; the money is on the balance again


class PayoutMethod(StrEnum):
    """How fast. INSTANT takes minutes and costs a fee."""

    STANDARD = "standard"
    INSTANT = "instant"


_S = PayoutStatus
AT_STRIPE: Final = frozenset({_S.PENDING, _S.IN_TRANSIT, _S.PAID, _S.CANCELED, _S.FAILED})
TRANSITIONS: Final[Mapping[PayoutStatus, frozenset[PayoutStatus]]] = {
    _S.REQUESTED: frozenset({_S.UNKNOWN, _S.REFUSED, *AT_STRIPE}),
    _S.UNKNOWN: frozenset({_S.REFUSED, *AT_STRIPE}),
    _S.REFUSED: frozenset(),
    _S.PENDING: frozenset({_S.IN_TRANSIT, _S.PAID, _S.CANCELED, _S.FAILED}),
    _S.IN_TRANSIT: frozenset({_S.PAID, _S.CANCELED, _S.FAILED}),
    _S.PAID: frozenset({_S.FAILED}),  # the bank may return it days later
    _S.CANCELED: frozenset(),
    _S.FAILED: frozenset(),
}
CAME_BACK: Final = frozenset({_S.CANCELED, _S.FAILED})


@dataclass(frozen=True, kw_only=True)
class PayoutFacts:
    """What a payout at Stripe says. ``payout_id`` is ours where its metadata name one, which the merchant may write."""

    stripe_payout_id: str
    payout_id: str | None
    status: PayoutStatus
    amount: int
    currency: str
    method: PayoutMethod
    is_automatic: bool
    arrives_at: datetime
    failure: str | None
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Payout:
    """A payout of ``amount`` minor units; a negative one is a debit of the bank, for what the account owes.

    ``command_id`` is None where it was made elsewhere: by the schedule, in a dashboard or an embedded component.
    """

    id: str
    merchant_id: str
    account_id: str
    command_id: str | None
    amount: int
    currency: str
    method: PayoutMethod
    is_automatic: bool
    status: PayoutStatus = PayoutStatus.REQUESTED
    stripe_payout_id: str | None = None
    arrives_at: datetime | None = None
    failure: str | None = None  # Stripe's failure_code
    refusal: str | None = None  # Stripe's code
    created_at: datetime
    version: int = 1

    @property
    def came_back(self) -> bool:
        """Whether the money was sent and is on the balance again."""
        return self.status in CAME_BACK

    @property
    def is_itemized(self) -> bool:
        """Whether Stripe says which balance transactions it is made of: never of one that was asked for."""
        return self.is_automatic

    def is_at_stripe(self, account_id: str, said: PayoutFacts) -> bool:
        """Whether that is what it became at Stripe: metadata that a merchant wrote do not make it so."""
        asked = (self.account_id, self.amount, self.currency, self.stripe_payout_id or said.stripe_payout_id)
        return asked == (account_id, said.amount, said.currency, said.stripe_payout_id)


def payout_facts(made: Object) -> PayoutFacts:
    """What a payout says. A status that this code does not know yet is taken for PENDING: the money has left."""
    status = made["status"]
    return PayoutFacts(
        stripe_payout_id=made["id"],
        payout_id=(made.get("metadata") or {}).get("payout_id"),
        status=PayoutStatus(status) if status in AT_STRIPE else PayoutStatus.PENDING,
        amount=made["amount"],
        currency=made["currency"],
        method=PayoutMethod.INSTANT if made["method"] == "instant" else PayoutMethod.STANDARD,
        is_automatic=made["automatic"],
        arrives_at=at(made["arrival_date"]),
        failure=made.get("failure_code"),
        created=at(made["created"]),
    )


def join(payout: Payout, said: PayoutFacts) -> Payout:
    """The payout with what Stripe says of it: the same whatever the order and number in which it is heard."""
    moves_on = said.status in TRANSITIONS[payout.status]
    return replace(
        payout,
        status=said.status if moves_on else payout.status,
        stripe_payout_id=said.stripe_payout_id,
        arrives_at=max(filter(None, (payout.arrives_at, said.arrives_at))),
        failure=payout.failure or said.failure,
    )


def refused(payout: Payout, code: str) -> Payout:
    """Stripe's no."""
    return _moved(payout, PayoutStatus.REFUSED, refusal=code)


def doubted(payout: Payout) -> Payout:
    """No answer; a payout whose events were faster is left as they say."""
    return _moved(payout, PayoutStatus.UNKNOWN) if payout.status is PayoutStatus.REQUESTED else payout


def require_payout_amount(amount: int, currency: str) -> None:
    """Refuse what can be no payout.

    Raises:
        InvalidAmount: not positive, huge, or no multiple of what the currency is paid out in.
        UnknownCurrency.
    """
    step = 100 if currency in IN_HUNDREDS else smallest_payable(currency)
    if not 0 < amount <= LARGEST_PAYOUT:
        raise InvalidAmount(f"{amount} {currency}: a payout is from 1 to {LARGEST_PAYOUT} minor units")
    if amount % step:
        raise InvalidAmount(f"{amount} {currency}: a payout is a multiple of {step}")


def _moved(payout: Payout, status: PayoutStatus, **changes: Any) -> Payout:  # noqa: ANN401 - fields of several types
    require_transition(TRANSITIONS, payout.status, status)
    return replace(payout, status=status, **changes)
