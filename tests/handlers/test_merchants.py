"""Merchants over HTTP: how they are made, changed, onboarded and shown."""

from datetime import timedelta
from typing import Any

import pytest

from marketplace.operations import Operation
from marketplace.ports import Done

from ..fakes.stripe import account
from .backend import OPERATOR, SHOP, Backend, Context, merchant_user, stripe_event
from .test_process import message, process

MERCHANT = {"name": "A", "contact_email": "a@b.example", "country": "us", "currencies": ["usd"]}


def entry(name: str, status: str, *capabilities: str) -> dict[str, Any]:
    restricts = [{"capability": each, "configuration": "recipient", "deadline": {}} for each in capabilities]
    return {
        "description": name, "awaiting_action_from": "user", "minimum_deadline": {"status": status},
        "impact": {"restricts_capabilities": restricts},
    }  # fmt: skip


def told(backend: Backend, **said: Any) -> None:
    """An event makes the account be read, which says this."""
    backend.stripe.answers[Operation.READ_ACCOUNT] = [Done(account(**said))]
    body = stripe_event("account.updated", {"id": "acct_1", "object": "account"}, "evt_account", account="acct_1")
    assert process(backend, message(body, group="acct_1")) == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"dashboard": "express", "losses_collector": "stripe"}, "Express dashboard"),
        ({"dashboard": "full", "fees_collector": "stripe"}, "pays Stripe's fees"),
        ({"dashboard": "none", "losses_collector": "stripe"}, "neither destination charges nor transfers"),
    ],
)
def test_what_cannot_be_is_refused_in_words_before_stripe_is_asked(
    backend: Backend, asked: dict[str, str], says: str
) -> None:
    answer = backend.send(OPERATOR, "POST", "/merchants", MERCHANT | asked)
    assert (answer.status, answer.problem) == (422, "impossible-account")
    assert says in answer.json["detail"]
    assert backend.stripe.asked == []


def test_a_merchant_is_made_as_the_operator_chooses(backend: Backend) -> None:
    made = backend.send(OPERATOR, "POST", "/merchants", MERCHANT | {"dashboard": "none", "card_payments": True})
    assert made.status == 201, made.text
    assert [made.json[name] for name in ("dashboard", "fees_collector", "losses_collector")] == [
        "none", "application", "application"
    ]  # fmt: skip
    (asked,) = backend.stripe.asked
    assert asked.params["dashboard"] == "none"
    assert set(asked.params["configuration"]) == {"recipient", "merchant"}
    assert backend.send(OPERATOR, "POST", "/merchants", MERCHANT | {"dashboard": "half"}).status == 422


def test_a_merchant_shows_what_is_required_of_it_and_until_when(backend: Backend) -> None:
    merchant_id = backend.merchant()
    entries = [entry("some.day", "eventually_due"), entry("soon", "currently_due", "stripe_balance.payouts")]
    summary = {"minimum_deadline": {"status": "currently_due", "time": "2026-12-24T08:00:00.000Z"}}
    told(backend, status="restricted", requirements={"entries": entries, "summary": summary})
    for caller in (OPERATOR, merchant_user(merchant_id)):
        shown = backend.send(caller, "GET", f"/merchants/{merchant_id}").json
        assert (shown["status"], shown["can_receive_transfers"], shown["can_be_paid_out"]) == (
            "restricted",
            False,
            False,
        )
        assert shown["requirements"] == [
            {
                "name": "soon", "due": "currently_due", "deadline": "2026-12-24T08:00:00Z",
                "restricts": ["stripe_balance.payouts"], "awaits": "user",
            },
            {"name": "some.day", "due": "eventually_due", "deadline": None, "restricts": [], "awaits": "user"},
        ]  # fmt: skip
        assert (shown["requirements_due"], shown["requirements_deadline"]) == (["soon"], "2026-12-24T08:00:00Z")


