"""Items of the domain as whole items of the table, and what a read of several of them says."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from marketplace.adapters.codec import Attributes, decode, encode
from marketplace.adapters.keys import KINDS, WORDS, Key, key_of, ref_of
from marketplace.adapters.places import index_attributes, journal_place
from marketplace.domain.balance_transactions import BalanceTransaction
from marketplace.domain.books import Books, EventMarker, IdempotencyRecord
from marketplace.domain.closings import Posting
from marketplace.domain.commands import Command
from marketplace.domain.disputes import Dispute
from marketplace.domain.ledger import JournalEntry
from marketplace.domain.merchants import OnboardingLink
from marketplace.domain.principals import Principal
from marketplace.domain.refunds import Refund
from marketplace.domain.shares import Share
from marketplace.domain.transactions import Payment, Transaction
from marketplace.ports import Change, Create, Item, Ref

Expiring = EventMarker | IdempotencyRecord | OnboardingLink
MOST_ITEMS: Final = 100  # of one call: DynamoDB's limit for BatchGetItem and TransactWriteItems, and ours for a page


def item_attributes(item: Item, now: datetime) -> Attributes:
    """The whole item as it is written ``now``: its keys, its places in the indexes, its facts.

    Raises:
        ValueError: its id has not the shape of its kind.
    """
    key = key_of(ref_of(item))
    if key is None:
        raise ValueError(f"{ref_of(item)} has no key: its id is not of its kind's shape")
    booked = journal_place(item, now) if isinstance(item, JournalEntry) else {}
    places = {name: {"S": value} for name, value in {**index_attributes(item), **booked}.items()}
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}} | places | encode(item)


def written(change: Change, now: datetime) -> Attributes:
    """The item that a change puts into the table.

    Raises:
        ValueError: a replacement by another item.
    """
    if isinstance(change, Create):
        return item_attributes(change.item, now)
    if key_of(ref_of(change.before)) != key_of(ref_of(change.after)):
        raise ValueError(f"{ref_of(change.before)} cannot be replaced by {ref_of(change.after)}")
    return item_attributes(change.stored, now)


def all_written(changes: Sequence[Change], now: datetime) -> dict[Key, Attributes]:
    """The items that a commit puts into the table, in the order of its changes.

    Raises:
        ValueError: too many changes, or two of one item.
    """
    puts = {key_in(attributes): attributes for attributes in (written(each, now) for each in changes)}
    if len(puts) != len(changes) or len(changes) > MOST_ITEMS:
        raise ValueError(f"a commit is of at most {MOST_ITEMS} changes, each of another item")
    return puts


def all_keys(refs: Iterable[Ref[Any]]) -> list[Key]:
    """The keys of what is referred to, each once; an id that has not the shape of its kind has none.

    Raises:
        ValueError: too many.
    """
    keys = list(dict.fromkeys(key for ref in refs if (key := key_of(ref)) is not None))
    if len(keys) > MOST_ITEMS:
        raise ValueError(f"at most {MOST_ITEMS} items are read at once")
    return keys


def key_in(attributes: Attributes) -> Key:
    """The key of an item that was read."""
    return Key(attributes["pk"]["S"], attributes["sk"]["S"])


def item_in(attributes: Attributes) -> Item | None:
    """The item of the domain in an item that was read; None where this version of the code knows no such kind."""
    kind = KINDS.get(attributes["sk"]["S"].partition("#")[0])
    return None if kind is None else decode(kind, attributes)


def posting_in(attributes: Attributes) -> Posting:
    """The journal entry in a row of the journal, and when it was booked."""
    booked_at = datetime.fromisoformat(attributes["gsi_booked_at"]["S"].partition("#")[0])
    return Posting(booked_at=booked_at, entry=decode(JournalEntry, attributes))


def has_expired(item: Item, now: datetime) -> bool:
    """Whether an item is as good as gone: DynamoDB removes it only hours or days later."""
    return isinstance(item, Expiring) and item.expires_at <= now


class FoundItems:
    """The items that a read brought, decoded as they are asked for."""

    def __init__(self, items: Mapping[Key, Attributes], now: datetime) -> None:
        self._items = items
        self._now = now

    def __call__[T: Item](self, ref: Ref[T]) -> T | None:
        """The item, or None where there is none."""
        key = key_of(ref)
        if key is None or key not in self._items:
            return None
        item = decode(ref.kind, self._items[key])
        return None if has_expired(item, self._now) else item


def books_of(partition: Iterable[Attributes], *, visible_to: Principal, now: datetime) -> Books | None:
    """The books in a transaction's partition, or None where it is empty or the caller may not see them."""
    by_kind: dict[type[Any], list[Any]] = {kind: [] for kind in WORDS}
    for attributes in partition:
        item = item_in(attributes)
        if item is not None and not has_expired(item, now):
            by_kind[type(item)].append(item)
    if not by_kind[Transaction]:
        return None
    (transaction,), (payment,) = by_kind[Transaction], by_kind[Payment]
    if not transaction.is_visible_to(visible_to):
        return None
    return Books(
        transaction=transaction,
        payment=payment,
        refunds={refund.id: refund for refund in by_kind[Refund]},
        commands={command.id: command for command in by_kind[Command]},
        entries=tuple(by_kind[JournalEntry]),
        idempotency={record.scope: record for record in by_kind[IdempotencyRecord]},
        shares={share.merchant_id: share for share in by_kind[Share]},
        disputes={dispute.id: dispute for dispute in by_kind[Dispute]},
        balance_transactions=tuple(by_kind[BalanceTransaction]),
    )
