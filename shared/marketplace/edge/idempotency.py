"""The header Idempotency-Key, and the request that it makes happen once."""

import secrets
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import BaseModel

from marketplace.domain.principals import Principal
from marketplace.services.idempotency import Once

HEADER: Final = "Idempotency-Key"
_WHAT: Final = "New for each intent, the same for each repetition of the request; kept for seven days."

IdempotencyKey = Annotated[str, Header(alias=HEADER, description=_WHAT)]
OptionalIdempotencyKey = Annotated[str | None, Header(alias=HEADER, description=_WHAT)]


def once(caller: Principal, route: str, key: str | None, body: BaseModel, *, subject: str | None = None) -> Once:
    """The request with this body, to take effect once. ``route`` names the resource too.

    Raises:
        IdempotencyKeyRequired: an empty key, or one that is too long.
    """
    return Once.of(caller, route, key, body.model_dump(mode="json", exclude_unset=True), subject=subject)


def key_or_new(key: str | None) -> str:
    """The caller's key, or one that no other request has: without a key a repetition is another request."""
    return secrets.token_urlsafe() if key is None else key
