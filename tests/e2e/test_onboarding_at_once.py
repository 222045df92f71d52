"""A hundred merchants in the same minutes, their events doubled and in any order: each ends as its account is (I8)."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.shop import Json, Shop, at_once, done, problem, until

MERCHANTS = 100
ABREAST = 10
PATIENCE_SECONDS = 240.0
ENDS = ("ready", "ready", "restricted", "rejected", "deauthorized")


@pytest.fixture
def unruly_deliveries(shop: Shop) -> Iterator[None]:
    """Stripe delivers what concerns accounts twice, and within a quarter of a minute in any order."""
    effects: tuple[dict[str, Any], ...] = (
        {"effect": "reorder", "seconds": 15},
        {"effect": "duplicate", "copies": 1},
    )
    ordered = [
        shop.order("/_simulator/faults", event_type=event_type, count=None, **effect)
        for event_type in ("account.*", "v2.core.account*", "v1.account.*")
        for effect in effects
    ]
    yield
    for fault in ordered:
        httpx.delete(f"{shop.stack.stripe}/_simulator/faults/{fault['id']}")


def go(shop: Shop, merchant: Json, end: str) -> None:
    """What becomes of a merchant, at Stripe."""
    account = f"/_simulator/accounts/{merchant['account_id']}"
    shop.order(f"{account}/onboarding", action="reject" if end == "rejected" else "complete")
    if end == "restricted":
        shop.order(f"{account}/requirements", name="identity.individual.address", status="past_due")
    if end == "deauthorized":
        shop.order(f"{account}/deauthorize")


@pytest.mark.usefixtures("unruly_deliveries")
def test_a_hundred_merchants_onboarded_at_once_all_end_right(shop: Shop) -> None:
    chance = random.Random(7)
    ends = [ENDS[number % len(ENDS)] for number in range(MERCHANTS)]
    chance.shuffle(ends)
    merchants: list[Json] = at_once(MERCHANTS, lambda number: shop.new_merchant(f"Shop {number}"), abreast=ABREAST)
    wanted = {merchant["id"]: end for merchant, end in zip(merchants, ends, strict=True)}
    for merchant in merchants:
        go(shop, merchant, wanted[merchant["id"]])

    def seen() -> dict[str, str]:
        found: dict[str, str] = {}
        cursor: dict[str, str] = {}
        while len(found) < MERCHANTS:
            page = done(shop.operator.get("/merchants", limit="100", **cursor))
            found |= {each["id"]: each["status"] for each in page["data"] if each["id"] in wanted}
            if not page["cursor"]:
                break
            cursor = {"cursor": page["cursor"]}
        return found

    assert until(seen, lambda found: found == wanted, seconds=PATIENCE_SECONDS) == wanted
    shop.quiet()
    assert Counter(seen().values()) == Counter(ends)
    gone = next(merchant for merchant in merchants if wanted[merchant["id"]] == "deauthorized")
    refused = shop.operator.post("/checkout/sessions", shop.inline(gone, 1_000))
    assert problem(refused) == (409, "merchant-not-ready")
