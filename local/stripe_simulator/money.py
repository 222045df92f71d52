"""What Stripe knows of money: currencies, their steps, minimums and maximums, and how it rounds.

Amounts are integers in the currency's minor unit.
Sources: https://docs.stripe.com/currencies (decimals, special cases, minimum and maximum charge amounts).
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from .errors import InvalidParameterError

ZERO_DECIMAL: Final = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL: Final = frozenset("bhd jod kwd omr tnd".split())
WHOLE_UNITS_OF_TWO_DECIMAL: Final = frozenset({"isk", "ugx"})  # two decimals on the wire, which must be 00
CURRENCIES: Final = (
    frozenset(
        """
        aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc
        cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd
        kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php
        pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs
        wst xcd yer zar zmw
        """.split()
    )
    | ZERO_DECIMAL
    | THREE_DECIMAL
    | WHOLE_UNITS_OF_TWO_DECIMAL
)
MINIMUM_CHARGE: Final[Mapping[str, int]] = {
    "usd": 50,
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
}
MAXIMUM_AMOUNT: Final = 99_999_999
MAXIMUM_BY_CURRENCY: Final[Mapping[str, int]] = {"idr": 999_999_999_999}


def currency_code(text: str, param: str = "currency") -> str:
    """``text`` as Stripe keeps it, in lower case.

    Raises:
        InvalidParameterError: Stripe knows no such currency.
    """
    code = text.lower()
    if code not in CURRENCIES:
        raise InvalidParameterError(
            f"Invalid currency: {code}. Stripe currently supports these currencies: {', '.join(sorted(CURRENCIES))}",
            param=param,
        )
    return code


def step(currency: str) -> int:
    """The smallest amount that can be charged or moved: 100 for ISK and UGX, 10 for KWD, 1 for most."""
    if currency in WHOLE_UNITS_OF_TWO_DECIMAL:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def decimals(currency: str) -> int:
    """Digits after the point in the currency's major unit."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def amount_text(amount: int, currency: str) -> str:
    """An amount as people read it: ``1,234.50 USD``."""
    return f"{Decimal(amount).scaleb(-decimals(currency)):,.{decimals(currency)}f} {currency.upper()}"


def maximum(currency: str) -> int:
    """Minor units of the largest amount that can be charged."""
    return MAXIMUM_BY_CURRENCY.get(currency, MAXIMUM_AMOUNT)


def check_amount(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse an amount that is negative, too large, or between two steps of the currency.

    Raises:
        InvalidParameterError: with Stripe's code for each.
    """
    if amount < 0:
        raise InvalidParameterError(
            "This value must be greater than or equal to 0.", code="parameter_invalid_integer", param=param
        )
    if amount > maximum(currency):
        raise InvalidParameterError(
            f"Amount must be no more than {maximum(currency)} in the minor unit of {currency}.",
            code="amount_too_large",
            param=param,
        )
    if amount % step(currency):
        raise InvalidParameterError(
            f"Amounts in {currency} must be a multiple of {step(currency)}.",
            code="parameter_invalid_integer",
            param=param,
        )


def check_charge(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse what cannot be charged: also an amount below the minimum of the currency, which it settles in.

    Raises:
        InvalidParameterError: ``amount_too_small`` among others.
    """
    check_amount(amount, currency, param)
    check_minimum(amount, currency, param)


def check_minimum(settled: int, currency: str, param: str = "amount") -> None:
    """Refuse what is less than the smallest charge once it has been converted to the currency that it settles in.

    Raises:
        InvalidParameterError: ``amount_too_small``.
    """
    minimum = MINIMUM_CHARGE.get(currency, step(currency))
    if settled < minimum:
        raise InvalidParameterError(
            f"Amount must be at least {minimum} in the minor unit of {currency}.", code="amount_too_small", param=param
        )


class Rounding(StrEnum):
    """How a proportional amount becomes whole; Stripe does not say which, so tests run with each."""

    HALF_UP = ROUND_HALF_UP
    HALF_EVEN = ROUND_HALF_EVEN
    DOWN = ROUND_DOWN

    def whole(self, amount: Decimal, currency: str) -> int:
        """``amount`` in minor units as a multiple of the currency's step."""
        size = step(currency)
        return int((amount / size).quantize(Decimal(1), rounding=self.value)) * size

    def share(self, total: int, part: int, whole: int, currency: str) -> int:
        """``part / whole`` of ``total``: a proportional reversal or refund of a fee."""
        return self.whole(Decimal(total) * part / whole, currency)
