"""The Store in memory: what DynamoDB would hold, in a dict, and a test may step in before and after every call.

Every item goes through the codec. `tests/contract` holds this store and DynamoDB against the same sentences.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from marketplace.adapters import keys, listings, places
from marketplace.adapters.codec import Attributes, decode, time_text
from marketplace.adapters.cursors import cursor_at, position_of
from marketplace.adapters.journal import journal_name, journal_position
from marketplace.adapters.keys import INDEXES, WORDS, Key, key_of
from marketplace.adapters.listings import Listing
from marketplace.adapters.records import (
    FoundItems,
    all_keys,
    all_written,
    books_of,
    has_expired,
    item_in,
    key_in,
    posting_in,
)
from marketplace.domain.audits import Audit, Finding
from marketplace.domain.books import Books
from marketplace.domain.catalog import Price, Product
from marketplace.domain.closings import AccountBalance, Closing, Posting
from marketplace.domain.debts import Debt
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
from marketplace.ports import Change, Clock, Conflict, Create, Found, Item, Page, Ref, Watched

Hook = Callable[[str, tuple[Change, ...]], None]


def do_nothing(call: str, changes: tuple[Change, ...]) -> None:
    """The hook that is no hook."""


class MemoryStore:
    """A Store for tests, for threads too.

    ``before`` and ``after`` are called around every call with its name and, for ``commit``, its changes. What
    ``before`` raises is raised and nothing was done; what ``after`` raises is raised and all was done: a crash, or an
    answer that was lost. ``after`` is not called where the call itself raised. No lock is held meanwhile, so a hook
    may use the store itself, for example to be first.
    """

    def __init__(self, clock: Clock, *, before: Hook = do_nothing, after: Hook = do_nothing) -> None:
        self.before = before
        self.after = after
        self._clock = clock
        self._items: dict[Key, Attributes] = {}
        self._decoded: dict[Key, tuple[Attributes, Item | None]] = {}  # rows are replaced, never altered
        self._lock = threading.RLock()

    def get(self, *refs: Ref[Any]) -> Found:
        wanted = all_keys(refs)
        with self._step("get"):
            return FoundItems({key: self._items[key] for key in wanted if key in self._items}, self._clock.now())

    def books(self, transaction_id: str, *, visible_to: Principal) -> Books | None:
        with self._step("books"):
            head = key_of(Ref(Transaction, transaction_id))
            items = [self._items[key] for key in sorted(self._items) if head and key.pk == head.pk]
            return books_of(items, visible_to=visible_to, now=self._clock.now())

    def commit(self, *changes: Change) -> None:
        puts = all_written(changes, self._clock.now())
        with self._step("commit", changes):
            unfit = [change for key, change in zip(puts, changes, strict=True) if not self._fits(change, key)]
            if unfit:
                raise Conflict(unfit)
            self._items |= puts

    def transactions(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int,
        status: TransactionStatus | None = None, since: datetime | None = None, until: datetime | None = None,
    ) -> Page[tuple[Transaction, Payment]]:  # fmt: skip
        listing = listings.sales(
            merchant_id=merchant_id, customer_id=customer_id, status=status, since=since, until=until
        )
        with self._step("transactions"):
            page = self._page(listing, cursor, limit)
            payments = {payment.transaction_id: payment for payment in self._all(Payment)}
            sales = ((plan, payments[plan.id]) for plan in page.items)
            return Page(items=tuple(sale for sale in sales if status in {None, sale[1].status}), cursor=page.cursor)

    def refunds(
        self, merchant_id: str | None, *, cursor: str | None, limit: int, status: RefundStatus | None = None,
        since: datetime | None = None, until: datetime | None = None,
    ) -> Page[Refund]:  # fmt: skip
        listing = listings.refunds(merchant_id, status=status, since=since, until=until)
        with self._step("refunds"):
            page = self._page(listing, cursor, limit)
            return Page(items=tuple(each for each in page.items if status in {None, each.status}), cursor=page.cursor)

    def subscriptions(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Subscription]:
        listing = listings.billing(Subscription, merchant_id=merchant_id, customer_id=customer_id)
        with self._step("subscriptions"):
            return self._page(listing, cursor, limit)

    def invoices(
        self, *, merchant_id: str | None, customer_id: str | None, cursor: str | None, limit: int
    ) -> Page[Invoice]:
        listing = listings.billing(Invoice, merchant_id=merchant_id, customer_id=customer_id)
        with self._step("invoices"):
            return self._page(listing, cursor, limit)

    def merchants(self, *, cursor: str | None, limit: int) -> Page[Merchant]:
        with self._step("merchants"):
            return self._page(listings.all_merchants(), cursor, limit)

    def products(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Product]:
        with self._step("products"):
            return self._page(listings.products_of(merchant_id), cursor, limit)

    def prices(self, product_id: str, *, cursor: str | None, limit: int) -> Page[Price]:
        with self._step("prices"):
            return self._page(listings.prices_of(product_id), cursor, limit)

    def coupons(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Coupon]:
        with self._step("coupons"):
            return self._page(listings.coupons(merchant_id), cursor, limit)

    def promotion_codes(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[PromotionCode]:
        with self._step("promotion_codes"):
            return self._page(listings.promotion_codes_of(coupon_id), cursor, limit)

    def redemptions(self, coupon_id: str, *, cursor: str | None, limit: int) -> Page[Redemption]:
        with self._step("redemptions"):
            return self._page(listings.redemptions_of(coupon_id), cursor, limit)

    def debts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Debt]:
        with self._step("debts"):
            return self._page(listings.debts_of(merchant_id), cursor, limit)

    def payouts(self, merchant_id: str, *, cursor: str | None, limit: int) -> Page[Payout]:
        with self._step("payouts"):
            listing = listings.payouts_of(merchant_id)
            return self._page(listing, cursor, limit)

    def open_debts(self, *, cursor: str | None, limit: int) -> Page[Debt]:
        with self._step("open_debts"):
            return self._page(listings.open_debts(), cursor, limit)

    def disputes(self, merchant_id: str | None, *, cursor: str | None, limit: int) -> Page[Dispute]:
        with self._step("disputes"):
            return self._page(listings.disputes(merchant_id), cursor, limit)

    def merchant_of_account(self, account_id: str) -> str | None:
        with self._step("merchant_of_account"):
            ids = [item.id for item in self._all(Merchant) if item.account_id == account_id]
            return ids[0] if ids else None

    def waiting_shares(self, merchant_id: str, *, limit: int) -> Sequence[Share]:
        with self._step("waiting_shares"):
            mine = (share for share in self._all(Share) if share.merchant_id == merchant_id)
            return [share for share in mine if share.hold is Hold.NOT_READY][:limit]

    def journal(self, *, since: datetime, until: datetime, cursor: str | None, limit: int) -> Page[Posting]:
        name = journal_name(since, until)
        with self._step("journal"):
            begin = time_text(since) if cursor is None else journal_position(cursor, *name) + " "
            rows = sorted(
                (row for row in self._items.values() if "gsi_day" in row), key=lambda row: row["gsi_booked_at"]["S"]
            )
            found = [row for row in rows if begin <= row["gsi_booked_at"]["S"] <= time_text(until)]
            after = cursor_at(found[limit - 1]["gsi_booked_at"]["S"], *name) if len(found) > limit else None
            return Page(items=tuple(map(posting_in, found[:limit])), cursor=after)

    def closing(self, at: datetime) -> Closing | None:
        with self._step("closing"):
            return max((each for each in self._all(Closing) if each.at <= at), key=lambda each: each.at, default=None)

    def closed_balances(self, at: datetime, *, account: str | None) -> Sequence[AccountBalance]:
        with self._step("closed_balances"):
            rows = [each for each in self._all(AccountBalance) if each.at == at]
            return [each for each in rows if account is None or each.account == account]

    def audits(self, *, cursor: str | None, limit: int) -> Page[Audit]:
        with self._step("audits"):
            return self._page(listings.audits(), cursor, limit)

    def findings(self, *, cursor: str | None, limit: int) -> Page[Finding]:
        with self._step("findings"):
            return self._page(listings.open_findings(), cursor, limit)

    def transaction_of(self, stripe_id: str) -> str | None:
        with self._step("transaction_of"):
            partitions = (key.pk for key, row in self._items.items() if row.get("gsi_stripe") == {"S": stripe_id})
            head, _, subject = next(partitions, "").partition("#")
            return subject if head == WORDS[Transaction] else None

    def due_walks(self, *, now: datetime, limit: int) -> Sequence[Walk | PayoutReconciliation]:
        with self._step("due_walks"):
            items = self._due_in(keys.WALKS, now, limit)
            return [item for item in items if isinstance(item, Walk | PayoutReconciliation)]

    def reconciliations(self, account: str | None, *, cursor: str | None, limit: int) -> Page[Reconciliation]:
        with self._step("reconciliations"):
            listing = listings.reconciliations_of(account)
            return self._page(listing, cursor, limit)

    def payout_reconciliations(self, *, cursor: str | None, limit: int) -> Page[PayoutReconciliation]:
        with self._step("payout_reconciliations"):
            return self._page(listings.all_payouts(), cursor, limit)

    def discrepancies(self, *, cursor: str | None, limit: int) -> Page[Discrepancy]:
        with self._step("discrepancies"):
            return self._page(listings.open_discrepancies(), cursor, limit)

    def due(self, shard: int, *, now: datetime, limit: int) -> Sequence[Watched]:
        with self._step("due"):
            return [item for item in self._due_in(places.due_shard(shard), now, limit) if isinstance(item, Watched)]

    def _due_in(self, partition: str, now: datetime, limit: int) -> list[Item | None]:
        due = [
            (attributes["gsi_due_at"]["S"], key)
            for key, attributes in self._items.items()
            if attributes.get("gsi_due") == {"S": partition} and attributes["gsi_due_at"]["S"] <= time_text(now)
        ]
        return [self._item(key) for _, key in sorted(due)[:limit]]

    def fork(self) -> "MemoryStore":
        """Another store that holds the same now, without hooks."""
        twin = MemoryStore(self._clock)
        with self._lock:
            twin._items = dict(self._items)
        return twin

    def restore(self, rows: Iterable[Attributes]) -> None:
        """Put items there as they were written, by whichever version."""
        with self._lock:
            self._items |= {key_in(row): row for row in rows}

    def snapshot(self) -> Mapping[Key, Item]:
        """All that is stored now, expired or not, to compare states with."""
        with self._lock:
            items = ((key, self._item(key)) for key in sorted(self._items))
            return {key: item for key, item in items if item is not None}

    @contextmanager
    def _step(self, call: str, changes: tuple[Change, ...] = ()) -> Iterator[None]:
        self.before(call, changes)
        with self._lock:
            yield
        self.after(call, changes)

    def _fits(self, change: Change, key: Key) -> bool:
        stands = self._item(key) if key in self._items else None
        if isinstance(change, Create):
            return stands is None or has_expired(stands, self._clock.now())
        return stands is not None and getattr(stands, "version", None) == change.before.version

    def _page[T: Item](self, listing: Listing[T] | None, cursor: str | None, limit: int) -> Page[T]:
        if listing is None:
            return Page(items=(), cursor=None)
        rows = {listing.position(key): key for key in self._items if self._is_in(listing, key)}
        span = listing.span(None if cursor is None else position_of(cursor, *listing.name))
        first, last = span or (listings.HIGHEST, listings.LOWEST)
        positions = sorted((position for position in rows if first <= position <= last), reverse=True)
        found = [self._items[listing.key_of_item(rows[position])] for position in positions[:limit]]
        after = cursor_at(positions[limit - 1], *listing.name) if len(positions) > limit else None
        return Page(items=tuple(decode(listing.kind, item) for item in found), cursor=after)

    def _is_in(self, listing: Listing[Any], key: Key) -> bool:
        if listing.index is None:
            return key.pk == listing.partition and key.sk.startswith(WORDS[listing.kind] + "#")
        place, _ = INDEXES[listing.index]
        return self._items[key].get(place, {}).get("S") in listing.partitions

    def _all[T: Item](self, kind: type[T]) -> list[T]:
        return [item for item in map(self._item, self._items) if isinstance(item, kind)]

    def _item(self, key: Key) -> Item | None:
        row = self._items[key]
        known = self._decoded.get(key)
        if known is None or known[0] is not row:
            known = self._decoded[key] = row, item_in(row)
        return known[1]
