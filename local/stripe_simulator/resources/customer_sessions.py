"""Customer sessions: what a page may do with one customer, for half an hour. Nobody can look them up again.

https://docs.stripe.com/api/customer_sessions
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError
from ..routing import Routes
from ..shelves import Collection
from ..values import Object
from .customers import CUSTOMERS

CUSTOMER_SESSIONS: Final = Collection(
    "customer_session", path="/v1/customer_sessions", expands={"customer": "customer"}
)
routes = Routes(CUSTOMER_SESSIONS)
_LIFE_SECONDS: Final = 30 * 60
_SECRET_LENGTH: Final = 64
_SHOWN_AGAIN: Final = ["always"]
_FEATURES: Final[Mapping[str, Mapping[str, Any] | None]] = {
    "active_entitlements": None,
    "buy_button": None,
    "customer_portal": None,
    "customer_sheet": {
        "payment_method_allow_redisplay_filters": _SHOWN_AGAIN,
        "payment_method_remove": "disabled",
    },
    "mobile_payment_element": {
        "payment_method_allow_redisplay_filters": _SHOWN_AGAIN,
        "payment_method_redisplay": "disabled",
        "payment_method_remove": "disabled",
        "payment_method_save": "disabled",
        "payment_method_save_allow_redisplay_override": None,
    },
    "payment_element": {
        "payment_method_allow_redisplay_filters": _SHOWN_AGAIN,
        "payment_method_redisplay": "disabled",
        "payment_method_redisplay_limit": 3,
        "payment_method_remove": "disabled",
        "payment_method_save": "disabled",
        "payment_method_save_usage": None,
    },
    "pricing_table": None,
}
"""Every component with the features that it has, and their defaults."""


@routes.api("POST", CUSTOMER_SESSIONS.path)
def create(context: Context) -> Object:
    """Create a customer session; its components are off unless they are asked for."""
    context.unsupported("customer_account")
    params = context.params
    if "customer" not in params:
        raise InvalidParameterError("Missing required param: customer.", code="parameter_missing", param="customer")
    now = context.clock.now()
    return {
        "object": "customer_session",
        "client_secret": context.ids.new("cuss_secret", _SECRET_LENGTH),
        "components": {name: _component(name, params["components"].get(name)) for name in _FEATURES},
        "created": now,
        "customer": context.state.get(CUSTOMERS, params["customer"], param="customer")["id"],
        "customer_account": None,
        "expires_at": now + _LIFE_SECONDS,
        "livemode": False,
    }


def _component(name: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    enabled = bool(given and given["enabled"])
    defaults = _FEATURES[name]
    if defaults is None:
        return {"enabled": enabled}
    chosen = (given or {}).get("features", {})
    if chosen.get("payment_method_save_usage") and chosen.get("payment_method_save") != "enabled":
        raise InvalidParameterError(
            "`payment_method_save_usage` can only be set when `payment_method_save` is `enabled`.",
            param=f"components[{name}][features][payment_method_save_usage]",
        )
    return {"enabled": enabled, "features": {**defaults, **chosen} if enabled else None}
