"""What is done to an endpoint in the Dashboard only: its secret is rolled.

https://docs.stripe.com/webhooks#roll-endpoint-secrets

POST /_simulator/endpoints/{endpoint}/roll_secret   {"expires_in_seconds": 86400}; answers with the new secret
"""

from typing import Final

from ..context import Context
from ..endpoints import EVENT_DESTINATIONS, WEBHOOK_ENDPOINTS
from ..errors import InvalidParameterError
from ..routing import Routes
from ..values import Object
from .webhook_endpoints import SECRET_LENGTH

routes = Routes()
LONGEST_OVERLAP_SECONDS: Final = 24 * 3_600


@routes.page("POST", "/_simulator/endpoints/{endpoint}/roll_secret")
def roll_secret(context: Context, endpoint: str) -> Object:
    """Give a webhook endpoint or an event destination a new secret; until the old one expires, both sign."""
    overlap = _overlap(context.params.get("expires_in_seconds", 0))
    collection = EVENT_DESTINATIONS if context.state.is_anywhere(EVENT_DESTINATIONS, endpoint) else WEBHOOK_ENDPOINTS
    state = context.state.holder_of(collection, endpoint)
    before = state.get(collection, endpoint)
    old = {"secret": before["_secret"], "expires_at": context.clock.now() + overlap}
    secret = context.ids.new("whsec", SECRET_LENGTH)
    state.update(collection, before, {"_secret": secret, "_old_secret": old})
    return {"id": endpoint, "secret": secret, "old_secret_expires_at": old["expires_at"]}


def _overlap(given: object) -> int:
    seconds = int(given) if isinstance(given, int) or (isinstance(given, str) and given.isdecimal()) else -1
    if not 0 <= seconds <= LONGEST_OVERLAP_SECONDS:
        raise InvalidParameterError("An old secret can stay good for up to 24 hours.", param="expires_in_seconds")
    return seconds
