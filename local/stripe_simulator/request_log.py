"""A log of requests with their outcomes: bounded, and without parameters, keys of the API, tokens and personal data."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from .faults import NotAnswered, NotReached
from .faults.requests import HEADER
from .messages import Request, Response, account_named
from .values import Object

KEPT: Final = 1_000
_LONGEST: Final = 255  # characters of an idempotency key or a path
_HIDDEN: Final = "..."
_PLAIN_SEGMENT: Final = re.compile(r"[\w.-]{1,255}")
_SHOWN_OF_A_PAGE: Final = 3  # "/connect/links/...": what follows lets its bearer in
_OBJECT_ID: Final = re.compile(rb'\{"id": "([^"]{1,255})"')  # every object of Stripe's begins with its id


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request; ``status`` is None where the connection gave no answer, and ``outcome`` says why."""

    at: int
    method: str
    path: str
    account: str | None
    idempotency_key: str | None
    status: int | None
    outcome: str  # "answered", "not_reached" or "not_answered"
    request_id: str | None
    object_id: str | None
    replayed: bool
    fault: str | None


class RequestLog:
    """The newest requests of one simulator. Not part of its state: a snapshot does not keep it, a load empties it."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=KEPT)

    def note(self, at: int, request: Request, answer: Response | NotReached | NotAnswered) -> None:
        """Keep how a request ended."""
        headers: Mapping[str, str] = answer.headers if isinstance(answer, Response) else {HEADER: answer.fault}
        found = _OBJECT_ID.match(answer.body) if isinstance(answer, Response) else None
        key = request.headers.get("idempotency-key")
        self._entries.append(
            LoggedRequest(
                at=at,
                method=request.method,
                path=_shown(request.path),
                account=account_named(request.headers),
                idempotency_key=key[:_LONGEST] if key else None,
                status=int(answer.status) if isinstance(answer, Response) else None,
                outcome=_outcome(answer),
                request_id=headers.get("Request-Id"),
                object_id=found[1].decode() if found else None,
                replayed="Idempotent-Replayed" in headers,
                fault=headers.get(HEADER),
            )
        )

    def newest(self, limit: int = KEPT) -> list[Object]:
        """The newest requests, the last one first."""
        return [asdict(entry) for entry in list(self._entries)[::-1][:limit]]

    def clear(self) -> None:
        """Begin anew."""
        self._entries.clear()


def _outcome(answer: Response | NotReached | NotAnswered) -> str:
    if isinstance(answer, Response):
        return "answered"
    return "not_reached" if isinstance(answer, NotReached) else "not_answered"


def _shown(path: str) -> str:
    segments = [each if _PLAIN_SEGMENT.fullmatch(each) or not each else _HIDDEN for each in path.split("/")]
    if segments[1:2] not in (["v1"], ["v2"], ["_simulator"]) and len(segments) > _SHOWN_OF_A_PAGE:
        segments[_SHOWN_OF_A_PAGE:] = [_HIDDEN]
    return "/".join(segments)[:_LONGEST]
