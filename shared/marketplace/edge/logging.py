"""One JSON line for each thing worth telling, with the fields that may be told (edge/telling.py) and no others."""

import traceback
from pathlib import PurePath
from typing import Any, Final, override

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from marketplace.edge.telling import MOST_FRAMES, told

ENVELOPE: Final = frozenset(
    {"level", "location", "message", "timestamp", "service", "correlation_id", "xray_trace_id"}
)  # fmt: skip


class AllowListFormatter(LambdaPowertoolsFormatter):
    """Writes what may be told."""

    @override
    def serialize(self, log: Any) -> str:
        envelope = {name: log[name] for name in log if name in ENVELOPE}
        return super().serialize({**envelope, **told(log)})


def logger() -> Logger:
    """The function's logger; level and service come from its environment."""
    return Logger(logger_formatter=AllowListFormatter())


def facts_of(error: BaseException) -> dict[str, Any]:
    """What may be logged of an exception: kinds and places, never its words."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    facts: dict[str, Any] = {
        "error": type(error).__name__,
        "frames": [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
    return facts | ({"cause": type(error.__cause__).__name__} if error.__cause__ else {})
