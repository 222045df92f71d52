"""Tax of a period by jurisdiction, as the ledger has it: owed, collected, returned, and owed at the end."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from marketplace.domain.closings import Balances, Posting
from marketplace.domain.exports import csv_file
from marketplace.domain.ledger import TAX_PAYABLE, EntryKind, is_tax
from marketplace.domain.money import major_units

COLUMNS: Final = (
    "jurisdiction", "currency", "opening", "collected", "returned", "due", "opening_minor", "collected_minor",
    "returned_minor", "due_minor",
)  # fmt: skip


class TaxRow(NamedTuple):
    """Minor units of one currency for one jurisdiction: ``opening`` and ``collected`` less ``returned`` is ``due``.

    ``returned`` is what refunds and disputes gave back, less what of them failed or was won.
    """

    jurisdiction: str
    currency: str
    opening: int
    collected: int
    returned: int

    @property
    def due(self) -> int:
        """What is owed at the end of the period: the ledger's balance, as a credit."""
        return self.opening + self.collected - self.returned


def tax_rows(opening: Balances, postings: Iterable[Posting]) -> list[TaxRow]:
    """The jurisdictions with anything to tell, by name; ``opening`` are the ledger's balances before the postings."""
    owed = {key: -balance for key, balance in opening.items() if is_tax(key[0])}
    collected: Counter[tuple[str, str]] = Counter()
    returned: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        is_settlement = posting.entry.kind is EntryKind.SETTLEMENT
        for line in (each for each in posting.entry.lines if is_tax(each.account)):
            if is_settlement:
                collected[line.account, line.currency] -= line.amount
            else:
                returned[line.account, line.currency] += line.amount
    keys = sorted({*owed, *collected, *returned})
    return [
        TaxRow(account.removeprefix(TAX_PAYABLE), currency, owed.get((account, currency), 0),
               collected[account, currency], returned[account, currency])
        for account, currency in keys
    ]  # fmt: skip


def tax_csv(rows: Iterable[TaxRow]) -> str:
    """The report as a file: amounts in the currency's own unit, then in minor units."""
    return csv_file(COLUMNS, map(_cells, rows))


def _cells(row: TaxRow) -> tuple[str, ...]:
    amounts = (row.opening, row.collected, row.returned, row.due)
    major = (major_units(amount, row.currency) for amount in amounts)
    return (row.jurisdiction, row.currency, *major, *map(str, amounts))
