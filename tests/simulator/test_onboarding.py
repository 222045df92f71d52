"""Account links and the page behind them."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.messages import Response
from local.stripe_simulator.resources.account_links import LIFETIME_SECONDS

from .shop import new_seller, seller_params
from .test_accounts import transfers_status

REFRESH, RETURN = "http://shop.test/again", "http://shop.test/back?ü=1"


def new_link(client: stripe.StripeClient, account: str) -> str:
    urls: Any = {"refresh_url": REFRESH, "return_url": RETURN}
    use_case: Any = {"type": "account_onboarding", "account_onboarding": urls}
    return urlsplit(client.v2.core.account_links.create({"account": account, "use_case": use_case}).url).path


def visit(simulator: Simulator, path: str, fields: dict[str, Any] | None = None) -> Response:
    return simulator.request("GET" if fields is None else "POST", path, fields)


def test_a_link_leads_to_the_page_and_the_page_back(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = new_seller(client)
    page = visit(simulator, new_link(client, account)).headers["Location"]
    html = visit(simulator, page).body.decode()
    assert "Set up payouts for Tea House" in html
    assert f'action="{page}"' in html
    done = visit(simulator, page, {"action": "complete", "entity_type": "company", "name": "Tea Ltd"})
    assert (done.status, done.headers["Location"]) == (303, "http://shop.test/back?%C3%BC=1")
    assert transfers_status(client, account)["status"] == "active"
    company = client.v1.accounts.retrieve(account)
    assert (company.business_type, company.to_dict()["company"]["name"]) == ("company", "Tea Ltd")


def test_leaving_returns_and_changes_nothing(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = new_seller(client)
    left = visit(simulator, new_link(client, account), {"action": "leave"})
    assert (left.status, left.headers["Location"][:21]) == (303, "http://shop.test/back")
    assert transfers_status(client, account)["status"] == "restricted"
    assert client.v1.accounts.retrieve(account).details_submitted is False


def test_a_rejected_account_stays_rejected_until_it_is_onboarded_again(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    account = new_seller(client)
    visit(simulator, new_link(client, account), {"action": "reject"})
    assert transfers_status(client, account)["status"] == "rejected"
    assert client.v1.accounts.retrieve(account).to_dict()["requirements"]["disabled_reason"] == "rejected.other"
    visit(simulator, new_link(client, account), {"action": "complete"})
    assert transfers_status(client, account)["status"] == "active"


@pytest.mark.parametrize("fields", [None, {"action": "complete"}])
def test_a_link_works_once(simulator: Simulator, client: stripe.StripeClient, fields: dict[str, Any] | None) -> None:
    account = new_seller(client)
    link = new_link(client, account)
    visit(simulator, link)
    assert visit(simulator, link, fields).headers["Location"] == REFRESH
    assert transfers_status(client, account)["status"] == "restricted"


@pytest.mark.parametrize(("wait", "works"), [(LIFETIME_SECONDS - 1, True), (LIFETIME_SECONDS, False)])
def test_a_link_works_for_five_minutes(
    simulator: Simulator, client: stripe.StripeClient, wait: int, works: bool
) -> None:
    link = new_link(client, new_seller(client))
    simulator.advance(wait)
    assert (visit(simulator, link).headers["Location"] != REFRESH) is works


def test_the_page_cannot_be_reached_without_using_a_link(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = new_seller(client)
    page = new_link(client, account).replace("/links/", "/onboarding/")
    assert visit(simulator, page, {"action": "complete"}).headers["Location"] == REFRESH
    assert transfers_status(client, account)["status"] == "restricted"
    unknown = visit(simulator, "/connect/onboarding/link_none")
    assert (unknown.status, unknown.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_the_owner_returned_is_told_to_thin_destinations(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = new_seller(client)
    visit(simulator, new_link(client, account), {"action": "leave"})
    (event,) = client.v2.core.events.list(
        {"types": ["v2.core.account_link.returned"]}, {"stripe_context": account}
    ).data
    shown = client.v2.core.events.retrieve(event.id, options={"stripe_context": account}).to_dict()
    assert shown["data"] == {
        "account_id": account,
        "configurations": ["recipient"],
        "use_case": "account_onboarding",
    }


def test_links_of_api_v1_need_both_urls(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = new_seller(client)
    params: Any = {"account": account, "type": "account_onboarding", "refresh_url": REFRESH, "return_url": RETURN}
    link = client.v1.account_links.create(params)
    assert link.expires_at - link.created == LIFETIME_SECONDS
    visit(simulator, urlsplit(link.url).path, {"action": "complete"})
    assert client.v1.accounts.retrieve(account).payouts_enabled
    for wrong in (
        {"return_url": "javascript:alert(1)"},
        {"return_url": "http://a.test/\r\nSet-Cookie: x=1"},
        {"type": "account_update"},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.account_links.create(params | wrong)
    del params["return_url"]
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        client.v1.account_links.create(params)


def test_names_are_shown_and_never_run(simulator: Simulator, client: stripe.StripeClient) -> None:
    evil = "<script>alert('x')</script>\"{account}"
    account = new_seller(client, display_name=evil)
    page = visit(simulator, new_link(client, account)).headers["Location"]
    html = visit(simulator, page).body.decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert 'type="hidden"' not in html


def test_onboarding_over_http_as_a_script_does_it(served: str) -> None:
    client = httpx.Client(base_url=served, headers={"Authorization": "Bearer sk_test_1"})
    account = client.post("/v2/core/accounts", json=seller_params()).json()["id"]
    use_case = {"type": "account_onboarding", "account_onboarding": {"refresh_url": REFRESH, "return_url": RETURN}}
    link = client.post("/v2/core/account_links", json={"account": account, "use_case": use_case}).json()
    assert link["url"].startswith(served)
    assert re.fullmatch(r".*Z", link["expires_at"])
    done = httpx.post(link["url"], data={"action": "complete"})
    assert (done.status_code, done.headers["location"]) == (303, "http://shop.test/back?%C3%BC=1")
    assert client.get(f"/v1/accounts/{account}").json()["capabilities"] == {"transfers": "active"}
    client.close()
