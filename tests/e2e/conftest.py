"""The local cloud for tests that go through HTTP: one for the whole run, on free ports, beside any `make run`."""

from collections.abc import Iterator

import pytest

from local.cloud import Ports, Stack, running_cloud
from tests.e2e.shop import Json, Shop

LAST = "test_keys.py"  # looks back at what the others did


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running local cloud with nothing in it but what earlier tests left."""
    with running_cloud(tmp_path_factory.mktemp("cloud"), Ports.free()) as stack:
        yield stack


@pytest.fixture(scope="session")
def shop(stack: Stack) -> Iterator[Shop]:
    """A marketplace on it."""
    shop = Shop(stack)
    with shop.http:
        yield shop


@pytest.fixture(scope="session")
def seller(shop: Shop) -> Json:
    """A merchant that can be sold for; its balance at Stripe is moved by many tests."""
    return shop.ready_merchant()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == LAST)
    for item in items:
        if isinstance(item, pytest.Function) and {"stack", "stage"} & {*item.fixturenames}:
            item.add_marker("cloud")
