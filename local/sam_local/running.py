"""`sam local invoke` and `sam local start-api`, over the overlaid template."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from local.cloud import CannotRun, Ports
from local.cloud.places import program_path, tool
from local.cloud.ports import HOST
from local.cloud.processes import serving

INVOKE_SECONDS: Final = 300
STOP_SECONDS: Final = 120  # containers are removed one after the other
ENGINE_SECONDS: Final = 20
SKIP_PULL: Final = "--skip-pull-image"  # an image that is there is not asked for again


def no_engine() -> str | None:
    """Why there is no Docker engine to run containers on; None where there is one."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    asked = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=ENGINE_SECONDS, check=False)
    return None if asked.returncode == 0 else "no Docker engine answers: " + asked.stderr.strip().splitlines()[-1]


def invoke(template: Path, architecture: str, function: str, event: Mapping[str, Any]) -> object:
    """What a function answers to an event. Raises CannotRun where SAM CLI does not run it, or it ran out of time."""
    done = subprocess.run(
        [*_sam(template, architecture, "invoke"), function, "--event", "-"],
        input=json.dumps(event), env=_environment(), capture_output=True, text=True, timeout=INVOKE_SECONDS,
        check=False,
    )  # fmt: skip
    answer = done.stdout.strip()
    if done.returncode or not answer:
        raise CannotRun(f"`sam local invoke {function}` failed:\n{done.stderr}")
    return json.loads(answer.splitlines()[-1])


@contextmanager
def api(template: Path, architecture: str, folder: Path) -> Iterator[str]:
    """The API while it is served; its URL."""
    port = Ports.free().aws
    command = [*_sam(template, architecture, "start-api"), "--port", str(port), "--warm-containers", "LAZY"]
    log = folder / "sam-local.log"
    with serving(command, port=port, log=log, environment=_environment(), stop_seconds=STOP_SECONDS):
        yield f"http://{HOST}:{port}"


def _sam(template: Path, architecture: str, act: str) -> list[str]:
    return [
        str(tool("sam", "sam")), "local", act, "--parameter-overrides", f"Architecture={architecture} Stage=local",
        "--template", str(template), SKIP_PULL,
    ]  # fmt: skip


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": program_path(), "SAM_CLI_TELEMETRY": "0", "NO_PROXY": HOST}
