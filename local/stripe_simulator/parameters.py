"""Strict validation of request parameters, by the SDK's own types for the version that it pins.

``check`` is for other tests too: it refuses, with Stripe's error, what stripe-python would send and Stripe refuse.
"""

import functools
from collections.abc import Mapping
from typing import Any

from . import sdk
from .errors import InvalidParameterError, UnrecognizedUrlError
from .schema import ObjectReader, Wire, compile_params

_NO_PARAMETERS = ObjectReader()
# Stripe unsets these on an empty string, although the SDK's types do not say so.
_ALSO_UNSETTABLE: Mapping[str, frozenset[str]] = {
    "CustomerUpdateParams": frozenset({"description", "email", "name", "phone"}),
}
_PAGE = "page"  # in the next_page_url of API v2, in no type


@functools.cache
def reader(operation: sdk.Operation) -> ObjectReader:
    """The reader of an operation's parameters, compiled when the operation is first used."""
    params = operation.params_type()
    if params is None:
        return _NO_PARAMETERS
    compiled = compile_params(params)
    if operation.method == "GET" and operation.path.startswith("/v2/") and "limit" in compiled.fields:
        compiled.fields[_PAGE] = lambda value, _name, _wire: value
    return compiled


def read(operation: sdk.Operation, params: Mapping[str, Any], wire: Wire) -> dict[str, Any]:
    """The parameters with their types.

    Raises:
        InvalidParameterError: what Stripe answers with 400 before it executes anything.
    """
    unset = _ALSO_UNSETTABLE.get(operation.params_name or "", frozenset())
    cleared = {name: "" for name in unset if params.get(name) == ""}
    given = {name: value for name, value in params.items() if name not in cleared} if cleared else params
    return reader(operation)(given, "", wire) | cleared


def check(method: str, path: str, params: Mapping[str, Any] | None = None) -> None:
    """Refuse what Stripe's pinned version would refuse for its parameters, which are given as to stripe-python.

    Raises:
        UnrecognizedUrlError: the SDK has no such operation.
        InvalidParameterError: unknown, missing or malformed parameters.
    """
    found = sdk.operations().find(method.upper(), path)
    if found is None:
        raise UnrecognizedUrlError(method.upper(), path)
    read(found[0], params or {}, Wire.PYTHON)


__all__ = ["InvalidParameterError", "check", "read"]
