"""Who asks where no API Gateway checked the token: under `sam local` there is none, so the function does it itself.

Only where the environment names the issuer's keys, which the template refuses at any stage but ``local``. Whatever
claims an event brings are not looked at then: nobody checked them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from marketplace.domain.errors import Unavailable
from marketplace.edge.bodies import header
from marketplace.edge.principal import NotAuthenticated, authorized_claims
from marketplace.edge.settings import Settings

ALGORITHMS: Final = ("RS256", "RS384", "RS512")  # what API Gateway's own authorizer takes
REQUIRED: Final = ("exp", "iss", "aud", "sub")
KEYS_SECONDS: Final = 3.0
_BEARER: Final = "bearer "

Claims = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def claims_of(settings: Settings) -> Claims:
    """How the claims of a request are found: in the event where API Gateway checks tokens, else in the token."""
    if not settings.token_keys_url:
        return authorized_claims
    return checked_claims(
        issuer=str(settings.token_issuer), audience=str(settings.token_audience), keys_url=settings.token_keys_url
    )


def checked_claims(*, issuer: str, audience: str, keys_url: str) -> Claims:
    """The claims of a request's bearer token, checked against the keys of its issuer (a JSON Web Key Set).

    The function that is returned raises NotAuthenticated, and Unavailable where the keys cannot be read.
    """
    import jwt  # noqa: PLC0415 - not in the layer that is deployed: see docs/sam-local.md

    if not issuer or not audience:
        raise ValueError("a token that names no issuer and no audience was made for anybody")
    keys = jwt.PyJWKClient(keys_url, timeout=KEYS_SECONDS)

    def claims_in(event: Mapping[str, Any]) -> Mapping[str, Any]:
        sent = header(event, "authorization") or ""
        if not sent.lower().startswith(_BEARER):
            raise NotAuthenticated
        token = sent[len(_BEARER) :].strip()
        try:
            key = keys.get_signing_key_from_jwt(token)
            claims: Mapping[str, Any] = jwt.decode(
                token, key, algorithms=ALGORITHMS, issuer=issuer, audience=audience, options={"require": [*REQUIRED]}
            )
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable("the issuer's keys cannot be read") from error
        except jwt.PyJWTError as error:
            raise NotAuthenticated from error
        return claims

    return claims_in
