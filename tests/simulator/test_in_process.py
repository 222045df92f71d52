"""stripe-python without a network: its synchronous and asynchronous methods alike."""

import asyncio

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.in_process import InProcessClient

from .conftest import START


def test_asynchronous_methods_are_answered_too(simulator: Simulator, client: stripe.StripeClient) -> None:
    async def sell() -> list[str]:
        made = await asyncio.gather(*(client.v1.products.create_async({"name": name}) for name in "abc"))
        listed = await client.v1.products.list_async({"limit": 2})
        found = [each.id async for each in listed.auto_paging_iter()]
        assert sorted(found) == sorted(each.id for each in made)
        return [each.name async for each in listed.auto_paging_iter()]

    assert asyncio.run(sell()) == ["c", "b", "a"]


def test_an_asynchronous_client_tries_again_without_waiting(simulator: Simulator) -> None:
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator), max_network_retries=2)
    simulator.faults.order("time_out", method="POST", path="/v1/products")
    asyncio.run(client.v1.products.create_async({"name": "Tea"}))
    assert len(client.v1.products.list().data) == 1
    assert simulator.clock.now() > START


def test_an_asynchronous_refusal_is_the_sdks_own(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such product"):
        asyncio.run(client.v1.products.retrieve_async("prod_none"))


def test_an_answer_is_read_as_a_file(simulator: Simulator, client: stripe.StripeClient) -> None:
    client.v1.products.create({"name": "Tea"})
    url, headers = "https://files.stripe.com/v1/products", {"Authorization": "Bearer sk_test_1"}
    file, status, _ = InProcessClient(simulator).request_stream("get", url, headers)
    assert (status, b"Tea" in file.read()) == (200, True)
