"""Login links: each leads the owner of an account into its Express dashboard, once.

https://docs.stripe.com/api/accounts/login_link
"""

from typing import Final

from ..accounts import get_record
from ..context import Context
from ..errors import InvalidRequestError
from ..routing import Routes
from ..shelves import Collection
from ..values import Object

LOGINS: Final = Collection("_login_link", found_anywhere=True)
"""On the platform ``{id, account, used}``; the id is the secret in its URL."""

routes = Routes(LOGINS)
_LINK_LENGTH: Final = 32


@routes.api("POST", "/v1/accounts/{account}/login_links")
def create(context: Context, account: str) -> Object:
    """Lead the owner of an account into its Express dashboard, once."""
    record = get_record(context, account)
    if record["dashboard"] != "express":
        raise InvalidRequestError(
            f"Cannot create a login link for {account}: it has no access to the Express Dashboard.", param="account"
        )
    if not record["submitted"]:
        raise InvalidRequestError(
            "Cannot create a login link for an account that has not completed onboarding.", param="account"
        )
    link = {"id": context.ids.new("login", _LINK_LENGTH), "account": account, "used": False}
    context.on_platform().state.insert(LOGINS, link)
    return {
        "object": "login_link",
        "created": context.clock.now(),
        "url": f"{context.settings.base_url}/express/{link['id']}",
    }
