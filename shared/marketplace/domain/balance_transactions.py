"""Stripe's balance transactions: what each says, what it moved, and by which names its sale is found. A pure reading.

Every movement on a Stripe balance is one of them. https://docs.stripe.com/api/balance_transactions
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from marketplace.domain.deferred import dataclass
from marketplace.domain.ids import is_id
from marketplace.domain.ledger import (
    BANK,
    LOSSES,
    PLATFORM,
    PROCESSOR_FEES,
    STRIPE_BALANCE,
    STRIPE_RESERVES,
    EntryKind,
    JournalEntry,
    lines_of,
)
from marketplace.domain.stripe_objects import Object, at, id_of

PARTIAL_CAPTURE: Final = "partial_capture_reversal"


class MovementKind(StrEnum):
    """What a movement is, seen from the platform."""

    CHARGE = "charge"  # the buyer's money, less what Stripe took of it
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    APPLICATION_FEE = "application_fee"
    FEE_REFUND = "fee_refund"
    DISPUTE = "dispute"
    REINSTATEMENT = "reinstatement"


_K = MovementKind
# What the platform gives a merchant moves the merchant's balance the other way, under the same object.
BETWEEN_PLATFORM_AND_MERCHANT: Final = frozenset({_K.TRANSFER, _K.REVERSAL, _K.APPLICATION_FEE, _K.FEE_REFUND})
OF_SALES: Final[Mapping[str, MovementKind]] = {
    "charge": _K.CHARGE,
    "payment": _K.CHARGE,
    "refund": _K.REFUND,
    "payment_refund": _K.REFUND,
    "refund_failure": _K.REFUND_FAILURE,
    "transfer": _K.TRANSFER,
    "transfer_refund": _K.REVERSAL,
    "application_fee": _K.APPLICATION_FEE,
    "application_fee_refund": _K.FEE_REFUND,
}
ADJUSTMENTS: Final[Mapping[str, MovementKind]] = {"dispute": _K.DISPUTE, "dispute_reversal": _K.REINSTATEMENT}
# What is of no sale, and which account it is booked to; on a connected account it is the merchant's own affair.
OF_NO_SALE: Final[Mapping[str, tuple[EntryKind, str]]] = {
    "payout": (EntryKind.PAYOUT, BANK),
    "payout_cancel": (EntryKind.PAYOUT, BANK),
    "payout_failure": (EntryKind.PAYOUT, BANK),
    "payout_minimum_balance_hold": (EntryKind.RESERVE, STRIPE_RESERVES),
    "payout_minimum_balance_release": (EntryKind.RESERVE, STRIPE_RESERVES),
    "payment_network_reserve_hold": (EntryKind.RESERVE, STRIPE_RESERVES),
    "payment_network_reserve_release": (EntryKind.RESERVE, STRIPE_RESERVES),
    "reserve_hold": (EntryKind.RESERVE, STRIPE_RESERVES),
    "reserve_release": (EntryKind.RESERVE, STRIPE_RESERVES),
    "reserve_transaction": (EntryKind.RESERVE, STRIPE_RESERVES),
    "reserved_funds": (EntryKind.RESERVE, STRIPE_RESERVES),
    "stripe_fee": (EntryKind.STRIPE_FEE, PROCESSOR_FEES),
    "stripe_fx_fee": (EntryKind.STRIPE_FEE, PROCESSOR_FEES),
    "tax_fee": (EntryKind.STRIPE_FEE, PROCESSOR_FEES),
    "connect_collection_transfer": (EntryKind.COLLECTION, LOSSES),
}
_NAMING: Final = ("charge", "originating_transaction", "source_transaction", "source_refund")
_NAMING_MERCHANTS: Final = ("source_transfer", "source_transfer_reversal", "application_fee")


@dataclass(frozen=True, kw_only=True)
class Movement:
    """Minor units that came onto a balance (or left it, negative) with one of the platform's objects at Stripe."""

    object_id: str
    kind: MovementKind
    amount: int


@dataclass(frozen=True, kw_only=True)
class BalanceTransaction:
    """A balance transaction of ``account``, which is PLATFORM or a connected account's id.

    ``amount`` is minor units before Stripe's ``fee``. ``movements`` are what the ledger should know of it; ``names``
    are Stripe's ids by which its sale is found, ``transaction_id`` is the sale once it is.
    """

    id: str
    account: str
    type: str
    category: str
    object_id: str | None
    amount: int
    fee: int
    currency: str
    created: datetime
    movements: tuple[Movement, ...] = ()
    names: tuple[str, ...] = ()
    destination: str | None = None  # of a transfer
    is_itemized: bool = False  # a payout of which Stripe says what it is made of: an automatic one
    transaction_id: str | None = None

    @property
    def net(self) -> int:
        """Minor units that the balance changed by."""
        return self.amount - self.fee

    @property
    def is_platforms(self) -> bool:
        """Whether it is on the platform's own balance."""
        return self.account == PLATFORM

    @property
    def is_of_no_sale(self) -> bool:
        """Whether it is known to be of no sale: payouts, reserves, what Stripe bills."""
        return self.type in OF_NO_SALE

    def of(self, transaction_id: str) -> "BalanceTransaction":
        """The same, as one of a sale's."""
        return replace(self, transaction_id=transaction_id, names=())


