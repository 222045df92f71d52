"""Where each item stands in the table, and in which index.

A transaction is one partition, so that one query reads its books. ``tx`` stands for a ULID such as
``01jd2k8m6wq3v5x7y9zabcdefg``, ``me`` for a merchant's, ``own`` for the item's own; times are ISO, UTC, microseconds.

====================  ==========================  =====================  ==============================================
item                  pk                          sk                     index attributes
====================  ==========================  =====================  ==============================================
Transaction           TRANSACTION#transaction-tx  TRANSACTION            gsi_merchant=merchant-me (destination charge),
                                                                         gsi_customer=auth0|7, gsi_time=tx
Payment               TRANSACTION#transaction-tx  PAYMENT                gsi_due=DUE#3,
                                                                         gsi_due_at=2026-11-23T08:00:00.000000Z
Share                 TRANSACTION#transaction-tx  SHARE#merchant-me      gsi_merchant=merchant-me (separate charge),
                                                                         gsi_time=tx, gsi_due=..., gsi_due_at=...,
                                                                         gsi_stripe=WAITING#merchant-me (not ready)
Refund                TRANSACTION#transaction-tx  REFUND#refund-tx-own
Dispute               TRANSACTION#transaction-tx  DISPUTE#dispute-tx-own
Command               TRANSACTION#transaction-tx  COMMAND#command-own    gsi_due=DUE#3, gsi_due_at=...
JournalEntry          TRANSACTION#transaction-tx  ENTRY#ch_1#settlement
IdempotencyRecord     TRANSACTION#transaction-tx  IDEMPOTENCY#5e88
Merchant              MERCHANT#merchant-me        MERCHANT               gsi_merchant=MERCHANTS, gsi_time=me,
                                                                         gsi_stripe=acct_1
Product               MERCHANT#merchant-me        PRODUCT#product-me-own
Price                 MERCHANT#merchant-me        PRICE#price-me-own     gsi_merchant=product-me-own, gsi_time=own
Debt                  MERCHANT#merchant-me        DEBT#debt-me-own       gsi_due=DUE#0, gsi_due_at=...
Command               MERCHANT#merchant-me        COMMAND#command-own    gsi_due=DUE#0, gsi_due_at=...
IdempotencyRecord     IDEMPOTENCY#5e88            IDEMPOTENCY
EventMarker           EVENT#evt_1                 EVENT
OnboardingLink        ONBOARDING#9f86             ONBOARDING
====================  ==========================  =====================  ==============================================

An id that has not the shape of its noun has no key: it is read as absent and cannot be written.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from marketplace.adapters.codec import time_text
from marketplace.domain.books import EventMarker, IdempotencyRecord
from marketplace.domain.catalog import Price, Product
from marketplace.domain.commands import Command
from marketplace.domain.debts import Debt
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute
from marketplace.domain.ids import ALPHABET, is_id, owner_of
from marketplace.domain.ledger import JournalEntry
from marketplace.domain.merchants import Merchant, OnboardingLink
from marketplace.domain.refunds import Refund
from marketplace.domain.shares import Hold, Share
from marketplace.domain.transactions import ChargeType, Payment, Transaction
from marketplace.ports import DUE_SHARDS, Item, Ref

LONGEST_NAME_BYTES: Final = 255  # Stripe's ids and OIDC's subjects are no longer; DynamoDB's sort keys end at 1,024

BY_MERCHANT: Final = "by_merchant"
BY_CUSTOMER: Final = "by_customer"
BY_STRIPE_ID: Final = "by_stripe_id"
DUE: Final = "due"
INDEXES: Final[Mapping[str, tuple[str, ...]]] = {
    BY_MERCHANT: ("gsi_merchant", "gsi_time"),
    BY_CUSTOMER: ("gsi_customer", "gsi_time"),
    BY_STRIPE_ID: ("gsi_stripe",),
    DUE: ("gsi_due", "gsi_due_at"),
}
ALL_MERCHANTS: Final = "MERCHANTS"

WORDS: Final[Mapping[type[Any], str]] = {
    Transaction: "TRANSACTION",
    Payment: "PAYMENT",
    Refund: "REFUND",
    Share: "SHARE",
    Dispute: "DISPUTE",
    Debt: "DEBT",
    Command: "COMMAND",
    JournalEntry: "ENTRY",
    IdempotencyRecord: "IDEMPOTENCY",
    Merchant: "MERCHANT",
    Product: "PRODUCT",
    Price: "PRICE",
    EventMarker: "EVENT",
    OnboardingLink: "ONBOARDING",
}
KINDS: Final[Mapping[str, type[Any]]] = {word: kind for kind, word in WORDS.items()}
_NAMED_BY_OWNER: Final[Mapping[type[Any], str]] = {
    Transaction: "transaction", Payment: "transaction", Merchant: "merchant"
}  # fmt: skip
_NAMING_OWNER: Final[Mapping[type[Any], str]] = {
    Refund: "refund", Dispute: "dispute", Product: "product", Price: "price", Debt: "debt"
}  # fmt: skip
_ULID_CHARACTERS: Final = 26


class Key(NamedTuple):
    """A primary key."""

    pk: str
    sk: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list: the partition it reads, of the table or an index, and what the ids in it begin with.

    A position in it is the ULID that an id ends with: it sorts by time, and with the list it makes the whole key again.
    """

    kind: type[Item]
    id_prefix: str
    index: str | None
    partition: str

    def position(self, key: Key) -> str:
        """The position of an item; that of a share is its sale's."""
        return _ulid(key.pk if key.sk == WORDS[self.kind] or self.kind is Transaction else key.sk)

    def key_at(self, position: str) -> Key | None:
        """The key of the item at a position, or None where the text is no position."""
        return key_of(Ref(self.kind, self.id_prefix + position))


