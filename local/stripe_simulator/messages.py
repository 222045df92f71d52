"""Requests and responses as the core sees them, whoever carries them."""

import json
from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import AuthenticationError, InvalidParameterError
from .form import read_form, read_multipart
from .schema import Wire
from .values import Json

SECRET_KEY_PREFIXES = ("sk_test_", "rk_test_")
LIVE_KEY_PREFIXES = ("sk_live_", "rk_live_", "pk_live_")
_JSON = "application/json"
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; header names are in lower case. ``params`` stand for query and body when Python calls."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes = b""
    params: Mapping[str, Any] | None = None

    @property
    def wire(self) -> Wire:
        """How the parameters are written."""
        if self.params is not None:
            return Wire.PYTHON
        return Wire.JSON if self.body and self._is_json else Wire.FORM

    @property
    def _is_json(self) -> bool:
        return self.headers.get("content-type", "").startswith(_JSON)

    def read_params(self) -> dict[str, Any]:
        """The parameters as they came.

        Raises:
            InvalidParameterError: the body is no form or JSON object.
        """
        if self.params is not None:
            return dict(self.params)
        query = read_form(self.query)
        if not self.body:
            return query
        content_type = self.headers.get("content-type", "")
        if content_type.startswith(_MULTIPART):
            return query | read_multipart(content_type, self.body)
        try:
            text = self.body.decode()
            body = json.loads(text) if self._is_json else read_form(text)
        except ValueError as error:
            raise InvalidParameterError("Invalid request: the body could not be read.") from error
        if not isinstance(body, dict):
            raise InvalidParameterError("Invalid request: the body must be a JSON object.")
        return query | body


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    late_seconds: float = 0.0  # after which it comes, when a delay was ordered

    def json(self) -> Json:
        """The body, read."""
        return json.loads(self.body)


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """``value`` as Stripe writes JSON."""
    return Response(status, json.dumps(value).encode(), {"Content-Type": _JSON, **(headers or {})})


def authenticate(headers: Mapping[str, str]) -> str:
    """The key, which may be any secret or restricted test key; all belong to the one platform.

    Raises:
        AuthenticationError: none, publishable, live, or not a key at all.
    """
    key = _api_key(headers.get("authorization", ""))
    if key.startswith(SECRET_KEY_PREFIXES):
        return key
    if not key:
        raise AuthenticationError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if key.startswith("pk_test_"):
        raise AuthenticationError(
            "This API call cannot be made with a publishable API key. Please use a secret API key.",
            code="secret_key_required",
        )
    if key.startswith(LIVE_KEY_PREFIXES):
        raise AuthenticationError(
            "This is a simulator of Stripe's test mode. Never send it a live key.", code="testmode_charges_only"
        )
    raise AuthenticationError(f"Invalid API Key provided: {key[:8]}{'*' * 8}")


def _api_key(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(credentials, validate=True).decode().partition(":")[0]
        except (NotBase64Error, UnicodeDecodeError):
            return credentials
    return ""


def account_named(headers: Mapping[str, str]) -> str | None:
    """The account of ``Stripe-Account``, or the last one of ``Stripe-Context`` (``acct_platform/acct_seller``)."""
    named = headers.get("stripe-account") or headers.get("stripe-context", "").rpartition("/")[2]
    return named or None
