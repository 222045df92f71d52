"""The local cloud for tests that go through HTTP: one for the whole run, on free ports, beside any `make run`."""

from collections.abc import Iterator

import pytest

from local.cloud import Ports, Stack, running_cloud


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running local cloud with nothing in it but what earlier tests left."""
    with running_cloud(tmp_path_factory.mktemp("cloud"), Ports.free()) as stack:
        yield stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and "stack" in item.fixturenames:
            item.add_marker("cloud")
