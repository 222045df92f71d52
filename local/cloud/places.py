"""Where the project keeps what it installs and builds for the local cloud."""

import os
from pathlib import Path
from typing import Final

from .failures import CannotRun

PROJECT: Final = Path(__file__).parents[2]
LOCAL: Final = PROJECT / ".local"
STACK_FILE: Final = LOCAL / "stack.json"


def tool(environment: str, name: str) -> Path:
    """A program of one of the environments that ``make setup`` creates.

    Raises:
        CannotRun: it is not installed.
    """
    program = LOCAL / "env" / environment / "bin" / name
    if not program.exists():
        raise CannotRun(f"{name} is not installed: run `make setup` first.")
    return program


def program_path() -> str:
    """The PATH for child processes, with the project's own uv behind the machine's."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), str(LOCAL / "uv" / "bin")])
