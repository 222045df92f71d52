"""Statement descriptors: what buyers read on their statements. https://docs.stripe.com/get-started/account/statement-descriptors"""

import re
from collections.abc import Mapping
from typing import Any, Final

from ..errors import InvalidParameterError

LEAST, MOST = 5, 22
_FORBIDDEN: Final = re.compile(r"[<>\\'\"*]")
_LETTER: Final = re.compile(r"[A-Za-z]")


def check(params: Mapping[str, Any]) -> None:
    """Refuse descriptors that no statement can show.

    Raises:
        InvalidParameterError: too short, too long, without a letter, or with a sign that is not allowed.
    """
    for name, least in (("statement_descriptor", LEAST), ("statement_descriptor_suffix", 1)):
        text = params.get(name)
        if not text:
            continue
        if not least <= len(text) <= MOST:
            raise InvalidParameterError(
                f"The statement descriptor must be from {least} to {MOST} characters.", param=name
            )
        if _FORBIDDEN.search(text) or not text.isascii() or not _LETTER.search(text):
            raise InvalidParameterError(
                "The statement descriptor must contain at least one letter, only Latin characters, and none of "
                "< > \\ ' \" *.",
                param=name,
            )
