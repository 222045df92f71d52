"""The lists that pages are read of: where each stands, and what a position in it is."""

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
from marketplace.adapters.places import coupons_of, disputes_about
from marketplace.domain.audits import Audit, Finding
from marketplace.domain.catalog import Price, Product
from marketplace.domain.debts import Debt
from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import Dispute, Disputed
from marketplace.domain.ids import is_id, owner_of
from marketplace.domain.merchants import Merchant
from marketplace.domain.payouts import Payout
from marketplace.domain.promotions import Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation
from marketplace.domain.transactions import Transaction
from marketplace.ports import Item, Ref


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

    def position(self, key: Key) -> str:
        """The position of an item; that of a share is its sale's."""
        return ulid_in(key.pk if key.sk == WORDS[self.kind] or self.kind is Transaction else key.sk)

    def key_at(self, position: str) -> Key | None:
        """The key of the item at a position, or None where the text is no position."""
        return key_of(Ref(self.kind, self.id_prefix + position, owner=self.owner))


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
