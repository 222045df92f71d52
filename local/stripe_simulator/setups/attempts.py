"""SetupAttempts: each try to confirm a SetupIntent, and how it ended. https://docs.stripe.com/api/setup_attempts"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..shelves import Collection
from ..values import Object

SETUP_ATTEMPTS: Final = Collection(
    "setup_attempt",
    path="/v1/setup_attempts",
    indexes=("setup_intent",),
    expands={
        "customer": "customer",
        "on_behalf_of": "account",
        "payment_method": "payment_method",
        "setup_intent": "setup_intent",
    },
)
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "requires_confirmation": frozenset({"requires_action", "succeeded", "failed", "abandoned"}),
    "requires_action": frozenset({"succeeded", "failed", "abandoned"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "abandoned": frozenset(),
}
_COPIED: Final = ("application", "customer", "customer_account", "flow_directions", "on_behalf_of", "usage")
_OF_CARDS: Final = (
    *("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet"),
)
AUTHENTICATED: Final = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": None,
    "version": "2.2.0",
}


def begin(context: Context, intent: Object, method: Object) -> Object:
    """A new attempt; one that was not brought to an end is abandoned."""
    abandon(context, intent)
    attempt = {
        "id": context.ids.new("setatt"),
        "object": "setup_attempt",
        **{name: intent[name] for name in _COPIED},
        **({"attach_to_self": intent["attach_to_self"]} if "attach_to_self" in intent else {}),
        "created": context.clock.now(),
        "livemode": False,
        "payment_method": method["id"],
        "payment_method_details": _details(method, three_d_secure=None),
        "setup_error": None,
        "setup_intent": intent["id"],
        "status": "requires_confirmation",
    }
    return context.state.insert(SETUP_ATTEMPTS, attempt)


def end(
    context: Context,
    intent: Object,
    status: str,
    *,
    method: Object | None = None,
    error: Object | None = None,
    authenticated: bool = False,
) -> Object:
    """Let the intent's latest attempt go on to a status."""
    attempt = context.state.get(SETUP_ATTEMPTS, intent["latest_attempt"])
    if status not in TRANSITIONS[attempt["status"]]:
        raise LookupError(f"a SetupAttempt cannot go from {attempt['status']} to {status}")
    changes: dict[str, Any] = {"status": status, "setup_error": error}
    if method and authenticated:
        changes["payment_method_details"] = _details(method, three_d_secure=AUTHENTICATED)
    return context.state.update(SETUP_ATTEMPTS, attempt, changes)


def abandon(context: Context, intent: Object) -> None:
    """Give up the latest attempt if it has not ended."""
    latest = context.state.find(SETUP_ATTEMPTS, intent["latest_attempt"]) if intent["latest_attempt"] else None
    if latest and "abandoned" in TRANSITIONS[latest["status"]]:
        context.state.update(SETUP_ATTEMPTS, latest, {"status": "abandoned"})


def _details(method: Object, *, three_d_secure: Mapping[str, Any] | None) -> dict[str, Any]:
    kind = method["type"]
    if kind != "card":
        return {kind: {}, "type": kind}
    card = method["card"]
    shown = {name: card[name] for name in _OF_CARDS}
    return {"card": {**shown, "network": card["brand"], "three_d_secure": three_d_secure}, "type": "card"}
