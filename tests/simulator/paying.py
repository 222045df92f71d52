"""Payments in a line each, and what they did, for the tests of money."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.context import Context
from local.stripe_simulator.funds.exactness import examine
from local.stripe_simulator.state import State, Transaction

ANY = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]}


def pay(client: stripe.StripeClient, amount: int = 10_000, **more: Any) -> stripe.PaymentIntent:
    """A payment by card to the platform, confirmed at once."""
    params: Any = {"amount": amount, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa", **more}
    return client.v1.payment_intents.create(params)


def pay_seller(
    client: stripe.StripeClient, seller: str, amount: int = 10_000, fee: int | None = 1_000, **more: Any
) -> stripe.PaymentIntent:
    """A destination charge."""
    fees = {} if fee is None else {"application_fee_amount": fee}
    return pay(client, amount, transfer_data={"destination": seller}, **fees, **more)


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Charge:
    """The charge as it stands now."""
    return client.v1.charges.retrieve(str(intent.latest_charge))


def listen(simulator: Simulator) -> None:
    """Have an endpoint for the platform's events and one for its connected accounts'."""
    for more in ({}, {"connect": True}):
        simulator.request("POST", "/v1/webhook_endpoints", {**ANY, **more})


def heard(simulator: Simulator) -> list[str]:
    """The events since the last time, in order; those of connected accounts with their account's kind before them."""
    return [
        delivery.event_type if delivery.account == simulator.platform else f"seller: {delivery.event_type}"
        for delivery in simulator.take_deliveries()
    ]


def booked(client: stripe.StripeClient, account: str | None = None) -> list[tuple[str, int, int, int]]:
    """Type, amount, fee and net of every balance transaction, oldest first."""
    options: Any = {"stripe_account": account} if account else {}
    found = client.v1.balance_transactions.list({"limit": 100}, options).data
    return [(each.type, each.amount, each.fee, each.net) for each in found[::-1]]


def balance(client: stripe.StripeClient, account: str | None = None) -> tuple[int, int]:
    """Available and pending US cents."""
    options: Any = {"stripe_account": account} if account else {}
    found = client.v1.balance.retrieve({}, options)
    (available,) = [each.amount for each in found.available if each.currency == "usd"]
    (pending,) = [each.amount for each in found.pending if each.currency == "usd"]
    return available, pending


def assert_exact(simulator: Simulator) -> None:
    """No cent is missing anywhere."""
    simulator.run_due()
    finding = examine(simulator.store)
    assert finding.errors == []
    assert all(books.difference == 0 for books in finding.books.values())


def context_of(simulator: Simulator, transaction: Transaction) -> Context:
    """What a hosted page's code gets."""
    return Context(
        simulator.world, State(transaction, simulator.platform), {}, "", simulator.world.settings.api_version
    )


def refused(kind: type[stripe.StripeError] = stripe.InvalidRequestError, match: str | None = None) -> Any:
    """A refusal that the test looks at."""
    return pytest.raises(kind, match=match)
