"""``payment_method_options`` of PaymentIntents: what each kind of payment method is asked for in particular."""

from collections.abc import Mapping
from typing import Any, Final

from ..catalog import jsonable
from ..errors import InvalidParameterError, UnsupportedError
from ..values import Object

_FOLLOWED: Final[Mapping[str, frozenset[str]]] = {
    "card": frozenset(
        {"capture_method", "request_extended_authorization", "request_incremental_authorization"}
        | {"request_multicapture", "request_overcapture", "request_three_d_secure", "setup_future_usage"}
    ),
    "sepa_debit": frozenset({"setup_future_usage"}),
    "us_bank_account": frozenset({"setup_future_usage", "verification_method"}),
}
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "capture_method": ("", "manual"),
    "request_extended_authorization": ("if_available", "never"),
    "request_incremental_authorization": ("if_available", "never"),
    "request_multicapture": ("never",),
    "request_overcapture": ("never",),
    "request_three_d_secure": ("any", "automatic", "challenge"),
    "setup_future_usage": ("", "none", "off_session", "on_session"),
    "verification_method": ("automatic", "instant"),
}
_ALSO_AT_STRIPE: Final = frozenset({"request_multicapture", "request_overcapture", "verification_method"})
"""Options with values that Stripe takes and the simulator does not."""

USUAL: Final[Object] = {"card": {"installments": None, "request_three_d_secure": "automatic"}}


def with_given(before: Object, given: Mapping[str, Any] | None) -> Object:
    """The options after a request; an empty text unsets one.

    Raises:
        UnsupportedError: an option that is not followed, by name.
        InvalidParameterError: a value that Stripe does not know.
    """
    after = dict(before)
    for kind, asked in (given or {}).items():
        options = asked or {}
        for name, value in options.items():
            where = f"payment_method_options[{kind}][{name}]"
            if name not in _FOLLOWED.get(kind, ()):
                raise UnsupportedError(f"the parameter {where}")
            if value not in _VALUES[name] and name in _ALSO_AT_STRIPE:
                raise UnsupportedError(f"the value {value} of {where}")
            if value not in _VALUES[name]:
                raise InvalidParameterError(f"Invalid {where}: must be one of {', '.join(_VALUES[name])}", param=where)
        told = {**before.get(kind, {}), **jsonable(options)}
        after[kind] = {name: value for name, value in told.items() if value != ""}
    return after


def capture_method(intent: Object, kind: str) -> str:
    """How payments by this kind of method are captured."""
    own: str = _of(intent, kind).get("capture_method") or intent["capture_method"]
    return own


def future_usage(intent: Object, kind: str) -> str | None:
    """Whether, and for what, a payment method of this kind is kept."""
    own = _of(intent, kind).get("setup_future_usage")
    usage: str | None = own or intent["setup_future_usage"]
    return None if usage == "none" else usage


def asks_for_challenge(intent: Object) -> bool:
    """Whether cards are authenticated even where nobody demands it."""
    return _of(intent, "card").get("request_three_d_secure") in ("any", "challenge")


def asks_for(intent: Object, what: str) -> bool:
    """Whether a feature of cards is wanted where there is one: ``request_extended_authorization`` and its like."""
    return _of(intent, "card").get(what) == "if_available"


def _of(intent: Object, kind: str) -> Mapping[str, Any]:
    options: Mapping[str, Any] = intent["payment_method_options"].get(kind, {})
    return options
