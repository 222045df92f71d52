"""The page of who may call what is the table's."""

from local.access_page import PAGE, text


def test_the_page_is_the_tables() -> None:
    assert PAGE.read_text() == text(), "make openapi"
