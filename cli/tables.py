"""Tables for a terminal."""

from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what is in them; a column of numbers stands to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    right = [all(row[number].lstrip("-").isdigit() for row in rows) for number in range(len(heads))]
    lines = [heads, ["─" * width for width in widths], *rows] if any(heads) else rows
    return "\n".join(
        "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )
