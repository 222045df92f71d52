"""Why Stripe refused, by its error code: what happened, what to do, what a buyer may be told.

The codes that the calls of this code can meet, of https://docs.stripe.com/error-codes and of Accounts v2. Stripe's own
texts are never shown: they quote ids and parameters.
"""

from collections.abc import Mapping
from typing import Final

from marketplace.domain.account_refusals import ACCOUNT_REFUSALS
from marketplace.domain.payment_refusals import PAYMENT_REFUSALS
from marketplace.domain.refusal_words import TRY_LATER, Refusal

PREFIX: Final = "stripe-"  # of an entry in docs/errors.md

REFUSALS: Final[Mapping[str, Refusal]] = {**ACCOUNT_REFUSALS, **PAYMENT_REFUSALS}
UNLISTED: Final = Refusal(
    "Stripe refused, with a code that is none of these.",
    "See https://docs.stripe.com/error-codes, and the request in Stripe's Dashboard under Developers.",
    TRY_LATER,
)


def refusal_of(code: str) -> Refusal:
    """What a code means; codes are many and grow."""
    return REFUSALS.get(code, UNLISTED)


def entry_of(code: str) -> str:
    """Where it stands in docs/errors.md."""
    return f"{PREFIX}{code}" if code in REFUSALS else f"{PREFIX}unlisted"
