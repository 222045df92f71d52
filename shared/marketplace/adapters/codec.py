"""Frozen records of the domain to DynamoDB's attribute values and back.

==============================  ======================================================================================
in the record                   in the item
==============================  ======================================================================================
``str``, ``StrEnum``            S
``int``                         N
``bool``                        BOOL
``Decimal``                     S: every digit stays as it was written
``datetime``                    S: UTC, always with microseconds, so that it sorts as text
``datetime`` named expires_at   N: whole seconds since 1970, rounded down, as DynamoDB's TTL wants it
``None``                        no attribute; what is absent reads as None where the field may be None, else its default
a record in a record            M of its fields; those in ``AS_LISTS``: L of its fields, in their order
``tuple[X, ...]``               L
``Mapping[str, X]``             M
``Any`` in a mapping            what JSON can say without floats: str, int, bool, None, lists and objects of them
==============================  ======================================================================================

Records of an older and a newer version of the code stand side by side: attributes that no field is named for are not
read, and a field that is added has a default.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from marketplace.domain.ledger import Line

type Value = dict[str, Any]  # one attribute value, for example {"S": "usd"}
type Attributes = dict[str, Any]  # attribute name -> Value: a whole item

TTL_ATTRIBUTE: Final = "expires_at"
# A journal entry has up to nine lines and names would be half of it. New fields of these come last and have a default.
AS_LISTS: Final[frozenset[type]] = frozenset({Line})


class _Coder(NamedTuple):
    write: Callable[[Any], Value]
    read: Callable[[Value], Any]


class _Field(NamedTuple):
    name: str
    coder: _Coder
    is_optional: bool
    absent: Callable[[], Any] | None  # makes what an absent attribute means; None where it may not be absent


_KNOWN_FIELDS: Final[dict[type[Any], tuple[_Field, ...]]] = {}  # type hints are slow to read: once a class


def encode(record: object) -> Attributes:
    """The attributes of a record; those of its keys are not among them.

    Raises:
        TypeError, ValueError: a value that its field's type does not allow, or a time without a zone.
    """
    return {
        field.name: field.coder.write(value)
        for field in _fields_of(type(record))
        if (value := getattr(record, field.name)) is not None or not field.is_optional
    }


def decode[T](kind: type[T], attributes: Attributes) -> T:
    """The record of this kind in an item.

    Raises:
        KeyError: a field without a default is missing.
    """
    return kind(**{field.name: _read_field(field, attributes.get(field.name)) for field in _fields_of(kind)})


def time_text(time: datetime) -> str:
    """A time as it is written: of fixed width, so that text order is time order."""
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone")
    return time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def epoch_seconds(time: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return int(time.timestamp() // 1)


def _fields_of(kind: type[Any]) -> tuple[_Field, ...]:
    if kind not in _KNOWN_FIELDS:
        hints = get_type_hints(kind)
        _KNOWN_FIELDS[kind] = tuple(
            _Field(
                field.name,
                _TTL if field.name == TTL_ATTRIBUTE else _coder_of(hints[field.name]),
                NoneType in get_args(hints[field.name]),
                _absence(hints[field.name], field.default, field.default_factory),
            )
            for field in fields(kind)
        )
    return _KNOWN_FIELDS[kind]


def _absence(hint: object, default: object, default_factory: object) -> Callable[[], Any] | None:
    if NoneType in get_args(hint):
        return lambda: None
    if default_factory is not MISSING:
        return cast("Callable[[], Any]", default_factory)
    return None if default is MISSING else lambda: default


def _read_field(field: _Field, value: Value | None) -> object:
    if value is not None:
        return field.coder.read(value)
    if field.absent is None:
        raise KeyError(field.name)
    return field.absent()


@cache
def _coder_of(hint: Hashable) -> _Coder:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        (known,) = (argument for argument in arguments if argument is not NoneType)
        return _coder_of(known)
    if origin is tuple:
        return _sequence(_coder_of(arguments[0]))
    if origin is Mapping:
        return _mapping(_coder_of(arguments[1]))
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return _record_as_list(hint) if hint in AS_LISTS else _record(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _Coder(lambda value: {"S": hint(value).value}, lambda value: hint(value["S"]))
    raise TypeError(f"no way to write {hint!r}")


def _sequence(part: _Coder) -> _Coder:
    return _Coder(
        lambda value: {"L": [part.write(each) for each in value]},
        lambda value: tuple(part.read(each) for each in value["L"]),
    )


def _mapping(part: _Coder) -> _Coder:
    return _Coder(
        lambda value: {"M": {name: part.write(each) for name, each in value.items()}},
        lambda value: {name: part.read(each) for name, each in value["M"].items()},
    )


def _record(kind: type[Any]) -> _Coder:
    return _Coder(lambda value: {"M": encode(value)}, lambda value: decode(kind, value["M"]))


def _record_as_list(kind: type[Any]) -> _Coder:
    members = _fields_of(kind)

    def write(value: object) -> Value:
        parts = [_write_or_null(member, getattr(value, member.name)) for member in members]
        while "NULL" in parts[-1]:
            parts.pop()
        return {"L": parts}

    def read(value: Value) -> object:
        parts = [None if "NULL" in part else part for part in value["L"]]
        parts += [None] * (len(members) - len(parts))
        return kind(**{m.name: _read_field(m, part) for m, part in zip(members, parts, strict=False)})

    return _Coder(write, read)


def _write_or_null(member: _Field, value: object) -> Value:
    return {"NULL": True} if value is None and member.is_optional else member.coder.write(value)


def _write_json(value: object) -> Value:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [_write_json(each) for each in value]}
        case Mapping():
            return {"M": {name: _write_json(each) for name, each in value.items()}}
        case _:
            raise TypeError(f"{type(value).__name__} is not kept in a mapping")


def _read_json(value: Value) -> object:
    ((kind, content),) = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(content)
        case "L":
            return [_read_json(each) for each in content]
        case "M":
            return {name: _read_json(each) for name, each in content.items()}
        case _:
            return content


def _write_int(value: object) -> Value:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return {"N": str(value)}


def _write_str(value: object) -> Value:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return {"S": value}


_SIMPLE: Final[Mapping[Any, _Coder]] = {
    str: _Coder(_write_str, lambda value: value["S"]),
    int: _Coder(_write_int, lambda value: int(value["N"])),
    bool: _Coder(lambda value: {"BOOL": value}, lambda value: value["BOOL"]),
    Decimal: _Coder(lambda value: {"S": str(value)}, lambda value: Decimal(value["S"])),
    datetime: _Coder(lambda value: {"S": time_text(value)}, lambda value: datetime.fromisoformat(value["S"])),
    Any: _Coder(_write_json, _read_json),
}
_TTL: Final = _Coder(
    lambda value: {"N": str(epoch_seconds(value))},
    lambda value: datetime.fromtimestamp(int(value["N"]), UTC),
)
