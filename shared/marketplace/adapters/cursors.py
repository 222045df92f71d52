"""Cursors: where the next page of a list begins, opaque to those who carry them.

A cursor holds only a position. The partition that is read comes from the request, after its ownership was checked, so
even a cursor that was made up cannot lead into another list. The checksum is no secret: it tells a cursor that was
changed, or given out by another list, from one of this list.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Final

from marketplace.adapters.keys import is_position
from marketplace.domain.errors import InvalidCursor

_CHECKSUM_BYTES: Final = 6


def cursor_at(position: str, *list_name: str | None) -> str:
    """The cursor of a position in the list of this name; the parts of the name are what was asked for."""
    return base64.urlsafe_b64encode(_checksum(position, list_name) + position.encode()).decode()


def position_of(cursor: str, *list_name: str | None, is_valid: Callable[[str], bool] = is_position) -> str:
    """The position that a cursor of the list of this name holds; ``is_valid`` says what can be one.

    Raises:
        InvalidCursor: it is not one that this list gave out.
    """
    try:
        content = base64.b64decode(cursor, altchars=b"-_", validate=True)
        position = content[_CHECKSUM_BYTES:].decode("ascii")
    except (binascii.Error, ValueError):
        raise InvalidCursor("the cursor cannot be read") from None
    if not is_valid(position) or content[:_CHECKSUM_BYTES] != _checksum(position, list_name):
        raise InvalidCursor("this list gave out no such cursor")
    return position


def _checksum(position: str, list_name: tuple[str | None, ...]) -> bytes:
    return hashlib.sha256(repr((*list_name, position)).encode()).digest()[:_CHECKSUM_BYTES]
