"""Money: integers in a currency's minor unit, and the splits that lose none of it.

Source of the currency rules: https://docs.stripe.com/currencies (zero-decimal, three-decimal and special cases).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from marketplace.domain.errors import InvalidAmount, UnknownCurrency

ZERO_DECIMAL: Final = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL: Final = frozenset("bhd jod kwd omr tnd".split())
TWO_DECIMAL: Final = frozenset(
    (
        "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc "
        "cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs "
        "khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab "
        "pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs "
        "uah ugx usd uyu uzs wst xcd yer zar zmw"
    ).split()
)
CURRENCIES: Final = ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL

# ISK and UGX have two decimals on the wire that must be 00; three-decimal amounts must end in 0.
SMALLEST_PAYABLE: Final[Mapping[str, int]] = {"isk": 100, "ugx": 100, **dict.fromkeys(THREE_DECIMAL, 10)}
LARGEST_AMOUNT: Final = 99_999_999  # minor units: Stripe takes eight digits


def smallest_payable(currency: str) -> int:
    """Minor units that every amount of ``currency`` is a multiple of.

    Raises:
        UnknownCurrency: Stripe presents no such currency, or it is not written in lower case.
    """
    if currency not in CURRENCIES:
        raise UnknownCurrency(currency)
    return SMALLEST_PAYABLE.get(currency, 1)


def major_units(amount: int, currency: str) -> str:
    """An amount in the currency's own unit, with all of its decimals.

    >>> major_units(1050, "usd"), major_units(1050, "jpy"), major_units(1050, "kwd"), major_units(-5, "eur")
    ('10.50', '1050', '1.050', '-0.05')
    """
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).rjust(decimals + 1, "0")
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


def require_payable(amount: int, currency: str) -> None:
    """Refuse what can be no payment: zero, negative, huge, or a fraction of the smallest payable unit.

    Raises:
        InvalidAmount, UnknownCurrency.
    """
    step = smallest_payable(currency)
    if not 0 < amount <= LARGEST_AMOUNT:
        raise InvalidAmount(f"{amount} {currency}: an amount is from 1 to {LARGEST_AMOUNT} minor units")
    if amount % step:
        raise InvalidAmount(f"{amount} {currency}: an amount is a multiple of {step}")


def allocate(total: int, weights: Sequence[int], *, step: int = 1) -> list[int]:
    """Split ``total`` minor units in proportion to ``weights``, in multiples of ``step``, losing nothing.

    Largest remainder; ties go to the earlier weight, so the same basket always splits the same way.
    ``step`` is the currency's smallest payable unit.

    Raises:
        InvalidAmount: ``total`` is negative or no multiple of ``step``, a weight is negative, or none is positive.
    """
    units, rest = divmod(total, step)
    whole = sum(weights)
    if total < 0 or rest or whole <= 0 or min(weights) < 0:
        raise InvalidAmount(f"{total} cannot be split by {list(weights)} in steps of {step}")
    shares = [units * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % whole), i))
    for i in by_remainder[: units - sum(shares)]:
        shares[i] += 1
    return [share * step for share in shares]


def part_of(whole: int, numerator: int, denominator: int, *, step: int = 1) -> int:
    """``whole * numerator / denominator``, rounded half to even, in multiples of ``step``.

    >>> part_of(90, 33, 100), part_of(90, 66, 100), part_of(90, 100, 100)
    (30, 59, 90)
    """
    quotient, remainder = divmod(whole * numerator, denominator * step)
    twice = 2 * remainder
    if twice > denominator * step or (twice == denominator * step and quotient % 2):
        quotient += 1
    return quotient * step
