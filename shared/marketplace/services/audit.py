"""Audit: the invariants over every sale for which something was booked since the last audit.

It goes as far as Stripe's balance transactions of the platform were taken in. A page's findings are written first, then
the checkpoint: a crash reads a page again, and a finding is the same item however often it is found.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Final

from marketplace.domain.audits import Audit, Finding, not_at_rest, unreconciled
from marketplace.domain.books import Books
from marketplace.domain.closings import Posting
from marketplace.domain.commands import ALARM_AFTER
from marketplace.domain.ids import id_from
from marketplace.domain.invariants import Violation, violations
from marketplace.domain.ledger import PLATFORM, JournalEntry
from marketplace.domain.principals import SYSTEM
from marketplace.domain.reconciliation import Walk
from marketplace.ports import DUE_SHARDS, Conflict, Create, Ports, Ref, Replace, one
from marketplace.services.creating import MOST_AT_ONCE, create_missing
from marketplace.services.ledger import CLOSED_AFTER, FIRST_LOOK

START_OF_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
PAGE: Final = 100  # entries, of at most as many sales
MOST_LOOKED_AT: Final = 100  # open findings, in one run
WALKED_WITHIN: Final = timedelta(days=1)  # an account that is to be reconciled
MOST_OVERDUE: Final = 100  # counted in one shard: one is one too many


def audit(ports: Ports, *, has_time: Callable[[], bool]) -> Audit | None:
    """Go on with the audit that is under way, or begin one; None where nothing is to be audited yet.

    Raises:
        Conflict: another run is at it.
    """
    current = _current(ports)
    while current is not None and not current.is_done and has_time():
        current = _page(ports, current)
    for finding in ports.store.findings(cursor=None, limit=MOST_LOOKED_AT).items:
        if not has_time():
            break
        with suppress(Conflict):
            _look_again(ports, finding)
    return current


def overdue(ports: Ports) -> int:
    """How many items and accounts wait for longer than they may to be looked at (I13): a hundred a shard, at most."""
    now = ports.clock.now()
    items = sum(len(ports.store.due(shard, now=now - ALARM_AFTER, limit=MOST_OVERDUE)) for shard in range(DUE_SHARDS))
    return items + len(ports.store.due_walks(now=now - WALKED_WITHIN, limit=MOST_OVERDUE))


def _current(ports: Ports) -> Audit | None:
    """The audit to go on with, written when it is new."""
    last = next(iter(ports.store.audits(cursor=None, limit=1).items), None)
    if last is not None and not last.is_done:
        return last
    now, walk = ports.clock.now(), one(ports.store, Ref(Walk, PLATFORM))
    until = min(now - CLOSED_AFTER, walk.since) if walk is not None else now - FIRST_LOOK
    since = last.until if last is not None else now - FIRST_LOOK
    if until <= since:
        return None
    begun = Audit(id=ports.ids.new("audit"), since=since, until=until)
    ports.store.commit(Create(begun))
    return begun


def _page(ports: Ports, current: Audit) -> Audit:
    page = ports.store.journal(since=current.since, until=current.until, cursor=current.cursor, limit=PAGE)
    by_sale = _by_sale(page.items)
    found = [finding for sale, entries in by_sale.items() for finding in _findings(ports, sale, entries)]
    for some in batched(found, MOST_AT_ONCE, strict=False):
        there = create_missing(ports, [(Ref(Finding, each.id), each) for each in some])
        for again in (each for each in there.values() if not each.is_open):
            ports.store.commit(Replace(again, replace(again, resolved_at=None)))
    change = Replace(
        current,
        replace(
            current,
            cursor=page.cursor,
            is_done=page.cursor is None,
            entries=current.entries + len(page.items),
            transactions=current.transactions + len(by_sale),
            findings=current.findings + len(found),
        ),
    )
    ports.store.commit(change)
    return change.stored


def _by_sale(postings: Sequence[Posting]) -> Mapping[str, list[JournalEntry]]:
    grouped: dict[str, list[JournalEntry]] = defaultdict(list)
    for posting in postings:
        if posting.entry.transaction_id != PLATFORM:
            grouped[posting.entry.transaction_id].append(posting.entry)
    return grouped


def _findings(ports: Ports, transaction_id: str, entries: Sequence[JournalEntry]) -> Iterator[Finding]:
    books = ports.store.books(transaction_id, visible_to=SYSTEM)
    if books is None:
        broken, created = [Violation("I7 intent before money", transaction_id, "entries without a sale")], START_OF_TIME
    else:
        broken, created = _broken(ports, books, entries), books.transaction.created_at
    for each in {(violation.invariant, violation.what): violation for violation in broken}.values():
        yield Finding(
            id=id_from("finding", created, f"{transaction_id} {each.invariant} {each.what}"),
            transaction_id=transaction_id,
            invariant=each.invariant,
            what=each.what,
            found_at=ports.clock.now(),
        )


def _broken(ports: Ports, books: Books, entries: Sequence[JournalEntry]) -> list[Violation]:
    now = ports.clock.now()
    return [*violations(books, now), *not_at_rest(books, now), *unreconciled(books, entries)]


def _look_again(ports: Ports, finding: Finding) -> None:
    """Note that an invariant holds again, or that what breaks it is something else now and will be found as that."""
    books = ports.store.books(finding.transaction_id, visible_to=SYSTEM)
    if books is None:
        return
    broken = {(each.invariant, each.what) for each in _broken(ports, books, books.entries)}
    if (finding.invariant, finding.what) not in broken:
        ports.store.commit(Replace(finding, replace(finding, resolved_at=ports.clock.now())))
