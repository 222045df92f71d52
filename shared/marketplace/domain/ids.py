"""Our ids: a noun, a hyphen, and a ULID, for example ``transaction-01jd2k...``. Stripe's have an underscore.

A ULID sorts by its time. What belongs to one owner carries the owner's ULID before its own, so that its partition is
known from its id alone: ``price-{merchant}-{own}``, ``refund-{transaction}-{own}``.
"""

import hashlib
import re
from datetime import datetime
from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
RANDOM_BITS: Final = 80
_TIME_CHARACTERS: Final = 10
_RANDOM_CHARACTERS: Final = 16
_ULID: Final = f"[{ALPHABET}]{{{_TIME_CHARACTERS + _RANDOM_CHARACTERS}}}"
OWNERS: Final = {
    "product": "merchant", "price": "merchant", "debt": "merchant", "payout": "merchant",
    "code": "coupon",
    "refund": "transaction", "dispute": "transaction", "transfer": "transaction", "reversal": "transaction",
}  # fmt: skip
NOUNS: Final = frozenset({"merchant", "transaction", "subscription", "invoice", "command", "coupon", *OWNERS})


def make_id(noun: str, at: datetime, random: int, *, owner: str | None = None) -> str:
    """A new id; ``random`` has RANDOM_BITS bits, ``owner`` is the id of the owner where the noun has one."""
    milliseconds = int(at.timestamp() * 1000)
    own = _base32(milliseconds, _TIME_CHARACTERS) + _base32(random, _RANDOM_CHARACTERS)
    if noun in OWNERS:
        if owner is None:
            raise ValueError(f"a {noun} belongs to a {OWNERS[noun]}")
        return f"{noun}-{owner.removeprefix(OWNERS[noun] + '-')}-{own}"
    return f"{noun}-{own}"


def id_from(noun: str, at: datetime, text: str, *, owner: str | None = None) -> str:
    """The id of what somebody else made and named ``text``: the same whenever and wherever it is heard of."""
    digest = hashlib.sha256(text.encode()).digest()
    return make_id(noun, at, int.from_bytes(digest[: RANDOM_BITS // 8]), owner=owner)


def first_ulid(at: datetime) -> str:
    """The lowest ULID of a moment: what was made before it sorts before it."""
    return _base32(max(0, int(at.timestamp() * 1000)), _TIME_CHARACTERS) + ALPHABET[0] * _RANDOM_CHARACTERS


def ulid_before(ulid: str) -> str:
    """The ULID that comes before another, or the same where none does."""
    number = 0
    for character in ulid:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return _base32(max(0, number - 1), len(ulid))


def is_id(noun: str, text: str) -> bool:
    """Whether ``text`` has the shape of an id of this noun."""
    return re.fullmatch(f"{noun}-{_ULID}-{_ULID}" if noun in OWNERS else f"{noun}-{_ULID}", text) is not None


def owner_of(noun: str, text: str) -> str | None:
    """The id of the owner that an id names, or None when it is no id of this noun."""
    if noun not in OWNERS or not is_id(noun, text):
        return None
    return f"{OWNERS[noun]}-{text.split('-')[1]}"


def _base32(number: int, characters: int) -> str:
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
