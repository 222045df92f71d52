"""Stripe's errors: what a resource raises, and the JSON that a client reads.

Source: https://docs.stripe.com/api/errors and the error codes listed at https://docs.stripe.com/error-codes.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar, Final

from .values import Json

_DOCUMENTED_CODES_PREFIX = "https://stripe.com/docs/error-codes/"

_V2_CODES: Final = {"resource_missing": "not_found"}


class StripeError(Exception):
    """An answer of Stripe's that is no success.

    * InvalidRequestError       400: the request is well formed, but cannot be done
      + InvalidParameterError   400: refused before execution, so an idempotency key does not keep it
      + ResourceMissingError    404 in a path, 400 in a parameter
    * CardError                 402: the card was declined
    * AuthenticationError       401: no key, or not one that this simulator takes
    * AccountAccessError        403: the key has no such connected account
    * MissingRightError         403: a restricted key may not do this
    * IdempotencyError          400 other parameters, 409 in use
    * RateLimitError            429
    * UnrecognizedUrlError      404: Stripe has no such URL
    * UnsupportedError          501: Stripe has it, the simulator has not
    * ApiError                  500
    """

    status: ClassVar[int] = HTTPStatus.BAD_REQUEST
    type: ClassVar[str] = "invalid_request_error"
    stored_under_key: ClassVar[bool] = True  # whether an idempotency key keeps this answer
    headers: Mapping[str, str] = MappingProxyType({})  # of its answer, besides the usual ones

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        **details: Json,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.http_status = int(status or self.status)
        self.details = details

    def body(self) -> Mapping[str, Any]:
        """``{"error": {...}}`` as Stripe sends it; absent members are left out, as Stripe does."""
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = _DOCUMENTED_CODES_PREFIX + self.code.replace("_", "-")
        if self.param:
            error["param"] = self.param
        return {"error": error | self.details}

    def body_v2(self) -> Mapping[str, Any]:
        """The same as API v2 sends it: a code always, words for the user, no parameter."""
        error = {"message": self.message, "type": self.type, "user_message": self.message}
        error["code"] = _V2_CODES.get(self.code or "", self.code) or self.type
        return {"error": error | self.details}


class InvalidRequestError(StripeError):
    """The object or the account is in a state that does not allow the request."""


class InvalidParameterError(InvalidRequestError):
    """A parameter is unknown, missing, of the wrong form, or contradicts another one."""

    stored_under_key = False


class ResourceMissingError(InvalidRequestError):
    """No such object on this account; another account's object gives the same answer."""

    def __init__(self, noun: str, object_id: str, *, param: str = "id") -> None:
        in_path = param == "id"
        super().__init__(
            f"No such {noun.replace('_', ' ').strip()}: '{object_id}'",
            code="resource_missing",
            param=param,
            status=HTTPStatus.NOT_FOUND if in_path else HTTPStatus.BAD_REQUEST,
        )


class CardError(StripeError):
    """The issuer or Stripe declined; ``decline_code`` and the PaymentIntent come as ``details``.

    What the handler changed before it raised this is kept: a declined attempt has been made.
    """

    status = HTTPStatus.PAYMENT_REQUIRED
    type = "card_error"


class AuthenticationError(StripeError):
    """The API key is absent, malformed, publishable, or a live one."""

    status = HTTPStatus.UNAUTHORIZED
    stored_under_key = False


class AccountAccessError(StripeError):
    """The account named by ``Stripe-Account`` or ``Stripe-Context`` is not connected to the platform."""

    status = HTTPStatus.FORBIDDEN
    stored_under_key = False


class MissingRightError(StripeError):
    """A restricted key lacks a right; Stripe names it, and shows of the key its ends."""

    status = HTTPStatus.FORBIDDEN
    stored_under_key = False

    def __init__(self, key: str, account: str, right: str) -> None:
        super().__init__(
            f"The provided key '{key}' does not have the required permissions for this endpoint on account "
            f"'{account}'. Having the '{right}' permission would allow this request to continue."
        )


class IdempotencyError(StripeError):
    """A key was used again with another request, or while its first request still runs."""

    type = "idempotency_error"
    stored_under_key = False


class RateLimitError(StripeError):
    """Too many requests, for a ``reason``, or, without one, a lock on the object that another request holds.

    https://docs.stripe.com/rate-limits
    """

    status = HTTPStatus.TOO_MANY_REQUESTS
    stored_under_key = False

    def __init__(self, message: str, *, reason: str | None = None, **details: Json) -> None:
        super().__init__(message, **details)
        if reason:
            self.headers = {"Stripe-Rate-Limited-Reason": reason}


class UnrecognizedUrlError(StripeError):
    """Stripe has no such URL."""

    status = HTTPStatus.NOT_FOUND
    stored_under_key = False

    def __init__(self, method: str, path: str) -> None:
        super().__init__(
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs "
            "or we can help at https://support.stripe.com/."
        )


class UnsupportedError(StripeError):
    """Stripe can do this and the simulator cannot: said aloud instead of answered wrongly."""

    status = HTTPStatus.NOT_IMPLEMENTED
    type = "api_error"
    stored_under_key = False
    headers = MappingProxyType({"Stripe-Should-Retry": "false"})

    def __init__(self, what: str) -> None:
        super().__init__(f"The Stripe simulator does not implement {what}.", code="simulator_unsupported")


class ApiError(StripeError):
    """Something went wrong on Stripe's end."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    type = "api_error"
