"""Exports for a bookkeeper: CSV as RFC 4180 has it, amounts in the currency's own units beside the minor ones.

A text that a spreadsheet would take for a formula is written with an apostrophe before it:
https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from marketplace.domain.closings import Balances, Posting
from marketplace.domain.ledger import PLATFORM, EntryKind
from marketplace.domain.money import major_units
from marketplace.domain.transactions import Payment, Transaction

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")  # a negative amount is no formula
LEDGER_COLUMNS: Final = (
    "booked_at", "occurred_at", "journal_id", "transaction_id", "account", "merchant_id", "debit", "credit",
    "currency", "debit_minor", "credit_minor", "stripe_id", "description",
)  # fmt: skip
TRANSACTION_COLUMNS: Final = (
    "transaction_id", "created_at", "paid_at", "status", "charge_type", "currency", "amount", "captured",
    "platform_fee", "refunded", "processing_fee", "processing_fee_currency", "charge_id", "payment_intent_id",
    "merchant_ids", "customer_id",
)  # fmt: skip
DESCRIPTIONS: Final[Mapping[EntryKind, str]] = {
    EntryKind.CHARGE: "paid by the buyer",
    EntryKind.SETTLEMENT: "split between the merchants and the platform",
    EntryKind.PROCESSING_FEE: "taken by Stripe",
    EntryKind.REFUND: "refunded to the buyer",
    EntryKind.RECOVERY: "taken back from the merchant for a refund",
    EntryKind.REFUND_FAILURE: "refund returned by the buyer's bank",
    EntryKind.FEE_REFUND: "fee returned to the merchant",
    EntryKind.APPORTIONMENT: "who bears a refund or dispute",
    EntryKind.TRANSFER: "transferred to the merchant",
    EntryKind.REVERSAL: "taken back from the merchant",
    EntryKind.DISPUTE: "withdrawn by the buyer's bank",
    EntryKind.REINSTATEMENT: "given back by the buyer's bank",
    EntryKind.DEBT: "owed by the merchant",
    EntryKind.NETTING: "debt kept from a later share",
    EntryKind.WRITE_OFF: "debt given up",
    EntryKind.PAYOUT: "paid out to the bank, or returned by it",
    EntryKind.STRIPE_FEE: "billed by Stripe",
    EntryKind.RESERVE: "kept back by Stripe, or given free",
    EntryKind.COLLECTION: "paid for a merchant's negative balance",
}

Row = Sequence[str]


def ledger_csv(
    since: datetime, until: datetime, opening: Balances, postings: Iterable[Posting], closing: Balances
) -> str:
    """The ledger of a period: opening balances, each line of each entry, closing balances, debits and credits apart.

    For each account and currency the opening balance and the lines add up to the closing balance.
    """
    rows = (row for posting in postings for row in _lines(posting))
    return csv_file(
        LEDGER_COLUMNS,
        (*_balances(since, opening, "opening balance"), *rows, *_balances(until, closing, "closing balance")),
    )


def transactions_csv(sales: Iterable[tuple[Transaction, Payment]]) -> str:
    """Sales, one in a row. Amounts are in the currency's own units."""
    return csv_file(TRANSACTION_COLUMNS, (_sale(transaction, payment) for transaction, payment in sales))


def _lines(posting: Posting) -> Iterator[Row]:
    entry = posting.entry
    sale = "" if entry.transaction_id == PLATFORM else entry.transaction_id
    for line in entry.lines:
        yield (
            time_cell(posting.booked_at), time_cell(entry.occurred_at), f"{entry.object_id}.{entry.kind}", sale,
            line.account, _merchant(line.account), *_amounts(line.amount, line.currency),
            line.source or _of_stripe(entry.object_id),
            DESCRIPTIONS.get(entry.kind, entry.kind.replace("_", " ")),
        )  # fmt: skip


def _of_stripe(object_id: str) -> str:
    """An id of Stripe's; ours have no underscore."""
    return object_id if "_" in object_id else ""


def _balances(at: datetime, balances: Balances, what: str) -> Iterator[Row]:
    for (account, currency), amount in balances.items():
        yield (time_cell(at), "", "", "", account, _merchant(account), *_amounts(amount, currency), "", what)


def _amounts(amount: int, currency: str) -> Row:
    """Debit, credit, currency, and both again in minor units; one of them is empty."""
    major, minor = major_units(abs(amount), currency), str(abs(amount))
    if amount < 0:
        return ("", major, currency, "", minor)
    return (major, "", currency, minor, "")


def _sale(transaction: Transaction, payment: Payment) -> Row:
    currency = transaction.currency
    fee_currency = payment.processing_fee_currency or currency
    taken = payment.processing_fee
    return (
        transaction.id, time_cell(transaction.created_at), time_cell(payment.paid_at), payment.status,
        transaction.charge_type, currency, major_units(transaction.amount, currency),
        "" if payment.captured is None else major_units(payment.captured, currency),
        major_units(transaction.fee, currency), major_units(payment.refund_reserved, currency),
        "" if taken is None else major_units(taken, fee_currency), "" if taken is None else fee_currency,
        payment.charge_id or "", payment.payment_intent_id or "",
        " ".join(leg.merchant_id for leg in transaction.legs), transaction.customer_id or "",
    )  # fmt: skip


def csv_file(columns: Row, rows: Iterable[Row]) -> str:
    """The file; what a spreadsheet would take for a formula is text in it."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return written.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) and not NUMBER.fullmatch(cell) else cell


def _merchant(account: str) -> str:
    return account.partition(":")[2]


def time_cell(moment: datetime | None) -> str:
    """A moment in UTC, to the second."""
    return "" if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
