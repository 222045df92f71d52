"""Events as they are read again: filters, accounts, and the thirty days that they are kept."""

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.events import EVENTS, THIN_EVENTS
from local.stripe_simulator.state import State

from .conftest import START
from .paying import ANY
from .test_idempotency import connect
from .test_lists import thin

DAY = 24 * 3600


def types(client: stripe.StripeClient, **params: object) -> list[str]:
    return [event.type for event in client.v1.events.list(params).auto_paging_iter()]  # type: ignore[arg-type]  # by name


def stored(simulator: Simulator) -> int:
    with simulator.store.transaction() as transaction:
        state = State(transaction, simulator.platform)
        return state.count(EVENTS) + state.count(THIN_EVENTS)


def test_events_are_found_by_type_group_and_moment(simulator: Simulator, client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Tea"})
    simulator.advance(10)
    client.v1.products.update(product.id, {"name": "Chai"})
    client.v1.customers.create()
    assert types(client) == ["customer.created", "product.updated", "product.created"]
    assert types(client, type="product.*") == ["product.updated", "product.created"]
    assert types(client, type="product.updated") == ["product.updated"]
    assert types(client, types=["customer.created", "product.created"]) == ["customer.created", "product.created"]
    assert types(client, created={"gt": START}) == ["customer.created", "product.updated"]
    assert types(client, created=START) == ["product.created"]
    with pytest.raises(stripe.InvalidRequestError, match="not both"):
        types(client, type="product.created", types=["product.created"])
    with pytest.raises(stripe.InvalidRequestError, match="up to 20"):
        types(client, types=["product.created"] * 21)


def test_each_account_reads_its_own(simulator: Simulator) -> None:
    connect(simulator, "acct_seller")
    seller = {"Stripe-Account": "acct_seller"}
    simulator.request("POST", "/v1/products", {"name": "Tea"}, headers=seller)
    (event,) = simulator.request("GET", "/v1/events", headers=seller).json()["data"]
    assert (event["type"], event["account"]) == ("product.created", "acct_seller")
    assert simulator.request("GET", "/v1/events").json()["data"] == []
    path = f"/v1/events/{event['id']}"
    assert simulator.request("GET", path, headers=seller).json() == event
    assert simulator.request("GET", path).status == 404


def test_webhooks_are_pending_until_every_endpoint_has_taken_the_event(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    for _ in "12":
        simulator.request("POST", "/v1/webhook_endpoints", ANY)
    client.v1.products.create({"name": "Tea"})
    assert [event.pending_webhooks for event in client.v1.events.list()] == [2]
    for pending in (1, 0):
        assert types(client, delivery_success=True) == []
        delivery = simulator.next_due_delivery(signed_at=START)
        assert delivery
        simulator.finish_delivery(delivery.id, status=204)
        assert [event.pending_webhooks for event in client.v1.events.list()] == [pending]
    assert types(client, delivery_success=True) == ["product.created"]
    assert types(client, delivery_success=False) == []


def test_an_event_is_read_for_thirty_days_and_then_let_go(simulator: Simulator, client: stripe.StripeClient) -> None:
    thin(simulator, "")
    client.v1.products.create({"name": "Tea"})
    simulator.take_deliveries()
    snapshot = client.v1.events.list().data[0]
    (slim,) = client.v2.core.events.list().data
    simulator.advance(30 * DAY)
    assert client.v1.events.retrieve(snapshot.id).id == snapshot.id
    assert client.v2.core.events.retrieve(slim.id).id == slim.id
    simulator.advance(1)
    assert (types(client), client.v2.core.events.list().data) == ([], [])
    for retrieve, event in ((client.v1.events.retrieve, snapshot.id), (client.v2.core.events.retrieve, slim.id)):
        with pytest.raises(stripe.InvalidRequestError):
            retrieve(event)
    before = stored(simulator)
    client.v1.products.create({"name": "Chai"})
    assert stored(simulator) == before


def test_an_event_that_still_waits_for_its_delivery_is_kept_however_old(simulator: Simulator) -> None:
    simulator.request("POST", "/v1/webhook_endpoints", ANY)
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    simulator.advance(60 * DAY)
    simulator.request("POST", "/v1/products", {"name": "Chai"})
    assert len(simulator.take_deliveries()) == 2


def test_a_year_of_nothing_leaves_and_does_nothing(simulator: Simulator, client: stripe.StripeClient) -> None:
    client.v1.products.create({"name": "Tea"})
    rows = list(simulator.store.rows())
    simulator.advance(365 * DAY)
    after = [row for row in simulator.store.rows() if row.collection != "_clock"]
    assert after == rows
