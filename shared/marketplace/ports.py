"""What the use cases need from outside. Adapters implement it for AWS and Stripe; the tests by hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from marketplace.domain.audits import Audit, Finding
from marketplace.domain.balance_transactions import BalanceTransaction
from marketplace.domain.books import Books, EventMarker, IdempotencyRecord
from marketplace.domain.catalog import Price, Product
from marketplace.domain.catching_up import EventCheckpoint
from marketplace.domain.closings import AccountBalance, Closing, Posting
from marketplace.domain.commands import Command, Doubt
from marketplace.domain.customers import Customer
from marketplace.domain.debts import Debt
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute, Disputed
from marketplace.domain.errors import InvalidReturnUrl, Unavailable
from marketplace.domain.fees import FeePolicy
from marketplace.domain.holdings import Holding
from marketplace.domain.invoices import Invoice
from marketplace.domain.ledger import JournalEntry
from marketplace.domain.merchant_rights import MerchantRights
from marketplace.domain.merchants import Merchant, OnboardingLink
from marketplace.domain.payment_templates import PaymentTemplate
from marketplace.domain.payouts import Payout
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.principals import Principal
from marketplace.domain.promotions import CodeName, Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation, Walk
from marketplace.domain.refunds import Refund, Refunded, RefundStatus
from marketplace.domain.responsibilities import AccountPolicy
from marketplace.domain.return_urls import origin_of
from marketplace.domain.shares import Share
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Payment, Transaction, TransactionStatus
from marketplace.operations import Operation

Versioned = (
    Audit | CodeName | Command | Coupon | Customer | Debt | Discrepancy | Dispute | EventCheckpoint | Finding | Holding
    | Invoice | Merchant | Payment | Payout | PayoutReconciliation | Price | Product | PromotionCode | Reconciliation
    | Refund | Share | Subscription | Walk
)  # fmt: skip
# What falls due, and the sweep then looks at.
Watched = Command | Debt | Holding | Invoice | Merchant | Payment | Share | Subscription
WrittenOnce = (
    AccountBalance
    | BalanceTransaction
    | Closing
    | Disputed
    | EventMarker
    | IdempotencyRecord
    | JournalEntry
    | OnboardingLink
    | Redemption
    | Refunded
    | Transaction
)
Item = Versioned | WrittenOnce


@dataclass(frozen=True)
class Create:
    """Write an item that must not be there yet."""

    item: Item


@dataclass(frozen=True)
class Replace[T: Versioned]:
    """Write ``after`` where ``before`` still stands as it was read; the store counts the version on."""

    before: T
    after: T

    @property
    def stored(self) -> T:
        """The item as it stands after the commit."""
        return replace(self.after, version=self.before.version + 1)


DUE_SHARDS: Final = 16  # partitions of the index of what is due, so that none is hot; never fewer again

Change = Create | Replace[Any]


class Conflict(Exception):
    """Nothing of a commit was written, because of these of its changes: there already, or moved on meanwhile."""

    def __init__(self, changes: Sequence[Change]) -> None:
        super().__init__(f"{len(changes)} changes of the commit no longer fit")
        self.changes = tuple(changes)

    def is_about(self, item: Item) -> bool:
        """Whether one of the changes would have written this item."""
        return item in [change.item if isinstance(change, Create) else change.before for change in self.changes]


@dataclass(frozen=True)
class Ref[T: Item]:
    """Which item: its kind and id. ``owner`` is the subject of a command or idempotency record."""

    kind: type[T]
    id: str
    owner: str | None = None


class Found(Protocol):
    """The items that a read brought."""

    def __call__[T: Item](self, ref: Ref[T]) -> T | None:
        """The item, or None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Page[T]:
    """A page of a list, newest first; ``cursor`` is where the next begins, None at the end."""

    items: tuple[T, ...]
    cursor: str | None


