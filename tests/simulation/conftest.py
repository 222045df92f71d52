"""A fresh marketplace for each test."""

import pytest

from .market import Market


@pytest.fixture
def market() -> Market:
    return Market()
