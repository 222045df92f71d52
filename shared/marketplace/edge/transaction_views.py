"""Transactions as the API shows them: to a buyer what was paid, to a merchant its share, to an operator everything."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from marketplace.domain.books import Books
from marketplace.domain.ledger import JournalEntry
from marketplace.domain.principals import Principal, Role
from marketplace.domain.shares import Share
from marketplace.domain.timeline import timeline
from marketplace.domain.transactions import Leg, Payment, Transaction
from marketplace.edge.refund_views import RefundView
from marketplace.edge.views import View


class PaymentIntentView(View):
    """Stripe's PaymentIntent, as far as it is known."""

    id: str
    status: str | None


class LegView(View):
    """A merchant's part of a sale as it was planned: `share` is `amount` less the platform's `fee`."""

    merchant_id: str
    account_id: str | None
    amount: int
    fee: int
    share: int

    @classmethod
    def of_leg(cls, leg: Leg) -> Self:
        """From the plan."""
        return cls(
            merchant_id=leg.merchant_id, account_id=leg.account_id, amount=leg.amount, fee=leg.fee, share=leg.own
        )


class ShareView(View):
    """What of a sale's charge is a merchant's: `share`, less what refunds and disputes take, is sent to it.

    It is `amount`, which the buyer pays, and what the platform adds to it as `promotion`, less `fee`, and less `tax`
    unless the merchant is liable for it; final once the payment is settled. `discount` is what the buyer was spared.
    `released` may be sent, `received` is with the merchant, `owed` should have come back and is a debt; `hold` is why
    the rest waits.
    """

    merchant_id: str
    amount: int
    promotion: int
    fee: int
    tax: int
    tax_liability: Annotated[str, Field(description="platform or merchant: who remits the tax.")]
    discount: int
    share: int
    released: int
    received: int
    owed: int
    hold: str | None
    release_at: datetime | None
    waits_for: str | None

    @classmethod
    def of_share(cls, books: Books, share: Share) -> Self:
        """From the record, and what became of the payment."""
        return cls(
            merchant_id=share.merchant_id,
            amount=share.amount,
            promotion=share.promotion,
            fee=share.fee,
            tax=share.tax,
            tax_liability=share.tax_liability,
            discount=share.discount,
            share=share.own,
            released=share.released,
            received=share.had,
            owed=share.owed,
            hold=share.hold,
            release_at=share.release_at,
            waits_for=books.waits_for(share),
        )


class LineItemView(View):
    """A line of the basket; `line` is its number in it, for refunds."""

    line: int
    merchant_id: Annotated[str | None, Field(description="Of a cart; not shown to buyers.")]
    name: str
    unit_amount: int
    quantity: int


class ProcessingFeeView(View):
    """What Stripe took of the charge."""

    amount: int
    currency: str


class RefundedView(View):
    """How much goes back: `amount` counts refunds under way, `refundable` is what is left."""

    status: Annotated[str, Field(description="none, partial or full")]
    amount: int
    refundable: int

    @classmethod
    def of_payment(cls, payment: Payment) -> Self:
        """From the record."""
        left = payment.refundable
        status = "none" if payment.refund_reserved == 0 else "full" if left <= 0 else "partial"
        return cls(status=status, amount=payment.refund_reserved, refundable=max(left, 0))


class TransactionSummary(View):
    """A sale, in a list."""

    id: str
    amount: int
    currency: str
    status: str
    charge_type: str
    checkout_session_id: str | None
    payment_intent: PaymentIntentView | None
    charge_id: str | None
    refund: RefundedView
    customer_id: str | None
    metadata: dict[str, str]
    waits_for: Annotated[str | None, Field(description="What a sale that is not final waits for.")]
    created_at: datetime
    paid_at: datetime | None
    legs: Annotated[list[LegView], Field(description="Not shown to buyers.")]
    fee: Annotated[int | None, Field(description="What the platform takes; not shown to buyers.")]
    processing_fee: Annotated[ProcessingFeeView | None, Field(description="Stripe's, when known; for operators.")]
    net: Annotated[int | None, Field(description="`fee` less `processing_fee`, before refunds; for operators.")]

    @classmethod
    def seen_by(cls, caller: Principal, transaction: Transaction, payment: Payment) -> Self:
        """From the records, as this caller may see them."""
        return cls(**_fields(caller, transaction, payment))


class MomentView(View):
    """Something that happened."""

    at: datetime
    what: str
    amount: int | None
    object_id: str | None


