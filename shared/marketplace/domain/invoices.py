"""Invoices: what a customer is asked to pay, as Stripe has it; of a subscription, or made by an operator.

The record is read again from Stripe whenever an event mentions it. What was paid is a transaction, whose id follows
from the invoice's.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import MarketplaceError
from marketplace.domain.ids import id_from
from marketplace.domain.invoice_splits import SplitBy
from marketplace.domain.portions import TaxLiability
from marketplace.domain.principals import Principal, Role
from marketplace.domain.states import require_transition
from marketplace.domain.stripe_objects import Object, at, id_of

DRAFT_LASTS: Final = timedelta(hours=2)  # Stripe finalizes after about one
LOOK_AGAIN: Final = timedelta(hours=24)
AUTOMATIC: Final = "charge_automatically"
BY_MAIL: Final = "send_invoice"


class InvoiceStatus(StrEnum):
    """Where an invoice stands; from ``draft`` on Stripe's words."""

    REQUESTED = "requested"  # the intent is durable
    REFUSED = "refused"  # Stripe refused to make it
    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"  # given up; it can still be paid
    VOID = "void"
    DELETED = "deleted"  # a draft that somebody deleted


_S = InvoiceStatus
TRANSITIONS: Final[Mapping[InvoiceStatus, frozenset[InvoiceStatus]]] = {
    _S.REQUESTED: frozenset(_S) - {_S.REQUESTED},
    _S.REFUSED: frozenset(),
    _S.DRAFT: frozenset({_S.OPEN, _S.PAID, _S.UNCOLLECTIBLE, _S.VOID, _S.DELETED}),
    _S.OPEN: frozenset({_S.PAID, _S.UNCOLLECTIBLE, _S.VOID}),
    _S.UNCOLLECTIBLE: frozenset({_S.PAID, _S.VOID}),
    _S.PAID: frozenset(),
    _S.VOID: frozenset(),
    _S.DELETED: frozenset(),
}
ENDED: Final = frozenset({_S.REFUSED, _S.PAID, _S.VOID, _S.DELETED})


