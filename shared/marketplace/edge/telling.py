"""What may be told in logs and metrics: the fields listed here, each in its shape. Standard library only.

Whatever else is said is dropped, and so is a value that has not its field's shape: an e-mail, a name, a URL, a key or
the text of an exception cannot get into a log by mistake, in whatever field.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

MOST_FRAMES: Final = 12
LONGEST: Final = 160  # characters
_ULID: Final = "[0-9a-hjkmnp-tv-z]{26}"
# Ours, Stripe's of an event or an account, and names of what is not an item.
_ITEM: Final = rf"[a-z]+(-{_ULID}){{1,2}}|evt_\w+|acct_[0-9A-Za-z]+|[a-z]+"
_NAME: Final = r"[A-Za-z_]\w*"
_FRAME: Final = re.compile(r"[\w<>.-]+\.pyc?:\d+ [\w<>]+|<[\w ]+>:\d+ [\w<>]+")

SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(shape)
    for name, shape in {
        "attempt": r"\d{1,4}",
        "cause": _NAME,
        "command_id": rf"command-{_ULID}",
        "endpoint": "account|connect",
        "error": _NAME,
        "event_id": r"evt_\w+",
        "event_type": r"[a-z0-9_]+(\.[a-z0-9_]+(\[[a-z0-9_.]+\])?)*",
        "item_id": _ITEM,
        "milliseconds": r"\d{1,6}",
        "operation": r"v[12](\.[a-z_]+)+",
        "outcome": r"[a-z_]+",
        "problem": "[a-z-]+",
        "refusal": r"[a-z][a-z0-9_]*",
        "route": r"(GET|POST|PUT|PATCH|DELETE|ANY) (/[a-z-]+|/{\w+})+|\$default",  # as it is declared, never as asked
        "status": r"\d{3}",
        "stripe_request_id": r"req_[0-9A-Za-z]{8,40}",
        "transaction_id": rf"transaction-{_ULID}",
        "tries": r"\d{1,2}",
    }.items()
}
# Of a card's length, and of Stripe's keys and client secrets: in no field, whatever its shape.
_NEVER: Final = re.compile(r"(?<!\d)\d{13,19}(?!\d)|\b(sk|rk|pk)_(live|test)|whsec_|_secret_|ek_(live|test)")


def told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that may be told."""
    return {name: value for name, value in fields.items() if _is_plain(name, value)}


def _is_plain(name: str, value: object) -> bool:
    if name == "frames":
        return isinstance(value, list) and len(value) <= MOST_FRAMES and all(_fits(_FRAME, each) for each in value)
    return name in SHAPES and _fits(SHAPES[name], value)


def _fits(shape: re.Pattern[str], value: object) -> bool:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return False
    text = str(value)
    return len(text) <= LONGEST and shape.fullmatch(text) is not None and _NEVER.search(text) is None
