"""What most tests of payments need, in a line each: connected accounts that are ready, sessions, payments."""

from typing import Any

import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.messages import Response

RESPONSIBILITIES = {"fees_collector": "application", "losses_collector": "application"}


def seller_params(**more: Any) -> dict[str, Any]:
    """The marketplace's recipe of an account."""
    return {
        "contact_email": "seller@example.test",
        "display_name": "Tea House",
        "dashboard": "express",
        "identity": {"country": "us"},
        "defaults": {"currency": "usd", "responsibilities": RESPONSIBILITIES},
        "configuration": {"recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}},
        **more,
    }


def new_seller(client: stripe.StripeClient, **more: Any) -> str:
    """An account that cannot receive transfers yet."""
    params: Any = seller_params(**more)
    return client.v2.core.accounts.create(params).id


def ready_seller(simulator: Simulator, client: stripe.StripeClient, **more: Any) -> str:
    """An account that can."""
    account = new_seller(client, **more)
    onboard(simulator, account)
    return account


def onboard(simulator: Simulator, account: str, action: str = "complete") -> None:
    """End an account's onboarding without a link."""
    answer = simulator.request("POST", f"/_simulator/accounts/{account}/onboarding", {"action": action})
    assert answer.status == 200, answer.body


SUCCESS, CANCEL = "http://shop.test/paid?session={CHECKOUT_SESSION_ID}", "http://shop.test/basket"


def line(amount: int, *, quantity: int = 1, currency: str = "usd", name: str = "Tea") -> dict[str, Any]:
    """A line item that is described on the spot."""
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": name}}
    return {"price_data": price, "quantity": quantity}


def session_params(**more: Any) -> dict[str, Any]:
    """A session for 100.00 USD, unless told."""
    return {"mode": "payment", "success_url": SUCCESS, "cancel_url": CANCEL, "line_items": [line(10_000)], **more}


def new_session(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    """An open session."""
    params: Any = session_params(**more)
    return client.v1.checkout.sessions.create(params)


def submit(simulator: Simulator, session: str, **fields: str) -> Response:
    """Send the form of the pay page."""
    return simulator.request("POST", f"/c/pay/{session}", fields)


def pay(simulator: Simulator, session: str, card: str = "4242424242424242") -> None:
    """Pay with a card that goes through."""
    answer = submit(simulator, session, card=card)
    assert answer.status == 303, answer.body
    assert answer.headers["Location"] == SUCCESS.replace("{CHECKOUT_SESSION_ID}", session)