def test_an_operator_changes_how_a_merchant_is_sold_for(backend: Backend) -> None:
    merchant_id = backend.merchant(fee_policy={"percent": "5"})
    path = f"/merchants/{merchant_id}"
    before = backend.send(OPERATOR, "GET", path).json
    changed = backend.send(OPERATOR, "PATCH", path, {"name": "Nordlicht", "currencies": ["usd", "eur", "usd"]})
    assert changed.status == 200, changed.text
    assert changed.json == before | {"name": "Nordlicht", "currencies": ["usd", "eur"]}
    assert backend.send(OPERATOR, "PATCH", path, {"fee_policy": {"percent": "7"}}).json["fee_policy"]["percent"] == "7"
    assert backend.send(OPERATOR, "PATCH", path, {"fee_policy": None}).json["fee_policy"] is None
    assert backend.send(OPERATOR, "PATCH", path, {}).json["name"] == "Nordlicht"
    assert backend.send(OPERATOR, "GET", path).json["currencies"] == ["usd", "eur"]


def test_what_would_change_history_or_is_not_known_is_refused(backend: Backend) -> None:
    path = f"/merchants/{backend.merchant()}"
    for body, problem in (
        ({"country": "de"}, "invalid-request"),
        ({"dashboard": "full"}, "invalid-request"),
        ({"currencies": ["xxx"]}, "unknown-currency"),
        ({"fee_policy": {"percent": "120"}}, "invalid-fee-policy"),
    ):
        assert backend.send(OPERATOR, "PATCH", path, body).problem == problem
    merchant = merchant_user(path.removeprefix("/merchants/"))
    assert backend.send(merchant, "PATCH", path, {"fee_policy": {"percent": "0"}}).status == 403


def test_an_update_link_is_for_merchants_of_whom_the_platform_collects(backend: Backend) -> None:
    body = {"return_url": f"{SHOP}/back", "type": "account_update", "collect": "eventually_due"}
    refused = backend.send(OPERATOR, "POST", f"/merchants/{backend.merchant()}/onboarding-links", body)
    assert (refused.status, refused.problem) == (422, "impossible-account")
    own = backend.merchant(dashboard="none")
    assert backend.send(OPERATOR, "POST", f"/merchants/{own}/onboarding-links", body).status == 201
    asked = backend.stripe.asked[-1]
    use_case = asked.params["use_case"]
    assert (use_case["type"], use_case["account_update"]["collection_options"]) == (
        "account_update", {"fields": "eventually_due"}
    )  # fmt: skip
    token = use_case["account_update"]["refresh_url"].rsplit("/", 1)[-1]
    assert backend.send(OPERATOR, "GET", f"/onboarding/{token}").status == 303
    assert backend.stripe.asked[-1].params == asked.params  # the next link is like the one before


@pytest.mark.parametrize("gone", ["closed", "expired"])
def test_a_link_ends_with_the_account_and_with_its_time(backend: Backend, gone: str) -> None:
    merchant_id = backend.merchant()
    backend.send(OPERATOR, "POST", f"/merchants/{merchant_id}/onboarding-links", {"return_url": f"{SHOP}/back"})
    refresh_url = backend.stripe.asked[-1].params["use_case"]["account_onboarding"]["refresh_url"]
    path = f"/onboarding/{refresh_url.rsplit('/', 1)[-1]}"
    if gone == "closed":
        told(backend, closed=True)
        assert backend.send(OPERATOR, "GET", path).problem == "merchant-not-ready"
    else:
        backend.clock.advance(timedelta(days=7))
        assert backend.send(OPERATOR, "GET", path).problem == "link-expired"


def test_the_sweep_ends_the_open_sessions_of_a_merchant_that_was_rejected(backend: Backend) -> None:
    merchant_id = backend.merchant()
    price = backend.price(merchant_id)
    session = backend.send(OPERATOR, "POST", "/checkout/sessions", backend.basket(price), key="k").json
    told(backend, status="rejected")
    backend.modules["schedules.sweep"].handler({}, Context())
    path = f"/checkout/sessions/{session['transaction_id']}"
    assert backend.send(OPERATOR, "GET", path).json["status"] == "expired"
