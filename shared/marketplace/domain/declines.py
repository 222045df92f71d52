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
    {"fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card", "security_violation",
     "stolen_card"}
)  # fmt: skip


class Words(NamedTuple):
    """For the buyer: what happened, and what to do."""

    what: str
    action: str


_OTHER_CARD: Final = "Use another payment method."
_CALL: Final = "Ask the bank that issued the card, or use another payment method."
_LATER: Final = "Try again in a little while, or use another payment method."
WORDS: Final[Mapping[str, Words]] = {
    AUTHENTICATION_REQUIRED: Words("Your bank wants you to confirm this payment.", "Confirm the payment to finish it."),
    "card_velocity_exceeded": Words("The card's limit is used up.", _CALL),
    "card_not_supported": Words("The card does not allow this kind of payment.", _OTHER_CARD),
    "currency_not_supported": Words("The card does not pay in this currency.", _OTHER_CARD),
    "do_not_honor": Words("Your bank declined the payment.", _CALL),
    "expired_card": Words("The card has expired.", _OTHER_CARD),
    "incorrect_cvc": Words("The card's security code is wrong.", "Save the card anew, with its security code."),
    "incorrect_number": Words("The card's number is wrong.", "Save the card anew."),
    "insufficient_funds": Words("There is not enough money on the account.", _OTHER_CARD),
    "invalid_account": Words("The card or its account is not valid.", _CALL),
    "invalid_amount": Words("The bank does not allow this amount.", _CALL),
    "issuer_not_available": Words("Your bank could not be reached.", _LATER),
    "processing_error": Words("The payment could not be processed.", _LATER),
    "reenter_transaction": Words("The payment could not be processed.", _LATER),
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
