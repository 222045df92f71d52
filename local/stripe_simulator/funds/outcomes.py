"""Stripe's documented test values, in one table: what a card number, an account number, an IBAN or a name leads to.

Sources: https://docs.stripe.com/testing, https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-account-numbers,
https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from .foreign_cards import FOREIGN_CARDS


class Decline(NamedTuple):
    """Why an attempt fails, as the error and the charge say it."""

    code: str
    decline_code: str | None
    message: str
    blocked: bool = False  # by Radar, before the issuer was asked


class Authentication(Enum):
    """When a card asks for 3-D Secure."""

    NEVER = auto()
    ALWAYS = auto()
    UNTIL_SET_UP = auto()  # on session always; off session it goes through without it once it was set up
    ON_SESSION = auto()  # set up for off-session payments, which go through without it
    BROKEN = auto()  # required, and its server does not answer


class AfterRefund(Enum):
    """What becomes of a refund."""

    SUCCEEDS = auto()
    PENDING_THEN_SUCCEEDS = auto()
    SUCCEEDS_THEN_FAILS = auto()


class Opening(NamedTuple):
    """The dispute that a card opens once it has paid."""

    reason: str
    is_inquiry: bool = False
    is_compliance: bool = False
    parts: int = 1  # how many disputes share the payment


class Card(NamedTuple):
    """A test card. ``name`` follows ``pm_card_`` and ``tok_``; some have none."""

    number: str
    name: str
    brand: str = "visa"
    funding: str = "credit"
    decline: Decline | None = None
    authentication: Authentication = Authentication.NEVER
    after_refund: AfterRefund = AfterRefund.SUCCEEDS
    available_at_once: bool = False
    cvc_check: str = "pass"
    opening: Opening | None = None
    is_warned_of: bool = False  # by its issuer, after it has paid
    has_elevated_risk: bool = False
    country: str = "US"

    @property
    def setup_decline(self) -> Decline | None:
        """Why it cannot be saved: what is declined at once cannot be, but for the card that is made for failing later.

        Of those declined after 3-D Secure, Stripe says that their payments are. https://docs.stripe.com/testing
        """
        is_declined_later = self.authentication not in (Authentication.NEVER, Authentication.BROKEN)
        return None if is_declined_later or self.name == "chargeCustomerFail" else self.decline


class Debit(NamedTuple):
    """A test bank account: its money comes, or does not, some time after the payment was confirmed."""

    number: str  # account number, or IBAN
    name: str  # of the test payment method, whole
    failure: Decline | None = None
    never_settles: bool = False
    dispute: str | None = None  # why the buyer's bank takes the money back once it has been paid
    extra_delay_seconds: int = 0


_DECLINED: Final = "Your card was declined."
_GENERIC: Final = Decline("card_declined", "generic_decline", _DECLINED)
_NO_FUNDS: Final = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_LOST: Final = Decline("card_declined", "lost_card", _DECLINED)
_STOLEN: Final = Decline("card_declined", "stolen_card", _DECLINED)
_VELOCITY: Final = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)
_FRAUD: Final = Decline("card_declined", "fraudulent", _DECLINED, blocked=True)
_EXPIRED: Final = Decline("expired_card", None, "Your card has expired.")
_WRONG_CVC: Final = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
_PROCESSING_ERROR: Final = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
LIVE_CARD: Final = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test (live) card. "
    "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
)

CARDS: Final = (
    Card("4242424242424242", "visa"),
    Card("4000056655665556", "visa_debit", funding="debit"),
    Card("5555555555554444", "mastercard", "mastercard"),
    Card("2223003122003222", "", "mastercard"),
    Card("5200828282828210", "mastercard_debit", "mastercard", "debit"),
    Card("5105105105105100", "mastercard_prepaid", "mastercard", "prepaid"),
    Card("378282246310005", "amex", "amex"),
    Card("371449635398431", "", "amex"),
    Card("6011111111111117", "discover", "discover"),
    Card("3056930009020004", "diners", "diners"),
    Card("3566002020360505", "jcb", "jcb"),
    Card("6200000000000005", "unionpay", "unionpay"),
    Card("4000000000000077", "bypassPending", available_at_once=True),
    Card("4000003720000278", "bypassPendingInternational", available_at_once=True, country="IE"),
    Card("4000000000000002", "visa_chargeDeclined", decline=_GENERIC),
    Card("4000000000009995", "visa_chargeDeclinedInsufficientFunds", decline=_NO_FUNDS),
    Card("4000000000009987", "visa_chargeDeclinedLostCard", decline=_LOST),
    Card("4000000000009979", "visa_chargeDeclinedStolenCard", decline=_STOLEN),
    Card("4000000000006975", "visa_chargeDeclinedVelocityLimitExceeded", decline=_VELOCITY),
    Card("4000000000000069", "chargeDeclinedExpiredCard", decline=_EXPIRED),
    Card("4000000000000127", "chargeDeclinedIncorrectCvc", decline=_WRONG_CVC, cvc_check="fail"),
    Card("4000000000000119", "chargeDeclinedProcessingError", decline=_PROCESSING_ERROR),
    Card("4000000000000341", "chargeCustomerFail", decline=_GENERIC),
    Card("4100000000000019", "radarBlock", decline=_FRAUD),
    Card("4000000000004954", "riskLevelHighest", decline=_FRAUD),
    Card("4000000000009235", "riskLevelElevated", has_elevated_risk=True),
    Card("4000000000005423", "createIssuerFraudRecord", is_warned_of=True),
    Card("4000000000000101", "cvcCheckFail", cvc_check="fail"),
    Card("4000002500003155", "authenticationRequiredOnSetup", authentication=Authentication.UNTIL_SET_UP),
    Card("4000002760003184", "authenticationRequired", authentication=Authentication.ALWAYS),
    Card("4000003800000446", "authenticationRequiredSetupForOffSession", authentication=Authentication.ON_SESSION),
    Card(
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        decline=_NO_FUNDS,
        authentication=Authentication.ALWAYS,
    ),
    Card("4000000000003220", "threeDSecure2Required", authentication=Authentication.ALWAYS),
    Card("4000000000003063", "threeDSecureRequired", authentication=Authentication.ALWAYS),
    Card(
        "4000008400001629",
        "threeDSecureRequiredChargeDeclined",
        decline=_GENERIC,
        authentication=Authentication.ALWAYS,
    ),
    Card(
        "4000008400001280",
        "threeDSecureRequiredProcessingError",
        decline=_GENERIC,
        authentication=Authentication.BROKEN,
    ),
    Card("4000000000003055", "threeDSecureOptional"),
    Card("4000000000007726", "pendingRefund", after_refund=AfterRefund.PENDING_THEN_SUCCEEDS),
    Card("4000000000005126", "refundFail", after_refund=AfterRefund.SUCCEEDS_THEN_FAILS),
    Card("4000000000000259", "createDispute", opening=Opening("fraudulent")),
    Card("4000000000002685", "createDisputeProductNotReceived", opening=Opening("product_not_received")),
    Card("4000000000001976", "createDisputeInquiry", opening=Opening("fraudulent", is_inquiry=True)),
    Card("4000008400000779", "createComplianceDispute", opening=Opening("noncompliant", is_compliance=True)),
    Card("4000000404000079", "createMultipleDisputes", opening=Opening("fraudulent", parts=2)),
    *(Card(number, name, country=name.upper()) for name, number in FOREIGN_CARDS.items()),
)

NOT_SIMULATED_CARDS: Final = frozenset({"4000000404000038"})
"""Documented cards that lead to disputes with Visa's compelling evidence: refused rather than charged as plain."""

