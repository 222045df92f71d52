"""How the demo is printed: steps, and tables of money."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

MINOR_UNITS: Final = {"jpy": 0, "kwd": 3}


def chapter(title: str) -> None:
    """A new scene."""
    print(f"\n{title}\n{'─' * len(title)}")


def step(text: str) -> None:
    """One thing that happens."""
    print(f"  • {text}")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as what they hold; those of amounts are right-aligned."""
    lines = [list(headings), *[list(row) for row in rows]]
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    aligned = [str.rjust if any(map(_is_amount, column)) else str.ljust for column in columns]
    lines.insert(1, ["─" * width for width in widths])
    print()
    for line in lines:
        cells = [align(cell, width) for align, cell, width in zip(aligned, line, widths, strict=True)]
        print("    " + "  ".join(cells).rstrip())
    print()


def money(amount: int | None, currency: str) -> str:
    """`123.45 USD` of 12345 minor units."""
    if amount is None:
        return "?"
    digits = MINOR_UNITS.get(currency, 2)
    sign, units = "-" if amount < 0 else "", abs(amount)
    whole = f"{units // 10**digits:,}" + (f".{units % 10**digits:0{digits}d}" if digits else "")
    return f"{sign}{whole} {currency.upper()}"


def clock(moment: str) -> str:
    """The time of day of an ISO time."""
    return datetime.fromisoformat(moment).strftime("%H:%M:%S")


def ledger_table(entries: Iterable[dict[str, Any]], merchant_names: dict[str, str]) -> None:
    """A journal, entry by entry."""
    rows = []
    for entry in entries:
        for number, line in enumerate(entry["lines"]):
            amount = money(abs(line["amount"]), line["currency"])
            rows.append(
                [
                    entry["kind"] if number == 0 else "",
                    _named(line["account"], merchant_names),
                    amount if line["amount"] > 0 else "",
                    amount if line["amount"] < 0 else "",
                    line["source"] or "",
                ]
            )
    table(["entry", "account", "debit", "credit", "moved by"], rows)


def _named(account: str, merchant_names: dict[str, str]) -> str:
    kind, _, merchant_id = account.partition(":")
    return f"{kind}: {merchant_names.get(merchant_id, merchant_id)}" if merchant_id else kind


def _is_amount(text: str) -> bool:
    return bool(text) and text.lstrip("-")[:1].isdigit() and text[-3:].isupper()
