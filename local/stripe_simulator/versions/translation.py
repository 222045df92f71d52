"""Requests of older versions lifted to the pinned one, and answers brought down to them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from stripe import api_version as pinned

from ..errors import InvalidParameterError, UnsupportedError
from ..state import State
from ..values import Json
from .changes import CHANGES, Change

NAMED_VERSIONS: Final[Mapping[str, str]] = {
    "acacia": "2024-09-30",
    "basil": "2025-03-31",
    "clover": "2025-09-30",
    "dahlia": "2026-03-25",
    "endive": "2026-09-30",
}
"""Each release and its first version; https://docs.stripe.com/changelog"""

_VERSION: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.([a-z]+))?(?:; .+)?")  # what follows a semicolon is of previews
_OLDEST: Final = "2011-01-01"


def check_version(version: str) -> str:
    """The version, if Stripe has it and this simulator is not older.

    Raises:
        InvalidParameterError: 400.
    """
    found = _VERSION.fullmatch(version)
    day, name = found.groups() if found else ("", None)
    begins = NAMED_VERSIONS.get(name or "")
    is_known = _OLDEST <= day <= pinned[:10] and (begins <= day if begins else name is None and day < "2024-09-30")
    if not is_known:
        raise InvalidParameterError(
            f"Invalid Stripe API version: {version}. You do not have permission to use this version, or it does not "
            f"exist; the newest that is simulated is {pinned}."
        )
    return version


def moved(version: str, method: str, path: str) -> tuple[str, str]:
    """The method and the path at which the pinned version has an operation of ``version``.

    Raises:
        UnsupportedError: it has none that could stand for it.
    """
    for change in _since(version):
        if (method, path) in change.moves:
            found = change.moves[method, path]
            if found is None:
                raise UnsupportedError(f"{method} {path} of version {version}")
            return found
    return method, path


def lifted(version: str, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a POST, or of what moved to one, of ``version`` as the pinned version has them.

    Raises:
        InvalidParameterError: a parameter that this version does not have yet.
    """
    result = dict(params)
    for change in reversed(_since(version)):
        for pattern, (old, new) in change.renames.items():
            if re.fullmatch(pattern, path):
                _require_unknown(result, new)
                if old in result:
                    result[new] = result.pop(old)
        for pattern, lift in change.lifts.items():
            if re.fullmatch(pattern, path):
                result = lift(result)
    return result


def renamed(version: str, path: str, param: str | None) -> str | None:
    """The name that the client gave a parameter which is refused."""
    for change in _since(version):
        for pattern, (old, new) in change.renames.items():
            if param and re.fullmatch(pattern, path) and re.match(rf"{new}\b", param):
                return old + param.removeprefix(new)
    return param


def lowered(version: str, value: Json, state: State) -> Json:
    """An answer, or the object of an event, as ``version`` has it; every object in it too."""
    changes = _since(version)
    return _lowered(changes, value, state) if changes else value


def _lowered(changes: list[Change], value: Json, state: State) -> Json:
    if isinstance(value, list):
        return [_lowered(changes, item, state) for item in value]
    if not isinstance(value, Mapping):
        return value
    item: dict[str, Any] = {name: _lowered(changes, each, state) for name, each in value.items()}
    for change in changes:
        lower = change.lowers.get(str(item.get("object")))
        if lower:
            item = lower(item, state)
    return item


def _since(version: str) -> list[Change]:
    """The changes that a version has not heard of, the newest first."""
    return [change for change in CHANGES if version[:10] < change.since[:10]]


def _require_unknown(params: Mapping[str, Any], name: str) -> None:
    if name in params:
        raise InvalidParameterError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