def partition_of(subject: str) -> str | None:
    """The partition of a transaction or merchant."""
    for noun in ("transaction", "merchant"):
        if is_id(noun, subject):
            return f"{noun.upper()}#{subject}"
    return None


def key_of(ref: Ref[Any]) -> Key | None:
    """The key of what is referred to, or None where the id has not the shape of its kind.

    Raises:
        ValueError: a command or journal entry without its owner.
    """
    word = WORDS[ref.kind]
    if ref.kind in _NAMED_BY_OWNER:
        return _key(partition_of(ref.id) if is_id(_NAMED_BY_OWNER[ref.kind], ref.id) else None, word)
    if not is_name(ref.id):
        return None
    if ref.kind in _NAMING_OWNER:
        owner = owner_of(_NAMING_OWNER[ref.kind], ref.id)
        return _key(partition_of(owner) if owner else None, f"{word}#{ref.id}")
    if ref.owner is not None:
        return _key(partition_of(ref.owner), f"{word}#{ref.id}")
    if ref.kind in {Command, JournalEntry, Share}:
        raise ValueError(f"a {ref.kind.__name__} is found by its owner and id")
    return Key(f"{word}#{ref.id}", word)


def ref_of(item: Item) -> Ref[Any]:
    """How an item is referred to."""
    owner = None
    match item:
        case Payment():
            name = item.transaction_id
        case Command():
            name, owner = item.id, item.subject
        case JournalEntry():
            name, owner = f"{item.object_id}#{item.kind}", item.transaction_id
        case IdempotencyRecord():
            name, owner = item.scope, item.subject
        case Share():
            name, owner = item.merchant_id, item.transaction_id
        case EventMarker():
            name = item.event_id
        case OnboardingLink():
            name = item.token_hash
        case _:
            name = item.id
    return Ref(type(item), name, owner=owner)


