"""Where an item stands in the indexes."""

import zlib
from datetime import UTC, date, datetime
from typing import Final

from marketplace.adapters.codec import time_text
from marketplace.adapters.keys import (
    ALL_DISPUTES,
    ALL_MERCHANTS,
    ALL_PAYOUTS,
    ALL_RECONCILIATIONS,
    ALL_REFUNDS,
    ALL_SALES,
    COUPONS,
    OPEN_DEBTS,
    OPEN_DISCREPANCIES,
    OPEN_FINDINGS,
    WALKS,
    WORDS,
    ulid_in,
)
from marketplace.domain.audits import Finding
from marketplace.domain.catalog import Price
from marketplace.domain.commands import Command
from marketplace.domain.debts import Debt, DebtStatus
from marketplace.domain.disputes import Dispute, Disputed
from marketplace.domain.holdings import Holding
from marketplace.domain.invoices import Invoice
from marketplace.domain.ledger import JournalEntry
from marketplace.domain.merchants import Merchant
from marketplace.domain.promotions import Coupon
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation, Walk
from marketplace.domain.refunds import Refund, Refunded
from marketplace.domain.shares import Hold, Share
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import ChargeType, Payment, Transaction
from marketplace.ports import DUE_SHARDS, Item

# What is written to a shard must be read by every version that runs.
JOURNAL_SHARDS: Final = 16  # partitions of a day
LIST_SHARDS: Final = 16  # partitions of a list that grows with every sale of the marketplace


def index_attributes(item: Item) -> dict[str, str]:
    """What puts an item into the indexes."""
    places: dict[str, str | None] = {}
    match item:
        case Transaction():
            only_merchant = item.legs[0].merchant_id if item.charge_type is ChargeType.DESTINATION else None
            places = {"gsi_merchant": only_merchant, "gsi_customer": item.customer_id, "gsi_time": ulid_in(item.id)}
        case Share():
            listed = item.merchant_id if item.charge_type is ChargeType.SEPARATE else None
            places = {"gsi_merchant": listed, "gsi_time": ulid_in(item.transaction_id) if listed else None}
            places |= {"gsi_stripe": waiting_for(item.merchant_id) if item.hold is Hold.NOT_READY else None}
            places |= _due(item.transaction_id, item.due_at)
        case Debt() | Dispute() | Disputed() | Refund() | Refunded():
            places = _of_claim(item)
        case Subscription() | Invoice():
            places = _of_billing(item)
        case Merchant():
            places = {"gsi_merchant": ALL_MERCHANTS, "gsi_time": ulid_in(item.id), "gsi_stripe": item.account_id}
            places |= _due(item.id, item.due_at)
        case Coupon() | Price():
            listed = item.product_id if isinstance(item, Price) else coupons_of(item.merchant_id)
            places = {"gsi_merchant": listed, "gsi_time": ulid_in(item.id)}
        case Payment() | Command() | Holding():
            places = _of_watched(item)
        case JournalEntry():
            places = {"gsi_stripe": item.moved_by}
        case Discrepancy() | Finding() | PayoutReconciliation() | Reconciliation() | Walk():
            places = _of_account(item)
    return {name: value for name, value in places.items() if value is not None}


def journal_place(entry: JournalEntry, booked_at: datetime) -> dict[str, str]:
    """Where an entry that is written now stands in the journal; its position there is its gsi_booked_at."""
    position = f"{time_text(booked_at)}#{entry.object_id}#{entry.kind}"
    shard = zlib.crc32(position.encode()) % JOURNAL_SHARDS
    return {"gsi_day": journal_shard(booked_at.astimezone(UTC).date(), shard), "gsi_booked_at": position}


def journal_shard(day: date, shard: int) -> str:
    """The partition of a shard of a day, from 0 to JOURNAL_SHARDS - 1: ``2026-11-23``, ``2026-11-23#1`` and so on.

    The first has no number: entries that were booked when a day was one partition stand there.
    """
    return day.isoformat() + (f"#{shard}" if shard else "")


def due_shard(shard: int) -> str:
    """The partition of a shard of what is due; shards are from 0 to DUE_SHARDS - 1."""
    return f"DUE#{shard}"


def waiting_for(merchant_id: str) -> str:
    """Where the shares stand that wait for a merchant to become ready: in the index that is sparse anyway."""
    return f"WAITING#{merchant_id}"


