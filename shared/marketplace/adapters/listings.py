"""The lists that pages are read of: where each stands, and what a position in it is."""

from datetime import datetime
from typing import Final

from marketplace.adapters.keys import (
    ALL_DISPUTES,
    ALL_MERCHANTS,
    ALL_PAYOUTS,
    ALL_RECONCILIATIONS,
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
from marketplace.adapters.places import billing_of_customer, billing_of_merchant, coupons_of, disputes_about
from marketplace.domain.audits import Audit, Finding
from marketplace.domain.catalog import Price, Product
from marketplace.domain.debts import Debt
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute, Disputed
from marketplace.domain.ids import ALPHABET, first_ulid, is_id, owner_of, ulid_before
from marketplace.domain.invoices import Invoice
from marketplace.domain.merchants import Merchant
from marketplace.domain.payouts import Payout
from marketplace.domain.promotions import Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Transaction, TransactionStatus
from marketplace.ports import Item, Ref

LOWEST: Final = 26 * ALPHABET[0]
HIGHEST: Final = 26 * ALPHABET[-1]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list: the partition it reads, of the table or an index, and what the ids in it begin with.

    A position in it is the ULID that an id ends with: it sorts by time, and with the list it makes the whole key again.
    """

    kind: type[Item]
    id_prefix: str
    index: str | None
    partition: str
    owner: str | None = None  # of an item whose id does not name it
    since: str | None = None  # the first position of it, of a list that is read from an index
    until: str | None = None  # the position where it has ended

    def position(self, key: Key) -> str:
        """The position of an item; that of a share is its sale's."""
        return ulid_in(key.pk if key.sk == WORDS[self.kind] or self.kind is Transaction else key.sk)

    def span(self, before: str | None) -> tuple[str, str] | None:
        """The first and the last position to read, before a position where one is given; None where that is nothing."""
        ends = [end for end in (before, self.until) if end is not None]
        first, last = self.since or LOWEST, ulid_before(min(ends)) if ends else HIGHEST
        return None if first > last or LOWEST in ends else (first, last)

    def key_at(self, position: str) -> Key | None:
        """The key of the item at a position, or None where the text is no position."""
        return key_of(Ref(self.kind, self.id_prefix + position, owner=self.owner))


def all_merchants() -> Listing:
    """The list of all merchants."""
    return Listing(kind=Merchant, id_prefix="merchant-", index=BY_MERCHANT, partition=ALL_MERCHANTS)


def sales(
    *, merchant_id: str | None, customer_id: str | None, since: datetime | None = None, until: datetime | None = None
) -> Listing | None:
    """The sales of a merchant or to a customer, from ``since`` to before ``until`` by the time in their ids.

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
    first, end = (None if at is None else first_ulid(at) for at in (since, until))
    return Listing(kind=Transaction, id_prefix="transaction-", index=index, partition=partition, since=first, until=end)


def name_of_sales(listing: Listing | None, status: TransactionStatus | None) -> tuple[str | None, ...]:
    """What a cursor of a list of sales belongs to: whose they are, and every filter."""
    if listing is None:
        return ()
    return "transactions", listing.index, listing.partition, listing.since, listing.until, status


def billing(kind: type[Subscription | Invoice], *, merchant_id: str | None, customer_id: str | None) -> Listing | None:
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
    return Listing(kind=kind, id_prefix=f"{WORDS[kind].lower()}-", index=index, partition=partition)


def products_of(merchant_id: str) -> Listing | None:
    """The products of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"product-{ulid_in(merchant_id)}-"
    return Listing(kind=Product, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def prices_of(product_id: str) -> Listing | None:
    """The prices of a product."""
    merchant_id = owner_of("product", product_id)
    if merchant_id is None:
        return None
    prefix = f"price-{ulid_in(merchant_id)}-"
    return Listing(kind=Price, id_prefix=prefix, index=BY_MERCHANT, partition=product_id)


def debts_of(merchant_id: str) -> Listing | None:
    """The debts of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"debt-{ulid_in(merchant_id)}-"
    return Listing(kind=Debt, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def payouts_of(merchant_id: str) -> Listing | None:
    """The payouts of a merchant, which are read from its partition."""
    if not is_id("merchant", merchant_id):
        return None
    prefix = f"payout-{ulid_in(merchant_id)}-"
    return Listing(kind=Payout, id_prefix=prefix, index=None, partition=f"MERCHANT#{merchant_id}")


def open_debts() -> Listing:
    """The debts of all merchants of which something is owed."""
    return Listing(kind=Debt, id_prefix="", index=BY_MERCHANT, partition=OPEN_DEBTS)


def disputes(merchant_id: str | None) -> Listing | None:
    """The disputes about a merchant's sales, which are listed by themselves, or about all."""
    if merchant_id is None:
        return Listing(kind=Dispute, id_prefix="", index=BY_MERCHANT, partition=ALL_DISPUTES)
    if not is_id("merchant", merchant_id):
        return None
    return Listing(kind=Disputed, id_prefix="", index=BY_MERCHANT, partition=disputes_about(merchant_id))


def coupons(merchant_id: str | None) -> Listing | None:
    """The coupons that are good for one merchant's products, or for those of all."""
    if merchant_id is not None and not is_id("merchant", merchant_id):
        return None
    return Listing(kind=Coupon, id_prefix="coupon-", index=BY_MERCHANT, partition=coupons_of(merchant_id))


def promotion_codes_of(coupon_id: str) -> Listing | None:
    """The codes of a coupon, which are read from its partition."""
    if not is_id("coupon", coupon_id):
        return None
    prefix = f"code-{ulid_in(coupon_id)}-"
    return Listing(kind=PromotionCode, id_prefix=prefix, index=None, partition=f"COUPON#{coupon_id}")


def redemptions_of(coupon_id: str) -> Listing | None:
    """The sales that a coupon was used in, which are read from its partition."""
    if not is_id("coupon", coupon_id):
        return None
    partition = f"COUPON#{coupon_id}"
    return Listing(kind=Redemption, id_prefix="transaction-", index=None, partition=partition, owner=coupon_id)


def reconciliations_of(account: str | None) -> Listing | None:
    """The reconciled days of an account, or of all."""
    if account is None:
        return Listing(kind=Reconciliation, id_prefix="", index=BY_MERCHANT, partition=ALL_RECONCILIATIONS)
    partition = partition_of(account)
    if partition is None:
        return None
    return Listing(kind=Reconciliation, id_prefix="reconciliation-", index=None, partition=partition, owner=account)


def all_payouts() -> Listing:
    """The automatic payouts of all accounts."""
    return Listing(kind=PayoutReconciliation, id_prefix="", index=BY_MERCHANT, partition=ALL_PAYOUTS)


def open_discrepancies() -> Listing:
    """The balance transactions that are open, of all accounts."""
    return Listing(kind=Discrepancy, id_prefix="", index=BY_MERCHANT, partition=OPEN_DISCREPANCIES)


def audits() -> Listing:
    """The audits."""
    return Listing(kind=Audit, id_prefix="audit-", index=None, partition=AUDITS)


def open_findings() -> Listing:
    """What audits found and still is so."""
    return Listing(kind=Finding, id_prefix="", index=BY_MERCHANT, partition=OPEN_FINDINGS)
