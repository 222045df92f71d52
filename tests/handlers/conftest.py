"""A fresh backend for each test."""

import importlib
import io
import logging
from types import ModuleType

import pytest

from .backend import ENVIRONMENT, FUNCTIONS, Backend


@pytest.fixture(scope="session")
def functions() -> dict[str, ModuleType]:
    """The functions' modules; they read their environment when they are imported, which happens once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        return {
            name: importlib.import_module(f"functions.{name}")
            for name in (*FUNCTIONS, "webhooks.receive", "events.send")
        }


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
