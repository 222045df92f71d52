"""Who asks, from the claims of a token that was checked; nothing else makes a caller."""

import re
from collections.abc import Mapping
from typing import Any, Final

from marketplace.domain.errors import NotAllowed
from marketplace.domain.ids import is_id
from marketplace.domain.principals import Principal, Role

# SYSTEM is nobody's to claim. Of several roles the strongest counts: an operator may also be known as a buyer.
CLAIMABLE: Final = (Role.OPERATOR, Role.MERCHANT, Role.BUYER)
LIST: Final = re.compile(r"\[([^\[\]]*)\]")
LONGEST_EMAIL: Final = 254  # https://www.rfc-editor.org/errata/eid1690
LONGEST_SUBJECT: Final = 255  # characters, https://openid.net/specs/openid-connect-core-1_0.html#IDToken


class NotAuthenticated(Exception):
    """The request came without the claims of a checked token."""


def principal_of(claims: Mapping[str, Any], *, role_claim: str, merchant_claim: str) -> Principal:
    """The caller that the claims of a checked token make.

    Raises:
        NotAuthenticated: no claims, or no usable ``sub``.
        NotAllowed: no role that is known, or a merchant's user without a merchant.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isascii():
        raise NotAuthenticated
    role = _role(claims.get(role_claim))
    if role is not Role.MERCHANT:
        return Principal(role=role, subject=subject, email=_verified_email(claims))
    merchant_id = claims.get(merchant_claim)
    if not isinstance(merchant_id, str) or not is_id("merchant", merchant_id):
        raise NotAllowed("the token of a merchant's user names no merchant")
    return Principal(role=role, subject=subject, merchant_id=merchant_id)


def authorized_claims(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims in an HTTP API event (payload 2.0), which API Gateway has checked."""
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims")
    return claims if isinstance(claims, Mapping) else {}


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    """API Gateway makes text of claims that are none: ``true`` too."""
    email = claims.get("email")
    is_verified = claims.get("email_verified") in {True, "true"}
    return email if is_verified and isinstance(email, str) and 0 < len(email) <= LONGEST_EMAIL else None


def _role(claim: object) -> Role:
    """The strongest role named: by a string, a list, or what API Gateway makes of a list, ``[operator buyer]``.

    A string without brackets is one name, whatever spaces are in it: "not operator" is no operator. Brackets within
    brackets are an object's, ``[map[name:an operator or so]]``: any value in it could look like a name, so none is.
    """
    named = claim if isinstance(claim, list) else [claim]
    if isinstance(claim, str) and (found := LIST.fullmatch(claim)):
        named = found[1].split()
    for role in CLAIMABLE:
        if role in named:
            return role
    raise NotAllowed("the token names no role that is known here")
