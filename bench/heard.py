"""The events that a deployment hears: of the types that `webhooks sync` asks Stripe for, at the endpoint of each."""

from typing import Final

from cli.webhooks.endpoints import wanted_at
from marketplace.edge.deliveries import endpoint_of
from tests.simulation.market import Event, Market

ASKED_FOR: Final = {each.path: frozenset(each.events) for each in wanted_at("https://shop.test")}


def heard(market: Market) -> list[Event]:
    """What Stripe sends now."""
    return [event for event in market.events() if event["type"] in ASKED_FOR[endpoint_of(event)]]
