"""Every code of Stripe's that this code can meet has an entry, and each entry says what to do."""

import ast
import re
from pathlib import Path

import pytest
import stripe

from local import errors_page
from local.cloud.places import PROJECT
from local.stripe_simulator.funds import methods, outcomes
from marketplace.domain.declines import HIDDEN, WORDS
from marketplace.domain.refusals import REFUSALS, UNLISTED, entry_of, refusal_of

SIMULATOR = PROJECT / "local" / "stripe_simulator"
# What is no refusal: the gateway takes it for no answer, or it is the simulator's own, or of a call that is not made.
NO_REFUSALS = {
    "idempotency_key_in_use", "lock_timeout", "rate_limit",  # asked again
    "secret_key_required",  # 401: the key is read anew
    "simulator_unsupported",
    "clock_advancement_underway",  # of test clocks
}  # fmt: skip


def codes_in(source: Path) -> set[str]:
    """What is passed as ``code`` to an error, as a constant."""
    return {
        node.value.value
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.keyword)
        and node.arg in {"code", "decline_code"}
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


SIMULATED = set[str]().union(*(codes_in(source) for source in SIMULATOR.rglob("*.py")))


def codes_of_the_sdk() -> set[str]:
    """Stripe's codes as its SDK lists them, at the pinned version."""
    source = Path(stripe.__file__).with_name("_payment_intent.py").read_text()
    listed = re.search(r"class LastPaymentError\b.*?\n\s+code: .*?Literal\[(.*?)\]", source, re.DOTALL)
    assert listed
    return set(re.findall(r'"(\w+)"', listed[1]))


def test_every_code_that_the_simulator_refuses_with_has_an_entry() -> None:
    declines = WORDS.keys() | HIDDEN
    assert len(SIMULATED) > 40
    assert SIMULATED - REFUSALS.keys() - declines - NO_REFUSALS == set()


def test_every_decline_of_the_simulator_s_cards_has_words() -> None:
    sources = [Path(str(module.__file__)).read_text() for module in (methods, outcomes)]
    listed = {code for code in WORDS.keys() | HIDDEN if any(f'"{code}"' in source for source in sources)}
    assert {"insufficient_funds", "lost_card", "stolen_card", "expired_card"} <= listed


def test_codes_are_written_as_stripe_writes_them() -> None:
    kinds = {"invalid_request_error", "card_error"}
    of_v2 = {"not_found", "insufficient_funds_for_payout"}
    assert REFUSALS.keys() - codes_of_the_sdk() - SIMULATED - kinds == of_v2


@pytest.mark.parametrize("code", [*REFUSALS, "a_code_of_next_year"])
def test_an_entry_is_whole_sentences_without_stripe_s_own_words(code: str) -> None:
    what, action, buyer = refusal_of(code)
    assert all(text.endswith(".") for text in (what, action, *([buyer] if buyer else [])))
    assert buyer is None or "Stripe" not in buyer
    assert code not in what


def test_every_code_can_be_linked_to() -> None:
    page = errors_page.text()
    for code in [*REFUSALS, "a_code_of_next_year"]:
        assert page.count(f'<a id="{entry_of(code)}"></a>') == 1
    assert refusal_of("a_code_of_next_year") is UNLISTED


@pytest.mark.parametrize("code", [*WORDS, *HIDDEN])
def test_every_decline_is_on_the_page(code: str) -> None:
    assert errors_page.text().count(f"\n| `{code}`") == 1
