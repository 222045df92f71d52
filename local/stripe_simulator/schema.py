"""Readers of request parameters, compiled from the SDK's TypedDicts.

A reader takes a value as it came over the wire and gives it back with its type, or refuses it in Stripe's words.
Enums are closed: the SDK widens them to ``Literal[...] | str``, Stripe does not. Each type is compiled when first used.
"""

import sys
import types
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import typing_extensions
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject

from .errors import InvalidParameterError
from .values import Json


class Wire(Enum):
    """How values are written."""

    FORM = "form"  # everything is text; lists may be hashes with the keys 0, 1, 2
    JSON = "json"  # int64 and decimals are text (API v2)
    PYTHON = "python"  # as given to stripe-python: nothing is converted


type Reader = Callable[[Json, str, Wire], Json]

_REQUEST_OPTIONS = frozenset(RequestOptions.__annotations__)
_compiled: dict[type, "ObjectReader"] = {}


def compile_params(params: type) -> "ObjectReader":
    """The reader of a TypedDict of ``stripe.params``."""
    if params not in _compiled:
        reader = _compiled[params] = ObjectReader()
        names = {**vars(sys.modules[params.__module__]), "StripeObject": StripeObject}
        has_options = RequestOptions in getattr(params, "__orig_bases__", ())
        optional: frozenset[str] = getattr(params, "__optional_keys__", frozenset())
        for name, annotation in params.__annotations__.items():
            if not (has_options and name in _REQUEST_OPTIONS):
                required, field = _compile_field(annotation, names)
                reader.fields[name] = field
                if required and name not in optional:
                    reader.required.append(name)
    return _compiled[params]


def _compile_field(annotation: Json, names: Mapping[str, Any]) -> tuple[bool, Reader]:
    annotation = _resolve(annotation, names)
    origin: object = get_origin(annotation)
    if origin is typing_extensions.NotRequired:
        return False, _compile(get_args(annotation)[0], names)
    return True, _compile(annotation, names)


def _resolve(annotation: Json, names: Mapping[str, Any]) -> Json:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        return eval(annotation, dict(names))  # noqa: S307 - annotations of the installed SDK, evaluated in its own names
    return annotation


def _compile(annotation: Json, names: Mapping[str, Any]) -> Reader:
    annotation = _resolve(annotation, names)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin: object = get_origin(annotation)
    if origin is Literal:
        return EnumReader(get_args(annotation))
    if origin in (Union, types.UnionType):
        return _compile_union([_resolve(part, names) for part in get_args(annotation)], names)
    if origin in (list, dict):
        item = _compile(get_args(annotation)[-1], names)
        return ListReader(item) if origin is list else MapReader(item)
    if isinstance(annotation, type) and typing_extensions.is_typeddict(annotation):
        return compile_params(annotation)
    return _read_anything


def _compile_union(parts: list[Any], names: Mapping[str, Any]) -> Reader:
    parts = [part for part in parts if not _is_response_class(part)]
    nullable = type(None) in parts
    literals = [value for part in parts if get_origin(part) is Literal for value in get_args(part)]
    others = [part for part in parts if get_origin(part) is not Literal and part is not type(None)]
    choices = [value for value in literals if value != ""]
    if choices:
        others = [part for part in others if part is not str]
    readers: list[Reader] = [EnumReader(choices)] if choices else []
    readers += [_compile(part, names) for part in others]
    return UnionReader(readers, unsettable="" in literals, nullable=nullable)


def _is_response_class(part: Json) -> bool:
    """``UntypedStripeObject`` stands beside ``Dict`` so that answers can be passed on; on the wire both are a hash."""
    origin: object = get_origin(part)
    kind = part if origin is None else origin
    return isinstance(kind, type) and issubclass(kind, StripeObject)


class ObjectReader:
    """A hash with known members."""

    def __init__(self) -> None:
        self.fields: dict[str, Reader] = {}
        self.required: list[str] = []

    def __call__(self, value: Json, name: str, wire: Wire) -> dict[str, Any]:
        """Read every member; unknown ones are named all at once, as Stripe does."""
        if not isinstance(value, Mapping):
            raise InvalidParameterError("Invalid object", param=name)
        unknown = [inside(name, key) for key in value if key not in self.fields]
        if unknown:
            plural = "s" if len(unknown) > 1 else ""
            raise InvalidParameterError(
                f"Received unknown parameter{plural}: {', '.join(unknown)}", code="parameter_unknown", param=unknown[0]
            )
        for key in self.required:
            if key not in value:
                missing = inside(name, key)
                raise InvalidParameterError(
                    f"Missing required param: {missing}.", code="parameter_missing", param=missing
                )
        fields = self.fields
        return {key: fields[key](item, inside(name, key), wire) for key, item in value.items()}


