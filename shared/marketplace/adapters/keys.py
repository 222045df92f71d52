"""Where each item stands in the table, and in which index (adapters/places.py).

A transaction is one partition, so that one query reads its books. ``tx`` stands for a ULID such as
``01jd2k8m6wq3v5x7y9zabcdefg``, ``me`` for a merchant's, ``own`` for the item's own; times are ISO, UTC, microseconds.

====================  ==========================  =====================  ==============================================
item                  pk                          sk                     index attributes
====================  ==========================  =====================  ==============================================
Transaction           TRANSACTION#transaction-tx  TRANSACTION            gsi_merchant=merchant-me (destination charge),
                                                                         gsi_customer=auth0|7, gsi_time=tx
Payment               TRANSACTION#transaction-tx  PAYMENT                gsi_due=DUE#3,
                                                                         gsi_due_at=2026-11-23T08:00:00.000000Z,
                                                                         gsi_merchant=SALES#11, gsi_time=tx
Share                 TRANSACTION#transaction-tx  SHARE#merchant-me      gsi_merchant=merchant-me (separate charge),
                                                                         gsi_time=tx, gsi_due=..., gsi_due_at=...,
                                                                         gsi_stripe=WAITING#merchant-me (not ready)
Refund                TRANSACTION#transaction-tx  REFUND#refund-tx-own   gsi_merchant=REFUNDS#5, gsi_time=own
Refunded              TRANSACTION#transaction-tx  REFUNDED#merchant-me#refund-tx-own
                                                                         gsi_merchant=REFUNDS#merchant-me, gsi_time=own
Dispute               TRANSACTION#transaction-tx  DISPUTE#dispute-tx-own gsi_merchant=DISPUTES, gsi_time=own
Disputed              TRANSACTION#transaction-tx  DISPUTED#merchant-me#dispute-tx-own
                                                                         gsi_merchant=DISPUTES#merchant-me, gsi_time=own
Command               TRANSACTION#transaction-tx  COMMAND#command-own    gsi_due=DUE#3, gsi_due_at=...
JournalEntry          TRANSACTION#transaction-tx  ENTRY#ch_1#settlement  gsi_stripe=tr_1 (what moved the balance),
                                                                         gsi_day=2026-11-23#7, gsi_booked_at=2026-11-23T
                                                                         08:00:00.000000Z#ch_1#settlement
IdempotencyRecord     TRANSACTION#transaction-tx  IDEMPOTENCY#5e88
Merchant              MERCHANT#merchant-me        MERCHANT               gsi_merchant=MERCHANTS, gsi_time=me,
                                                                         gsi_stripe=acct_1, gsi_due=DUE#0,
                                                                         gsi_due_at=... (its sessions are being ended)
Product               MERCHANT#merchant-me        PRODUCT#product-me-own
Price                 MERCHANT#merchant-me        PRICE#price-me-own     gsi_merchant=product-me-own, gsi_time=own
Debt                  MERCHANT#merchant-me        DEBT#debt-me-own       gsi_due=DUE#0, gsi_due_at=...,
                                                                         gsi_merchant=DEBTS, gsi_time=own (open)
Payout                MERCHANT#merchant-me        PAYOUT#payout-me-own
Holding               MERCHANT#merchant-me        HOLDING                gsi_due=DUE#0, gsi_due_at=...
Command               MERCHANT#merchant-me        COMMAND#command-own    gsi_due=DUE#0, gsi_due_at=...
IdempotencyRecord     IDEMPOTENCY#5e88            IDEMPOTENCY
Customer              CUSTOMER#auth0|7            CUSTOMER
Subscription          SUBSCRIPTION#subscription-su  SUBSCRIPTION         gsi_merchant=SUBSCRIPTIONS#merchant-me,
                                                                         gsi_customer=SUBSCRIPTIONS\\nauth0|7,
                                                                         gsi_time=su, gsi_due=..., gsi_due_at=...
Invoice               INVOICE#invoice-in          INVOICE                gsi_merchant=INVOICES#merchant-me,
                                                                         gsi_customer=INVOICES\\nauth0|7,
                                                                         gsi_time=in, gsi_due=..., gsi_due_at=...
Command               SUBSCRIPTION#subscription-su  COMMAND#command-own  gsi_due=DUE#2, gsi_due_at=... (INVOICE# too)
Command               CUSTOMER#auth0|7            COMMAND#command-own    gsi_due=DUE#1, gsi_due_at=...
BalanceTransaction    TRANSACTION#transaction-tx  BALANCE_TRANSACTION#txn_1
JournalEntry          ACCOUNT#platform            ENTRY#txn_1#payout     gsi_stripe=po_1 (of no one sale)
Walk                  ACCOUNT#acct_1              WALK                   gsi_due=WALKS, gsi_due_at=...
Reconciliation        ACCOUNT#acct_1              RECONCILIATION#...-own gsi_merchant=RECONCILIATIONS, gsi_time=own
PayoutReconciliation  ACCOUNT#acct_1              PAYOUT_RECONCILIATION#reconciliation-own
                                                                         gsi_merchant=PAYOUTS, gsi_time=own,
                                                                         gsi_due=WALKS, gsi_due_at=... (not done)
Discrepancy           ACCOUNT#acct_1              DISCREPANCY#...-own    gsi_merchant=DISCREPANCIES, gsi_time=own (open)
Closing               CLOSINGS                    CLOSING#2026-11-24T02:00:00.000000+00:00
AccountBalance        CLOSING#2026-11-24T02:0...  BALANCE#losses#usd
Audit                 AUDITS                      AUDIT#audit-own
Finding               FINDINGS                    FINDING#finding-own    gsi_merchant=OPEN_FINDINGS, gsi_time=own (open)
Coupon                COUPON#coupon-own           COUPON                 gsi_merchant=COUPONS (or COUPONS#merchant-me),
                                                                         gsi_time=own
PromotionCode         COUPON#coupon-tx            PROMOTION_CODE#code-tx-own
Redemption            COUPON#coupon-own           REDEMPTION#transaction-tx
Command               COUPON#coupon-own           COMMAND#command-own    gsi_due=DUE#2, gsi_due_at=...
CodeName              CODE#SUMMER-10              CODE
EventMarker           EVENT#evt_1                 EVENT
EventCheckpoint       EVENTS                      EVENT_CHECKPOINT#payments
OnboardingLink        ONBOARDING#9f86             ONBOARDING
====================  ==========================  =====================  ==============================================

An id that has not the shape of its noun has no key: it is read as absent and cannot be written.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from marketplace.domain.audits import Audit, Finding
from marketplace.domain.balance_transactions import BalanceTransaction
from marketplace.domain.books import EventMarker, IdempotencyRecord
from marketplace.domain.catalog import Price, Product
from marketplace.domain.catching_up import EventCheckpoint
from marketplace.domain.closings import AccountBalance, Closing, name_of
from marketplace.domain.commands import Command
from marketplace.domain.customers import SUBJECT_PREFIX, Customer
from marketplace.domain.debts import Debt
from marketplace.domain.disputes import Dispute, Disputed
from marketplace.domain.holdings import Holding
from marketplace.domain.ids import ALPHABET, is_id, owner_of
from marketplace.domain.invoices import Invoice
from marketplace.domain.ledger import PLATFORM, JournalEntry
from marketplace.domain.merchants import Merchant, OnboardingLink
from marketplace.domain.payouts import Payout
from marketplace.domain.promotions import CodeName, Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation, Walk
from marketplace.domain.refunds import Refund, Refunded
from marketplace.domain.shares import Share
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Payment, Transaction
from marketplace.ports import Item, Ref

LONGEST_NAME_BYTES: Final = 255  # Stripe's ids and OIDC's subjects are no longer; DynamoDB's sort keys end at 1,024

BY_MERCHANT: Final = "by_merchant"
BY_CUSTOMER: Final = "by_customer"
BY_STRIPE_ID: Final = "by_stripe_id"
DUE: Final = "due"
JOURNAL: Final = "journal"  # holds whole entries: they never change, so that it is only ever behind by a moment
INDEXES: Final[Mapping[str, tuple[str, ...]]] = {
    BY_MERCHANT: ("gsi_merchant", "gsi_time"),
    BY_CUSTOMER: ("gsi_customer", "gsi_time"),
    BY_STRIPE_ID: ("gsi_stripe",),
    DUE: ("gsi_due", "gsi_due_at"),
    JOURNAL: ("gsi_day", "gsi_booked_at"),
}
CLOSINGS: Final = "CLOSINGS"
AUDITS: Final = "AUDITS"
EVENTS: Final = "EVENTS"
FINDINGS: Final = "FINDINGS"
OPEN_FINDINGS: Final = "OPEN_FINDINGS"
ALL_MERCHANTS: Final = "MERCHANTS"
ALL_RECONCILIATIONS: Final = "RECONCILIATIONS"
ALL_PAYOUTS: Final = "PAYOUTS"
OPEN_DISCREPANCIES: Final = "DISCREPANCIES"
OPEN_DEBTS: Final = "DEBTS"
ALL_DISPUTES: Final = "DISPUTES"
ALL_SALES: Final = "SALES"
ALL_REFUNDS: Final = "REFUNDS"
COUPONS: Final = "COUPONS"
WALKS: Final = "WALKS"

WORDS: Final[Mapping[type[Any], str]] = {
    Transaction: "TRANSACTION",
    Payment: "PAYMENT",
    Refund: "REFUND",
    Refunded: "REFUNDED",
    Share: "SHARE",
    Dispute: "DISPUTE",
    Disputed: "DISPUTED",
    Debt: "DEBT",
    Payout: "PAYOUT",
    Holding: "HOLDING",
    Command: "COMMAND",
    JournalEntry: "ENTRY",
    IdempotencyRecord: "IDEMPOTENCY",
    Merchant: "MERCHANT",
    Customer: "CUSTOMER",
    Subscription: "SUBSCRIPTION",
    Invoice: "INVOICE",
    Product: "PRODUCT",
    Price: "PRICE",
    EventMarker: "EVENT",
    EventCheckpoint: "EVENT_CHECKPOINT",
    OnboardingLink: "ONBOARDING",
    BalanceTransaction: "BALANCE_TRANSACTION",
    Walk: "WALK",
    Reconciliation: "RECONCILIATION",
    PayoutReconciliation: "PAYOUT_RECONCILIATION",
    Discrepancy: "DISCREPANCY",
    Closing: "CLOSING",
    AccountBalance: "BALANCE",
    Audit: "AUDIT",
    Finding: "FINDING",
    Coupon: "COUPON",
    PromotionCode: "PROMOTION_CODE",
    CodeName: "CODE",
    Redemption: "REDEMPTION",
}
KINDS: Final[Mapping[str, type[Any]]] = {word: kind for kind, word in WORDS.items()}
_NAMED_BY_OWNER: Final[Mapping[type[Any], str]] = {
    Transaction: "transaction", Payment: "transaction", Merchant: "merchant", Holding: "merchant", Coupon: "coupon",
    Subscription: "subscription", Invoice: "invoice",
}  # fmt: skip
_NAMING_OWNER: Final[Mapping[type[Any], str]] = {
    Refund: "refund", Dispute: "dispute", Product: "product", Price: "price", Debt: "debt",
    Payout: "payout",
    PromotionCode: "code",
}  # fmt: skip
_NAMED_BY: Final[Mapping[type[Any], str]] = {
    Payment: "transaction_id", EventMarker: "event_id", OnboardingLink: "token_hash"
}  # fmt: skip
_OF_ACCOUNTS: Final = frozenset({BalanceTransaction, Reconciliation, PayoutReconciliation, Discrepancy})
_IN_ONE_PARTITION: Final[Mapping[type[Any], str]] = {Audit: AUDITS, Finding: FINDINGS, EventCheckpoint: EVENTS}
_ULID_CHARACTERS: Final = 26


class Key(NamedTuple):
    """A primary key."""

    pk: str
    sk: str


def partition_of(subject: str) -> str | None:
    """The partition of a transaction, merchant, coupon, subscription, invoice, customer, or account (or PLATFORM).

    Only a customer's subject has the prefix of one, whatever its issuer calls it.
    """
    if subject.startswith(SUBJECT_PREFIX):
        customer_id = subject.removeprefix(SUBJECT_PREFIX)
        return f"{WORDS[Customer]}#{customer_id}" if is_name(customer_id) else None
    if subject == PLATFORM or (subject.startswith("acct_") and is_name(subject)):
        return f"ACCOUNT#{subject}"
    for noun in ("transaction", "merchant", "coupon", "subscription", "invoice"):
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
    if ref.kind in {Walk, Closing, AccountBalance, Audit, EventCheckpoint, Finding}:
        return _key_in_ledger(ref, word)
    if ref.owner is not None:
        return _key(partition_of(ref.owner), f"{word}#{ref.id}")
    if ref.kind in {Command, Disputed, JournalEntry, Redemption, Refunded, Share, *_OF_ACCOUNTS}:
        raise ValueError(f"a {ref.kind.__name__} is found by its owner and id")
    return Key(f"{word}#{ref.id}", word)


def ref_of(item: Item) -> Ref[Any]:
    """How an item is referred to."""
    owner = None
    match item:
        case Command():
            name, owner = item.id, item.subject
        case JournalEntry():
            name, owner = f"{item.object_id}#{item.kind}", item.transaction_id
        case BalanceTransaction() | Discrepancy() | PayoutReconciliation() | Reconciliation() | Walk():
            name, owner = _of_account(item)
        case AccountBalance() | Closing():
            name, owner = _of_closing(item)
        case IdempotencyRecord():
            name, owner = item.scope, item.subject
        case Share():
            name, owner = item.merchant_id, item.transaction_id
        case Redemption():
            name, owner = item.transaction_id, item.coupon_id
        case Disputed():
            name, owner = f"{item.merchant_id}#{item.dispute_id}", item.transaction_id
        case Refunded():
            name, owner = f"{item.merchant_id}#{item.refund_id}", item.transaction_id
        case _:
            name = getattr(item, _NAMED_BY.get(type(item), "id"))
    return Ref(type(item), name, owner=owner)


def closing_partition(name: str) -> str:
    """Where the balances of a closing stand."""
    return f"CLOSING#{name}"


def is_name(text: str) -> bool:
    """Whether text that is not of our making can stand in a key."""
    return text.isprintable() and 0 < len(text.encode()) <= LONGEST_NAME_BYTES


def is_position(text: str) -> bool:
    """Whether text is a position in a list."""
    return len(text) == _ULID_CHARACTERS and set(text) <= set(ALPHABET)


def _key(partition: str | None, sk: str) -> Key | None:
    return None if partition is None else Key(partition, sk)


def ulid_in(text: str) -> str:
    """The ULID that an id or a key ends with."""
    return text[-_ULID_CHARACTERS:]


def _of_account(
    item: BalanceTransaction | Discrepancy | PayoutReconciliation | Reconciliation | Walk,
) -> tuple[str, str | None]:
    """The name and owner of what is known of a balance at Stripe."""
    match item:
        case BalanceTransaction():
            return item.id, item.transaction_id
        case Discrepancy():
            return item.id, item.line.account
        case Walk():
            return item.account, item.account
        case _:
            return item.id, item.account


def _of_closing(item: AccountBalance | Closing) -> tuple[str, str | None]:
    if isinstance(item, Closing):
        return name_of(item.at), None
    return f"{item.account}#{item.currency}", name_of(item.at)


def _key_in_ledger(ref: Ref[Any], word: str) -> Key | None:
    if ref.kind is Walk:
        return _key(partition_of(ref.id), word)
    if ref.kind in _IN_ONE_PARTITION:
        return Key(_IN_ONE_PARTITION[ref.kind], f"{word}#{ref.id}")
    return Key(CLOSINGS if ref.owner is None else closing_partition(ref.owner), f"{word}#{ref.id}")
