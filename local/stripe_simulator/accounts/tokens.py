"""Tokens of accounts, persons and bank accounts: details that reach the platform's server without being seen there.

Each is good once. https://docs.stripe.com/api/tokens https://docs.stripe.com/connect/account-tokens
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError, ResourceMissingError
from ..shelves import Collection
from ..state import public
from ..values import Object

TOKENS: Final = Collection("token")
"""``_given``: what it stands for, as the API's parameters."""

ACCOUNT, BANK_ACCOUNT, PERSON = "account", "bank_account", "person"
PREFIXES: Final[Mapping[str, str]] = {ACCOUNT: "ct", BANK_ACCOUNT: "btok", PERSON: "cpt"}


def make(context: Context, kind: str, given: Mapping[str, Any], shown: Object | None = None) -> Object:
    """A token of what was given; ``shown`` is the part of it that can be read."""
    token = {
        "id": context.ids.new(PREFIXES[kind]),
        "object": "token",
        "client_ip": None,
        "created": context.clock.now(),
        "livemode": False,
        "type": kind,
        "used": False,
        **({kind: public(shown)} if shown else {}),
        "_given": given,
    }
    return context.state.insert(TOKENS, token)


def redeem(context: Context, token: str, kind: str, param: str) -> Mapping[str, Any]:
    """What a token stands for; it is used up.

    Raises:
        ResourceMissingError: there is no such token, or it is of another kind.
        InvalidRequestError: ``token_already_used``.
    """
    found = context.state.find(TOKENS, token)
    if found is None or found["type"] != kind:
        raise ResourceMissingError("token", token, param=param)
    if found["used"]:
        raise InvalidRequestError(
            f"You cannot use a Stripe token more than once: {token}.", code="token_already_used", param=param
        )
    context.state.update(TOKENS, found, {"used": True})
    given: Mapping[str, Any] = found["_given"]
    return given


def with_token(context: Context, kind: str, param: str) -> Mapping[str, Any]:
    """The parameters of a request with what its token stands for, if it has one."""
    if param not in context.params:
        return context.params
    given = dict(redeem(context, context.params[param], kind, param))
    if given.pop("tos_shown_and_accepted", False):
        given["tos_acceptance"] = {"date": context.clock.now()}
    return {**context.params, **given}
