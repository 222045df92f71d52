"""Why Stripe refused, by its error code: what happened, what to do, what a buyer may be told.

The codes that the calls of this code can meet, of https://docs.stripe.com/error-codes and of Accounts v2. Stripe's own
texts are never shown: they quote ids and parameters.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

PREFIX: Final = "stripe-"  # of an entry in docs/errors.md


class Refusal(NamedTuple):
    """For whoever asked: what happened, and what to do. ``buyer`` is what a buyer may be told, None where nothing."""

    what: str
    action: str
    buyer: str | None = None


_TRY_LATER: Final = "The payment could not be made; nothing was charged. Try again later."
_OTHER_METHOD: Final = "This payment method cannot be used here. Use another one."
_OVER: Final = "This payment is over. Begin anew."
_REPORT: Final = "A fault of this code or a newer version of Stripe's API: report the code and the `request_id`."
_ONBOARD: Final = "Read the merchant: `requirements_due` says what it lacks. Send it an onboarding link."
_READ_SALE: Final = "Read the transaction: its status, refunds and disputes say what became of it."
_BANK: Final = "Let the merchant give another bank account: an onboarding link leads it there."
_WAIT_OR_TOP_UP: Final = (
    "Wait until payments become available, or top the platform's balance up at Stripe, then ask anew."
)

_PARAMETER: Final = Refusal("A parameter is not as Stripe wants it.", _REPORT, _TRY_LATER)
_CHARGE_OVER: Final = Refusal("The charge is not in a state that allows this.", _READ_SALE, _OVER)
_BAD_BANK: Final = Refusal("The merchant's bank account cannot be paid to.", _BANK)
_CARD_DATA: Final = Refusal("The card's details are not right.", "Let the buyer enter them anew.", _OTHER_METHOD)
_NOT_READY: Final = Refusal("The merchant's account may not do this yet, or not any more.", _ONBOARD, _TRY_LATER)
_INSTANT: Final = Refusal(
    "Instant payouts are not open to this account, bank, currency or amount.", "Make a standard payout instead."
)
_PERSON: Final = Refusal("What was said of the account's country or bank is not taken.", _ONBOARD)
_TAX: Final = Refusal(
    "Stripe Tax cannot compute the tax.",
    "Check the tax settings and registrations (`bin/marketplace doctor`), and that the buyer's address is complete.",
    "The tax for this address cannot be computed. Check the address.",
)
_INVOICE: Final = Refusal("The invoice is not in a state that allows this.", "Read the invoice: its status says why.")

REFUSALS: Final[Mapping[str, Refusal]] = {
    # Accounts and onboarding
    "account_closed": _BAD_BANK,
    "account_country_invalid_address": _PERSON,
    "account_invalid": Refusal(
        "Stripe has no such connected account on this platform: it left, or the key is of another platform.",
        "Read the merchant, and check the key (`bin/marketplace doctor`).", _TRY_LATER,
    ),
    "account_number_invalid": _BAD_BANK,
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
    "account_token_required_for_v2_account": Refusal(
        "In this country Stripe wants the account made with a token from the browser.",
        "Make the merchant with another country, or onboard it in Stripe's Dashboard.",
    ),
    "bank_account_bad_routing_numbers": _BAD_BANK,
    "bank_account_declined": _BAD_BANK,
    "bank_account_exists": Refusal("The bank account is there already.", "Nothing has to be done."),
    "bank_account_restricted": _BAD_BANK,
    "bank_account_unusable": _BAD_BANK,
    "bank_account_unverified": _BAD_BANK,
    "bank_account_verification_failed": _BAD_BANK,
    "cannot_delete_account_with_balance": Refusal(
        "An account with a balance cannot be closed.", "Pay its balance out first."
    ),
    "capability_not_active": _NOT_READY,
    "configs_must_match_to_close": Refusal(
        "An account is closed with all of its configurations.", "Name each configuration that it has."
    ),
    "country_code_invalid": _PERSON,
    "country_unsupported": Refusal(
        "Stripe has no accounts in this country, or not for this platform's.",
        "See https://stripe.com/global, and the rules for cross-border transfers.",
    ),
    "email_invalid": Refusal("The e-mail address is none.", "Send another one.", "Check the e-mail address."),
    "identity_country_required": _PERSON,
    "insufficient_capabilities_for_transfer": _NOT_READY,
    "invalid_bank_account_iban": _BAD_BANK,
    "not_allowed_on_standard_account": Refusal(
        "The merchant runs its own Stripe account; a platform may not do this to it.",
        "Let the merchant do it in its Dashboard.",
    ),
    "not_found": Refusal("Stripe has no such object, or not on this account.", _READ_SALE, _TRY_LATER),
    "routing_number_invalid": _BAD_BANK,
    "storer_capability_missing": _NOT_READY,
    "storer_capability_not_active": _NOT_READY,
    "state_unsupported": _PERSON,
    "stripe_loss_liable_cannot_be_deleted": Refusal(
        "Stripe bears this account's losses, so it decides when the account is closed.", "Ask Stripe's support."
    ),
    "unsupported_field_for_configs": _PARAMETER,
    # Amounts, charges, captures
    "amount_too_large": Refusal(
        "More than Stripe takes, or more than is left.", "Ask for less.", "This amount cannot be paid at once."
    ),
    "amount_too_small": Refusal(
        "Less than Stripe's minimum for a charge in this currency (https://docs.stripe.com/currencies).",
        "Sell for more, or several things at once.", "The amount is too small to be paid by this method.",
    ),
    "application_fees_not_allowed": Refusal(
        "Stripe lets no fee be taken on this charge.", "Check the charge type and the account's configuration."
    ),
    "capture_charge_authorization_expired": Refusal("The authorization has lapsed.", "Let the buyer pay again.", _OVER),
    "capture_unauthorized_payment": _CHARGE_OVER,
    "charge_already_captured": _CHARGE_OVER,
    "charge_already_refunded": Refusal("All of the charge was refunded already.", _READ_SALE),
    "charge_disputed": Refusal(
        "The buyer's bank has taken the money back: there is nothing to refund while the dispute is open.",
        "Answer or accept the dispute.", "Your bank is looking into this payment; it decides.",
    ),
    "charge_exceeds_source_limit": Refusal("More than the payment method allows.", "Ask for less.", _OTHER_METHOD),
    "charge_exceeds_transaction_limit": Refusal("More than the payment method allows.", "Ask for less.", _OTHER_METHOD),
    "charge_expired_for_capture": Refusal("The authorization has lapsed.", "Let the buyer pay again.", _OVER),
    "charge_invalid_parameter": _PARAMETER,
    "charge_not_refundable": Refusal("The charge can be refunded no more: it is too old, or disputed.", _READ_SALE),
    "checkout_session_not_open": Refusal("The session is complete or expired.", _READ_SALE, _OVER),
    "invalid_charge_amount": _PARAMETER,
    "payment_intent_unexpected_state": _CHARGE_OVER,
    "refund_disputed_payment": Refusal("The payment is disputed.", "Answer or accept the dispute."),
    # Declines and payment methods; why a bank declined is told by the decline codes
    "authentication_required": Refusal(
        "The buyer's bank wants him to confirm.", "Send him back to confirm the payment.", "Confirm the payment."
    ),
    "card_decline_rate_limit_exceeded": Refusal(
        "The card was declined so often that Stripe tries it no more today.", "Let the buyer use another one.",
        _OTHER_METHOD,
    ),
    "card_declined": Refusal("The buyer's bank declined.", "See the decline code.", _OTHER_METHOD),
    "debit_not_authorized": Refusal("The buyer's bank has no mandate.", "Let the buyer give one.", _OTHER_METHOD),
    "expired_card": _CARD_DATA,
    "expired_payment_method": _CARD_DATA,
    "incorrect_address": _CARD_DATA,
    "incorrect_cvc": _CARD_DATA,
    "incorrect_number": _CARD_DATA,
    "incorrect_zip": _CARD_DATA,
    "insufficient_funds": Refusal("There is not enough money.", "See the decline code.", _OTHER_METHOD),
    "invalid_cvc": _CARD_DATA,
    "invalid_expiry_month": _CARD_DATA,
    "invalid_expiry_year": _CARD_DATA,
    "invalid_number": _CARD_DATA,
    "payment_intent_authentication_failure": Refusal(
        "The buyer did not confirm as his bank wants it.", "Let him try again.", "The confirmation failed. Try again."
    ),
    "payment_method_currency_mismatch": Refusal(
        "The payment method does not pay in this currency.", "Use another one.", _OTHER_METHOD
    ),
    "payment_method_customer_decline": Refusal("The buyer declined.", "Let him use another one.", _OTHER_METHOD),
    "payment_method_not_available": Refusal("The method's provider does not answer.", "Try again later.", _TRY_LATER),
    "payment_method_provider_decline": Refusal("The method's provider declined.", "Use another one.", _OTHER_METHOD),
    "payment_method_unactivated": Refusal(
        "The account may not take this method.", "Switch it on in the Dashboard.", _OTHER_METHOD
    ),
    "payment_method_unexpected_state": Refusal(
        "The saved details are gone, or another customer's.", "Let the buyer save them anew.", _OTHER_METHOD
    ),
    "processing_error": Refusal("Something between the banks failed.", "Try again with a new key.", _TRY_LATER),
    "setup_intent_authentication_failure": Refusal(
        "The buyer did not confirm as his bank wants it.", "Let him try again.", "The confirmation failed. Try again."
    ),
    "setup_intent_unexpected_state": Refusal("Saving the details is over.", "Begin anew.", _OVER),
    "token_already_used": Refusal("What the browser sent was used before.", "Let the buyer enter it anew.", _TRY_LATER),
    # Transfers, payouts, balances
    "balance_insufficient": Refusal(
        "The balance that this would come from does not cover it.", _WAIT_OR_TOP_UP
    ),
    "insufficient_funds_for_payout": Refusal("The balance does not cover the payout.", "Pay out what is available."),
    "instant_payouts_config_disabled": _INSTANT,
    "instant_payouts_currency_disabled": _INSTANT,
    "instant_payouts_limit_exceeded": _INSTANT,
    "instant_payouts_unsupported": _INSTANT,
    "no_account": _BAD_BANK,
    "payouts_limit_exceeded": Refusal("More was paid out today than Stripe allows.", "Pay out the rest tomorrow."),
    "payouts_not_allowed": Refusal("The account may not be paid out.", _ONBOARD),
    "transfer_source_balance_parameters_mismatch": _PARAMETER,
    "transfers_not_allowed": Refusal(
        "The platform may not send to this account: its country, or what the platform is allowed.",
        "See the rules for cross-border transfers, or ask Stripe's support.",
    ),
    # Catalog, promotions, tax, invoices, subscriptions, disputes
    "coupon_expired": Refusal("The coupon or code has ended.", "Make another one.", "The code has ended."),
    "customer_max_payment_methods": Refusal("The customer has as many saved details as can be.", "Delete some."),
    "customer_max_subscriptions": Refusal("The customer has as many subscriptions as can be.", "Cancel some."),
    "customer_tax_location_invalid": _TAX,
    "dispute_closed": Refusal("The dispute is decided.", "Read the dispute."),
    "dispute_evidence_page_limit_exceeded": Refusal("The evidence has too many pages.", "Send less."),
    "failed_tax_calculation": _TAX,
    "invalid_tax_location": _TAX,
    "invoice_already_paid": _INVOICE,
    "invoice_no_customer_line_items": Refusal("The invoice has no lines.", "Add some first."),
    "invoice_not_editable": _INVOICE,
    "invoice_on_behalf_of_not_editable": _INVOICE,
    "invoice_payment_intent_requires_action": Refusal(
        "The buyer's bank wants him to confirm.", "Send him the invoice's page.", "Confirm the payment."
    ),
    "invoice_upcoming_none": _INVOICE,
    "product_inactive": Refusal("The product is archived.", "Sell another one.", "This is sold no more."),
    "resource_already_exists": Refusal("It is there already.", "Read it."),
    "resource_missing": Refusal("Stripe has no such object, or not on this account.", _READ_SALE, _TRY_LATER),
    "shipping_address_invalid": Refusal("The address is none.", "Check it.", "Check the address."),
    "stripe_tax_inactive": _TAX,
    "tax_id_invalid": Refusal("The tax ID has not the form of its kind.", "Check it.", "Check the tax ID."),
    "tax_id_prohibited": Refusal("The account takes no such tax ID.", "Leave it out."),
    "taxes_calculation_failed": _TAX,
    # What the request was, and the key
    "livemode_mismatch": Refusal(
        "Test and live mode are mixed up.", "Hold the key against the parameter Livemode (`bin/marketplace doctor`).",
        _TRY_LATER,
    ),
    "parameter_invalid_decimal": _PARAMETER,
    "parameter_invalid_empty": _PARAMETER,
    "parameter_invalid_integer": _PARAMETER,
    "parameter_invalid_string_blank": _PARAMETER,
    "parameter_invalid_string_empty": _PARAMETER,
    "parameter_missing": _PARAMETER,
    "parameter_unknown": _PARAMETER,
    "parameters_exclusive": _PARAMETER,
    "testmode_charges_only": Refusal(
        "The platform's account is not open for live payments yet.", "Finish its activation at Stripe.", _TRY_LATER
    ),
    "url_invalid": Refusal("Stripe does not take the URL.", "In live mode URLs begin with https://.", _TRY_LATER),
    # The kinds that stand where Stripe gives no code
    "invalid_request_error": Refusal(
        "Stripe does not take the request as it is.", "Stripe's Dashboard shows the request and why, under Developers.",
        _TRY_LATER,
    ),
    "card_error": Refusal("The card was declined.", "See the decline code.", _OTHER_METHOD),
}  # fmt: skip
UNLISTED: Final = Refusal(
    "Stripe refused, with a code that is none of these.",
    "See https://docs.stripe.com/error-codes, and the request in Stripe's Dashboard under Developers.",
    _TRY_LATER,
)


def refusal_of(code: str) -> Refusal:
    """What a code means; codes are many and grow."""
    return REFUSALS.get(code, UNLISTED)


def entry_of(code: str) -> str:
    """Where it stands in docs/errors.md."""
    return f"{PREFIX}{code}" if code in REFUSALS else f"{PREFIX}unlisted"
