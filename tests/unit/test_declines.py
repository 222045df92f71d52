"""Declines in words: each code has some, and none tells a thief more than a buyer needs."""

from typing import Any

import pytest

from marketplace.domain.declines import GENERIC, HIDDEN, WORDS, decline_in, off_session_facts, shown_to_buyers, words_of


def intent(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "pi_1", "status": status, "amount_received": 0, "latest_charge": None, **fields}


def failed(**error: Any) -> dict[str, Any]:
    return intent("requires_payment_method", last_payment_error={"message": "Stripe's own words", **error})


@pytest.mark.parametrize("code", [*WORDS, *HIDDEN, "a_code_of_next_year"])
def test_every_code_has_words_that_say_what_to_do(code: str) -> None:
    what, action = words_of(code)
    assert all(text.endswith(".") and "Stripe" not in text and code not in text for text in (what, action))


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
