"""A fresh backend for each test, and what the functions call in all of them."""

import importlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ..last import run_last
from .backend import ENVIRONMENT, FUNCTIONS, Backend
from .recorded import as_running, recording


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What functions may do is held against what they did, when all tests of this folder have run."""
    run_last("test_rights.py", Path(__file__).parent, config, items)


@pytest.fixture(scope="session")
def functions() -> Iterator[dict[str, ModuleType]]:
    """The functions' modules; they read their environment when they are imported, which happens once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        modules = {
            name: importlib.import_module(f"functions.{name}")
            for name in (*FUNCTIONS, "dead_letters.app", "webhooks.receive", "webhooks.receive_bus", "events.send")
        }
    with pytest.MonkeyPatch.context() as patch, recording(patch):
        for name, module in modules.items():
            patch.setattr(module, "handler", as_running(name, module))
        yield modules


@pytest.fixture
def log(functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the functions' loggers write; Powertools keeps the stream that it was made with."""
    written = io.StringIO()
    for handler in logging.getLogger(ENVIRONMENT["POWERTOOLS_SERVICE_NAME"]).handlers:
        monkeypatch.setattr(handler, "stream", written)
    return written


@pytest.fixture(params=["http_api", "http_api_local"])
def backend(
    request: pytest.FixtureRequest, functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> Backend:
    """The functions over a store in memory, asked by API Gateway and by the local cloud."""
    made = Backend(template=request.param, modules=functions)
    for name in FUNCTIONS:
        monkeypatch.setattr(functions[name], "ports", made.ports_of(name))
    return made
