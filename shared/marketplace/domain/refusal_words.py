"""The words of refusals: a shape for each, and those that many of Stripe's codes share."""

from typing import Final, NamedTuple


class Refusal(NamedTuple):
    """For whoever asked: what happened, and what to do. ``buyer`` is what a buyer may be told, None where nothing."""

    what: str
    action: str
    buyer: str | None = None


TRY_LATER: Final = "The payment could not be made; nothing was charged. Try again later."
OTHER_METHOD: Final = "This payment method cannot be used here. Use another one."
OVER: Final = "This payment is over. Begin anew."
REPORT: Final = "A fault of this code or a newer version of Stripe's API: report the code and the `request_id`."
ONBOARD: Final = "Read the merchant: `requirements_due` says what it lacks. Send it an onboarding link."
READ_SALE: Final = "Read the transaction: its status, refunds and disputes say what became of it."
BANK: Final = "Let the merchant give another bank account: an onboarding link leads it there."
WAIT_OR_TOP_UP: Final = (
    "Wait until payments become available, or top the platform's balance up at Stripe, then ask anew."
)

PARAMETER: Final = Refusal("A parameter is not as Stripe wants it.", REPORT, TRY_LATER)
CHARGE_OVER: Final = Refusal("The charge is not in a state that allows this.", READ_SALE, OVER)
BAD_BANK: Final = Refusal("The merchant's bank account cannot be paid to.", BANK)
CARD_DATA: Final = Refusal("The card's details are not right.", "Let the buyer enter them anew.", OTHER_METHOD)
NOT_READY: Final = Refusal("The merchant's account may not do this yet, or not any more.", ONBOARD, TRY_LATER)
INSTANT: Final = Refusal(
    "Instant payouts are not open to this account, bank, currency or amount.", "Make a standard payout instead."
)
PERSON: Final = Refusal("What was said of the account's country or bank is not taken.", ONBOARD)
TAX: Final = Refusal(
    "Stripe Tax cannot compute the tax.",
    "Check the tax settings and registrations (`bin/marketplace doctor`), and that the buyer's address is complete.",
    "The tax for this address cannot be computed. Check the address.",
)
INVOICE: Final = Refusal("The invoice is not in a state that allows this.", "Read the invoice: its status says why.")
BLOCKED: Final = Refusal(
    "Stripe has stopped the request, which it takes for unusual or not allowed.",
    "Stripe's Dashboard says why, or Stripe's support; then ask anew.", TRY_LATER,
)  # fmt: skip
CONFIRM: Final = Refusal(
    "The buyer's bank wants him to confirm.", "Send him back to confirm the payment.", "Confirm the payment."
)
NOT_CONFIRMED: Final = Refusal(
    "The buyer did not confirm as his bank wants it.", "Let him try again.", "The confirmation failed. Try again."
)
LAPSED: Final = Refusal(
    "The attempt was not finished in time.", "Let the buyer try again.", "The time for this attempt is over. Try again."
)
MANDATE: Final = Refusal(
    "The buyer's mandate is not valid, or not any more.", "Let the buyer save the details anew.", OTHER_METHOD
)
METHOD_GONE: Final = Refusal(
    "The saved details are gone, or another customer's.", "Let the buyer save them anew.", OTHER_METHOD
)
METHOD_SILENT: Final = Refusal("The method's provider does not answer.", "Try again later.", TRY_LATER)
METHOD_UNFIT: Final = Refusal(
    "The payment method does not fit this payment, or may not be used for it.", "Let the buyer use another one.",
    OTHER_METHOD,
)  # fmt: skip
NO_METHOD: Final = Refusal(
    "No payment method that is switched on fits.", "Switch methods on in the Dashboard.", TRY_LATER
)
USED: Final = Refusal("What the browser sent was used before.", "Let the buyer enter it anew.", TRY_LATER)
NOT_OFFERED: Final = Refusal(
    "Stripe offers this to no account of such a country, dashboard and responsibilities.",
    "Choose another country or currency for the merchant, or another AccountPolicy.",
)
PLATFORM_NOT_OPEN: Final = Refusal(
    "The platform's own account may not have merchants yet: its profile, identity or agreement lacks something.",
    "Finish it in Stripe's Dashboard, under Connect, then ask anew.",
)
NO_V2: Final = Refusal("Stripe does not let this account be used by Accounts v2.", "Ask Stripe's support.")
TOKEN_NEEDED: Final = Refusal(
    "In this country Stripe wants the account made with a token from the browser.",
    "Make the merchant with another country, or onboard it in Stripe's Dashboard.",
)
