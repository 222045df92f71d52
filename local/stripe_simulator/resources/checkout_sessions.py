"""Checkout Sessions. https://docs.stripe.com/api/checkout/sessions"""

from typing import Final

from ..checkout import changing, making, sessions
from ..checkout.line_items import ITEMS
from ..checkout.sessions import OPEN, SESSIONS
from ..context import Context
from ..routing import Routes
from ..values import Object

routes = Routes(SESSIONS, ITEMS)
_PATH: Final = "/v1/checkout/sessions"


@routes.api("POST", _PATH)
def create(context: Context) -> Object:
    """Create a session, with a page to complete it on."""
    return making.make(context)


@routes.api("GET", _PATH + "/{session}")
def retrieve(context: Context, session: str) -> Object:
    """The session as it stands."""
    return context.state.get(SESSIONS, session)


@routes.api("POST", _PATH + "/{session}")
def update(context: Context, session: str) -> Object:
    """Change the metadata, and of an open session the order too."""
    return changing.by_shop(context, context.state.get(SESSIONS, session), context.params)


@routes.api("POST", _PATH + "/{session}/expire")
def expire(context: Context, session: str) -> Object:
    """End the session before its time."""
    return sessions.expire(context, context.state.get(SESSIONS, session))


@routes.api("GET", _PATH + "/{session}/line_items")
def list_line_items(context: Context, session: str) -> Object:
    """What is bought, as it was given."""
    return context.list(ITEMS, {"_session": context.state.get(SESSIONS, session)["id"]})


@routes.api("GET", _PATH)
def list_sessions(context: Context) -> Object:
    """Sessions, newest first."""
    context.unsupported("customer_account", "payment_link")
    params = context.params
    where = {name: params.get(name) for name in ("customer", "payment_intent", "status", "subscription")}
    return context.list(SESSIONS, {**where, "customer_details.email": params.get("customer_details", {}).get("email")})


@routes.due("checkout.session.expire")
def expire_in_time(context: Context, session: str) -> None:
    """End a session that nobody completed."""
    found = context.state.get(SESSIONS, session)
    if found["status"] == OPEN:
        sessions.expire(context, found)