def disputes_about(merchant_id: str) -> str:
    """Where the disputes about a merchant's sales are listed."""
    return f"{ALL_DISPUTES}#{merchant_id}"


def refunds_of(merchant_id: str) -> str:
    """Where the refunds that concern a merchant are listed."""
    return f"{ALL_REFUNDS}#{merchant_id}"


def list_shards(name: str) -> tuple[str, ...]:
    """The partitions of a list that grows with every sale: ``SALES#0`` to ``SALES#15``."""
    return tuple(f"{name}#{shard}" for shard in range(LIST_SHARDS))


def coupons_of(merchant_id: str | None) -> str:
    """Where the coupons are listed that are good for one merchant's products, or for those of all."""
    return COUPONS if merchant_id is None else f"{COUPONS}#{merchant_id}"


def billing_of_merchant(kind: type[Subscription | Invoice], merchant_id: str) -> str:
    """Where a merchant's subscriptions or invoices are listed."""
    return f"{WORDS[kind]}S#{merchant_id}"


def billing_of_customer(kind: type[Subscription | Invoice], customer_id: str) -> str:
    """Where a customer's subscriptions or invoices are listed: no customer's id has a line's end in it."""
    return f"{WORDS[kind]}S\n{customer_id}"


def _of_billing(item: Subscription | Invoice) -> dict[str, str | None]:
    return {
        "gsi_merchant": billing_of_merchant(type(item), item.merchant_id),
        "gsi_customer": billing_of_customer(type(item), item.customer_id) if item.customer_id else None,
        "gsi_time": ulid_in(item.id),
        **_due(item.id, item.due_at),
    }


def _of_watched(item: Payment | Command | Holding) -> dict[str, str | None]:
    match item:
        case Payment():
            return _in_list_of_all(ALL_SALES, item.transaction_id) | _due(item.transaction_id, item.due_at)
        case Command():
            return _due(item.subject, item.due_at)
        case Holding():
            return _due(item.merchant_id, item.due_at)


def _of_claim(item: Debt | Dispute | Disputed | Refund | Refunded) -> dict[str, str | None]:
    match item:
        case Debt():
            listed = {"gsi_merchant": OPEN_DEBTS, "gsi_time": ulid_in(item.id)}
            return {**(listed if item.status is DebtStatus.OPEN else {}), **_due(item.merchant_id, item.due_at)}
        case Dispute():
            return {"gsi_merchant": ALL_DISPUTES, "gsi_time": ulid_in(item.id)}
        case Disputed():
            return {"gsi_merchant": disputes_about(item.merchant_id), "gsi_time": ulid_in(item.dispute_id)}
        case Refund():
            return _in_list_of_all(ALL_REFUNDS, item.id)
        case Refunded():
            return {"gsi_merchant": refunds_of(item.merchant_id), "gsi_time": ulid_in(item.refund_id)}


def _of_account(
    item: Discrepancy | Finding | PayoutReconciliation | Reconciliation | Walk,
) -> dict[str, str | None]:
    match item:
        case Walk():
            return _walk(item.due_at)
        case Reconciliation():
            return {"gsi_merchant": ALL_RECONCILIATIONS, "gsi_time": ulid_in(item.id)}
        case PayoutReconciliation():
            return {"gsi_merchant": ALL_PAYOUTS, "gsi_time": ulid_in(item.id), **_walk(item.due_at)}
        case Finding():
            return {"gsi_merchant": OPEN_FINDINGS, "gsi_time": ulid_in(item.id)} if item.is_open else {}
        case Discrepancy():
            return {"gsi_merchant": OPEN_DISCREPANCIES, "gsi_time": ulid_in(item.id)} if item.is_open else {}


def _in_list_of_all(name: str, item_id: str) -> dict[str, str | None]:
    shard = zlib.crc32(item_id.encode()) % LIST_SHARDS
    return {"gsi_merchant": list_shards(name)[shard], "gsi_time": ulid_in(item_id)}


def _walk(due_at: datetime | None) -> dict[str, str | None]:
    return {} if due_at is None else {"gsi_due": WALKS, "gsi_due_at": time_text(due_at)}


def _due(subject: str, due_at: datetime | None) -> dict[str, str | None]:
    if due_at is None:
        return {}
    shard = zlib.crc32(subject.encode()) % DUE_SHARDS
    return {"gsi_due": due_shard(shard), "gsi_due_at": time_text(due_at)}
