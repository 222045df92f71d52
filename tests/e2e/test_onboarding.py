"""A merchant comes back to a link that was used up, as browsers do, and goes on where it left."""

import httpx

from local.cloud import Stack

from .shop import Shop, done, until


def test_a_used_link_leads_by_our_own_to_the_next_one_until_the_merchant_is_ready(shop: Shop) -> None:
    stack = shop.stack
    path = f"/merchants/{shop.new_merchant()['id']}"
    link = done(shop.operator.post(f"{path}/onboarding-links", {"return_url": f"{stack.return_origin}/back"}))
    left = httpx.post(link["url"], data={"action": "leave"})
    assert left.headers["Location"] == f"{stack.return_origin}/back"
    assert done(shop.operator.get(path))["requirements_due"]

    again = httpx.get(link["url"])
    assert again.headers["Location"].startswith(f"{stack.api}/onboarding/")
    renewed = httpx.get(again.headers["Location"], timeout=30)
    assert renewed.status_code == 303
    assert renewed.headers["Location"].startswith(f"{stack.stripe}/connect/links/")
    assert renewed.headers["Location"] != link["url"]

    finished = httpx.post(renewed.headers["Location"], data={"action": "complete"})
    assert finished.headers["Location"] == f"{stack.return_origin}/back"
    ready = until(lambda: done(shop.operator.get(path)), lambda found: found["status"] == "ready")
    assert ready["requirements_due"] == []


def test_a_link_that_nobody_gave_out_leads_nowhere(stack: Stack) -> None:
    answer = httpx.get(f"{stack.api}/onboarding/{'x' * 43}", timeout=30)
    assert answer.status_code == 410
    assert answer.json()["type"] == "/problems/link-expired"
