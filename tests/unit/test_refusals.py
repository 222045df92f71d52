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

from ..simulator.openapi import document

# Codes of products and ways of paying that no call of ours uses, and of what Stripe has taken away.
NEVER_MET = {
    "Terminal": {
        "terminal_location_country_unsupported", "terminal_reader_busy", "terminal_reader_hardware_fault",
        "terminal_reader_invalid_location_for_activation", "terminal_reader_invalid_location_for_payment",
        "terminal_reader_offline", "terminal_reader_timeout",
    },
    "Financial Connections, Treasury, Issuing, forwarding": {
        "cardholder_phone_number_required", "financial_account_balance_does_not_support_currency",
        "financial_account_capability_not_enabled", "financial_account_capability_restricted",
        "financial_connections_account_inactive", "financial_connections_account_pending_account_numbers",
        "financial_connections_account_unavailable_account_numbers", "financial_connections_consent_locale_invalid",
        "financial_connections_consent_locale_unsupported", "financial_connections_no_successful_transaction_refresh",
        "forwarding_api_inactive", "forwarding_api_invalid_parameter", "forwarding_api_retryable_upstream_error",
        "forwarding_api_upstream_connection_error", "forwarding_api_upstream_connection_timeout",
        "forwarding_api_upstream_error",
    },
    "asked of the buyer on Stripe's own pages": {
        "acss_debit_session_incomplete", "intent_verification_method_missing",
        "payment_intent_konbini_rejected_confirmation_number", "payment_method_bank_account_already_verified",
        "payment_method_microdeposit_failed", "payment_method_microdeposit_processing_error",
        "payment_method_microdeposit_verification_amounts_invalid",
        "payment_method_microdeposit_verification_amounts_mismatch",
        "payment_method_microdeposit_verification_attempts_exceeded",
        "payment_method_microdeposit_verification_descriptor_code_mismatch",
        "payment_method_microdeposit_verification_timeout",
    },
    "customer sessions, 3D Secure and Radar by themselves, Smart Disputes, owners declared by the platform": {
        "customer_session_expired", "ownership_declaration_not_allowed",
        "payment_evaluation_on_api_version_not_supported", "smart_disputes_not_available",
        "three_d_secure_authentication_not_supported", "three_d_secure_authentication_upstream_error",
    },
    "what a merchant tells Stripe by itself, when it is onboarded": {
        "address_characters_invalid", "address_country_identity_country_mismatch", "address_postal_code_invalid",
        "address_state_invalid", "address_town_invalid", "date_of_birth_age_restriction", "date_of_birth_invalid",
        "directorship_declaration_not_allowed_during_account_creation", "document_invalid",
        "document_purpose_invalid", "duplicate_person_not_allowed",
        "high_risk_activities_none_cant_be_combined_with_other_options", "id_number_invalid",
        "incorrect_id_number_for_country", "incorrect_token_wrong_type", "invalid_account_token",
        "invalid_id_number_for_structure", "invalid_id_number_registrar", "invalid_konbini_payments_support_hours",
        "invalid_konbini_payments_support_phone_number", "invalid_timezone", "ip_address_invalid", "mcc_invalid",
        "non_jp_kana_kanji_address", "ownership_declaration_not_allowed_during_account_creation",
        "param_alongside_account_token", "person_percent_ownership_invalid", "phone_invalid",
        "postal_code_required_for_jp_address",
        "purpose_of_funds_description_must_be_empty_for_non_other_purpose_of_funds", "registration_date_invalid",
        "script_characters_invalid", "statement_descriptor_invalid", "structure_incompatible_for_entity_type_country",
        "token_expired", "tos_acceptance_on_behalf_not_allowed", "total_person_ownership_exceeded",
        "unsupported_identity_field_for_configs", "unsupported_postal_code", "unsupported_state",
        "v1_token_invalid_in_v2",
    },
    "accounts that are customers, balances that are sent from, test clocks": {
        "attach_payment_method_to_customer", "cannot_use_validate_location_on_customer_create",
        "configuration_cannot_be_deactivated_due_to_other_capability_requirement",
        "configuration_cannot_be_deactivated_due_to_other_configuration", "customer_invalid_tax_location",
        "default_outbound_destination_invalid", "default_payment_method_invalid",
        "default_payment_method_invalid_type", "invoice_rendering_template_invalid", "shipping_address_required",
        "shipping_name_required",
        "test_clock_disallowed_on_live_mode", "test_clock_invalid", "test_clocks_advance_in_progress",
        "test_clocks_customer_limit_reached", "v1_customer_instead_of_v2_account",
    },
    "orders, sources and old TLS, which are gone": {
        "alipay_upgrade_required", "bitcoin_upgrade_required", "invalid_source_usage", "out_of_inventory",
        "return_intent_already_processed", "shipping_calculation_failed", "sku_inactive", "tls_version_unsupported",
    },
}  # fmt: skip
ACCOUNT_CALLS = ("POST /v2/core/accounts", "POST /v2/core/accounts/{id}", "POST /v2/core/account_links")
SIMULATOR = PROJECT / "local" / "stripe_simulator"
# What is no refusal: the gateway takes it for no answer, or it is the simulator's own, or of a call that is not made.
NO_REFUSALS = {
    "idempotency_key_in_use", "lock_timeout", "rate_limit",  # asked again
    "api_key_expired", "platform_api_key_expired", "secret_key_required",  # 401: the key is read anew
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


def codes_of_accounts() -> set[str]:
    """Stripe's codes of Accounts v2, as its OpenAPI document lists them for the calls that are made."""
    return {code for call in ACCOUNT_CALLS for code in document()["refusals"][call]}


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
    unlisted = {"insufficient_funds_for_payout", "cannot_delete_account_with_balance", "not_found"}
    assert REFUSALS.keys() - codes_of_the_sdk() - codes_of_accounts() - SIMULATED - kinds <= unlisted


def test_every_code_of_stripe_s_has_an_entry_or_a_reason_why_it_is_never_met() -> None:
    never = set[str]().union(*NEVER_MET.values())
    listed = codes_of_the_sdk() | codes_of_accounts()
    assert len(listed) > 300
    assert listed - REFUSALS.keys() - NO_REFUSALS - never == set()
    assert never & REFUSALS.keys() == set()
    assert never - listed == set()


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
