"""What can be searched for: the query fields of each resource and their types, as Stripe documents them.

A field of a resource that is added here is indexed; nothing else has to be declared.
https://docs.stripe.com/search#supported-query-fields-for-each-resource
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ..values import Json, Object


class Kind(Enum):
    """What a field can be compared with."""

    TOKEN = auto()  # the same, in any case
    STRING = auto()  # the same words in the same order, or a substring
    NUMERIC = auto()  # the same, or more or less


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its type, and where its value is in an object (None: it has none)."""

    kind: Kind
    value: Callable[[Object], Json]


METADATA: Final = "metadata"
_WORD: Final = re.compile(r"\w+")


def _at(dotted: str) -> Callable[[Object], Json]:
    names = dotted.split(".")

    def value(item: Object) -> Json:
        found: Json = item
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    return value


def _token(name: str, path: str = "") -> dict[str, Field]:
    return {name: Field(Kind.TOKEN, _at(path or name))}


def _string(name: str, path: str = "") -> dict[str, Field]:
    return {name: Field(Kind.STRING, _at(path or name))}


def _numeric(name: str, path: str = "") -> dict[str, Field]:
    return {name: Field(Kind.NUMERIC, _at(path or name))}


def _refunded(charge: Object) -> bool | None:
    """``null`` is what cannot be refunded; ``false`` is also what was refunded in part."""
    return charge["refunded"] if charge["status"] == "succeeded" and charge["captured"] else None


_CARD_SOURCES: Final = ("card", "card_present", "interac_present")
_CARD_DETAILS: Final = ("brand", "exp_month", "exp_year", "fingerprint", "last4", "location", "reader")
_CARDS: Final = {
    name: field
    for source in _CARD_SOURCES
    for detail in _CARD_DETAILS
    for name, field in _token(f"payment_method_details.{source}.{detail}").items()
}

FIELDS: Final[Mapping[str, Mapping[str, Field]]] = {
    "charge": {
        **_numeric("amount"),
        **_token("billing_details.address.postal_code"),
        **_numeric("created"),
        **_token("currency"),
        **_token("customer"),
        **_token("disputed"),
        **_CARDS,
        "refunded": Field(Kind.TOKEN, _refunded),
        **_token("status"),
    },
    "customer": {**_numeric("created"), **_string("email"), **_string("name"), **_string("phone")},
    "invoice": {
        **_numeric("created"),
        **_token("currency"),
        **_token("customer"),
        **_token("last_finalization_error_code", "last_finalization_error.code"),
        **_token("last_finalization_error_type", "last_finalization_error.type"),
        **_string("number"),
        **_string("receipt_number"),
        **_string("status"),
        **_string("subscription", "parent.subscription_details.subscription"),
        **_numeric("total"),
    },
    "payment_intent": {
        **_numeric("amount"),
        **_numeric("created"),
        **_token("currency"),
        **_token("customer"),
        **_token("status"),
    },
    "price": {
        **_token("active"),
        **_token("currency"),
        **_string("lookup_key"),
        **_string("product"),
        **_token("type"),
    },
    "product": {
        **_token("active"),
        **_string("description"),
        **_string("name"),
        **_token("shippable"),
        **_string("url"),
    },
    "subscription": {**_numeric("canceled_at"), **_numeric("created"), **_token("status")},
}
"""By Stripe's ``object``; each also has ``metadata``, whose values are tokens."""


def token_of(value: Json) -> str:
    """A value as it is compared: booleans and numbers as they are written, letters in any case."""
    return str(value).casefold()


def words_of(value: Json) -> tuple[str, ...]:
    """The words of a text, in any case: what an exact match on a string compares."""
    return tuple(_WORD.findall(token_of(value)))
