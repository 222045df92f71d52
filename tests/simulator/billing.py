"""What most tests of billing need, in a line each: customers who pay, recurring prices, what was billed."""

from typing import Any

import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.funds.exactness import examine
from local.stripe_simulator.invoices import exactness

DAY = 24 * 3_600


def customer(client: stripe.StripeClient, card: str | None = "pm_card_visa", **more: Any) -> str:
    """A customer with a card by default, or without one."""
    params: Any = {"email": "buyer@example.test", "name": "Jenny Rosen", **more}
    made = client.v1.customers.create(params)
    if card:
        method = client.v1.payment_methods.attach(card, {"customer": made.id})
        client.v1.customers.update(made.id, {"invoice_settings": {"default_payment_method": method.id}})
    return made.id


def recurring(client: stripe.StripeClient, amount: int, interval: str = "month", count: int = 1, **more: Any) -> str:
    """A recurring price of a product of its own."""
    product = client.v1.products.create({"name": "Club"}).id
    each: Any = {"interval": interval, "interval_count": count}
    price: Any = {"product": product, "currency": "usd", "unit_amount": amount, "recurring": each, **more}
    return client.v1.prices.create(price).id


def subscribe(client: stripe.StripeClient, buyer: str, *prices: str, **more: Any) -> stripe.Subscription:
    """A subscription of one of each price."""
    params: Any = {"customer": buyer, "items": [{"price": price} for price in prices], **more}
    return client.v1.subscriptions.create(params)


def invoices(client: stripe.StripeClient, subscription: str) -> list[stripe.Invoice]:
    """A subscription's invoices, the first first."""
    return client.v1.invoices.list({"subscription": subscription, "limit": 100}).data[::-1]


def billed(client: stripe.StripeClient, subscription: str) -> list[tuple[str | None, str | None, int]]:
    """Reason, status and total of each invoice."""
    return [(each.billing_reason, each.status, each.total) for each in invoices(client, subscription)]


def heard(simulator: Simulator) -> list[str]:
    """The types of the events since the last look; an endpoint must listen."""
    return [each.event_type for each in simulator.take_deliveries()]


def listen(simulator: Simulator) -> None:
    """An endpoint that hears everything."""
    simulator.request("POST", "/v1/webhook_endpoints", {"url": "http://r.test/", "enabled_events": ["*"]})


def assert_exact(simulator: Simulator) -> None:
    """No cent is lost anywhere."""
    assert examine(simulator.store).errors == []
    assert exactness.examine(simulator.store) == []
