"""Account sessions, for embedded components. https://docs.stripe.com/api/account_sessions"""

from typing import Final

from ..accounts import get_record
from ..accounts.components import COMPONENTS, NOT_HERE, shown
from ..context import Context
from ..errors import InvalidParameterError, UnsupportedError
from ..routing import Routes
from ..values import Object

routes = Routes()
LIFETIME_SECONDS: Final = 1_800
_SECRET_LENGTH: Final = 48


@routes.api("POST", "/v1/account_sessions")
def create(context: Context) -> Object:
    """Let an account use components that are enabled, each with features as asked for or as Stripe has them."""
    params = context.params
    record, given = get_record(context, params["account"]), params["components"]
    if not any(each["enabled"] for each in given.values()):
        raise InvalidParameterError("Enable at least one component.", param="components")
    for name in NOT_HERE:
        if given.get(name, {}).get("enabled"):
            raise UnsupportedError(f"the embedded component {name}")
    return {
        "object": "account_session",
        "account": record["id"],
        "client_secret": context.ids.new("accs_secret_", _SECRET_LENGTH),
        "components": {name: shown(record, name, given.get(name)) for name in COMPONENTS},
        "expires_at": context.clock.now() + LIFETIME_SECONDS,
        "livemode": False,
    }
