"""The lists that pages are read of: where each stands, and what a position in it is."""

from datetime import datetime
from typing import Final

from marketplace.adapters.keys import (
    ALL_DISPUTES,
    ALL_MERCHANTS,
    ALL_PAYOUTS,
    ALL_RECONCILIATIONS,
    ALL_REFUNDS,
    ALL_SALES,
    AUDITS,
    BY_CUSTOMER,
    BY_MERCHANT,
    OPEN_DEBTS,
    OPEN_DISCREPANCIES,
    OPEN_FINDINGS,
    WORDS,
    Key,
    is_name,
    key_of,
    partition_of,
    ulid_in,
)
from marketplace.adapters.places import (
    billing_of_customer,
    billing_of_merchant,
    coupons_of,
    disputes_about,
    list_shards,
    refunds_of,
)
from marketplace.domain.audits import Audit, Finding
from marketplace.domain.catalog import Price, Product
from marketplace.domain.debts import Debt
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute
from marketplace.domain.ids import ALPHABET, first_ulid, is_id, owner_of, ulid_before
from marketplace.domain.invoices import Invoice
from marketplace.domain.merchants import Merchant
from marketplace.domain.payouts import Payout
from marketplace.domain.promotions import Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation
from marketplace.domain.refunds import Refund, RefundStatus
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Transaction, TransactionStatus
from marketplace.ports import Item, Ref

LOWEST: Final = 26 * ALPHABET[0]
HIGHEST: Final = 26 * ALPHABET[-1]


@dataclass(frozen=True, kw_only=True)
class Listing[T: Item]:
    """A list of items of a kind: the partition it reads, of the table or an index, and what the ids in it begin with.

    A position in it is the ULID that an id ends with: it sorts by time, and with the list it makes the whole key again.
    """

    kind: type[T]
    id_prefix: str = ""
    index: str | None
    partition: str
    is_sharded: bool = False  # it has all sales of the marketplace, or something of each: then in many partitions
    owner: str | None = None  # of an item whose id does not name it
    since: str | None = None  # the first position of it, of a list that is read from an index
    until: str | None = None  # the position where it has ended
    status: str | None = None  # what is left out of a page otherwise

    @property
    def name(self) -> tuple[str | None, ...]:
        """What a cursor belongs to: the list, and every filter."""
        return WORDS[self.kind], self.index, self.partition, self.since, self.until, self.status

    @property
    def partitions(self) -> tuple[str, ...]:
        """What is read, each newest first, and merged."""
        return list_shards(self.partition) if self.is_sharded else (self.partition,)

    def position(self, key: Key) -> str:
        """The position of a row; that of a share or a payment is its sale's."""
        return ulid_in(key.pk if self.kind is Transaction or "#" not in key.sk else key.sk)

    def span(self, before: str | None) -> tuple[str, str] | None:
        """The first and the last position to read, before a position where one is given; None where that is nothing."""
        ends = [end for end in (before, self.until) if end is not None]
        first, last = self.since or LOWEST, ulid_before(min(ends)) if ends else HIGHEST
        return None if first > last or LOWEST in ends else (first, last)

    def key_at(self, position: str) -> Key | None:
        """The key of the item at a position, or None where the text is no position."""
        return key_of(Ref(self.kind, self.id_prefix + position, owner=self.owner))

    def key_of_item(self, row: Key) -> Key:
        """The key of the item that a row stands for: its own, or that of what it lists to a merchant or to all."""
        word = WORDS[self.kind]
        if row.sk.partition("#")[0] == word:
            return row
        return Key(row.pk, word if self.kind is Transaction else f"{word}#{row.sk.rpartition('#')[2]}")


def all_merchants() -> Listing[Merchant]:
    """The list of all merchants."""
    return Listing(kind=Merchant, id_prefix="merchant-", index=BY_MERCHANT, partition=ALL_MERCHANTS)


def sales(
    *, merchant_id: str | None, customer_id: str | None, status: TransactionStatus | None = None,
    since: datetime | None = None, until: datetime | None = None,
) -> Listing[Transaction] | None:  # fmt: skip
    """The sales of a merchant, to a customer or of all, from ``since`` to before ``until`` by the time in their ids.

    Raises:
        ValueError: both are named.
    """
    match merchant_id, customer_id:
        case None, None:
            index, partition, is_possible = BY_MERCHANT, ALL_SALES, True
        case str(partition), None:
            index, is_possible = BY_MERCHANT, is_id("merchant", partition)
        case None, str(partition):
            index, is_possible = BY_CUSTOMER, is_name(partition)
        case _:
            raise ValueError("a list of sales is of one merchant, of one customer or of all")
    if not is_possible:
        return None
    return Listing(
        kind=Transaction, index=index, partition=partition, is_sharded=merchant_id is customer_id is None,
        status=status, since=_first_at(since), until=_first_at(until),
    )  # fmt: skip


