"""Why Stripe refused what a buyer pays: amounts, charges, payment methods, what is sold and billed."""

from collections.abc import Mapping
from typing import Final

from marketplace.domain.refusal_words import (
    CARD_DATA,
    CHARGE_OVER,
    CONFIRM,
    INVOICE,
    LAPSED,
    MANDATE,
    METHOD_GONE,
    METHOD_SILENT,
    METHOD_UNFIT,
    NO_METHOD,
    NOT_CONFIRMED,
    OTHER_METHOD,
    OVER,
    PARAMETER,
    READ_SALE,
    TAX,
    TRY_LATER,
    USED,
    Refusal,
)

PAYMENT_REFUSALS: Final[Mapping[str, Refusal]] = {
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
    "capture_charge_authorization_expired": Refusal("The authorization has lapsed.", "Let the buyer pay again.", OVER),
    "capture_unauthorized_payment": CHARGE_OVER,
    "charge_already_captured": CHARGE_OVER,
    "charge_already_refunded": Refusal("All of the charge was refunded already.", READ_SALE),
    "charge_disputed": Refusal(
        "The buyer's bank has taken the money back: there is nothing to refund while the dispute is open.",
        "Answer or accept the dispute.", "Your bank is looking into this payment; it decides.",
    ),
    "charge_exceeds_source_limit": Refusal("More than the payment method allows.", "Ask for less.", OTHER_METHOD),
    "charge_exceeds_transaction_limit": Refusal("More than the payment method allows.", "Ask for less.", OTHER_METHOD),
    "charge_expired_for_capture": Refusal("The authorization has lapsed.", "Let the buyer pay again.", OVER),
    "charge_invalid_parameter": PARAMETER,
    "charge_not_refundable": Refusal("The charge can be refunded no more: it is too old, or disputed.", READ_SALE),
    "checkout_session_not_open": Refusal("The session is complete or expired.", READ_SALE, OVER),
    "invalid_charge_amount": PARAMETER,
    "payment_intent_unexpected_state": CHARGE_OVER,
    "refund_disputed_payment": Refusal("The payment is disputed.", "Answer or accept the dispute."),
    "intent_invalid_state": CHARGE_OVER,
    # Declines and payment methods; why a bank declined is told by the decline codes
    "authentication_required": CONFIRM,
    "card_decline_rate_limit_exceeded": Refusal(
        "The card was declined so often that Stripe tries it no more today.", "Let the buyer use another one.",
        OTHER_METHOD,
    ),
    "card_declined": Refusal("The buyer's bank declined.", "See the decline code.", OTHER_METHOD),
    "debit_not_authorized": Refusal("The buyer's bank has no mandate.", "Let the buyer give one.", OTHER_METHOD),
    "expired_card": CARD_DATA,
    "expired_payment_method": CARD_DATA,
    "incorrect_address": CARD_DATA,
    "incorrect_cvc": CARD_DATA,
    "incorrect_number": CARD_DATA,
    "incorrect_zip": CARD_DATA,
    "insufficient_funds": Refusal("There is not enough money.", "See the decline code.", OTHER_METHOD),
    "invalid_cvc": CARD_DATA,
    "invalid_expiry_month": CARD_DATA,
    "invalid_expiry_year": CARD_DATA,
    "invalid_number": CARD_DATA,
    "payment_intent_authentication_failure": NOT_CONFIRMED,
    "payment_method_currency_mismatch": Refusal(
        "The payment method does not pay in this currency.", "Use another one.", OTHER_METHOD
    ),
    "payment_method_customer_decline": Refusal("The buyer declined.", "Let him use another one.", OTHER_METHOD),
    "payment_method_not_available": METHOD_SILENT,
    "payment_method_provider_decline": Refusal("The method's provider declined.", "Use another one.", OTHER_METHOD),
    "payment_method_unactivated": Refusal(
        "The account may not take this method.", "Switch it on in the Dashboard.", OTHER_METHOD
    ),
    "payment_method_unexpected_state": METHOD_GONE,
    "processing_error": Refusal("Something between the banks failed.", "Try again with a new key.", TRY_LATER),
    "setup_intent_authentication_failure": NOT_CONFIRMED,
    "setup_intent_unexpected_state": Refusal("Saving the details is over.", "Begin anew.", OVER),
    "token_already_used": USED,
    "authentication_failure": NOT_CONFIRMED,
    "billing_invalid_mandate": MANDATE,
    "incorrect_postal_code": CARD_DATA,
    "india_recurring_payment_mandate_canceled": MANDATE,
    "invalid_mandate_reference_prefix_format": PARAMETER,
    "missing": METHOD_GONE,
    "payment_intent_action_required": CONFIRM,
    "payment_intent_incompatible_payment_method": METHOD_UNFIT,
    "payment_intent_invalid_parameter": PARAMETER,
    "payment_intent_mandate_invalid": MANDATE,
    "payment_intent_payment_attempt_expired": LAPSED,
    "payment_intent_payment_attempt_failed": METHOD_UNFIT,
    "payment_intent_rate_limit_exceeded": Refusal(
        "Stripe takes no more requests for this payment.", "Begin anew with another payment.", OVER
    ),
    "payment_method_bank_account_blocked": METHOD_UNFIT,
    "payment_method_billing_details_address_missing": CARD_DATA,
    "payment_method_configuration_failures": NO_METHOD,
    "payment_method_invalid_parameter": PARAMETER,
    "payment_method_invalid_parameter_testmode": PARAMETER,
    "payment_method_provider_timeout": METHOD_SILENT,
    "payment_method_restricted": METHOD_UNFIT,
    "payment_method_unsupported_type": METHOD_UNFIT,
    "postal_code_invalid": CARD_DATA,
    "refer_to_customer": Refusal("The buyer has told his bank not to pay this.", "Ask the buyer.", OTHER_METHOD),
    "sepa_unsupported_account": METHOD_UNFIT,
    "setup_attempt_failed": METHOD_UNFIT,
    "setup_intent_invalid_parameter": PARAMETER,
    "setup_intent_mandate_invalid": MANDATE,
    "setup_intent_mobile_wallet_unsupported": METHOD_UNFIT,
    "setup_intent_setup_attempt_expired": LAPSED,
    "token_card_network_invalid": CARD_DATA,
    "token_in_use": USED,
    # Catalog, promotions, tax, invoices, subscriptions, disputes
    "coupon_expired": Refusal("The coupon or code has ended.", "Make another one.", "The code has ended."),
    "customer_max_payment_methods": Refusal("The customer has as many saved details as can be.", "Delete some."),
    "customer_max_subscriptions": Refusal("The customer has as many subscriptions as can be.", "Cancel some."),
    "customer_tax_location_invalid": TAX,
    "dispute_closed": Refusal("The dispute is decided.", "Read the dispute."),
    "dispute_evidence_page_limit_exceeded": Refusal("The evidence has too many pages.", "Send less."),
    "failed_tax_calculation": TAX,
    "invalid_tax_location": TAX,
    "invoice_already_paid": INVOICE,
    "invoice_no_customer_line_items": Refusal("The invoice has no lines.", "Add some first."),
    "invoice_not_editable": INVOICE,
    "invoice_on_behalf_of_not_editable": INVOICE,
    "invoice_payment_intent_requires_action": Refusal(
        "The buyer's bank wants him to confirm.", "Send him the invoice's page.", "Confirm the payment."
    ),
    "invoice_upcoming_none": INVOICE,
    "product_inactive": Refusal("The product is archived.", "Sell another one.", "This is sold no more."),
    "resource_already_exists": Refusal("It is there already.", "Read it."),
    "resource_missing": Refusal("Stripe has no such object, or not on this account.", READ_SALE, TRY_LATER),
    "shipping_address_invalid": Refusal("The address is none.", "Check it.", "Check the address."),
    "stripe_tax_inactive": TAX,
    "tax_id_invalid": Refusal("The tax ID has not the form of its kind.", "Check it.", "Check the tax ID."),
    "tax_id_prohibited": Refusal("The account takes no such tax ID.", "Leave it out."),
    "taxes_calculation_failed": TAX,
    "invalid_canceled_subscription_fields": Refusal(
        "The subscription has ended: nothing of it can be changed.", "Read the subscription."
    ),
    "invoice_no_payment_method_types": NO_METHOD,
    "invoice_no_subscription_line_items": INVOICE,
    "service_period_coupon_with_metered_tiered_item_unsupported": Refusal(
        "The coupon does not go with a price by use or in tiers.", "Use another one."
    ),
    "subscription_update_trial_after_billing_cycle_anchor": PARAMETER,
}  # fmt: skip
