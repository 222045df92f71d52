"""Which ways to pay, charge types, taxes and discounts go together: one table, and why the others are refused.

`docs/combinations.md` is written from it (`make openapi`).
"""

from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

from marketplace.domain.errors import CombinationRefused
from marketplace.domain.transactions import ChargeType


class Way(StrEnum):
    """How the buyer pays."""

    CHECKOUT = "checkout"  # on Stripe's page, or in its components
    OFF_SESSION = "off_session"  # with saved details, without the buyer
    SUBSCRIPTION = "subscription"  # the first time on Stripe's page, then by invoices
    INVOICE = "invoice"  # what an operator bills: on the invoice's page, or with saved details


class TaxMode(StrEnum):
    """Who is liable for the tax that Stripe calculates."""

    NONE = "none"
    PLATFORM = "platform"
    MERCHANT = "merchant"


class Discount(StrEnum):
    """Whether a buyer may have to pay less than the prices say; who funds that is the coupon's affair."""

    NONE = "none"
    GIVEN = "given"  # a coupon or code that the request names
    ENTERED = "entered"  # a code that the buyer may enter


class Combination(NamedTuple):
    """One row: what goes together, and how the merchants get what is theirs."""

    way: Way
    charge_type: ChargeType
    tax: TaxMode
    discount: Discount
    settled: str


_AT_ONCE: Final = "Stripe transfers the charge and takes the application fee back"
_EVENED_OUT: Final = (
    "Stripe transfers the charge; what is tax or fee is taken back by a reversal, what the platform adds is sent"
)
_EVENED_OUT_BUT_TAX: Final = (
    "Stripe transfers the charge, the tax with it; the fee is taken back by a reversal, what the platform adds is sent"
)
_TRANSFERS: Final = "a transfer to each merchant of what is its own"
_TRANSFERS_WITH_TAX: Final = "a transfer to the merchant of what is its own, the tax with it"
_BILLED: Final = "Stripe splits each payment, by percent or as its draft was told; what that leaves wrong is evened out"
_USUAL: Final = (TaxMode.NONE, Discount.NONE)


def _is_possible(way: Way, charge_type: ChargeType, tax: TaxMode, discount: Discount) -> bool:
    if (tax, discount) == _USUAL or way is Way.CHECKOUT:
        return True
    is_billed = way is Way.SUBSCRIPTION or (way is Way.INVOICE and discount is not Discount.ENTERED)
    return is_billed and charge_type is ChargeType.SEPARATE


def _settled(way: Way, charge_type: ChargeType, tax: TaxMode, discount: Discount) -> str:
    if charge_type is ChargeType.SEPARATE:
        return _TRANSFERS_WITH_TAX if tax is TaxMode.MERCHANT else _TRANSFERS
    if way in {Way.SUBSCRIPTION, Way.INVOICE}:
        return _BILLED
    if tax is TaxMode.MERCHANT:
        return _EVENED_OUT_BUT_TAX
    return _AT_ONCE if (tax, discount) == _USUAL else _EVENED_OUT


POSSIBLE: Final = tuple(
    Combination(*terms, _settled(*terms))
    for terms in product(Way, ChargeType, TaxMode, Discount)
    if _is_possible(*terms)
)
REFUSED: Final = (
    (
        "off_session with tax or a discount",
        "Stripe calculates both for Checkout Sessions and invoices; a PaymentIntent has an amount and nothing else.",
    ),
    (
        "a destination charge for several merchants or with a hold",
        "It has one destination, which has the money at once.",
    ),
    (
        "a subscription or an invoice with tax or a discount as destination charges",
        "Stripe's percentage is of the total with tax; a draft may change after it was told its fee, or never be one.",
    ),
    (
        "an invoice with codes that the buyer may enter",
        "Stripe's page of an invoice takes none; name the coupon or the code when the invoice is made.",
    ),
    (
        "a discount together with codes that the buyer may enter",
        "A Checkout Session has one discount.",
    ),
    (
        "tax with the merchant liable for several merchants",
        "Stripe calculates the tax of a Checkout Session by the settings and registrations of one account.",
    ),
    (
        "`on_behalf_of` for several merchants",
        "A charge has one settlement merchant.",
    ),
    (
        "`on_behalf_of` a merchant in another region, unless it is a destination charge",
        "Stripe lets separate charges be transferred within a region.",
    ),
)


def require_combination(way: Way, charge_type: ChargeType, tax: TaxMode, discount: Discount) -> Combination:
    """The row of the table. Raises CombinationRefused."""
    for row in POSSIBLE:
        if row[:4] == (way, charge_type, tax, discount):
            return row
    raise CombinationRefused(f"{way}, {charge_type}, tax {tax} and discount {discount} do not go together")
