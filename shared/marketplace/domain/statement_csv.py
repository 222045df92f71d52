"""A merchant's statement as a file for its bookkeeper: of each currency the opening balance, movements, closing.

Columns are in the currency's own units but ``net_minor`` and ``balance_minor``, which are minor units.
"""

from collections.abc import Iterator
from typing import Final

from marketplace.domain.exports import Row, csv_file, time_cell
from marketplace.domain.money import major_units
from marketplace.domain.statements import DebtSummary, Statement

COLUMNS: Final = (
    "account", "at", "kind", "amount", "fee", "tax", "net", "balance", "currency", "net_minor", "balance_minor",
    "balance_transaction_id", "stripe_id", "related_id", "type",
)  # fmt: skip
BALANCE, DEBT = "stripe_balance", "debt"


def statement_csv(statement: Statement) -> str:
    """The file: the balance at Stripe with its running sum, then the debt to the platform."""
    return csv_file(COLUMNS, (*_balance_rows(statement), *_debt_rows(statement)))


def _balance_rows(statement: Statement) -> Iterator[Row]:
    running = {each.currency: each.opening for each in statement.balances}
    for each in statement.balances:
        yield _standing(BALANCE, time_cell(statement.since), "opening balance", each.opening, each.currency)
    for line in statement.lines:
        currency = line.currency
        running[currency] = running.get(currency, 0) + line.net
        amounts = [major_units(each, currency) for each in (line.amount, -line.fee, -line.tax, line.net)]
        yield (
            BALANCE, time_cell(line.created), line.kind, *amounts, major_units(running[currency], currency), currency,
            str(line.net), str(running[currency]), line.id, line.stripe_id or "", line.related_id or "", line.type,
        )  # fmt: skip
    for each in statement.balances:
        yield _standing(BALANCE, time_cell(statement.until), "closing balance", each.closing, each.currency)


def _debt_rows(statement: Statement) -> Iterator[Row]:
    """What is owed is positive."""
    for each in statement.debts:
        yield _standing(DEBT, time_cell(statement.since), "opening balance", each.opening, each.currency)
        for what, amount in _moved(each):
            if amount:
                net = major_units(amount, each.currency)
                yield (DEBT, "", what, net, "", "", net, "", each.currency, str(amount), "", "", "", "", "")
        yield _standing(DEBT, time_cell(statement.until), "closing balance", each.closing, each.currency)


def _moved(debt: DebtSummary) -> Iterator[tuple[str, int]]:
    yield "booked", debt.booked
    yield "netted", -debt.netted
    yield "collected", -debt.collected
    yield "written off", -debt.written_off


def _standing(account: str, at: str, what: str, amount: int, currency: str) -> Row:
    standing = major_units(amount, currency)
    return (account, at, what, "", "", "", "", standing, currency, "", str(amount), "", "", "", "")
