"""Customers: buyers whose payment details Stripe keeps, and what is shown of those."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.principals import Principal, Role

SUBJECT_PREFIX: Final = "customer:"  # a customer's id is the issuer's to choose, and could look like one of ours


class CustomerStatus(StrEnum):
    """Where the customer at Stripe stands."""

    REQUESTED = "requested"  # the intent is durable
    READY = "ready"
    REFUSED = "refused"  # Stripe refused to make it; it can be asked for again


TRANSITIONS: Final[Mapping[CustomerStatus, frozenset[CustomerStatus]]] = {
    CustomerStatus.REQUESTED: frozenset({CustomerStatus.READY, CustomerStatus.REFUSED}),
    CustomerStatus.REFUSED: frozenset({CustomerStatus.REQUESTED}),
    CustomerStatus.READY: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A buyer. ``id`` is what sales name as their ``customer_id``: the subject of the buyer's token."""

    id: str
    email: str | None
    name: str | None
    status: CustomerStatus = CustomerStatus.REQUESTED
    stripe_customer_id: str | None = None
    changed_by: str | None = None  # the command that changes the details; the next change waits for its end
    created_at: datetime
    version: int = 1

    @property
    def subject(self) -> str:
        """What its commands are recorded under."""
        return subject_of(self.id)


@dataclass(frozen=True, kw_only=True)
class PaymentMethod:
    """Saved payment details as they may be shown: nothing that anybody could pay with."""

    id: str
    type: str
    brand: str | None  # a card's network, or the bank's name
    last4: str | None
    expires: str | None  # a card's last month: 2030-12
    created_at: datetime


def subject_of(customer_id: str) -> str:
    """What a customer's commands are recorded under."""
    return SUBJECT_PREFIX + customer_id


def is_visible(customer_id: str, caller: Principal) -> bool:
    """Operators see every customer, a buyer himself."""
    return caller.sees_everything or (caller.role is Role.BUYER and caller.subject == customer_id)


def payment_method(made: Mapping[str, Any]) -> PaymentMethod:
    """What may be shown of a PaymentMethod of Stripe's."""
    details = made.get(made["type"]) or {}
    return PaymentMethod(
        id=made["id"],
        type=made["type"],
        brand=details.get("brand") or details.get("bank_name"),
        last4=details.get("last4"),
        expires=f"{details['exp_year']:04}-{details['exp_month']:02}" if "exp_year" in details else None,
        created_at=datetime.fromtimestamp(made["created"], UTC),
    )
