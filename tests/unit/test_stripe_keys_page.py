"""The page of restricted keys is what was found in the functions' code."""

from local.stripe_keys_page import PAGE, text


def test_the_page_is_what_the_code_needs() -> None:
    assert PAGE.read_text() == text(), "make openapi"