class Store(Protocol):
    """The table. Each method but the lists is one round trip; reads are consistent, the lists and `due` are not.

    Raises:
        Unavailable: DynamoDB did not answer in time; whether a commit was written is not known.
    """

    def get(self, *refs: Ref[Any]) -> Found:
        """Up to 100 items at once."""

    def books(self, transaction_id: str, *, visible_to: Principal) -> Books | None:
        """The whole partition of a transaction, or None where there is none that the caller may see."""

    def commit(self, *changes: Change) -> None:
        """Write all of up to 100 changes, or nothing.

        Raises:
            Conflict: some do not fit what is there.
        """

    def transactions(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int,
        status: TransactionStatus | None = None, since: datetime | None = None, until: datetime | None = None,
    ) -> Page[tuple[Transaction, Payment]]:  # fmt: skip
        """The sales of a merchant, to a customer or of all, from ``since`` to before ``until`` by the time in the ids.

        With a ``status`` a page has those of ``limit`` sales that are in it, and may be empty before the end.
        Raises InvalidCursor.
        """

    def refunds(
        self, merchant_id: str | None, *, cursor: str | None, limit: int, status: RefundStatus | None = None,
        since: datetime | None = None, until: datetime | None = None,
    ) -> Page[Refund]:  # fmt: skip
        """The refunds that concern a merchant, or all: like the sales by the time in their ids and by their status.

        Raises InvalidCursor.
        """

    def subscriptions(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Subscription]:
        """The subscriptions of a merchant or a customer. Raises InvalidCursor."""

    def invoices(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Invoice]:
        """The invoices of a merchant or a customer. Raises InvalidCursor."""

    def merchants(self, *, cursor: str | None, limit: int) -> Page[Merchant]:
        """All merchants. Raises InvalidCursor."""

    def products(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Product]:
        """A merchant's products. Raises InvalidCursor."""

    def prices(self, product_id: str, *, cursor: str | None, limit: int) -> Page[Price]:
        """A product's prices. Raises InvalidCursor."""

    def coupons(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Coupon]:
        """The coupons that are good for one merchant's products, or for those of all. Raises InvalidCursor."""

    def promotion_codes(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[PromotionCode]:
        """The codes of a coupon. Raises InvalidCursor."""

    def redemptions(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[Redemption]:
        """The sales that a coupon was used in. Raises InvalidCursor."""

    def debts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Debt]:
        """A merchant's debts, settled ones too. Raises InvalidCursor."""

    def disputes(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Dispute]:
        """The disputes about a merchant's sales, or about all. Raises InvalidCursor."""

    def payouts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Payout]:
        """A merchant's payouts. Raises InvalidCursor."""

    def open_debts(self, *, cursor: str | None, limit: int) -> Page[Debt]:
        """The debts of all merchants of which something is owed. Raises InvalidCursor."""

    def merchant_of_account(self, account_id: str) -> str | None:
        """The id of the merchant behind a connected account, a moment after it was written."""

    def waiting_shares(self, merchant_id: str, *, limit: int) -> Sequence[Share]:
        """Up to 100 shares that wait for a merchant to become ready, a moment after they began to."""

    def journal(self, *, since: datetime, until: datetime, cursor: str | None, limit: int) -> Page[Posting]:
        """What was booked from ``since`` to before ``until``, the first first, a moment after. Raises InvalidCursor."""

    def closing(self, at: datetime) -> Closing | None:
        """The last closing that was made for ``at`` or before."""

    def closed_balances(self, at: datetime, *, account: str | None) -> Sequence[AccountBalance]:
        """The balances at the closing of ``at``, of one account or of all."""

    def audits(self, *, cursor: str | None, limit: int) -> Page[Audit]:
        """All audits. Raises InvalidCursor."""

    def findings(self, *, cursor: str | None, limit: int) -> Page[Finding]:
        """What audits found and still is so. Raises InvalidCursor."""

    def transaction_of(self, stripe_id: str) -> str | None:
        """The id of the sale that an object moved money for at Stripe, a moment after that was booked."""

    def due_walks(self, *, now: datetime, limit: int) -> Sequence[Walk | PayoutReconciliation]:
        """Up to 100 accounts and payouts whose balance transactions are to be taken in, the longest overdue first."""

    def reconciliations(self, account: str | None, *, cursor: str | None, limit: int) -> Page[Reconciliation]:
        """The days of one account, or of all. Raises InvalidCursor."""

    def payout_reconciliations(self, *, cursor: str | None, limit: int) -> Page[PayoutReconciliation]:
        """The automatic payouts of all accounts. Raises InvalidCursor."""

    def discrepancies(self, *, cursor: str | None, limit: int) -> Page[Discrepancy]:
        """The balance transactions of all accounts that are open. Raises InvalidCursor."""

    def due(self, shard: int, *, now: datetime, limit: int) -> Sequence[Watched]:
        """What is to be looked at by now, the longest overdue first."""


def one[T: Item](store: Store, ref: Ref[T]) -> T | None:
    """A single item."""
    return store.get(ref)(ref)


@dataclass(frozen=True)
class Done:
    """Stripe did it; the object as plain JSON data."""

    object: Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Stripe's definite no: nothing was done. ``code`` is Stripe's ``code``, or its ``type`` where it gives none."""

    code: str


@dataclass(frozen=True)
class NoAnswer:
    """It may have been done or not."""

    doubt: Doubt


Answer = Done | Refusal | NoAnswer


class StripeUnavailable(Unavailable):
    """Stripe did not answer a read."""


class StripeApi(Protocol):
    """Stripe. No call is started that cannot end within the time left."""

    def ask(
        self, operation: Operation, *ids: str, params: Mapping[str, Any], key: str, account: str | None = None
    ) -> Answer:
        """Change something, of a connected ``account`` where one is named, under an idempotency key."""

    def read(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Mapping[str, Any]:
        """Read an object as plain JSON data, of a connected ``account`` where one is named.

        Raises:
            StripeUnavailable, StripeRefused.
        """

    def each(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The objects of a list, page after page. Raises StripeUnavailable, or StripeRefused."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The time, in UTC."""


class Ids(Protocol):
    """What is random."""

    def new(self, noun: str, *, owner: str | None = None) -> str:
        """A new id."""

    def token(self) -> str:
        """A secret of 256 bits that can stand in a URL."""

    def jitter(self) -> float:
        """A number from 0 to 1."""


class Policy(NamedTuple):
    """What the operator has decided. ``return_origins`` are the origins that buyers and merchants may be sent to.

    ``default_fee`` is of merchants that have no policy of their own; None is no fee.
    """

    default_fee: FeePolicy | None
    return_origins: frozenset[str]
    livemode: bool
    money: MoneyPolicy = MoneyPolicy()
    rights: MerchantRights = MerchantRights()
    template: PaymentTemplate | None = None  # what merchants see of their payments; None is what Stripe says
    accounts: AccountPolicy = AccountPolicy()

    @property
    def fee(self) -> FeePolicy:
        """The policy of merchants that have none of their own."""
        return self.default_fee or FeePolicy()

    def require_return_url(self, url: str) -> str:
        """The URL, if its origin is on the list. Raises InvalidReturnUrl."""
        if origin_of(url) not in self.return_origins:
            raise InvalidReturnUrl("the origin of a return URL must be on the list of this deployment")
        return url


class Ports(NamedTuple):
    """All of it."""

    store: Store
    stripe: StripeApi
    clock: Clock
    ids: Ids
    policy: Policy
