"""Metadata: pairs of text that are merged on update, and unset by an empty value. https://docs.stripe.com/metadata"""

from collections.abc import Mapping
from typing import Any, Final

from .errors import InvalidParameterError

MAXIMUM_KEYS: Final = 50
MAXIMUM_KEY_LENGTH: Final = 40
MAXIMUM_VALUE_LENGTH: Final = 500


def merged(current: Mapping[str, str], given: Mapping[str, Any] | str | None) -> dict[str, str]:
    """``current`` with what was given: "" clears all of it, an empty or null value one key, None nothing.

    Raises:
        InvalidParameterError: too many keys, or one too long.
    """
    if given == "":
        return {}
    pairs = given if isinstance(given, Mapping) else {}
    result = {**current, **pairs}
    result = {key: value for key, value in result.items() if value not in ("", None)}
    if len(result) > MAXIMUM_KEYS:
        raise InvalidParameterError(f"You can only have up to {MAXIMUM_KEYS} metadata keys.", param="metadata")
    for key, value in pairs.items():
        if len(key) > MAXIMUM_KEY_LENGTH or len(value or "") > MAXIMUM_VALUE_LENGTH:
            raise InvalidParameterError(
                f"Metadata keys can have up to {MAXIMUM_KEY_LENGTH} characters, values up to {MAXIMUM_VALUE_LENGTH}.",
                param=f"metadata[{key}]",
            )
    return result
