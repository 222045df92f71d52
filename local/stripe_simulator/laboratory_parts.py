"""What the laboratory's pages are put together from."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from .money import amount_text
from .pages import Markup, fill, joined
from .values import Object

_TABLE: Final = """
<section><h2>{heading}</h2>
<div class="scroll" role="region" aria-label="{heading}" tabindex="0">
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
</div></section>
"""
_EMPTY: Final = '<section><h2>{heading}</h2><p class="soft">Nothing yet.</p></section>'
_OPTION: Final = '<option value="{value}">{shown}</option>'


def table(
    heading: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, amounts: Sequence[int] = ()
) -> Markup:
    """A table with its heading; ``amounts`` are the places of its columns of money."""
    if not rows:
        return fill(_EMPTY, heading=heading)
    kinds = [Markup(' class="amount"') if place in amounts else Markup() for place, _ in enumerate(columns)]
    head = joined(
        fill('<th scope="col"{kind}>{name}</th>', kind=kind, name=name)
        for kind, name in zip(kinds, columns, strict=True)
    )
    lines = [
        joined(fill("<td{kind}>{cell}</td>", kind=kind, cell=cell) for kind, cell in zip(kinds, row, strict=True))
        for row in rows
    ]
    return fill(_TABLE, heading=heading, head=head, rows=joined(fill("<tr>{line}</tr>", line=line) for line in lines))


def items(parts: Iterable[Markup]) -> Markup:
    """A list of parts, or nothing."""
    found = joined(parts)
    return fill('<ul class="plain">{found}</ul>', found=found) if found else Markup()


def options(choices: Iterable[tuple[str, str]]) -> Markup:
    """The options of a select, as (value, what it says)."""
    return joined(fill(_OPTION, value=value, shown=shown) for value, shown in choices)


def code(text: str) -> Markup:
    """A path, or an id that leads nowhere."""
    return fill("<code>{text}</code>", text=text) if text else Markup()


def link(object_id: str) -> Markup:
    """An id that leads to its object."""
    return fill('<a href="/_simulator/objects/{id}"><code>{id}</code></a>', id=object_id) if object_id else Markup()


def words(name: str) -> str:
    """A name of the API's in words."""
    return name.replace("_", " ")


def amount(item: Object) -> str:
    """What an object is worth, where it says so."""
    worth, currency = item.get("amount"), item.get("currency")
    return amount_text(worth, currency) if isinstance(worth, int) and isinstance(currency, str) else ""


def moment(seconds: float) -> str:
    """A time, to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
