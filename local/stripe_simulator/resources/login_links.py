"""Login links, and the page of the Express dashboard that each leads to once. https://docs.stripe.com/api/accounts/login_link

GET /express/{link}    what the account has and what was paid out to it
"""

from http import HTTPStatus
from itertools import islice
from typing import Final

from ..accounts import ACCOUNTS, get_record
from ..context import Context
from ..errors import InvalidRequestError
from ..funds.balance_view import balance
from ..funds.payouts import PAYOUTS
from ..money import amount_text
from ..pages import Markup, fill, joined, notice, page
from ..routing import Html, Routes
from ..shelves import Collection
from ..values import Object

LOGINS: Final = Collection("_login_link", found_anywhere=True)
"""On the platform ``{id, account, used}``; the id is the secret in its URL."""

routes = Routes(LOGINS)
_LINK_LENGTH: Final = 32
_SHOWN_PAYOUTS: Final = 10


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


@routes.page("GET", "/express/{link}")
def show(context: Context, link: str) -> Html:
    """The dashboard, for the first visit."""
    found = context.state.get(LOGINS, link)
    if found["used"]:
        return notice("This link was used", "Ask for a new one where you found it.", status=HTTPStatus.GONE)
    context.state.update(LOGINS, found, {"used": True})
    record = context.state.get(ACCOUNTS, found["account"])["_record"]
    name = record["display_name"] or record["contact_email"] or record["id"]
    return page("Express", _dashboard(context.on(found["account"])), heading=str(name))


def _dashboard(context: Context) -> Markup:
    held = balance(context, default_currency=context.settings.default_currency)
    lines = [
        fill("<p>{kind}: {amount}</p>", kind=kind.capitalize(), amount=amount_text(each["amount"], each["currency"]))
        for kind in ("available", "pending")
        for each in held[kind]
    ]
    paid = [
        fill("<p>{amount}, {status}</p>", amount=amount_text(each["amount"], each["currency"]), status=each["status"])
        for each in islice(context.state.select(PAYOUTS), _SHOWN_PAYOUTS)
    ]
    return joined([fill("<h2>Balance</h2>"), *lines, fill("<h2>Payouts</h2>"), *(paid or [fill("<p>None yet.</p>")])])
