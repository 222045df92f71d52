"""Account links: a URL that leads an account's owner into onboarding, once and soon.

https://docs.stripe.com/api/v2/core/account-links and https://docs.stripe.com/api/account_links
"""

from collections.abc import Mapping
from typing import Any, Final

from ..accounts import get_record
from ..accounts.responsibilities import REQUIREMENTS, STRIPE
from ..clock import rfc3339
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..pages import checked_link
from ..routing import Routes
from ..shelves import Collection
from ..values import Object

LINKS: Final = Collection("_account_link", found_anywhere=True)
"""``{id, account, use_case, refresh_url, return_url, expires_at, used, version}``; the id is the secret in its URL."""

LIFETIME_SECONDS: Final = 300
ONBOARDING, UPDATE = "account_onboarding", "account_update"
_LINK_LENGTH: Final = 32
routes = Routes(LINKS)


@routes.api("POST", "/v1/account_links")
def create(context: Context) -> Object:
    """Create a link; both URLs are required."""
    params = context.params
    record = get_record(context, params["account"])
    for name in ("refresh_url", "return_url"):
        if name not in params:
            raise InvalidParameterError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    if params["type"] == UPDATE and record["responsibilities"].get(REQUIREMENTS, STRIPE) == STRIPE:
        raise InvalidRequestError(
            "You cannot create `account_update` type account links for this account: Stripe collects its requirements.",
            param="type",
        )
    link = make_link(context, record, params["type"], params, version="v1")
    return {
        "object": "account_link",
        "created": context.clock.now(),
        "expires_at": link["expires_at"],
        "url": link_url(context, link),
    }


@routes.api("POST", "/v2/core/account_links")
def create_v2(context: Context) -> Object:
    """Create a link for a use case."""
    params = context.params
    use_case = params["use_case"]
    kind = use_case["type"]
    if kind not in use_case:
        missing = f"use_case[{kind}]"
        raise InvalidParameterError(f"Missing required param: {missing}.", code="parameter_missing", param=missing)
    record = get_record(context, params["account"])
    if record["closed"]:
        raise InvalidRequestError(f"The account {record['id']} is closed.", code="account_closed")
    link = make_link(context, record, kind, use_case[kind], version="v2")
    options = {"collection_options": None, "return_url": None, **use_case[kind]}
    return {
        "object": "v2.core.account_link",
        "account": record["id"],
        "created": context.clock.timestamp(),
        "expires_at": rfc3339(link["expires_at"]),
        "livemode": False,
        "url": link_url(context, link),
        "use_case": {ONBOARDING: None, UPDATE: None, "type": kind, kind: options},
    }


def link_url(context: Context, link: Object) -> str:
    """Where the link leads."""
    return f"{context.settings.base_url}/connect/links/{link['id']}"


def make_link(context: Context, record: Object, use_case: str, urls: Mapping[str, Any], *, version: str) -> Object:
    """A link, kept on the platform."""
    refresh_url = checked_link(urls["refresh_url"], "refresh_url")
    return_url = checked_link(urls["return_url"], "return_url") if "return_url" in urls else None
    link = {
        "id": context.ids.new("link", _LINK_LENGTH),
        "account": record["id"],
        "use_case": use_case,
        "refresh_url": refresh_url,
        "return_url": return_url,
        "expires_at": context.clock.now() + LIFETIME_SECONDS,
        "used": False,
        "version": version,
    }
    return context.on_platform().state.insert(LINKS, link)