def balance_transaction(line: Object, account: str) -> BalanceTransaction:
    """What a balance transaction says, its ``source`` expanded."""
    found = line["source"]
    source: Object = found if isinstance(found, Mapping) else {}
    read = BalanceTransaction(
        id=line["id"],
        account=account,
        type=line["type"],
        category=line["reporting_category"],
        object_id=id_of(found),
        amount=line["amount"],
        fee=line["fee"],
        currency=line["currency"],
        created=at(line["created"]),
        destination=id_of(source.get("destination")) if line["type"] == "transfer" else None,
        is_itemized=line["type"] == "payout" and source.get("automatic") is True,
    )
    if account == PLATFORM:
        return replace(
            read, movements=tuple(_on_platform(read, source)), names=tuple(_names(read, source, _NAMING)),
            transaction_id=_named_by_us(source),
        )  # fmt: skip
    names = tuple(_names(read, source, _NAMING_MERCHANTS))  # never its metadata, which the merchant writes
    return replace(read, movements=tuple(_on_merchant(read, source, line)), names=names)


def alone(line: BalanceTransaction) -> JournalEntry | None:
    """The journal entry of a line of the platform that is of no sale; None where it is of one, or not understood."""
    if line.type not in OF_NO_SALE:
        return None
    kind, account = OF_NO_SALE[line.type]
    lines = lines_of(
        line.currency,
        (STRIPE_BALANCE, line.net, line.object_id or line.id),
        (account, -line.amount, None),
        (PROCESSOR_FEES, line.fee, None),
    )
    return JournalEntry(transaction_id=PLATFORM, object_id=line.id, kind=kind, occurred_at=line.created, lines=lines)


def kind_of_booked(object_id: str, amount: int) -> MovementKind | None:
    """What the ledger's movement of an object on the platform's balance is, by Stripe's prefix and its direction."""
    match object_id.partition("_")[0]:
        case "ch" | "py":
            return _K.CHARGE
        case "re" | "pyr":
            return _K.REFUND if amount < 0 else _K.REFUND_FAILURE
        case "du" | "dp":
            return _K.DISPUTE if amount < 0 else _K.REINSTATEMENT
        case prefix:
            return _BY_PREFIX.get(prefix)


_BY_PREFIX: Final[Mapping[str, MovementKind]] = {
    "tr": _K.TRANSFER, "trr": _K.REVERSAL, "fee": _K.APPLICATION_FEE, "fr": _K.FEE_REFUND
}  # fmt: skip


def _on_platform(line: BalanceTransaction, source: Object) -> Iterator[Movement]:
    """What was captured in part is booked whole by Stripe, and the rest turned back: both are of the charge."""
    kind = ADJUSTMENTS.get(line.category) if line.type == "adjustment" else OF_SALES.get(line.type)
    object_id = line.object_id
    if line.category == PARTIAL_CAPTURE:
        kind, object_id = MovementKind.CHARGE, id_of(source.get("charge"))
    if kind is not None and object_id is not None:
        yield Movement(object_id=object_id, kind=kind, amount=line.net)


def _on_merchant(line: BalanceTransaction, source: Object, raw: Object) -> Iterator[Movement]:
    """The merchant's payment is the platform's transfer, its refund the reversal; the application fee is off it."""
    transfer, reversal = id_of(source.get("source_transfer")), id_of(source.get("source_transfer_reversal"))
    if line.type == "payment" and transfer:
        yield Movement(object_id=transfer, kind=MovementKind.TRANSFER, amount=line.amount)
    if line.type == "payment_refund" and reversal:
        yield Movement(object_id=reversal, kind=MovementKind.REVERSAL, amount=line.amount)
    if line.object_id and line.object_id.startswith("fr_"):
        yield Movement(object_id=line.object_id, kind=MovementKind.FEE_REFUND, amount=line.amount)
    fee_id = id_of(source.get("application_fee"))
    taken = sum(part["amount"] for part in raw.get("fee_details") or [] if part["type"] == "application_fee")
    if fee_id and taken:
        yield Movement(object_id=fee_id, kind=MovementKind.APPLICATION_FEE, amount=-taken)


def _names(line: BalanceTransaction, source: Object, fields: tuple[str, ...]) -> Iterator[str]:
    found: list[Any] = [line.object_id, *(id_of(source.get(name)) for name in fields)]
    yield from (name for name in found if name is not None)


def _named_by_us(source: Object) -> str | None:
    """The sale that we wrote on the object, or that a transfer is grouped under."""
    named = (source.get("metadata") or {}).get("transaction_id") or source.get("transfer_group")
    return named if named and is_id("transaction", str(named)) else None
