"""Tokens. https://docs.stripe.com/api/tokens"""

from typing import Final

from ..accounts.requests import bank_account
from ..accounts.tokens import ACCOUNT, BANK_ACCOUNT, PERSON, TOKENS, make
from ..catalog import jsonable
from ..context import Context
from ..errors import InvalidParameterError
from ..routing import Routes
from ..values import Object

routes = Routes(TOKENS)
_KINDS: Final = (ACCOUNT, BANK_ACCOUNT, PERSON)


@routes.api("POST", "/v1/tokens")
def create(context: Context) -> Object:
    """Make a token of an account's details, a person's, or a bank account's."""
    context.unsupported("card", "customer", "cvc_update", "pii")
    given = [kind for kind in _KINDS if kind in context.params]
    if len(given) != 1:
        raise InvalidParameterError(f"You must supply one of {', '.join(_KINDS)}.", code="parameter_missing")
    (kind,) = given
    details = jsonable(context.params[kind])
    if kind != BANK_ACCOUNT:
        return make(context, kind, details)
    nobody: Object = {"id": None, "identity": {}, "defaults": {}}
    return make(context, kind, details, bank_account(context, nobody, details))


@routes.api("GET", "/v1/tokens/{token}")
def retrieve(context: Context, token: str) -> Object:
    """The token as it stands."""
    return context.state.get(TOKENS, token)
