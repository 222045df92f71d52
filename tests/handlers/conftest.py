"""A fresh backend for each test, and what the functions call in all of them."""

import importlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from .backend import ENVIRONMENT, FUNCTIONS, Backend
from .recorded import as_running, recording

LAST = "test_rights.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What functions may do is held against what they did, when all tests of this folder have run."""
    held = [item for item in items if item.path.name == LAST]
    others = [item for item in items if item.path.name != LAST]
    of_folder = {path.name for path in Path(__file__).parent.glob("test_*.py")} - {LAST}
    run = {item.path.name for item in others if item.path.parent == Path(__file__).parent}
    is_whole = run == of_folder and not config.option.keyword and not any("::" in each for each in config.args)
    items[:] = [*others, *(held if is_whole else [])]
    if not is_whole:
        config.hook.pytest_deselected(items=held)


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
