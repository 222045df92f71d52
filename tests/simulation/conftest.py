"""A fresh marketplace for each test, and what keys were used for in all of them."""

from pathlib import Path

import pytest

from ..last import run_last
from .market import Market


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What the groups' keys may do is held against what they did, when all tests of this folder have run."""
    run_last("test_keys.py", Path(__file__).parent, config, items)


@pytest.fixture
def market() -> Market:
    return Market()