class TransactionView(TransactionSummary):
    """A sale with all that happened to it."""

    authorized: Annotated[int | None, Field(description="What the bank authorized, to be captured.")]
    captured: int | None
    tax: Annotated[int | None, Field(description="In what was captured; known once the payment is settled.")]
    discount: Annotated[int | None, Field(description="What the buyer was spared; known then.")]
    on_behalf_of: Annotated[str | None, Field(description="The settlement merchant's account; not shown to buyers.")]
    capture_before: datetime | None
    line_items: list[LineItemView]
    refunds: list[RefundView]
    shares: Annotated[list[ShareView], Field(description="Of separate charges, a merchant's own; not shown to buyers.")]
    timeline: Annotated[list[MomentView], Field(description="Not shown to buyers; of carts to operators alone.")]

    @classmethod
    def of_books(cls, caller: Principal, books: Books) -> Self:
        """From the books, as this caller may see them."""
        return cls(
            **_fields(caller, books.transaction, books.payment),
            authorized=books.payment.authorized,
            captured=books.payment.captured,
            **_known_when_settled(caller, books),
            on_behalf_of=None if caller.role is Role.BUYER else books.transaction.on_behalf_of,
            capture_before=books.payment.capture_before,
            line_items=_lines(caller, books.transaction),
            refunds=RefundView.all_seen_by(caller, [books.refunds[refund_id] for refund_id in sorted(books.refunds)]),
            shares=[
                ShareView.of_share(books, each)
                for each in books.shares.values()
                if caller.sees_merchant(each.merchant_id)
            ],
            timeline=moments(caller, books),
        )


class JournalLineView(View):
    """A line of the ledger: a debit is positive; `source` is the Stripe object that moved a balance."""

    account: str
    currency: str
    amount: int
    source: str | None
    balance: Annotated[int, Field(description="Of the account in this transaction, after the line.")]


class JournalEntryView(View):
    """Lines that sum to zero in each currency."""

    object_id: str
    kind: str
    occurred_at: datetime
    lines: list[JournalLineView]


def moments(caller: Principal, books: Books) -> list[MomentView]:
    """The timeline, the first first; nothing where other merchants' affairs are in it, and to buyers."""
    is_shown = all(caller.sees_merchant(leg.merchant_id) for leg in books.transaction.legs)
    return [MomentView.of(moment) for moment in timeline(books)] if is_shown else []


def journal(entries: Iterable[JournalEntry]) -> list[JournalEntryView]:
    """The ledger's entries, the first first, with the balances that their accounts have after each line."""
    in_order = sorted(entries, key=lambda entry: (entry.occurred_at, entry.object_id, entry.kind))
    balances: Counter[tuple[str, str]] = Counter()
    return [_entry(entry, balances) for entry in in_order]


def _entry(entry: JournalEntry, balances: Counter[tuple[str, str]]) -> JournalEntryView:
    lines = []
    for line in entry.lines:
        balances[line.account, line.currency] += line.amount
        balance = balances[line.account, line.currency]
        lines.append(
            JournalLineView(
                account=line.account, currency=line.currency, amount=line.amount, source=line.source, balance=balance
            )
        )
    return JournalEntryView(object_id=entry.object_id, kind=entry.kind, occurred_at=entry.occurred_at, lines=lines)


def _fields(caller: Principal, transaction: Transaction, payment: Payment) -> dict[str, Any]:
    intent = payment.payment_intent_id
    return {
        "id": transaction.id,
        "amount": transaction.amount,
        "currency": transaction.currency,
        "status": payment.status,
        "charge_type": transaction.charge_type,
        "checkout_session_id": payment.checkout_session_id,
        "payment_intent": intent and PaymentIntentView(id=intent, status=payment.payment_intent_status),
        "charge_id": payment.charge_id,
        "refund": RefundedView.of_payment(payment),
        "customer_id": transaction.customer_id,
        "metadata": dict(transaction.metadata),
        "waits_for": payment.waits_for,
        "created_at": transaction.created_at,
        "paid_at": payment.paid_at,
        **_split(caller, transaction, payment),
    }


def _known_when_settled(caller: Principal, books: Books) -> dict[str, Any]:
    """Tax and discount of the sale; to a merchant of a cart of its own part."""
    shares = [
        share
        for share in books.shares.values()
        if share.is_settled and (caller.role is Role.BUYER or caller.sees_merchant(share.merchant_id))
    ]
    if not shares:
        return {"tax": None, "discount": None}
    return {"tax": sum(share.tax for share in shares), "discount": sum(share.discount for share in shares)}


def _lines(caller: Principal, transaction: Transaction) -> list[LineItemView]:
    """The basket; to a merchant of a cart its own lines."""
    is_merchant, is_buyer = caller.role is Role.MERCHANT, caller.role is Role.BUYER
    return [
        LineItemView(
            line=number,
            merchant_id=None if is_buyer else line.merchant_id,
            name=line.name,
            unit_amount=line.unit_amount,
            quantity=line.quantity,
        )
        for number, line in enumerate(transaction.line_items)
        if not is_merchant or line.merchant_id in {None, caller.merchant_id}
    ]


def _split(caller: Principal, transaction: Transaction, payment: Payment) -> dict[str, Any]:
    """Who gets what of it, as far as the caller may know."""
    taken, currency = payment.processing_fee, payment.processing_fee_currency or transaction.currency
    shown: dict[str, Any] = {"legs": [], "fee": None, "processing_fee": None, "net": None}
    if caller.role is not Role.BUYER:
        legs = [leg for leg in transaction.legs if caller.sees_merchant(leg.merchant_id)]
        shown |= {"legs": [LegView.of_leg(leg) for leg in legs], "fee": sum(leg.fee for leg in legs)}
    if caller.sees_everything and taken is not None:
        shown["processing_fee"] = ProcessingFeeView(amount=taken, currency=currency)
        shown["net"] = transaction.fee - taken if currency == transaction.currency else None
    return shown
