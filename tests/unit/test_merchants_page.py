"""docs/merchants.md is what the tables of states and combinations say."""

from local.merchants_page import PAGE, text


def test_the_page_of_merchants_is_current() -> None:
    assert PAGE.read_text() == text(), "run `make openapi`"