class MapReader:
    """A hash with keys of the caller's, such as metadata; an empty value is kept, for it unsets the key."""

    def __init__(self, item: Reader) -> None:
        self._item = item

    def __call__(self, value: Json, name: str, wire: Wire) -> dict[str, Any]:
        """Read every value."""
        if not isinstance(value, Mapping):
            raise InvalidParameterError("Invalid object", param=name)
        return {
            str(key): item if item == "" else self._item(item, inside(name, key), wire) for key, item in value.items()
        }


class ListReader:
    """An array, which a form may write as ``a[]=x`` or ``a[0]=x``."""

    def __init__(self, item: Reader) -> None:
        self._item = item

    def __call__(self, value: Json, name: str, wire: Wire) -> list[Any]:
        """Read every item, in its order."""
        if wire is Wire.FORM and isinstance(value, Mapping) and value and all(map(_is_position, value)):
            value = [value[key] for key in sorted(value, key=int)]
        if not isinstance(value, list | tuple):
            raise InvalidParameterError("Invalid array", param=name)
        return [self._item(item, inside(name, str(position)), wire) for position, item in enumerate(value)]


class EnumReader:
    """One of a few values."""

    def __init__(self, choices: tuple[Any, ...] | list[Any]) -> None:
        self._choices = {str(choice).lower() if isinstance(choice, bool) else choice: choice for choice in choices}

    def __call__(self, value: Json, name: str, wire: Wire) -> Json:  # noqa: ARG002 - all readers are called alike
        """Read the value."""
        key = str(value).lower() if isinstance(value, bool) else value
        try:
            return self._choices[key]
        except (KeyError, TypeError):
            allowed = ", ".join(str(choice) for choice in self._choices)
            raise InvalidParameterError(f"Invalid {name}: must be one of {allowed}", param=name) from None


class UnionReader:
    """One of several forms; the empty string unsets what may be unset."""

    def __init__(self, readers: list[Reader], *, unsettable: bool, nullable: bool) -> None:
        self._readers = readers
        self._unsettable = unsettable
        self._nullable = nullable

    def __call__(self, value: Json, name: str, wire: Wire) -> Json:
        """Read with the reader that fits; of several refusals the one that looked deepest is told."""
        if (self._unsettable and value == "") or (self._nullable and value is None):
            return value
        refusal = InvalidParameterError(f"Invalid {name}", param=name)
        for reader in self._readers:
            try:
                return reader(value, name, wire)
            except InvalidParameterError as error:
                if len(error.param or "") >= len(refusal.param or ""):
                    refusal = error
        raise refusal


def inside(name: str, key: object) -> str:
    """The bracket notation of a member: ``inside("card", "number")`` is ``card[number]``."""
    return f"{name}[{key}]" if name else str(key)


def _is_position(key: object) -> bool:
    return isinstance(key, str) and key.isdecimal()


def _read_text(value: Json, name: str, wire: Wire) -> str:  # noqa: ARG001 - all readers are called alike
    if not isinstance(value, str):
        raise InvalidParameterError("Invalid string: " + str(value), param=name)
    if not value:
        raise InvalidParameterError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty "
            "value.",
            code="parameter_invalid_empty",
            param=name,
        )
    return value


def _read_integer(value: Json, name: str, wire: Wire) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and wire is not Wire.FORM:
        return value
    if isinstance(value, str) and wire is not Wire.PYTHON and value.removeprefix("-").isdecimal() and value.isascii():
        return int(value)
    raise InvalidParameterError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)


def _read_boolean(value: Json, name: str, wire: Wire) -> bool:
    if isinstance(value, bool) and wire is not Wire.FORM:
        return value
    if wire is Wire.FORM and value in ("true", "false", "True", "False"):  # stripe-python wrote Python's
        return bool(value in ("true", "True"))
    raise InvalidParameterError(f"Invalid boolean: {value}", param=name)


def _read_decimal(value: Json, name: str, wire: Wire) -> Decimal:
    if isinstance(value, Decimal) or (isinstance(value, str) and value) or type(value) is int:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("nan")
        if number.is_finite() and (wire is not Wire.FORM or isinstance(value, str)):
            return number
    raise InvalidParameterError(f"Invalid decimal: {value}", code="parameter_invalid_decimal", param=name)


def _read_number(value: Json, name: str, wire: Wire) -> Decimal:
    """The SDK says float, for percentages and sizes; kept exact, since no calculation here may use floats."""
    return _read_decimal(str(value) if isinstance(value, float) else value, name, wire)


def _read_anything(value: Json, name: str, wire: Wire) -> Json:  # noqa: ARG001 - all readers are called alike
    return value


_SCALARS: Mapping[Any, Reader] = {
    str: _read_text,
    int: _read_integer,
    bool: _read_boolean,
    float: _read_number,
    Decimal: _read_decimal,
    Any: _read_anything,
}