def refunds(
    merchant_id: str | None, *, status: RefundStatus | None = None, since: datetime | None = None,
    until: datetime | None = None,
) -> Listing[Refund] | None:  # fmt: skip
    """The refunds that concern a merchant, or all, from ``since`` to before ``until`` by the time in their ids."""
    if merchant_id is not None and not is_id("merchant", merchant_id):
        return None
    return Listing(
        kind=Refund, index=BY_MERCHANT, is_sharded=merchant_id is None, status=status, since=_first_at(since),
        until=_first_at(until), partition=ALL_REFUNDS if merchant_id is None else refunds_of(merchant_id),
    )  # fmt: skip


def billing[T: (Subscription, Invoice)](
    kind: type[T], *, merchant_id: str | None, customer_id: str | None
) -> Listing[T] | None:
    """The subscriptions or invoices of a merchant or a customer.

    Raises:
        ValueError: not exactly one is named.
    """
    match merchant_id, customer_id:
        case str(named), None:
            index, is_possible, partition = BY_MERCHANT, is_id("merchant", named), billing_of_merchant(kind, named)
        case None, str(named):
            index, is_possible, partition = BY_CUSTOMER, is_name(named), billing_of_customer(kind, named)
        case _:
            raise ValueError("a list of subscriptions or invoices is of one merchant or of one customer")
    if not is_possible:
        return None
    return Listing(kind=kind, index=index, partition=partition)


def _first_at(at: datetime | None) -> str | None:
    return None if at is None else first_ulid(at)


def products_of(merchant_id: str) -> Listing[Product] | None:
    """The products of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"product-{ulid_in(merchant_id)}-"
    return Listing(kind=Product, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def prices_of(product_id: str) -> Listing[Price] | None:
    """The prices of a product."""
    merchant_id = owner_of("product", product_id)
    if merchant_id is None:
        return None
    prefix = f"price-{ulid_in(merchant_id)}-"
    return Listing(kind=Price, id_prefix=prefix, index=BY_MERCHANT, partition=product_id)


def debts_of(merchant_id: str) -> Listing[Debt] | None:
    """The debts of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"debt-{ulid_in(merchant_id)}-"
    return Listing(kind=Debt, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def payouts_of(merchant_id: str) -> Listing[Payout] | None:
    """The payouts of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"payout-{ulid_in(merchant_id)}-"
    return Listing(kind=Payout, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def open_debts() -> Listing[Debt]:
    """The debts of all merchants of which something is owed."""
    return Listing(kind=Debt, index=BY_MERCHANT, partition=OPEN_DEBTS)


def disputes(merchant_id: str | None) -> Listing[Dispute] | None:
    """The disputes about a merchant's sales, which are listed by themselves, or about all."""
    if merchant_id is None:
        return Listing(kind=Dispute, index=BY_MERCHANT, partition=ALL_DISPUTES)
    if not is_id("merchant", merchant_id):
        return None
    return Listing(kind=Dispute, index=BY_MERCHANT, partition=disputes_about(merchant_id))


def coupons(merchant_id: str | None) -> Listing[Coupon] | None:
    """The coupons that are good for one merchant's products, or for those of all."""
    if merchant_id is not None and not is_id("merchant", merchant_id):
        return None
    return Listing(kind=Coupon, id_prefix="coupon-", index=BY_MERCHANT, partition=coupons_of(merchant_id))


def promotion_codes_of(coupon_id: str) -> Listing[PromotionCode] | None:
    """The codes of a coupon, which are read from its partition."""
    if not is_id("coupon", coupon_id):
        return None
    prefix = f"code-{ulid_in(coupon_id)}-"
    return Listing(kind=PromotionCode, id_prefix=prefix, index=None, partition=f"COUPON#{coupon_id}")


def redemptions_of(coupon_id: str) -> Listing[Redemption] | None:
    """The sales that a coupon was used in, which are read from its partition."""
    if not is_id("coupon", coupon_id):
        return None
    partition = f"COUPON#{coupon_id}"
    return Listing(kind=Redemption, id_prefix="transaction-", index=None, partition=partition, owner=coupon_id)


def reconciliations_of(account: str | None) -> Listing[Reconciliation] | None:
    """The reconciled days of an account, or of all."""
    if account is None:
        return Listing(kind=Reconciliation, index=BY_MERCHANT, partition=ALL_RECONCILIATIONS)
    partition = partition_of(account)
    if partition is None:
        return None
    return Listing(kind=Reconciliation, id_prefix="reconciliation-", index=None, partition=partition, owner=account)


def all_payouts() -> Listing[PayoutReconciliation]:
    """The automatic payouts of all accounts."""
    return Listing(kind=PayoutReconciliation, index=BY_MERCHANT, partition=ALL_PAYOUTS)


def open_discrepancies() -> Listing[Discrepancy]:
    """The balance transactions that are open, of all accounts."""
    return Listing(kind=Discrepancy, index=BY_MERCHANT, partition=OPEN_DISCREPANCIES)


def audits() -> Listing[Audit]:
    """The audits."""
    return Listing(kind=Audit, id_prefix="audit-", index=None, partition=AUDITS)


def open_findings() -> Listing[Finding]:
    """What audits found and still is so."""
    return Listing(kind=Finding, index=BY_MERCHANT, partition=OPEN_FINDINGS)
