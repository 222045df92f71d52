"""Tests that hold what the other tests of their folder did against something."""

from pathlib import Path

import pytest


def run_last(name: str, folder: Path, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the tests of a file after all others, if all others of its folder run; else leave them out."""
    held = [item for item in items if item.path == folder / name]
    others = [item for item in items if item.path != folder / name]
    of_folder = {path.name for path in folder.glob("test_*.py")} - {name}
    run = {item.path.name for item in others if item.path.parent == folder}
    is_whole = run == of_folder and not config.option.keyword and not any("::" in each for each in config.args)
    items[:] = [*others, *(held if is_whole else [])]
    if held and not is_whole:
        config.hook.pytest_deselected(items=held)
