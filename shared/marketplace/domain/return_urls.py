"""Where a browser may be sent back to: the origins on a deployment's list, whatever else a URL makes of them.

One grammar, tighter than any browser's: what parsers read differently (userinfo, backslashes, control characters,
Unicode hosts, a scheme left out, capital letters) is no URL here, so that there is nothing to disagree about.
"""

import re
from typing import Final

_ORIGIN: Final = r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?"
_REST: Final = r"[/?#][!#-;=?-\[\]_a-z{|}~]*"  # printable ASCII but " < > ^ ` and the backslash
_URL: Final = re.compile(f"(?P<origin>{_ORIGIN})(?:{_REST})?")


def is_origin(text: str) -> bool:
    """Whether text is an origin as a browser writes it: ``https://shop.example``, ``http://localhost:3000``."""
    return re.fullmatch(_ORIGIN, text) is not None


def origin_of(url: str) -> str | None:
    """The origin that a URL leads to, or None where it is none."""
    found = _URL.fullmatch(url)
    return None if found is None else found["origin"]