class SeveralPayments(MarketplaceError):
    """An invoice that was paid in parts: nothing of ours makes one, and somebody has to look."""


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    """A line of an invoice that an operator makes: ``unit_amount`` minor units, ``quantity`` times.

    ``fee`` is what the platform takes of the line; None leaves it to the merchant's policy. What is not said of its tax
    is as the platform's tax settings at Stripe have it.
    """

    description: str
    unit_amount: int
    quantity: int = 1
    fee: int | None = None
    tax_code: str | None = None
    tax_behavior: str | None = None

    @property
    def amount(self) -> int:
        """Minor units of the whole line."""
        return self.unit_amount * self.quantity


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """An invoice of one merchant. Amounts are minor units of ``currency``.

    ``total`` is ``subtotal`` less ``discount``, with the tax that is on top; ``tax`` is all of it.

    ``split_amount`` is the amount due that the draft was told its fee for, None while it was told none; ``lines`` are
    those of an invoice that was made here. ``is_paid_elsewhere`` says that its money never was at Stripe.
    """

    id: str
    merchant_id: str
    customer_id: str | None
    currency: str
    fee_policy: Mapping[str, Any]
    split: SplitBy
    subscription_id: str | None = None
    lines: tuple[InvoiceLine, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    status: InvoiceStatus = InvoiceStatus.REQUESTED
    stripe_invoice_id: str | None = None
    number: str | None = None
    billing_reason: str | None = None
    collection_method: str = AUTOMATIC
    on_behalf_of: str | None = None
    automatic_tax: bool = False  # Stripe Tax
    tax_liability: TaxLiability = TaxLiability.PLATFORM
    coupon_id: str | None = None  # of one that was made here; a subscription's has its own for all of them
    promotion_code: str | None = None  # the code by which that was given
    subtotal: int = 0
    discount: int = 0
    tax: int = 0
    total: int = 0
    amount_due: int = 0
    amount_paid: int = 0
    is_paid_elsewhere: bool = False
    attempt_count: int = 0
    next_payment_attempt: datetime | None = None
    due_date: datetime | None = None
    split_amount: int | None = None
    transaction_id: str | None = None
    changed_by: str | None = None  # the command that changes it; the next change waits for its end
    created_at: datetime
    due_at: datetime | None = None
    version: int = 1

    @property
    def liable(self) -> TaxLiability | None:
        """Who is liable for its tax; None where Stripe calculates none."""
        return self.tax_liability if self.automatic_tax else None

    @property
    def waits_for(self) -> str | None:
        """In words, what happens next; None at the end."""
        words = {_S.REQUESTED: "Stripe's answer", _S.DRAFT: "its finalization", _S.OPEN: "its payment"}
        return words.get(self.status)

    def is_visible_to(self, caller: Principal) -> bool:
        """Operators see all; a merchant its own; a buyer his own, once they are finalized."""
        match caller.role:
            case Role.MERCHANT:
                return caller.merchant_id == self.merchant_id
            case Role.BUYER:
                return caller.subject == self.customer_id and self.number is not None
            case _:
                return caller.sees_everything


def as_at_stripe(invoice: Invoice, found: Object, now: datetime) -> Invoice:
    """The record as Stripe has the invoice now. A status that this code does not know changes nothing."""
    known = {status.value for status in InvoiceStatus}
    status = InvoiceStatus(found["status"]) if found["status"] in known else invoice.status
    if status is not invoice.status:
        require_transition(TRANSITIONS, invoice.status, status)
    read = replace(
        invoice,
        status=status,
        stripe_invoice_id=found["id"],
        number=found.get("number"),
        billing_reason=found.get("billing_reason"),
        collection_method=found.get("collection_method") or invoice.collection_method,
        automatic_tax=bool((found.get("automatic_tax") or {}).get("enabled")),
        tax_liability=liability_of(found),
        subtotal=found["subtotal"],
        discount=discount_of(found),
        tax=tax_of(found),
        total=found["total"],
        amount_due=found["amount_due"],
        amount_paid=found["amount_paid"],
        is_paid_elsewhere=status is _S.PAID and bool(found.get("amount_paid_off_stripe")),
        attempt_count=found.get("attempt_count") or 0,
        next_payment_attempt=at(found["next_payment_attempt"]) if found.get("next_payment_attempt") else None,
        due_date=at(found["due_date"]) if found.get("due_date") else None,
    )
    is_watched = read.status is invoice.status and invoice.due_at is not None and invoice.due_at > now
    return read if is_watched else replace(read, due_at=next_look(read, now))


def deleted(invoice: Invoice) -> Invoice:
    """The record of a draft that Stripe has no more."""
    require_transition(TRANSITIONS, invoice.status, _S.DELETED)
    return replace(invoice, status=_S.DELETED, due_at=None)


def liability_of(found: Object) -> TaxLiability:
    """Who is liable for the tax of Stripe's invoice; the platform where there is none."""
    liability = (found.get("automatic_tax") or {}).get("liability") or {}
    return TaxLiability.MERCHANT if liability.get("type") == "account" else TaxLiability.PLATFORM


def next_look(invoice: Invoice, now: datetime) -> datetime | None:
    """When Stripe is asked although no event has told anything."""
    if invoice.status in ENDED:
        return None
    return now + (DRAFT_LASTS if invoice.status is _S.DRAFT and invoice.subscription_id else LOOK_AGAIN)


def is_to_be_split(invoice: Invoice) -> bool:
    """Whether a draft is to be told its fee: none was told yet, or for another amount, and nobody is at it.

    What is taxed or discounted is told none: what is whose is known when it is paid.
    """
    is_asked = invoice.status is _S.DRAFT and invoice.split is SplitBy.AMOUNT and invoice.changed_by is None
    is_known = not (invoice.automatic_tax or invoice.tax or invoice.discount)
    return is_asked and is_known and invoice.amount_due > 0 and invoice.amount_due != invoice.split_amount


def is_usual(found: Object) -> bool:
    """Whether an invoice has neither tax nor discounts, so that what is whose follows from its total."""
    is_taxed = (found.get("automatic_tax") or {}).get("enabled") or any(_amounts(found, "total_taxes"))
    return not is_taxed and not any(_amounts(found, "total_discount_amounts"))


def discount_of(found: Object) -> int:
    """Minor units that were taken off an invoice."""
    return sum(_amounts(found, "total_discount_amounts"))


def tax_of(found: Object) -> int:
    """Minor units of tax on an invoice, in its prices or on top."""
    return sum(_amounts(found, "total_taxes"))


def invoice_id_of(found: Object) -> str:
    """Our id of an invoice: the one it was made under here, or one that follows from Stripe's."""
    named = (found.get("metadata") or {}).get("invoice_id")
    return str(named) if named else id_from("invoice", at(found["created"]), found["id"])


def transaction_id_of(found: Object) -> str:
    """The id of the sale that a paid invoice is."""
    return id_from("transaction", at(found["created"]), found["id"])


def payment_intent_of(found: Object) -> str | None:
    """The PaymentIntent that paid an invoice, of one read with its ``payments``; None where no money came.

    Raises:
        SeveralPayments.
    """
    paid = [each for each in (found.get("payments") or {}).get("data", []) if each["status"] == "paid"]
    intents = {id_of(each["payment"].get("payment_intent")) for each in paid} - {None}
    if len(intents) > 1:
        raise SeveralPayments(f"{found['id']} has {len(intents)} payments")
    return next(iter(intents), None)


def _amounts(found: Object, name: str) -> list[int]:
    return [each["amount"] for each in found.get(name) or []]


def subscription_of(found: Object) -> tuple[str | None, str | None]:
    """Stripe's subscription that an invoice is of, and ours as that one's metadata names it."""
    details = (found.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription")), (details.get("metadata") or {}).get("subscription_id")
