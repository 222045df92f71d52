"""Stripe's search query language, read: ``currency:"usd" -metadata["order"]:null amount>=1000``.

https://docs.stripe.com/search#search-query-language
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, NamedTuple

from ..errors import InvalidParameterError
from .fields import METADATA, Field, Kind

MAXIMUM_CLAUSES: Final = 10
SHORTEST_SUBSTRING: Final = 3
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_CLAUSE: Final = re.compile(
    rf"""
    (?P<negation>-?)
    (?P<field>[A-Za-z_][\w.]*) (?: \[ (?P<key>{_QUOTED}) \] )?
    (?P<operator>:|~|>=|<=|>|<)
    (?P<value>{_QUOTED}|[^\s"']+)
    (?=\s|$)
    """,
    re.VERBOSE | re.DOTALL,
)
_JOINT: Final = re.compile(r"\s+(?:(?P<word>and|or)\s+)?", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_UNREADABLE: Final = (
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for '
    'metadata or key:"value" to query for other fields.'
)


class Operator(StrEnum):
    """How a field is compared."""

    EXACT = ":"
    SUBSTRING = "~"
    MORE = ">"
    LESS = "<"
    AT_LEAST = ">="
    AT_MOST = "<="


OPERATORS: Final[Mapping[Kind, frozenset[Operator]]] = {
    Kind.TOKEN: frozenset({Operator.EXACT}),
    Kind.STRING: frozenset({Operator.EXACT, Operator.SUBSTRING}),
    Kind.NUMERIC: frozenset(Operator) - {Operator.SUBSTRING},
}


class Clause(NamedTuple):
    """One comparison; a value of None asks for what has none, ``key`` is the one of the metadata."""

    field: str
    key: str | None
    operator: Operator
    value: str | Decimal | None
    is_negated: bool


class Query(NamedTuple):
    """All of the clauses must hold, or any of them."""

    clauses: tuple[Clause, ...]
    any_holds: bool


def read_query(text: str, resource: str, fields: Mapping[str, Field]) -> Query:
    """The query, if the resource (``payment_intents``) has its fields and they their operators.

    Raises:
        InvalidParameterError: it cannot be read, has more than ten clauses or both AND and OR, or asks for what is not
            searchable.
    """
    text = text.strip()
    clauses: list[Clause] = []
    joints: set[str] = set()
    position = 0
    while position < len(text) or not clauses:
        found = _CLAUSE.match(text, position)
        if found is None:
            raise _refusal(_UNREADABLE)
        clauses.append(_read_clause(found, resource, fields))
        joint = _JOINT.match(text, found.end())
        if joint:
            joints.add((joint["word"] or "and").lower())
        position = joint.end() if joint else len(text)
    if len(joints) > 1:
        raise _refusal("AND and OR cannot be combined in one search query.")
    if len(clauses) > MAXIMUM_CLAUSES:
        raise _refusal(f"A search query can have up to {MAXIMUM_CLAUSES} clauses.")
    return Query(tuple(clauses), any_holds=joints == {"or"})


def _read_clause(found: re.Match[str], resource: str, fields: Mapping[str, Field]) -> Clause:
    name, operator = found["field"], Operator(found["operator"])
    key = None if found["key"] is None else _unquoted(found["key"])
    if (name == METADATA) != (key is not None):
        raise _refusal(_UNREADABLE)
    if name != METADATA and name not in fields:
        raise _refusal(
            f"Field `{name}` is an unsupported search field for resource `{resource}`. See "
            f"https://docs.stripe.com/search#query-fields-for-{resource.replace('_', '-')} for a list of supported "
            "fields."
        )
    kind = Kind.TOKEN if name == METADATA else fields[name].kind
    if operator not in OPERATORS[kind]:
        raise _refusal(f"The operator `{operator}` is not supported for the search field `{name}`.")
    return Clause(name, key, operator, _read_value(found["value"], name, kind, operator), bool(found["negation"]))


def _read_value(written: str, name: str, kind: Kind, operator: Operator) -> str | Decimal | None:
    if written.lower() == "null" and operator is Operator.EXACT:
        return None
    is_quoted = written[0] in "\"'"
    value = _unquoted(written) if is_quoted else written
    number = _number(value)
    if kind is Kind.NUMERIC:
        if number is None:
            raise _refusal(f"The search field `{name}` takes numbers only.")
        return number
    if not is_quoted and number is None:
        raise _refusal(_UNREADABLE)
    if operator is Operator.SUBSTRING and len(value) < SHORTEST_SUBSTRING:
        raise _refusal(f"A substring that is searched for must have at least {SHORTEST_SUBSTRING} characters.")
    return value


def _unquoted(written: str) -> str:
    return _ESCAPED.sub(r"\1", written[1:-1])


def _number(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _refusal(message: str) -> InvalidParameterError:
    return InvalidParameterError(message, param="query")
