"""What an ordered fault does to a request: on its arrival, in the place of its work, after it, and to its answer."""

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from ..errors import ApiError, RateLimitError, StripeError
from ..idempotency import key_in_use
from ..limits import GLOBAL, too_many_requests
from ..messages import Response
from ..state import State
from ..values import Object
from .matching import meet
from .orders import REQUEST, Effect
from .trouble import NotAnswered, NotReached

HEADER: Final = "Simulator-Fault"  # of an answer that was ordered
_INSTEAD_OF_WORK: Final = frozenset({Effect.ERROR, Effect.LOCK_TIMEOUT, Effect.SERVER_ERROR})
_NEVER_KEPT: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
)
_BEFORE_WORK_CODES: Final = ("parameter_",)  # what validation refuses is not kept


class OrderedError(StripeError):
    """Any error of Stripe's; kept under the idempotency key as Stripe keeps its like."""

    def __init__(self, order: Object) -> None:
        details = {"decline_code": order["decline_code"]} if order["decline_code"] else {}
        super().__init__(order["message"], code=order["code"], param=order["param"], status=order["status"], **details)
        self.type = order["type"]  # type: ignore[misc]  # of this error, not of a class of errors
        is_validation = (order["code"] or "").startswith(_BEFORE_WORK_CODES)
        self.stored_under_key = order["status"] not in _NEVER_KEPT and not is_validation  # type: ignore[misc]


class RequestFault:
    """An order that a request has met."""

    def __init__(self, order: Object, key: str | None) -> None:
        self._order = order
        self._effect = Effect(order["effect"])
        self._key = key
        self.id: str = order["id"]

    def on_arrival(self) -> None:
        """Keep the request from being looked at.

        Raises:
            NotReached: the connection is refused.
            RateLimitError: 429.
            IdempotencyError: 409, another request is said to hold its key.
        """
        if self._effect is Effect.REFUSE_CONNECTION:
            raise NotReached(self.id)
        if self._effect is Effect.RATE_LIMIT:
            raise too_many_requests(GLOBAL)
        if self._effect is Effect.KEY_IN_USE and self._key:
            raise key_in_use(self._key)

    def instead_of_work(self) -> None:
        """Refuse to execute the request.

        Raises:
            StripeError: the one that was ordered.
        """
        if self._effect is Effect.ERROR:
            raise OrderedError(self._order)
        if self._effect is Effect.LOCK_TIMEOUT:
            raise RateLimitError(
                "This object cannot be accessed right now because another API request or Stripe process is currently "
                "accessing it. If you see this error intermittently, retry the request.",
                code="lock_timeout",
                status=self._order["status"],
            )
        if self._effect is Effect.SERVER_ERROR and not self._order["done"]:
            raise self.server_error()

    @property
    def hides_work(self) -> bool:
        """Whether the work is done and the answer is a 500 all the same."""
        return self._effect is Effect.SERVER_ERROR and bool(self._order["done"])

    def server_error(self) -> ApiError:
        """The 500."""
        return ApiError("An unknown error occurred, on order.")

    def on_leaving(self, response: Response) -> Response:
        """The answer as it gets through.

        Raises:
            NotAnswered: it does not.
        """
        if self._effect is Effect.TIME_OUT:
            raise NotAnswered(self.id, self._order["seconds"])
        if self._effect is Effect.DELAY:
            return replace(response, late_seconds=self._order["seconds"])
        return response


def meet_request(
    platform: State, account: str, method: str, path: str, *, key: str | None, is_replay: bool
) -> RequestFault | None:
    """The fault that this request meets; one that is answered from its idempotency key is not executed."""
    facts = {"account": account, "method": method, "path": path}
    impossible = (_INSTEAD_OF_WORK if is_replay else frozenset()) | (frozenset() if key else {Effect.KEY_IN_USE})
    order = meet(platform, REQUEST, facts, but=impossible)
    return RequestFault(order, key) if order else None
