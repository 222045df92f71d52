"""The page of capacity and cost says what is counted."""

from bench.capacity import rows
from local.cloud.places import PROJECT


def test_every_figure_that_is_counted_stands_on_the_page() -> None:
    page = (PROJECT / "docs" / "capacity.md").read_text()
    assert [row for row in rows() if row not in page] == []
