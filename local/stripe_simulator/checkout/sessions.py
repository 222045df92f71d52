"""Checkout Sessions: what they are, and how they end without having been completed.

https://docs.stripe.com/api/checkout/sessions
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidRequestError
from ..funds import captures
from ..funds import intents as payments
from ..lists import list_object
from ..setups import intents as setups
from ..shelves import Collection
from ..state import State, public
from ..values import Object
from . import line_items

OPEN, COMPLETE, EXPIRED = "open", "complete", "expired"
TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    OPEN: frozenset({COMPLETE, EXPIRED}),
    COMPLETE: frozenset(),
    EXPIRED: frozenset(),
}
PAID, UNPAID, NOTHING_DUE = "paid", "unpaid", "no_payment_required"
WATCHER: Final = "checkout.session"
OF_THE_REQUEST: Final = ("customer", "allowed_payment_method_types", "excluded_payment_method_types")
"""What the PaymentIntent takes of the session's own parameters."""

RECOVERY_SECONDS: Final = 30 * 24 * 3_600  # https://docs.stripe.com/payments/checkout/abandoned-carts


def _items_of(state: State, session: Object) -> Object:
    items = [public(each) for each in line_items.of_session(state, session)]
    return list_object(items, f"/v1/checkout/sessions/{session['id']}/line_items")


SESSIONS: Final = Collection(
    "checkout.session",
    path="/v1/checkout/sessions",
    indexes=(*("customer", "customer_details.email", "payment_intent", "status", "subscription", "_attempt"),),
    expands={
        "automatic_tax.liability.account": "account",
        "customer": "customer",
        "discounts.coupon": "coupon",
        "discounts.promotion_code": "promotion_code",
        "invoice": "invoice",
        "line_items": _items_of,
        "payment_intent": "payment_intent",
        "setup_intent": "setup_intent",
        "shipping_cost.shipping_rate": "shipping_rate",
        "shipping_cost.taxes": lambda _state, session: session["_shipping_taxes"],
        "shipping_options.shipping_rate": "shipping_rate",
        "subscription": "subscription",
        "total_details.breakdown": lambda _state, session: session["_breakdown"],
    },
    found_anywhere=True,
)
"""``_intent``: the parameters of the PaymentIntent, which is made when the buyer first tries to pay, but its amount;
``_attempt``: that PaymentIntent, or the SetupIntent; ``_entered``: what the buyer wrote on the page so far;
``_shipping_rate``: the one he chose; ``_discounts``: those that reduce the order; ``_params``: what it was made of.
"""


def expire(context: Context, session: Object) -> Object:
    """End an open session.

    Raises:
        InvalidRequestError: it is not open.
    """
    if EXPIRED not in TRANSITIONS[session["status"]]:
        raise InvalidRequestError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`.",
            code="checkout_session_not_open",
        )
    changes: dict[str, Any] = {"status": EXPIRED, "url": None, "client_secret": None, **_recovery(context, session)}
    expired = context.state.update(SESSIONS, session, changes)
    attempt = session["_attempt"] or ""
    if attempt.startswith("pi_"):
        captures.cancel(context, context.state.get(payments.PAYMENT_INTENTS, attempt), "expired")
    if attempt.startswith("seti_"):
        setups.cancel(context, context.state.get(setups.SETUP_INTENTS, attempt), None)
    context.emit("checkout.session.expired", expired)
    return expired


def _recovery(context: Context, session: Object) -> dict[str, Any]:
    """How the buyer can begin again, and the e-mail to tell him with: what he had written until then."""
    email = session["_entered"].get("email")
    known: dict[str, Any] = {}
    if email and session["customer_details"] is None:
        blank = dict.fromkeys(("address", "business_name", "individual_name", "name", "phone"))
        known["customer_details"] = {**blank, "email": email, "tax_exempt": "none", "tax_ids": None}
    wanted = session["after_expiration"]
    if wanted is None or not wanted["recovery"]["enabled"]:
        return known
    recovery = {
        **wanted["recovery"],
        "expires_at": context.clock.now() + RECOVERY_SECONDS,
        "url": f"{context.settings.base_url}/c/recover/{session['id']}",
    }
    return {**known, "after_expiration": {"recovery": recovery}}
