"""Pages of a list of which not everything fits."""

from collections.abc import Callable
from typing import Final

from marketplace.ports import Page

MOST_PAGES_READ: Final = 5  # for one page of a list of which few fit


def first_that_fit[T](read: Callable[[str | None, int], Page[T]], cursor: str | None, limit: int) -> Page[T]:
    """A page of what ``read`` leaves over of the pages that it looks at, MOST_PAGES_READ at most.

    It may be short or empty, and its cursor goes on where it ended (docs/adr/0021-a-filter-is-a-bounded-look.md).
    """
    items: list[T] = []
    for _ in range(MOST_PAGES_READ):
        page = read(cursor, limit - len(items))
        items += page.items
        cursor = page.cursor
        if cursor is None or len(items) == limit:
            break
    return Page(items=tuple(items), cursor=cursor)
