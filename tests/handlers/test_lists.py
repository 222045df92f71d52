"""Lists of what all merchants sold and refunded: operators see everything, a merchant what it has a part in."""

from typing import Any

import pytest

from .backend import BUYER, OPERATOR, Backend, User, merchant_user
from .estate import Estate, furnish


@pytest.fixture
def estate(backend: Backend) -> Estate:
    """A sale of one merchant, refunded, and a cart of two, in which each refunded a part."""
    return furnish(backend.store)


def listed(backend: Backend, user: User, path: str, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = backend.send(user, "GET", path, query=query).json["data"]
    return found


def test_operators_list_the_sales_of_all_merchants_newest_first_page_by_page(backend: Backend, estate: Estate) -> None:
    ids = [each["id"] for each in listed(backend, OPERATOR, "/transactions")]
    assert ids == [estate.shared["transaction_id"], estate.alone["transaction_id"]]
    first = backend.send(OPERATOR, "GET", "/transactions", query={"limit": "1"}).json
    rest = backend.send(OPERATOR, "GET", "/transactions", query={"limit": "1", "cursor": first["cursor"]}).json
    assert [each["id"] for each in (*first["data"], *rest["data"])] == ids
    assert rest["cursor"] is None
    of_one = {"cursor": first["cursor"], "merchant_id": estate.merchant_id}
    assert backend.send(OPERATOR, "GET", "/transactions", query=of_one).problem == "invalid-cursor"


def test_operators_list_all_refunds_and_those_that_concern_one_merchant(backend: Backend, estate: Estate) -> None:
    own = [estate.shared["refund_id"], estate.alone["refund_id"]]
    found = listed(backend, OPERATOR, "/refunds")
    assert [each["id"] for each in found] == [estate.partners["refund_id"], *own]
    assert found == [backend.send(OPERATOR, "GET", f"/refunds/{each['id']}").json for each in found]
    assert [each["id"] for each in listed(backend, OPERATOR, "/refunds", merchant_id=estate.merchant_id)] == own
    assert [each["id"] for each in listed(backend, OPERATOR, "/refunds", status="succeeded")] == [
        estate.partners["refund_id"], *own
    ]  # fmt: skip
    assert listed(backend, OPERATOR, "/refunds", status="failed") == []
    assert listed(backend, OPERATOR, "/refunds", until="2020-01-01T00:00:00Z") == []
    for wrong in ({"status": "lost"}, {"since": "2026-11-23"}, {"limit": "101"}):
        assert backend.send(OPERATOR, "GET", "/refunds", query=wrong).problem == "invalid-request"


def test_a_merchant_lists_the_refunds_that_it_has_a_part_in_and_sees_its_part(backend: Backend, estate: Estate) -> None:
    user, stranger = merchant_user(estate.merchant_id), merchant_user(estate.stranger_id)
    found = listed(backend, user, "/refunds")
    assert [each["id"] for each in found] == [estate.shared["refund_id"], estate.alone["refund_id"]]
    assert found == [backend.send(user, "GET", f"/refunds/{each['id']}").json for each in found]
    for query in ({}, {"merchant_id": estate.merchant_id}):
        assert listed(backend, stranger, "/refunds", **query) == []
    assert backend.send(BUYER, "GET", "/refunds").problem == "not-allowed"
