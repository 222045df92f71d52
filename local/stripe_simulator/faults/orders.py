"""What can be ordered, and the reading of an order.

effect               options                       what happens
error                status, type, code, message,  the request is refused with this error
                     param, decline_code
rate_limit                                         429, before anything is looked at
lock_timeout         status                        another request holds the object
key_in_use                                         409, another request under the same key is under way
server_error         done                          500, kept under the idempotency key; the work is done or not
time_out             seconds                       the work is done; the connection is held and closed unanswered
refuse_connection                                  nothing is done, nothing is answered
delay                seconds                       the work is done, the answer comes late
lose                                               the delivery is never tried
duplicate            copies                        it is delivered more than once
postpone             seconds                       it is delivered later
reorder              seconds                       it is delivered at a moment of chance within so many seconds
sign_wrongly                                       each attempt has another secret's signature
deliver_as_live                                    its event says ``livemode: true``
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from ..errors import InvalidParameterError
from ..values import Json, Object

REQUEST: Final = "request"
DELIVERY: Final = "delivery"
_DEFAULT_HOLD_SECONDS: Final = 60.0
MAXIMUM_SECONDS: Final = 30 * 24 * 3_600
MAXIMUM_COPIES: Final = 100


class Effect(StrEnum):
    """What goes wrong."""

    ERROR = "error"
    RATE_LIMIT = "rate_limit"
    LOCK_TIMEOUT = "lock_timeout"
    KEY_IN_USE = "key_in_use"
    SERVER_ERROR = "server_error"
    TIME_OUT = "time_out"
    REFUSE_CONNECTION = "refuse_connection"
    DELAY = "delay"
    LOSE = "lose"
    DUPLICATE = "duplicate"
    POSTPONE = "postpone"
    REORDER = "reorder"
    SIGN_WRONGLY = "sign_wrongly"
    DELIVER_AS_LIVE = "deliver_as_live"


OPTIONS: Final[Mapping[Effect, Mapping[str, Json]]] = {
    Effect.ERROR: {
        "status": HTTPStatus.BAD_REQUEST.value,
        "type": "invalid_request_error",
        "code": None,
        "message": "Refused on order.",
        "param": None,
        "decline_code": None,
    },
    Effect.RATE_LIMIT: {},
    Effect.LOCK_TIMEOUT: {"status": HTTPStatus.TOO_MANY_REQUESTS.value},
    Effect.KEY_IN_USE: {},
    Effect.SERVER_ERROR: {"done": False},
    Effect.TIME_OUT: {"seconds": 0.0},
    Effect.REFUSE_CONNECTION: {},
    Effect.DELAY: {"seconds": 1.0},
    Effect.LOSE: {},
    Effect.DUPLICATE: {"copies": 1},
    Effect.POSTPONE: {"seconds": _DEFAULT_HOLD_SECONDS},
    Effect.REORDER: {"seconds": _DEFAULT_HOLD_SECONDS},
    Effect.SIGN_WRONGLY: {},
    Effect.DELIVER_AS_LIVE: {},
}
"""The options of each effect, with what they are unless given."""

_OF_DELIVERIES: Final = frozenset(
    {
        Effect.LOSE,
        Effect.DUPLICATE,
        Effect.POSTPONE,
        Effect.REORDER,
        Effect.SIGN_WRONGLY,
        Effect.DELIVER_AS_LIVE,
    }
)
_EVERY_ORDER: Final[Mapping[str, Json]] = {"account": None, "count": 1, "skip": 0, "probability": 1.0, "seed": 0}
_CONCERNS: Final[Mapping[str, Mapping[str, Json]]] = {
    REQUEST: {"method": None, "path": "/*"},
    DELIVERY: {"event_type": "*"},
}


def kind_of(effect: Effect) -> str:
    """Whether an effect happens to requests or to deliveries."""
    return DELIVERY if effect in _OF_DELIVERIES else REQUEST


def read_order(params: Mapping[str, Any]) -> Object:
    """An order with everything that it does not say filled in; values may be text, as forms and shells have them.

    Raises:
        InvalidParameterError: no such effect or option, or a value out of its range.
    """
    try:
        effect = Effect(params.get("effect", ""))
    except ValueError as error:
        message = f"Invalid effect: must be one of {', '.join(Effect)}"
        raise InvalidParameterError(message, param="effect") from error
    kind = kind_of(effect)
    known = {**_CONCERNS[kind], **_EVERY_ORDER, **OPTIONS[effect]}
    unknown = sorted(params.keys() - known.keys() - {"effect"})
    if unknown:
        raise InvalidParameterError(f"{effect} has no option {unknown[0]}.", code="parameter_unknown", param=unknown[0])
    given = {name: _read(name, params[name]) if name in params else usual for name, usual in known.items()}
    return {"effect": str(effect), "kind": kind, **given}


def _read(name: str, value: Json) -> Json:
    try:
        return _READERS.get(name, _text)(value)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(f"Invalid {name}: {value!r}", param=name) from error


def _text(value: Json) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(value)
    return value or None


def _whole(lowest: int, highest: int) -> Callable[[Json], int]:
    def read(value: Json) -> int:
        number = int(value)
        if not lowest <= number <= highest:
            raise ValueError(value)
        return number

    return read


def _count(value: Json) -> int | None:
    """How often; without an end when it is null."""
    return None if value is None else _whole(1, 1_000_000)(value)


def _decimal(highest: float) -> Callable[[Json], float]:
    def read(value: Json) -> float:
        number = float(value)
        if not 0 <= number <= highest:
            raise ValueError(value)
        return number

    return read


def _yes_or_no(value: Json) -> bool:
    if value not in (True, False, "true", "false"):
        raise ValueError(value)
    return value in (True, "true")


_READERS: Final[Mapping[str, Callable[[Json], Json]]] = {
    "count": _count,
    "skip": _whole(0, 1_000_000),
    "seed": _whole(0, 2**63),
    "copies": _whole(1, MAXIMUM_COPIES),
    "status": _whole(HTTPStatus.BAD_REQUEST, HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED),
    "probability": _decimal(1.0),
    "seconds": _decimal(MAXIMUM_SECONDS),
    "done": _yes_or_no,
}
