"""Why a payment with saved details did not go through, in words for the buyer: what happened, and what to do.

Stripe's own texts are never shown. What a thief would like to know is told to nobody but operators
(https://docs.stripe.com/declines/codes: lost, stolen and fraudulent cards look like any other decline).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from marketplace.domain.stripe_objects import payment_intent_facts
from marketplace.domain.transactions import PaymentFacts

AUTHENTICATION_REQUIRED: Final = "authentication_required"
GENERIC: Final = "generic_decline"
DECLINE: Final = "decline"  # under which name a command keeps the code
HIDDEN: Final = frozenset(
    {"fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card",
     "security_violation", "stolen_card"}
)  # fmt: skip


class Words(NamedTuple):
    """For the buyer: what happened, and what to do."""

    what: str
    action: str


_OTHER_CARD: Final = "Use another payment method."
_CALL: Final = "Ask the bank that issued the card, or use another payment method."
_CONFIRM: Final = "Confirm the payment to finish it."
_ANEW: Final = "Save the card anew."
_LATER: Final = "Try again in a little while, or use another payment method."
WORDS: Final[Mapping[str, Words]] = {
    "approve_with_id": Words("Your bank could not decide.", _LATER),
    "authentication_not_handled": Words("Your bank wants you to confirm this payment.", _CONFIRM),
    AUTHENTICATION_REQUIRED: Words("Your bank wants you to confirm this payment.", _CONFIRM),
    "call_issuer": Words("Your bank declined the payment.", _CALL),
    "card_velocity_exceeded": Words("The card's limit is used up.", _CALL),
    "card_not_supported": Words("The card does not allow this kind of payment.", _OTHER_CARD),
    "currency_not_supported": Words("The card does not pay in this currency.", _OTHER_CARD),
    "do_not_honor": Words("Your bank declined the payment.", _CALL),
    "do_not_try_again": Words("Your bank declined the payment.", _CALL),
    "duplicate_transaction": Words(
        "The same amount was paid with this card a moment ago.", "Look whether it was paid already."
    ),
    "expired_card": Words("The card has expired.", _OTHER_CARD),
    "incorrect_cvc": Words("The card's security code is wrong.", "Save the card anew, with its security code."),
    "incorrect_address": Words("The card's address is wrong.", _ANEW),
    "incorrect_pin": Words("The card's PIN is wrong.", _OTHER_CARD),
    "incorrect_zip": Words("The card's postal code is wrong.", _ANEW),
    "incorrect_number": Words("The card's number is wrong.", "Save the card anew."),
    "insufficient_funds": Words("There is not enough money on the account.", _OTHER_CARD),
    "invalid_account": Words("The card or its account is not valid.", _CALL),
    "invalid_amount": Words("The bank does not allow this amount.", _CALL),
    "invalid_cvc": Words("The card's security code is wrong.", _ANEW),
    "invalid_expiry_month": Words("The month in which the card expires is wrong.", _ANEW),
    "invalid_expiry_year": Words("The year in which the card expires is wrong.", _ANEW),
    "invalid_number": Words("The card's number is wrong.", _ANEW),
    "invalid_pin": Words("The card's PIN is wrong.", _OTHER_CARD),
    "issuer_not_available": Words("Your bank could not be reached.", _LATER),
    "mobile_device_authentication_required": Words("The phone wants you to confirm this payment.", _CONFIRM),
    "new_account_information_available": Words("Your bank has sent you another card or account number.", _CALL),
    "no_action_taken": Words("Your bank declined the payment.", _CALL),
    "not_permitted": Words("Your bank does not allow this payment.", _CALL),
    "offline_pin_required": Words("The card wants its PIN.", _OTHER_CARD),
    "online_or_offline_pin_required": Words("The card wants its PIN.", _OTHER_CARD),
    "pin_try_exceeded": Words("The PIN was wrong too often.", _OTHER_CARD),
    "processing_error": Words("The payment could not be processed.", _LATER),
    "reenter_transaction": Words("The payment could not be processed.", _LATER),
    "revocation_of_all_authorizations": Words("You have told your bank not to pay this.", _CALL),
    "revocation_of_authorization": Words("You have told your bank not to pay this.", _CALL),
    "service_not_allowed": Words("Your bank does not allow this payment.", _CALL),
    "stop_payment_order": Words("You have told your bank not to pay this.", _CALL),
    "testmode_decline": Words("This is a card for tests.", _OTHER_CARD),
    "transaction_not_allowed": Words("Your bank does not allow this payment.", _CALL),
    "try_again_later": Words("Your bank could not decide.", _LATER),
    "withdrawal_count_limit_exceeded": Words("The card's limit is used up.", _OTHER_CARD),
    GENERIC: Words("Your bank declined the payment.", _CALL),
}


def words_of(code: str) -> Words:
    """What a buyer is told; Stripe's codes are many and grow, and the others mean no more to him than a decline."""
    return WORDS.get(code, WORDS[GENERIC])


def shown_to_buyers(code: str) -> str:
    """The code as a buyer may know it."""
    return GENERIC if code in HIDDEN else code


def decline_in(intent: Mapping[str, Any]) -> str | None:
    """Why the last attempt to confirm a PaymentIntent failed; None where it did not."""
    error = intent.get("last_payment_error")
    if intent["status"] == "requires_action":
        return AUTHENTICATION_REQUIRED
    if intent["status"] != "requires_payment_method" or error is None:
        return None
    return str(error.get("decline_code") or error.get("code") or GENERIC)


def off_session_facts(intent: Mapping[str, Any]) -> PaymentFacts:
    """What the answer to an off-session confirmation says of its payment."""
    code = decline_in(intent)
    return replace(
        payment_intent_facts(intent),
        authentication_required=code == AUTHENTICATION_REQUIRED,
        declined=code not in {None, AUTHENTICATION_REQUIRED},
    )
