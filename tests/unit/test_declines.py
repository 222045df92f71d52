"""Declines in words: each code has some, and none tells a thief more than a buyer needs."""

from typing import Any

import pytest

from marketplace.domain.declines import GENERIC, HIDDEN, WORDS, decline_in, off_session_facts, shown_to_buyers, words_of

# https://docs.stripe.com/declines/codes, as it stood in November 2026
PUBLISHED = """
authentication_not_handled authentication_required approve_with_id call_issuer card_not_supported card_velocity_exceeded
currency_not_supported do_not_honor do_not_try_again duplicate_transaction expired_card fraudulent generic_decline
incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip insufficient_funds invalid_account
invalid_amount invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number invalid_pin issuer_not_available
lost_card merchant_blacklist mobile_device_authentication_required new_account_information_available no_action_taken
not_permitted offline_pin_required online_or_offline_pin_required pickup_card pin_try_exceeded processing_error
reenter_transaction restricted_card revocation_of_all_authorizations revocation_of_authorization security_violation
service_not_allowed stolen_card stop_payment_order testmode_decline transaction_not_allowed try_again_later
withdrawal_count_limit_exceeded
"""


def intent(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "pi_1", "status": status, "amount_received": 0, "latest_charge": None, **fields}


def failed(**error: Any) -> dict[str, Any]:
    return intent("requires_payment_method", last_payment_error={"message": "Stripe's own words", **error})


@pytest.mark.parametrize("code", [*WORDS, *HIDDEN, "a_code_of_next_year"])
def test_every_code_has_words_that_say_what_to_do(code: str) -> None:
    what, action = words_of(code)
    assert all(text.endswith(".") and "Stripe" not in text and code not in text for text in (what, action))


def test_every_code_that_stripe_publishes_has_an_entry() -> None:
    assert set(PUBLISHED.split()) - WORDS.keys() - HIDDEN == set()


@pytest.mark.parametrize("code", HIDDEN)
def test_what_a_thief_would_like_to_know_looks_like_any_other_decline(code: str) -> None:
    assert shown_to_buyers(code) == GENERIC
    assert words_of(code) == WORDS[GENERIC]


@pytest.mark.parametrize(
    ("made", "code", "declined", "authentication"),
    [
        (failed(code="card_declined", decline_code="insufficient_funds"), "insufficient_funds", True, False),
        (failed(code="expired_card"), "expired_card", True, False),
        (failed(), GENERIC, True, False),
        (failed(code="authentication_required", decline_code="authentication_required"), "authentication_required",
         False, True),
        (intent("requires_action"), "authentication_required", False, True),
        (intent("requires_payment_method", last_payment_error=None), None, False, False),
        (intent("processing"), None, False, False),
        (intent("succeeded", amount_received=5, last_payment_error={"code": "card_declined"}), None, False, False),
        (intent("canceled", last_payment_error={"code": "card_declined"}), None, False, False),
    ],
)  # fmt: skip
def test_what_the_answer_says(made: dict[str, Any], code: str | None, *, declined: bool, authentication: bool) -> None:
    facts = off_session_facts(made)
    assert (decline_in(made), facts.declined, facts.authentication_required) == (code, declined, authentication)
