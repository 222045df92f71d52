"""ConfirmationTokens: what a buyer entered for a payment or a setup, to be confirmed with once, on the server.

https://docs.stripe.com/api/confirmation_tokens
"""

from collections.abc import Mapping
from typing import Any, Final

from .context import Context
from .errors import InvalidRequestError
from .shelves import Collection
from .values import Object

CONFIRMATION_TOKENS: Final = Collection("confirmation_token", path="/v1/confirmation_tokens")
"""``_payment_method``: the one that its preview shows."""

LIFE_SECONDS: Final = 12 * 3_600
_OF_PREVIEWS: Final = ("allow_redisplay", "billing_details", "customer", "customer_account", "type")
_OF_REQUESTS: Final = ("return_url", "setup_future_usage", "shipping")
ACCEPTANCE: Final = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "Stripe simulator"}}
"""How a mandate is agreed to on a page."""


def add_token(context: Context, params: Mapping[str, Any], method: Object) -> Object:
    """A token for a payment method, as Stripe.js makes it of what was entered."""
    now, kind = context.clock.now(), method["type"]
    preview = {**{name: method[name] for name in _OF_PREVIEWS}, kind: method[kind]}
    token = {
        "id": context.ids.new("ctoken"),
        "object": "confirmation_token",
        "created": now,
        "expires_at": now + LIFE_SECONDS,
        "livemode": False,
        "mandate_data": None if kind == "card" else {"customer_acceptance": ACCEPTANCE},
        "payment_intent": None,
        "payment_method_options": {"card": {"cvc_token": None}} if kind == "card" else None,
        "payment_method_preview": preview,
        "return_url": params.get("return_url"),
        "setup_future_usage": params.get("setup_future_usage"),
        "setup_intent": None,
        "shipping": params.get("shipping"),
        "use_stripe_sdk": True,
        "_payment_method": method["id"],
    }
    return context.state.insert(CONFIRMATION_TOKENS, token)


def redeem(context: Context, token_id: str, intent: Object) -> dict[str, Any]:
    """The parameters of a confirmation that the token stands for; it cannot be used again.

    Raises:
        InvalidRequestError: it was used before, or has expired.
    """
    token = context.state.get(CONFIRMATION_TOKENS, token_id, param="confirmation_token")
    used = token["payment_intent"] or token["setup_intent"]
    if used or token["expires_at"] <= context.clock.now():
        why = "has already been used" if used else "has expired"
        raise InvalidRequestError(f"The ConfirmationToken {token_id} {why}.", param="confirmation_token")
    context.state.update(CONFIRMATION_TOKENS, token, {intent["object"]: intent["id"]})
    given = {name: token[name] for name in _OF_REQUESTS if token[name] is not None}
    if token["mandate_data"]:
        given["mandate_data"] = token["mandate_data"]
    return {**given, "payment_method": token["_payment_method"]}
