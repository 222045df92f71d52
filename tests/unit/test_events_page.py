"""docs/events.md is what the table of events says."""

from local.events_page import PAGE, text


def test_the_page_of_events_is_current() -> None:
    assert PAGE.read_text() == text(), "run `make openapi`"
