"""Whose a balance transaction is, and whether the ledger says the same: what is missing on our side is booked.

All of it can be done again: a page that was taken in twice ends as if it had been once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import batched
from typing import Final

from marketplace.domain.balance_transactions import BalanceTransaction, alone
from marketplace.domain.books import Books
from marketplace.domain.errors import Unavailable
from marketplace.domain.ids import id_from
from marketplace.domain.ledger import PLATFORM, JournalEntry
from marketplace.domain.postings import charge_entries
from marketplace.domain.principals import SYSTEM
from marketplace.domain.reconciliation import OPEN, Discrepancy, LineStatus, processing_fee, status_of
from marketplace.domain.transactions import Payment
from marketplace.ports import Change, Conflict, Create, Ports, Ref, Replace
from marketplace.services.creating import MOST_COMMIT_TRIES, create_missing

MOST_LINES_AT_ONCE: Final = 90  # of one sale, with its payment and the entry of its fee in one commit of 100

Found = list[tuple[LineStatus, BalanceTransaction]]


def take_in(ports: Ports, lines: Sequence[BalanceTransaction]) -> Found:
    """What up to 100 balance transactions of one account are; what is open is written down as a discrepancy.

    Stripe's fees are booked with the lines of their charges; payouts, reserves and what Stripe bills by themselves.

    Raises:
        Unavailable: the records kept moving, or the store did not answer.
    """
    found: Found = [(_status_alone(line), line) for line in lines if line.is_of_no_sale]
    create_missing(
        ports, [(_entry_ref(entry), entry) for line in lines if line.is_platforms and (entry := alone(line))]
    )
    for transaction_id, of_sale in _by_sale(ports, [line for line in lines if not line.is_of_no_sale]).items():
        for some in batched(of_sale, MOST_LINES_AT_ONCE, strict=False):
            found += take_in_sale(ports, transaction_id, some)
    return _with_discrepancies(ports, found)


def take_in_sale(ports: Ports, transaction_id: str | None, lines: Sequence[BalanceTransaction]) -> Found:
    """What lines of one sale are. They are written into its books, with Stripe's fee where that was not known."""
    for _ in range(MOST_COMMIT_TRIES):
        books = ports.store.books(transaction_id, visible_to=SYSTEM) if transaction_id else None
        if books is None:
            return [(LineStatus.UNEXPLAINED, line) for line in lines]
        own = [line.of(books.transaction.id) for line in lines]
        known = {line.id: line for line in (*books.balance_transactions, *own)}
        payment = _with_fee(books, known.values())
        entries = charge_entries(books.payment, payment)
        paid: Sequence[Change] = [Replace(books.payment, payment)] if payment != books.payment else []
        taken_in = {line.id for line in books.balance_transactions}
        try:
            ports.store.commit(*paid, *map(Create, entries), *(Create(line) for line in own if line.id not in taken_in))
        except Conflict:
            continue
        return [(status_of(line, (*books.entries, *entries), known.values()), line) for line in own]
    raise Unavailable("the books of this sale keep changing")


def sale_of(ports: Ports, line: BalanceTransaction) -> str | None:
    """The sale that a line is of: the one that we wrote on its object, or that one of its names was booked in."""
    if line.transaction_id is not None:
        return line.transaction_id
    return next((sale for name in line.names if (sale := ports.store.transaction_of(name))), None)


def discrepancy_ref(line: BalanceTransaction) -> Ref[Discrepancy]:
    """Where the discrepancy of a line stands, if it has one."""
    return Ref(Discrepancy, id_from("discrepancy", line.created, f"{line.account} {line.id}"), owner=line.account)


def _status_alone(line: BalanceTransaction) -> LineStatus:
    return LineStatus.MATCHED if line.is_platforms else LineStatus.MERCHANTS_OWN


def _entry_ref(entry: JournalEntry) -> Ref[JournalEntry]:
    return Ref(JournalEntry, f"{entry.object_id}#{entry.kind}", owner=PLATFORM)


def _by_sale(ports: Ports, lines: Iterable[BalanceTransaction]) -> Mapping[str | None, list[BalanceTransaction]]:
    """The lines by their sale, None for those that have none. What one line names often stands beside it."""
    by_name = {name: line.transaction_id for line in lines if line.transaction_id for name in line.names}
    grouped: dict[str | None, list[BalanceTransaction]] = defaultdict(list)
    for line in lines:
        near = next((sale for name in line.names if (sale := by_name.get(name))), None)
        grouped[line.transaction_id or near or sale_of(ports, line)].append(line)
    return grouped


def _with_fee(books: Books, lines: Iterable[BalanceTransaction]) -> Payment:
    """The payment with what Stripe took, once all of the charge's lines are in."""
    payment = books.payment
    if payment.processing_fee is not None or payment.charge_id is None or payment.paid_at is None:
        return payment
    is_partial = payment.authorized is not None and (payment.captured or 0) < payment.authorized
    taken = processing_fee(payment.charge_id, lines, is_partial=is_partial)
    if taken is None:
        return payment
    fee, currency = taken
    return replace(payment, processing_fee=fee, processing_fee_currency=currency)


def _with_discrepancies(ports: Ports, found: Found) -> Found:
    """The lines as they were first found to be: one that was open then counts as open until it is resolved."""
    refs = {line.id: discrepancy_ref(line) for _, line in found}
    kept = ports.store.get(*refs.values())
    new = list(_new_discrepancies(found, refs))
    create_missing(ports, [(refs[each.line.id], each) for each in new])
    known = {line_id: there for line_id, ref in refs.items() if (there := kept(ref)) is not None and there.is_open}
    return [(known[line.id].status if line.id in known else status, line) for status, line in found]


def _new_discrepancies(found: Found, refs: Mapping[str, Ref[Discrepancy]]) -> Iterator[Discrepancy]:
    for status, line in found:
        if status in OPEN:
            yield Discrepancy(id=refs[line.id].id, line=line, status=status)