def index_attributes(item: Item) -> dict[str, str]:
    """What puts an item into the indexes."""
    places: dict[str, str | None] = {}
    match item:
        case Transaction():
            only_merchant = item.legs[0].merchant_id if item.charge_type is ChargeType.DESTINATION else None
            places = {"gsi_merchant": only_merchant, "gsi_customer": item.customer_id, "gsi_time": _ulid(item.id)}
        case Share():
            listed = item.merchant_id if item.charge_type is ChargeType.SEPARATE else None
            places = {"gsi_merchant": listed, "gsi_time": _ulid(item.transaction_id) if listed else None}
            places |= {"gsi_stripe": waiting_for(item.merchant_id) if item.hold is Hold.NOT_READY else None}
            places |= _due(item.transaction_id, item.due_at)
        case Debt():
            places = _due(item.merchant_id, item.due_at)
        case Merchant():
            places = {"gsi_merchant": ALL_MERCHANTS, "gsi_time": _ulid(item.id), "gsi_stripe": item.account_id}
        case Price():
            places = {"gsi_merchant": item.product_id, "gsi_time": _ulid(item.id)}
        case Payment():
            places = _due(item.transaction_id, item.due_at)
        case Command():
            places = _due(item.subject, item.due_at)
    return {name: value for name, value in places.items() if value is not None}


def due_shard(shard: int) -> str:
    """The partition of a shard of what is due; shards are from 0 to DUE_SHARDS - 1."""
    return f"DUE#{shard}"


def waiting_for(merchant_id: str) -> str:
    """Where the shares stand that wait for a merchant to become ready: in the index that is sparse anyway."""
    return f"WAITING#{merchant_id}"


def all_merchants() -> Listing:
    """The list of all merchants."""
    return Listing(kind=Merchant, id_prefix="merchant-", index=BY_MERCHANT, partition=ALL_MERCHANTS)


def sales(*, merchant_id: str | None, customer_id: str | None) -> Listing | None:
    """The sales of a merchant or to a customer.

    Raises:
        ValueError: not exactly one is named.
    """
    match merchant_id, customer_id:
        case str(partition), None:
            index, is_possible = BY_MERCHANT, is_id("merchant", partition)
        case None, str(partition):
            index, is_possible = BY_CUSTOMER, is_name(partition)
        case _:
            raise ValueError("a list of sales is of one merchant or of one customer")
    if not is_possible:
        return None
    return Listing(kind=Transaction, id_prefix="transaction-", index=index, partition=partition)


def products_of(merchant_id: str) -> Listing | None:
    """The products of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"product-{_ulid(merchant_id)}-"
    return Listing(kind=Product, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def prices_of(product_id: str) -> Listing | None:
    """The prices of a product."""
    merchant_id = owner_of("product", product_id)
    if merchant_id is None:
        return None
    prefix = f"price-{_ulid(merchant_id)}-"
    return Listing(kind=Price, id_prefix=prefix, index=BY_MERCHANT, partition=product_id)


def debts_of(merchant_id: str) -> Listing | None:
    """The debts of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"debt-{_ulid(merchant_id)}-"
    return Listing(kind=Debt, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def is_name(text: str) -> bool:
    """Whether text that is not of our making can stand in a key."""
    return text.isprintable() and 0 < len(text.encode()) <= LONGEST_NAME_BYTES


def is_position(text: str) -> bool:
    """Whether text is a position in a list."""
    return len(text) == _ULID_CHARACTERS and set(text) <= set(ALPHABET)


def _key(partition: str | None, sk: str) -> Key | None:
    return None if partition is None else Key(partition, sk)


def _ulid(text: str) -> str:
    return text[-_ULID_CHARACTERS:]


def _due(subject: str, due_at: datetime | None) -> dict[str, str | None]:
    if due_at is None:
        return {}
    shard = zlib.crc32(subject.encode()) % DUE_SHARDS
    return {"gsi_due": due_shard(shard), "gsi_due_at": time_text(due_at)}
