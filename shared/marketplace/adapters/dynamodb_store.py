"""The Store on DynamoDB: one table, conditional puts, no update in place and no delete."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketplace.adapters import journal, keys, listings, places
from marketplace.adapters.codec import TTL_ATTRIBUTE, Attributes, decode, epoch_seconds, time_text
from marketplace.adapters.cursors import cursor_at, position_of
from marketplace.adapters.dynamodb_calls import ConditionsFailed, DynamoDBCalls
from marketplace.adapters.keys import BY_STRIPE_ID, DUE, WORDS, Key, key_of
from marketplace.adapters.listings import Listing
from marketplace.adapters.page_rows import page_rows
from marketplace.adapters.records import FoundItems, all_keys, all_written, books_of, item_in, key_in
from marketplace.domain.audits import Audit, Finding
from marketplace.domain.books import Books
from marketplace.domain.catalog import Price, Product
from marketplace.domain.closings import AccountBalance, Closing, Posting
from marketplace.domain.debts import Debt, DebtStatus
from marketplace.domain.disputes import Dispute
from marketplace.domain.invoices import Invoice
from marketplace.domain.merchants import Merchant
from marketplace.domain.payouts import Payout
from marketplace.domain.principals import Principal
from marketplace.domain.promotions import Coupon, PromotionCode, Redemption
from marketplace.domain.reconciliation import Discrepancy, PayoutReconciliation, Reconciliation, Walk
from marketplace.domain.refunds import Refund, RefundStatus
from marketplace.domain.shares import Hold, Share
from marketplace.domain.subscriptions import Subscription
from marketplace.domain.transactions import Payment, Transaction, TransactionStatus
from marketplace.ports import Change, Clock, Conflict, Found, Ids, Item, Page, Ref, Replace, Watched

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutTypeDef


class DynamoDBStore:
    """The table ``table_name``. The clock is only for what expires; ``ids`` spreads the retries."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        *,
        clock: Clock,
        ids: Ids,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = DynamoDBCalls(client, table_name, ids=ids, sleep=sleep)
        self._clock = clock

    def get(self, *refs: Ref[Any]) -> Found:
        """Up to 100 items at once: one BatchGetItem."""
        return self._found(all_keys(refs))

    def books(self, transaction_id: str, *, visible_to: Principal) -> Books | None:
        """The whole partition of a transaction: one Query for each megabyte of it."""
        head = key_of(Ref(Transaction, transaction_id))
        if head is None:
            return None
        partition = self._calls.query(
            KeyConditionExpression="pk = :partition",
            ExpressionAttributeValues={":partition": {"S": head.pk}},
            ConsistentRead=True,
        )
        return books_of(partition, visible_to=visible_to, now=self._clock.now())

    def commit(self, *changes: Change) -> None:
        """Write all, or nothing: one TransactWriteItems, or one PutItem."""
        puts = [
            self._put(change, item)
            for change, item in zip(changes, all_written(changes, self._clock.now()).values(), strict=True)
        ]
        if not puts:
            return
        try:
            self._calls.put_all(puts)
        except ConditionsFailed as failed:
            raise Conflict([changes[position] for position in failed.positions]) from failed

    def transactions(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int,
        status: TransactionStatus | None = None, since: datetime | None = None, until: datetime | None = None,
    ) -> Page[tuple[Transaction, Payment]]:  # fmt: skip
        """The sales of a merchant, to a customer or of all: of ``limit`` those that have the status."""
        listing = listings.sales(
            merchant_id=merchant_id, customer_id=customer_id, status=status, since=since, until=until
        )
        rows, after = self._rows(listing, cursor, limit)
        ids = [key_in(row).pk.removeprefix("TRANSACTION#") for row in rows]
        refs = [(Ref(Transaction, sale), Ref(Payment, sale)) for sale in ids]
        found = self._found([key for pair in refs for key in all_keys(pair)])
        sales = [(found(plan), found(payment)) for plan, payment in refs]
        there = ((p, f) for p, f in sales if p is not None and f is not None)
        return Page(items=tuple((p, f) for p, f in there if status in {None, f.status}), cursor=after)

    def refunds(
        self, merchant_id: str | None, *, cursor: str | None, limit: int, status: RefundStatus | None = None,
        since: datetime | None = None, until: datetime | None = None,
    ) -> Page[Refund]:  # fmt: skip
        """The refunds that concern a merchant, or all: of ``limit`` those that have the status."""
        listing = listings.refunds(merchant_id, status=status, since=since, until=until)
        page = self._page(listing, cursor, limit)
        return replace(page, items=tuple(each for each in page.items if status in {None, each.status}))

    def subscriptions(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Subscription]:
        """The subscriptions of a merchant or a customer."""
        listing = listings.billing(Subscription, merchant_id=merchant_id, customer_id=customer_id)
        return self._page(listing, cursor, limit)

    def invoices(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Invoice]:
        """The invoices of a merchant or a customer."""
        listing = listings.billing(Invoice, merchant_id=merchant_id, customer_id=customer_id)
        return self._page(listing, cursor, limit)

    def merchants(self, *, cursor: str | None, limit: int) -> Page[Merchant]:
        """All merchants."""
        return self._page(listings.all_merchants(), cursor, limit)

    def products(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Product]:
        """A merchant's products."""
        return self._page(listings.products_of(merchant_id), cursor, limit)

    def prices(self, product_id: str, *, cursor: str | None, limit: int) -> Page[Price]:
        """A product's prices."""
        return self._page(listings.prices_of(product_id), cursor, limit)

    def coupons(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Coupon]:
        """The coupons that are good for one merchant's products, or for those of all."""
        return self._page(listings.coupons(merchant_id), cursor, limit)

    def promotion_codes(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[PromotionCode]:
        """The codes of a coupon."""
        return self._page(listings.promotion_codes_of(coupon_id), cursor, limit)

    def redemptions(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[Redemption]:
        """The sales that a coupon was used in."""
        return self._page(listings.redemptions_of(coupon_id), cursor, limit)

    def debts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Debt]:
        """A merchant's debts."""
        return self._page(listings.debts_of(merchant_id), cursor, limit)

    def payouts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Payout]:
        """A merchant's payouts."""
        return self._page(listings.payouts_of(merchant_id), cursor, limit)

    def open_debts(self, *, cursor: str | None, limit: int) -> Page[Debt]:
        """The debts of which something is owed; the index lags, and what was settled is left out."""
        page = self._page(listings.open_debts(), cursor, limit)
        return replace(page, items=tuple(each for each in page.items if each.status is DebtStatus.OPEN))

    def disputes(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Dispute]:
        """The disputes about a merchant's sales, or about all."""
        return self._page(listings.disputes(merchant_id), cursor, limit)

    def merchant_of_account(self, account_id: str) -> str | None:
        """The id of the merchant behind a connected account."""
        head, _, merchant_id = self._found_by_stripe_id(account_id)
        return merchant_id if head == WORDS[Merchant] else None

    def waiting_shares(self, merchant_id: str, *, limit: int) -> Sequence[Share]:
        """Shares that wait for a merchant to become ready; the index lags, and what moved on is left out."""
        if not keys.is_name(merchant_id):
            return []
        rows = self._calls.query(
            IndexName=BY_STRIPE_ID,
            KeyConditionExpression="gsi_stripe = :waiting",
            ExpressionAttributeValues={":waiting": {"S": places.waiting_for(merchant_id)}},
            most=limit,
        )
        items = map(item_in, self._calls.get([key_in(row) for row in rows]).values())
        return [item for item in items if isinstance(item, Share) and item.hold is Hold.NOT_READY]

    def journal(self, *, since: datetime, until: datetime, cursor: str | None, limit: int) -> Page[Posting]:
        """What was booked from ``since`` to before ``until``: one Query for each day."""
        return journal.journal_page(self._calls.query, since, until, cursor, limit)

    def closing(self, at: datetime) -> Closing | None:
        """The last closing that was made for ``at`` or before."""
        return journal.last_closing(self._calls.query, at)

    def closed_balances(self, at: datetime, *, account: str | None) -> Sequence[AccountBalance]:
        """The balances at the closing of ``at``: one Query for each megabyte."""
        return journal.balances_at(self._calls.query, at, account)

    def audits(self, *, cursor: str | None, limit: int) -> Page[Audit]:
        """All audits."""
        return self._page(listings.audits(), cursor, limit)

    def findings(self, *, cursor: str | None, limit: int) -> Page[Finding]:
        """What audits found; the index lags, and what was resolved is left out."""
        page = self._page(listings.open_findings(), cursor, limit)
        return replace(page, items=tuple(each for each in page.items if each.is_open))

    def transaction_of(self, stripe_id: str) -> str | None:
        """The id of the sale that an object moved money for at Stripe."""
        head, _, subject = self._found_by_stripe_id(stripe_id)
        return subject if head == WORDS[Transaction] else None

    def due_walks(self, *, now: datetime, limit: int) -> Sequence[Walk | PayoutReconciliation]:
        """The walks to be taken up by now; the index lags, and what moved on is left out."""
        items = self._due_in(keys.WALKS, now, limit)
        return [item for item in items if isinstance(item, Walk | PayoutReconciliation)]

    def reconciliations(self, account: str | None, *, cursor: str | None, limit: int) -> Page[Reconciliation]:
        """The days of one account, or of all."""
        return self._page(listings.reconciliations_of(account), cursor, limit)

    def payout_reconciliations(self, *, cursor: str | None, limit: int) -> Page[PayoutReconciliation]:
        """The automatic payouts of all accounts."""
        return self._page(listings.all_payouts(), cursor, limit)

    def discrepancies(self, *, cursor: str | None, limit: int) -> Page[Discrepancy]:
        """The balance transactions that are open; the index lags, and what was resolved is left out."""
        page = self._page(listings.open_discrepancies(), cursor, limit)
        return replace(page, items=tuple(each for each in page.items if each.is_open))

    def due(self, shard: int, *, now: datetime, limit: int) -> Sequence[Watched]:
        """What is to be looked at by now, the longest overdue first; the index lags, and what moved on is left out."""
        items = self._due_in(places.due_shard(shard), now, limit)
        return [item for item in items if isinstance(item, Watched)]

    def _due_in(self, partition: str, now: datetime, limit: int) -> list[Item]:
        rows = self._calls.query(
            IndexName=DUE,
            KeyConditionExpression="gsi_due = :partition AND gsi_due_at <= :now",
            ExpressionAttributeValues={":partition": {"S": partition}, ":now": {"S": time_text(now)}},
            most=limit,
        )
        items = [item for item in map(item_in, self._calls.get([key_in(row) for row in rows]).values()) if item]
        due = [(due_at, item) for item in items if (due_at := getattr(item, "due_at", None))]
        return [item for due_at, item in sorted(due, key=lambda pair: pair[0]) if due_at <= now]

    def _found_by_stripe_id(self, stripe_id: str) -> tuple[str, str, str]:
        """The parts of the partition of what stands under an id of Stripe's, empty where nothing does."""
        if not keys.is_name(stripe_id):
            return ("", "", "")
        rows = self._calls.query(
            IndexName=BY_STRIPE_ID,
            KeyConditionExpression="gsi_stripe = :id",
            ExpressionAttributeValues={":id": {"S": stripe_id}},
            most=1,
        )
        return key_in(rows[0]).pk.partition("#") if rows else ("", "", "")

    def _put(self, change: Change, item: Attributes) -> "PutTypeDef":
        still_as_read = "version = :version"  # nobody else has moved the item on
        not_there = "attribute_not_exists(pk)"  # an id, a key, an event or an entry counts once
        as_good_as_gone = f"{TTL_ATTRIBUTE} <= :now"  # DynamoDB removes what has expired hours or days later
        put: PutTypeDef = {"TableName": self._calls.table_name, "Item": item, "ConditionExpression": not_there}
        if isinstance(change, Replace):
            put["ConditionExpression"] = still_as_read
            put["ExpressionAttributeValues"] = {":version": {"N": str(change.before.version)}}
        elif TTL_ATTRIBUTE in item:
            put["ConditionExpression"] = f"{not_there} OR {as_good_as_gone}"
            put["ExpressionAttributeValues"] = {":now": {"N": str(epoch_seconds(self._clock.now()))}}
        return put

    def _found(self, wanted: Sequence[Key]) -> FoundItems:
        return FoundItems(self._calls.get(wanted), self._clock.now())

    def _page[T: Item](self, listing: Listing[T] | None, cursor: str | None, limit: int) -> Page[T]:
        rows, after = self._rows(listing, cursor, limit)
        if listing is None:
            return Page(items=(), cursor=None)
        if listing.index is not None:
            wanted = [listing.key_of_item(key_in(row)) for row in rows]
            found = self._calls.get(wanted)
            rows = [found[key] for key in wanted if key in found]
        return Page(items=tuple(decode(listing.kind, row) for row in rows), cursor=after)

    def _rows(
        self, listing: Listing[Any] | None, cursor: str | None, limit: int
    ) -> tuple[list[Attributes], str | None]:
        """A page of a list, of keys where it is read from an index, and the cursor of the next page."""
        if listing is None:
            return [], None
        before = None if cursor is None else position_of(cursor, *listing.name)
        rows = page_rows(self._calls.query, listing, before, limit + 1)
        if len(rows) <= limit:
            return rows, None
        last = listing.position(key_in(rows[limit - 1]))
        return rows[:limit], cursor_at(last, *listing.name)