_ATTEMPT_FAILED: Final = Decline("payment_intent_payment_attempt_failed", None, "The payment failed.")
_THREE_MINUTES: Final = 180

US_BANK_ACCOUNTS: Final = (
    Debit("000123456789", "pm_usBankAccount_success"),
    Debit(
        "000111111113",
        "pm_usBankAccount_accountClosed",
        Decline("account_closed", None, "The customer's bank account has been closed."),
    ),
    Debit(
        "000111111116",
        "pm_usBankAccount_noAccount",
        Decline("no_account", None, "The bank account could not be located."),
    ),
    Debit(
        "000222222227",
        "pm_usBankAccount_insufficientFunds",
        Decline("insufficient_funds", None, "The customer's account has insufficient funds to cover this payment."),
    ),
    Debit(
        "000333333335",
        "pm_usBankAccount_debitNotAuthorized",
        Decline(
            "debit_not_authorized", None, "The customer has notified their bank that this payment was unauthorized."
        ),
    ),
    Debit(
        "000444444440",
        "pm_usBankAccount_invalidCurrency",
        Decline("invalid_currency", None, "The bank account cannot be debited in this currency."),
    ),
    Debit("000000000009", "pm_usBankAccount_processing", never_settles=True),
    Debit("000555555559", "pm_usBankAccount_dispute", dispute="debit_not_authorized"),
)
SEPA_DEBITS: Final = (
    Debit("AT611904300234573201", "pm_sepaDebit_success_at"),
    Debit("DE89370400440532013000", "pm_sepaDebit_success_de"),
    Debit("AT321904300235473204", "pm_sepaDebit_successDelayed_at", extra_delay_seconds=_THREE_MINUTES),
    Debit("AT591904300235473203", "pm_sepaDebit_disputed_at", dispute="customer_initiated"),
    Debit("AT861904300235473202", "pm_sepaDebit_failed_at", _ATTEMPT_FAILED),
    Debit("AT051904300235473205", "pm_sepaDebit_failedDelayed_at", _ATTEMPT_FAILED, extra_delay_seconds=_THREE_MINUTES),
    Debit(
        "AT981904300002222227",
        "pm_sepaDebit_insufficientFunds_at",
        Decline("insufficient_funds", None, "The customer's account has insufficient funds to cover this payment."),
    ),
)

CARD_BY_NUMBER: Final[Mapping[str, Card]] = {card.number: card for card in CARDS}
CARD_BY_NAME: Final[Mapping[str, Card]] = {
    # ``pm_card_chargeDeclined`` of former documents is today's ``pm_card_visa_chargeDeclined``.
    **{card.name.removeprefix("visa_"): card for card in CARDS if card.name and card.name.startswith("visa_charge")},
    **{card.name: card for card in CARDS if card.name},
}
DEBITS_BY_TYPE: Final[Mapping[str, Mapping[str, Debit]]] = {
    "us_bank_account": {debit.number: debit for debit in US_BANK_ACCOUNTS},
    "sepa_debit": {debit.number: debit for debit in SEPA_DEBITS},
}
DEBIT_BY_NAME: Final[Mapping[str, tuple[str, Debit]]] = {
    debit.name: (kind, debit) for kind, debits in DEBITS_BY_TYPE.items() for debit in debits.values()
}
