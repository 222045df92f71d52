"""What an account says, in the words of either API, and where it says nothing."""

from typing import Any

import pytest

from marketplace.domain.account_facts import Awaits, Due, account_facts
from marketplace.domain.merchant_states import MerchantStatus

S = MerchantStatus


def v1(transfers: str, why: str | None = None, **required: Any) -> dict[str, Any]:
    return {
        "id": "acct_1", "object": "account", "capabilities": {"transfers": transfers}, "payouts_enabled": True,
        "requirements": {"disabled_reason": why, **required},
    }  # fmt: skip


def v2(transfers: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    recipient = transfers and {"capabilities": {"stripe_balance": {"stripe_transfers": transfers}}}
    return {"id": "acct_1", "object": "v2.core.account", "configuration": {"recipient": recipient}, **more}


@pytest.mark.parametrize(
    ("transfers", "why", "status"),
    [
        ("active", None, S.READY),
        ("active", "requirements.past_due", S.READY),  # another capability's
        ("pending", None, S.PENDING),
        ("inactive", "requirements.pending_verification", S.PENDING),
        ("inactive", "under_review", S.PENDING),
        ("inactive", "requirements.past_due", S.RESTRICTED),
        ("inactive", "platform_paused", S.RESTRICTED),
        ("inactive", None, S.RESTRICTED),
        ("inactive", "rejected.fraud", S.REJECTED),
        ("inactive", "rejected.platform_terms_of_service", S.REJECTED),
    ],
)
def test_an_account_of_api_v1_is_where_its_transfers_are(transfers: str, why: str | None, status: S) -> None:
    facts = account_facts(v1(transfers, why))
    assert (facts.status, facts.restriction) == (status, None if status is S.READY else why)


@pytest.mark.parametrize(
    ("transfers", "status", "restriction"),
    [
        (None, S.PENDING, None),
        ({"status": "active", "status_details": []}, S.READY, None),
        ({"status": "pending", "status_details": [{"code": "determining_status"}]}, S.PENDING, "determining_status"),
        ({"status": "unsupported", "status_details": None}, S.REJECTED, None),
        ({"status": "something_new"}, S.RESTRICTED, None),  # Stripe's enums are open
    ],
)
def test_an_account_of_api_v2_is_where_its_transfers_are(
    transfers: dict[str, Any] | None, status: S, restriction: str | None
) -> None:
    facts = account_facts(v2(transfers))
    assert (facts.status, facts.restriction, facts.can_be_paid_out) == (status, restriction, False)


def test_a_closed_account_is_closed_whatever_its_capabilities_say() -> None:
    assert account_facts(v2({"status": "active"}, closed=True)).status is S.CLOSED


def test_what_stripe_is_checking_is_not_asked_of_the_merchant() -> None:
    lists = {"currently_due": ["a"], "past_due": ["b"], "eventually_due": ["a", "b", "c"]}
    facts = account_facts(v1("active", None, **lists, pending_verification=["b", "d"]))
    assert [(each.name, each.due, each.awaits) for each in facts.requirements] == [
        ("b", Due.PAST, Awaits.USER), ("a", Due.CURRENTLY, Awaits.USER), ("d", Due.CURRENTLY, Awaits.STRIPE),
        ("c", Due.EVENTUALLY, Awaits.USER),
    ]  # fmt: skip
    assert facts.requirements_due == ("b", "a")
