"""Why Stripe refused what is done with accounts and their balances, or the request as such."""

from collections.abc import Mapping
from typing import Final

from marketplace.domain.refusal_words import (
    BAD_BANK,
    BLOCKED,
    CHARGE_OVER,
    INSTANT,
    NO_V2,
    NOT_OFFERED,
    NOT_READY,
    ONBOARD,
    OTHER_METHOD,
    PARAMETER,
    PERSON,
    PLATFORM_NOT_OPEN,
    READ_SALE,
    TOKEN_NEEDED,
    TRY_LATER,
    WAIT_OR_TOP_UP,
    Refusal,
)

ACCOUNT_REFUSALS: Final[Mapping[str, Refusal]] = {
    # Accounts and onboarding
    "account_closed": BAD_BANK,
    "account_country_invalid_address": PERSON,
    "account_invalid": Refusal(
        "Stripe has no such connected account on this platform: it left, or the key is of another platform.",
        "Read the merchant, and check the key (`bin/marketplace doctor`).", TRY_LATER,
    ),
    "account_number_invalid": BAD_BANK,
    "account_controller_express_dash_without_application_losses_or_fees": Refusal(
        "An Express dashboard needs a platform that takes the fees and bears the losses.",
        "Choose another dashboard, or other responsibilities.",
    ),
    "account_controller_stripe_pricing_platform_liable": Refusal(
        "A platform that bears the losses cannot leave the pricing to Stripe.", "Choose other responsibilities."
    ),
    "account_controller_unsupported_configuration": Refusal(
        "Stripe offers no account of this dashboard and these responsibilities.", "Choose other ones."
    ),
    "account_token_required_for_v2_account": TOKEN_NEEDED,
    "bank_account_bad_routing_numbers": BAD_BANK,
    "bank_account_declined": BAD_BANK,
    "bank_account_exists": Refusal("The bank account is there already.", "Nothing has to be done."),
    "bank_account_restricted": BAD_BANK,
    "bank_account_unusable": BAD_BANK,
    "bank_account_unverified": BAD_BANK,
    "bank_account_verification_failed": BAD_BANK,
    "cannot_delete_account_with_balance": Refusal(
        "An account with a balance cannot be closed.", "Pay its balance out first."
    ),
    "capability_not_active": NOT_READY,
    "configs_must_match_to_close": Refusal(
        "An account is closed with all of its configurations.", "Name each configuration that it has."
    ),
    "country_code_invalid": PERSON,
    "country_unsupported": Refusal(
        "Stripe has no accounts in this country, or not for this platform's.",
        "See https://stripe.com/global, and the rules for cross-border transfers.",
    ),
    "email_invalid": Refusal("The e-mail address is none.", "Send another one.", "Check the e-mail address."),
    "identity_country_required": PERSON,
    "insufficient_capabilities_for_transfer": NOT_READY,
    "invalid_bank_account_iban": BAD_BANK,
    "not_allowed_on_standard_account": Refusal(
        "The merchant runs its own Stripe account; a platform may not do this to it.",
        "Let the merchant do it in its Dashboard.",
    ),
    "not_found": Refusal("Stripe has no such object, or not on this account.", READ_SALE, TRY_LATER),
    "routing_number_invalid": BAD_BANK,
    "storer_capability_missing": NOT_READY,
    "storer_capability_not_active": NOT_READY,
    "state_unsupported": PERSON,
    "stripe_loss_liable_cannot_be_deleted": Refusal(
        "Stripe bears this account's losses, so it decides when the account is closed.", "Ask Stripe's support."
    ),
    "unsupported_field_for_configs": PARAMETER,
    "account_error_country_change_requires_additional_steps": PERSON,
    "account_information_mismatch": BAD_BANK,
    "clearing_code_unsupported": BAD_BANK,
    "invalid_card_type": BAD_BANK,
    "platform_account_required": Refusal(
        "The key is of an account that is no platform.", "Switch Connect on, or give the platform's key.", TRY_LATER
    ),
    "progressive_onboarding_limit_exceeded": Refusal(
        "The merchant has taken more than it may before it is verified.", ONBOARD, TRY_LATER
    ),
    "siret_invalid": PERSON,
    # Accounts v2, when an account is made or changed
    "account_capability_not_supported": NOT_OFFERED,
    "account_configuration_not_supported": NOT_OFFERED,
    "account_controller_ua_unsupported_configuration": NOT_OFFERED,
    "account_controller_unsupported_configuration_private_preview": NOT_OFFERED,
    "account_country_unsupported_currency": NOT_OFFERED,
    "account_create_activation_required": PLATFORM_NOT_OPEN,
    "account_creation_invalid": PLATFORM_NOT_OPEN,
    "account_creation_liability_unacknowledged": PLATFORM_NOT_OPEN,
    "account_creation_requirement_collection_and_liability_unacknowledged": PLATFORM_NOT_OPEN,
    "account_creation_requirement_collection_unacknowledged": PLATFORM_NOT_OPEN,
    "account_not_yet_compatible_with_v2": NO_V2,
    "account_terms_of_service_not_accepted": PLATFORM_NOT_OPEN,
    "accounts_v2_access_blocked": NO_V2,
    "bgn_bank_accounts_unsupported": NOT_OFFERED,
    "can_create_platform_owned_onboarding_accounts_required": PLATFORM_NOT_OPEN,
    "cannot_create_connected_account": PLATFORM_NOT_OPEN,
    "cannot_create_new_account_rejected": PLATFORM_NOT_OPEN,
    "capability_cannot_be_unrequested_due_to_other_capability_requirement": NOT_OFFERED,
    "capability_not_available_for_dashboard_type": NOT_OFFERED,
    "capability_not_available_for_entity_type_in_country": NOT_OFFERED,
    "capability_not_available_for_loss_collector": NOT_OFFERED,
    "capability_not_available_in_country": NOT_OFFERED,
    "capability_not_available_in_platform_country": NOT_OFFERED,
    "capability_not_available_without_other_capability": NOT_OFFERED,
    "capability_not_available_without_other_capability_in_country": NOT_OFFERED,
    "configs_must_match_to_use_account_links": PARAMETER,
    "configuration_cannot_be_deactivated": PARAMETER,
    "configuration_cannot_be_updated_while_deactivated": PARAMETER,
    "configuration_creation_invalid": NOT_OFFERED,
    "connect_identity_not_verified": PLATFORM_NOT_OPEN,
    "connect_profile_not_submitted": PLATFORM_NOT_OPEN,
    "cross_border_connected_account_creation_not_allowed": NOT_OFFERED,
    "custom_account_beta": NOT_OFFERED,
    "default_currency_immutable": PARAMETER,
    "entity_type_not_supported_in_country": NOT_OFFERED,
    "idempotency_error": PARAMETER,
    "immutable_identity_param": PARAMETER,
    "non_connect_platform_accounts_v2_access_blocked": NO_V2,
    "platform_registration_required": PLATFORM_NOT_OPEN,
    "v1_account_instead_of_v2_account": NO_V2,
    "account_rate_limit_exceeded": Refusal("Too many accounts were made at once.", "Ask anew later."),
    "account_token_required": TOKEN_NEEDED,
    "email_domain_invalid_for_recipient": Refusal(
        "Nothing can be sent to addresses of this domain.", "Give the merchant another e-mail address."
    ),
    # Transfers, payouts, balances
    "balance_insufficient": Refusal(
        "The balance that this would come from does not cover it.", WAIT_OR_TOP_UP
    ),
    "insufficient_funds_for_payout": Refusal("The balance does not cover the payout.", "Pay out what is available."),
    "instant_payouts_config_disabled": INSTANT,
    "instant_payouts_currency_disabled": INSTANT,
    "instant_payouts_limit_exceeded": INSTANT,
    "instant_payouts_unsupported": INSTANT,
    "no_account": BAD_BANK,
    "payouts_limit_exceeded": Refusal("More was paid out today than Stripe allows.", "Pay out the rest tomorrow."),
    "payouts_not_allowed": Refusal("The account may not be paid out.", ONBOARD),
    "transfer_source_balance_parameters_mismatch": PARAMETER,
    "transfers_not_allowed": Refusal(
        "The platform may not send to this account: its country, or what the platform is allowed.",
        "See the rules for cross-border transfers, or ask Stripe's support.",
    ),
    "anomalous_money_movement_request": BLOCKED,
    "balance_invalid_parameter": PARAMETER,
    "payout_reconciliation_not_ready": Refusal(
        "Stripe has not put together yet what the payout is made of.", "Nothing has to be done: it is asked again."
    ),
    # What the request was, and the key
    "livemode_mismatch": Refusal(
        "Test and live mode are mixed up.", "Hold the key against the parameter Livemode (`bin/marketplace doctor`).",
        TRY_LATER,
    ),
    "parameter_invalid_decimal": PARAMETER,
    "parameter_invalid_empty": PARAMETER,
    "parameter_invalid_integer": PARAMETER,
    "parameter_invalid_string_blank": PARAMETER,
    "parameter_invalid_string_empty": PARAMETER,
    "parameter_missing": PARAMETER,
    "parameter_unknown": PARAMETER,
    "parameters_exclusive": PARAMETER,
    "testmode_charges_only": Refusal(
        "The platform's account is not open for live payments yet.", "Finish its activation at Stripe.", TRY_LATER
    ),
    "url_invalid": Refusal("Stripe does not take the URL.", "In live mode URLs begin with https://.", TRY_LATER),
    "action_blocked": BLOCKED,
    "approval_required": Refusal(
        "Stripe's account is set so that somebody approves this.", "Approve it in the Dashboard, then ask anew.",
        TRY_LATER,
    ),
    "invalid_characters": PARAMETER,
    "request_blocked": BLOCKED,
    "status_transition_invalid": CHARGE_OVER,
    # The kinds that stand where Stripe gives no code
    "invalid_request_error": Refusal(
        "Stripe does not take the request as it is.", "Stripe's Dashboard shows the request and why, under Developers.",
        TRY_LATER,
    ),
    "card_error": Refusal("The card was declined.", "See the decline code.", OTHER_METHOD),
}  # fmt: skip
