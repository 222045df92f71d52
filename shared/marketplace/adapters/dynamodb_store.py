"""The Store on DynamoDB: one table, conditional puts, no update in place and no delete."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketplace.adapters import journal, keys, listings, places
from marketplace.adapters.codec import TTL_ATTRIBUTE, Attributes, decode, epoch_seconds, time_text
from marketplace.adapters.cursors import cursor_at, position_of
from marketplace.adapters.dynamodb_calls import ConditionsFailed, DynamoDBCalls, key_attributes
from marketplace.adapters.keys import BY_STRIPE_ID, DUE, INDEXES, WORDS, Key, key_of
from marketplace.adapters.listings import Listing
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
        """The sales of a merchant or to a customer: of ``limit`` those that have the status."""
        listing = listings.sales(merchant_id=merchant_id, customer_id=customer_id, since=since, until=until)
        name = listings.name_of_sales(listing, status)
        rows, after = self._rows(listing, cursor, limit, *name)
        ids = [key_in(row).pk.removeprefix("TRANSACTION#") for row in rows]
        refs = [(Ref(Transaction, sale), Ref(Payment, sale)) for sale in ids]
        found = self._found([key for pair in refs for key in all_keys(pair)])
        sales = [(found(plan), found(payment)) for plan, payment in refs]
        there = ((p, f) for p, f in sales if p is not None and f is not None)
        return Page(items=tuple((p, f) for p, f in there if status in {None, f.status}), cursor=after)

    def subscriptions(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Subscription]:
        """The subscriptions of a merchant or a customer."""
        listing = listings.billing(Subscription, merchant_id=merchant_id, customer_id=customer_id)
        return self._page(Subscription, listing, cursor, limit, "subscriptions", merchant_id, customer_id)

    def invoices(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Invoice]:
        """The invoices of a merchant or a customer."""
        listing = listings.billing(Invoice, merchant_id=merchant_id, customer_id=customer_id)
        return self._page(Invoice, listing, cursor, limit, "invoices", merchant_id, customer_id)

    def merchants(self, *, cursor: str | None, limit: int) -> Page[Merchant]:
        """All merchants."""
        return self._page(Merchant, listings.all_merchants(), cursor, limit, "merchants")

    def products(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Product]:
        """A merchant's products."""
        return self._page(Product, listings.products_of(merchant_id), cursor, limit, "products", merchant_id)

    def prices(self, product_id: str, *, cursor: str | None, limit: int) -> Page[Price]:
        """A product's prices."""
        return self._page(Price, listings.prices_of(product_id), cursor, limit, "prices", product_id)

    def coupons(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Coupon]:
        """The coupons that are good for one merchant's products, or for those of all."""
        return self._page(Coupon, listings.coupons(merchant_id), cursor, limit, "coupons", merchant_id)

    def promotion_codes(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[PromotionCode]:
        """The codes of a coupon."""
        return self._page(PromotionCode, listings.promotion_codes_of(coupon_id), cursor, limit, "codes", coupon_id)

    def redemptions(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[Redemption]:
        """The sales that a coupon was used in."""
        return self._page(Redemption, listings.redemptions_of(coupon_id), cursor, limit, "redemptions", coupon_id)

    def debts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Debt]:
        """A merchant's debts."""
        return self._page(Debt, listings.debts_of(merchant_id), cursor, limit, "debts", merchant_id)

    def payouts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Payout]:
        """A merchant's payouts."""
        return self._page(Payout, listings.payouts_of(merchant_id), cursor, limit, "merchant_payouts", merchant_id)

    def open_debts(self, *, cursor: str | None, limit: int) -> Page[Debt]:
        """The debts of which something is owed; the index lags, and what was settled is left out."""
        page = self._page(Debt, listings.open_debts(), cursor, limit, "open_debts")
        return replace(page, items=tuple(each for each in page.items if each.status is DebtStatus.OPEN))

    def disputes(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Dispute]:
        """The disputes about a merchant's sales, or about all."""
        rows, after = self._rows(listings.disputes(merchant_id), cursor, limit, "disputes", merchant_id)
        refs = [Ref(Dispute, key_in(row).sk.rpartition("#")[2]) for row in rows]
        found = self._found(all_keys(refs))
        return Page(items=tuple(each for ref in refs if (each := found(ref)) is not None), cursor=after)

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
        return self._page(Audit, listings.audits(), cursor, limit, "audits")

    def findings(self, *, cursor: str | None, limit: int) -> Page[Finding]:
        """What audits found; the index lags, and what was resolved is left out."""
        page = self._page(Finding, listings.open_findings(), cursor, limit, "findings")
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
        return self._page(
            Reconciliation, listings.reconciliations_of(account), cursor, limit, "reconciliations", account
        )

    def payout_reconciliations(self, *, cursor: str | None, limit: int) -> Page[PayoutReconciliation]:
        """The automatic payouts of all accounts."""
        return self._page(PayoutReconciliation, listings.all_payouts(), cursor, limit, "payouts")

    def discrepancies(self, *, cursor: str | None, limit: int) -> Page[Discrepancy]:
        """The balance transactions that are open; the index lags, and what was resolved is left out."""
        page = self._page(Discrepancy, listings.open_discrepancies(), cursor, limit, "discrepancies")
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

    def _page[T: Item](
        self, kind: type[T], listing: Listing | None, cursor: str | None, limit: int, *list_name: str | None
    ) -> Page[T]:
        rows, after = self._rows(listing, cursor, limit, *list_name)
        if listing is not None and listing.index is not None:
            found = self._calls.get([key_in(row) for row in rows])
            rows = [found[key_in(row)] for row in rows if key_in(row) in found]
        return Page(items=tuple(decode(kind, row) for row in rows), cursor=after)

    def _rows(
        self, listing: Listing | None, cursor: str | None, limit: int, *list_name: str | None
    ) -> tuple[list[Attributes], str | None]:
        """A page of a list, of keys where it is read from an index, and the cursor of the next page."""
        if listing is None:
            return [], None
        begin = None if cursor is None else position_of(cursor, *list_name)
        span = listing.span(begin)
        rows = [] if span is None else self._calls.query(**_query(listing, begin, span), most=limit + 1)
        if len(rows) <= limit:
            return rows, None
        last = listing.position(key_in(rows[limit - 1]))
        return rows[:limit], cursor_at(last, *list_name)


def _query(listing: Listing, before: str | None, span: tuple[str, str]) -> dict[str, Any]:
    """The query of a list, newest first. The partition is the list's own whatever the cursor says."""
    values = {":partition": {"S": listing.partition}}
    query: dict[str, Any] = {"ScanIndexForward": False, "ExpressionAttributeValues": values}
    if listing.index is not None:
        partition, *_ = INDEXES[listing.index]
        condition = f"{partition} = :partition AND gsi_time BETWEEN :first AND :last"
        values |= {":first": {"S": span[0]}, ":last": {"S": span[1]}}
        return query | {"IndexName": listing.index, "KeyConditionExpression": condition}
    of_this_kind = "begins_with(sk, :word)"  # the partition holds other kinds too
    query["KeyConditionExpression"] = f"pk = :partition AND {of_this_kind}"
    values[":word"] = {"S": f"{WORDS[listing.kind]}#"}
    after = None if before is None else listing.key_at(before)
    return query if after is None else query | {"ExclusiveStartKey": key_attributes(after)}
