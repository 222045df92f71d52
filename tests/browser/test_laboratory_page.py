"""The laboratory's page in Chromium: what it shows, and its forms, on a phone and on a large screen."""

import pytest

from tests.simulator.paying import ANY, pay_seller
from tests.simulator.shop import ready_seller

from .conftest import DESKTOP, PHONE, Browser, Seen

pytestmark = pytest.mark.browser
EVIL = "<script>document.title='run'</script>"


def assert_sound(pages: list[Seen]) -> None:
    for page in pages:
        assert (page.scripts, page.unlabeled, page.wider_than_the_screen) == (0, 0, False), page


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_page_shows_what_happened_and_uses_nothing_up(browser: Browser, width: int) -> None:
    browser.simulator.request("POST", "/v1/webhook_endpoints", ANY)
    seller = ready_seller(browser.simulator, browser.client, display_name=f"Tea House {EVIL}")
    browser.simulator.faults.order("rate_limit", path=f"/v1/{EVIL}")
    intent = pay_seller(browser.client, seller, 123_456)
    browser.simulator.run_due()
    before = browser.simulator.world.ids.random.getstate()
    seen = browser.play(("open", "/"), ("open", "/_simulator"), width=width)
    assert_sound(seen)
    assert browser.simulator.world.ids.random.getstate() == before
    for page in seen:
        for expected in (f"Tea House {EVIL}", seller, "1,224.56 USD", "transfer.created", f"/v1/{EVIL}", "POST"):
            assert expected in page.text
    assert intent.id in seen[0].text


def test_the_clock_is_moved_a_fault_ordered_and_a_state_kept(browser: Browser) -> None:
    start = browser.simulator.clock.now()
    seen = browser.play(
        ("open", "/"),
        ("fill", "#amount", "3"),
        ("fill", "#unit", "days"),
        ("click", "form[action$=clock] button"),
        ("fill", "#name", "later"),
        ("click", "form[action$=snapshots] button"),
        ("fill", "#effect", "time_out"),
        ("fill", "#path", "/v1/refunds*"),
        ("fill", "#seconds", "5"),
        ("click", "form[action$=faults] button"),
        ("click", "button[value=load]"),
        ("fill", "#effect", "lose"),
        ("click", "form[action$=faults] button"),
        ("click", "form[action$=cancel] button"),
        ("click", "button[value=delete]"),
        ("click", "form[action$=reset] button"),
    )
    assert_sound(seen)
    assert {page.url for page in seen[1:]} == {"/_simulator"}
    opened, moved, saved, ordered, loaded, lost, canceled, deleted, again = (page.text for page in seen)
    assert "It runs." in opened
    assert "later" in saved
    assert "time out /v1/refunds*" in ordered
    assert "time out /v1/refunds*" not in loaded
    assert "lose *" in lost
    assert "lose *" not in canceled
    assert "Load" not in deleted
    assert moved != opened
    assert abs(browser.simulator.clock.now() - start) < 3_600
    assert "Nothing yet." in again
