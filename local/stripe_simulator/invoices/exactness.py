"""Whether what is billed adds up: a walk over the whole state, for tests and for whoever wants to be sure."""

from collections import Counter
from collections.abc import Iterator

from ..resources.customers import CUSTOMERS
from ..state import Store
from ..values import Object
from .balance import BALANCE_ENTRIES
from .credit_lines import CREDIT_NOTE_LINES
from .crediting import CREDIT_NOTES, ISSUED
from .records import DRAFT, INVOICE_LINES, INVOICES


def examine(store: Store) -> list[str]:
    """What does not add up, in words: balances of customers, invoices, credit notes and what they left of each line."""
    return [*_balances(store), *_invoices(store), *_credit_notes(store), *_lines(store)]


def _balances(store: Store) -> Iterator[str]:
    """Every customer's balance is the sum of its entries, each of which says what it was then."""
    running: Counter[tuple[str, str]] = Counter()
    for account, entry in store.stored(BALANCE_ENTRIES):
        running[account, entry["customer"]] += entry["amount"]
        if entry["ending_balance"] != running[account, entry["customer"]]:
            yield f"{entry['id']} ends with {entry['ending_balance']}"
    for account, customer in store.stored(CUSTOMERS):
        if "deleted" not in customer and customer["balance"] != running[account, customer["id"]]:
            yield f"{customer['id']} has a balance of {customer['balance']}"


def _invoices(store: Store) -> Iterator[str]:
    """What is due is the total, less what the customer's balance gave and what credit notes took; paid, or left."""
    before: Counter[tuple[str, str]] = Counter()
    after: Counter[tuple[str, str]] = Counter()
    for account, note in store.stored(CREDIT_NOTES):
        if note["status"] == ISSUED:
            before[account, note["invoice"]] += note["pre_payment_amount"]
            after[account, note["invoice"]] += note["post_payment_amount"]
    for account, invoice in store.stored(INVOICES):
        key = account, invoice["id"]
        if invoice["total"] != _total(invoice):
            yield f"{invoice['id']} does not add up to its total of {invoice['total']}"
        taken = invoice["pre_payment_credit_notes_amount"], invoice["post_payment_credit_notes_amount"]
        if taken != (before[key], after[key]):
            yield f"{invoice['id']} says that credit notes took {taken}"
        if "deleted" in invoice or invoice["status"] == DRAFT:
            continue
        from_balance = invoice["ending_balance"] - invoice["starting_balance"]
        if invoice["amount_due"] != invoice["total"] - from_balance - before[key]:
            yield f"{invoice['id']} says that {invoice['amount_due']} is due"
        if invoice["amount_remaining"] != invoice["amount_due"] - invoice["amount_paid"]:
            yield f"{invoice['id']} says that {invoice['amount_remaining']} remains"


def _credit_notes(store: Store) -> Iterator[str]:
    """A credit note is the sum of its lines, before and after the payment."""
    subtotals: Counter[tuple[str, str]] = Counter()
    for account, line in store.stored(CREDIT_NOTE_LINES):
        subtotals[account, line["_credit_note"]] += line["amount"]
    for account, note in store.stored(CREDIT_NOTES):
        parts = note["pre_payment_amount"] + note["post_payment_amount"]
        if subtotals[account, note["id"]] != note["subtotal"] or not note["total"] == _total(note) == parts:
            yield f"{note['id']} does not add up to its total of {note['total']}"


def _lines(store: Store) -> Iterator[str]:
    """No line of an invoice was taken back beyond what it was, and with all of it all of its discounts and taxes."""
    taken: Counter[tuple[str, str, str]] = Counter()
    for account, line in store.stored(CREDIT_NOTE_LINES):
        if line["_counted_for"]:
            for name, amount in _parts(line).items():
                taken[account, line["_counted_for"], name] += amount
    for account, line in store.stored(INVOICE_LINES):
        parts = _parts(line)
        left = {name: amount - taken[account, line["id"], name] for name, amount in parts.items()}
        if taken[account, line["id"], "amount"] and (
            min(left.values()) < 0 or (not left["amount"] and any(left.values()))
        ):
            yield f"{line['id']} has {left} left of {parts}"


def _total(item: Object) -> int:
    """Subtotal less discounts, with the taxes that are on top."""
    off = item["total_discount_amounts"] if "total_discount_amounts" in item else item["discount_amounts"]
    on_top = [tax["amount"] for tax in item["total_taxes"] or () if tax["tax_behavior"] == "exclusive"]
    total: int = item["subtotal"] - sum(each["amount"] for each in off) + sum(on_top) + item["amount_shipping"]
    return total


def _parts(line: Object) -> dict[str, int]:
    return {
        "amount": line["amount"],
        "discount": sum(each["amount"] for each in line["discount_amounts"]),
        "tax": sum(tax["amount"] for tax in line["taxes"]),
    }
