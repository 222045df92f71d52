"""The command line over the functions of one process."""

import pytest

from cli import __main__ as command_line
from cli.deployments import Deployment

from ..handlers.backend import Backend
from ..handlers.conftest import backend, functions
from .aws import Lambda, Run, deployment_of

__all__ = ["backend", "functions"]


@pytest.fixture
def where(backend: Backend) -> Deployment:
    return deployment_of({"lambda": Lambda(backend)})


@pytest.fixture
def run(where: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: its exit code, what it printed, what it complained of."""
    monkeypatch.setattr(command_line, "deployment", lambda _: where)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = command_line.main(arguments)
        said = capsys.readouterr()
        logged = [line for line in said.out.splitlines() if not line.startswith('{"')]  # the functions' own
        return code, "\n".join(logged), said.err

    return run
