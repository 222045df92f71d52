"""Top-ups of the platform's balance. https://docs.stripe.com/api/topups

POST /_simulator/topups/{topup}/fail    the bank does not pay
"""

from typing import Any, Final

from .. import money
from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError
from ..funds import topups
from ..funds.topups import TOPUPS
from ..metadata import merged
from ..routing import Routes
from ..values import Object

routes = Routes(TOPUPS)
_FAILURE: Final = {"failure_code": "insufficient_funds", "failure_message": "The bank account has too little funds."}


@routes.api("POST", "/v1/topups")
def create(context: Context) -> Object:
    """Ask the platform's bank for money."""
    context.unsupported("source", "payment_method", "payment_method_options")
    if not context.is_platform:
        raise InvalidRequestError("Only the platform can top up its balance.")
    params = context.params
    currency, amount = money.currency_code(params["currency"]), params["amount"]
    money.check_amount(amount, currency)
    if amount < 1:
        raise InvalidParameterError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    arrival = context.clock.now() + context.settings.topup_delay_seconds
    absent = ("balance_transaction", "failure_code", "failure_message", "payment_method", "source")
    topup = {
        "id": context.ids.new("tu"),
        "object": "topup",
        **dict.fromkeys(absent),
        "amount": amount,
        "created": context.clock.now(),
        "currency": currency,
        "description": params.get("description"),
        "expected_availability_date": arrival,
        "initiated_by": "user",
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "transfer_group": params.get("transfer_group"),
    }
    context.state.insert(TOPUPS, topup)
    context.emit("topup.created", topup)
    context.schedule("topup.arrive", at=arrival, topup=topup["id"])
    return topup


@routes.api("GET", "/v1/topups/{topup}")
def retrieve(context: Context, topup: str) -> Object:
    """The top-up as it stands."""
    return context.state.get(TOPUPS, topup)


@routes.api("GET", "/v1/topups")
def list_topups(context: Context) -> Object:
    """Top-ups, newest first."""
    context.unsupported("amount")
    return context.list(TOPUPS, {"status": context.params.get("status")})


@routes.api("POST", "/v1/topups/{topup}")
def update(context: Context, topup: str) -> Object:
    """Change its description and metadata."""
    before = context.state.get(TOPUPS, topup)
    changes: dict[str, Any] = {"metadata": merged(before["metadata"], context.params.get("metadata"))}
    if "description" in context.params:
        changes["description"] = context.params["description"]
    return context.state.update(TOPUPS, before, changes)


@routes.api("POST", "/v1/topups/{topup}/cancel")
def cancel(context: Context, topup: str) -> Object:
    """Take back what the bank has not paid yet."""
    return topups.move(context, _pending(context, topup), "canceled")


@routes.page("POST", "/_simulator/topups/{topup}/fail")
def fail(context: Context, topup: str) -> Object:
    """Let the bank refuse."""
    return topups.move(context, _pending(context, topup), "failed", **_FAILURE)


@routes.due("topup.arrive")
def arrive(context: Context, topup: str) -> None:
    """The bank pays what was not canceled."""
    found = context.state.get(TOPUPS, topup)
    if found["status"] == "pending":
        topups.arrive(context, found)


def _pending(context: Context, topup: str) -> Object:
    found = context.state.get(TOPUPS, topup)
    if found["status"] != "pending":
        raise InvalidRequestError(f"Only pending top-ups can be ended; this one is {found['status']}.", param="topup")
    return found
