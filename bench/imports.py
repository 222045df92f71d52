"""What our own modules add to a cold start, beside what their dependencies cost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .promises import Measured

PROJECT: Final = Path(__file__).parents[1]
RUNS: Final = 5
OWN_MILLISECONDS: Final = 15.0
ENVIRONMENT: Final = {
    "TABLE_NAME": "table",
    "QUEUE_URL": "https://sqs.test/queue.fifo",
    "STRIPE_SECRET_ARN": "arn:stripe",
    "WEBHOOK_SECRET_ARN": "arn:webhooks",
    "STRIPE_API_BASE": "https://stripe.test",
    "LIVEMODE": "false",
    "RETURN_ORIGINS": "http://localhost:3000",
    "FEE_POLICY": '{"percent": "10"}',
    "ROLE_CLAIM": "cognito:groups",
    "MERCHANT_CLAIM": "custom:merchant_id",
    "API_BASE_URL": "",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LOG_LEVEL": "INFO",
}


def handlers() -> list[Path]:
    """Every module that Lambda calls."""
    return sorted(path for path in (PROJECT / "functions").glob("*/*.py") if "def handler(" in path.read_text())


def imports() -> Iterator[Measured]:
    """Each function's own share, the least of some runs, and all of its imports."""
    for path in handlers():
        name = f"{path.parent.name}/{path.stem}"
        runs = [_times(path) for _ in range(RUNS)]
        yield Measured(f"{name}: own code at import", min(own for own, _ in runs), "ms", OWN_MILLISECONDS)
        yield Measured(f"{name}: with all dependencies", min(whole for _, whole in runs), "ms")
    for module in ("stripe", "pydantic"):
        loaded = module in _loaded(PROJECT / "functions/webhooks/receive.py")
        yield Measured(f"webhooks/receive imports {module}", int(loaded), "times", 0)


def _times(path: Path) -> tuple[float, float]:
    """Milliseconds of our own modules by themselves, and of everything that the import loads."""
    report = _python(path, "-X", "importtime", "-c", f"import {path.stem}").stderr
    own = whole = 0
    for line in report.splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) != 3 or not fields[0].strip().isdigit():
            continue
        microseconds, module = int(fields[0]), fields[2].strip()
        whole += microseconds
        if module == path.stem or module.split(".")[0] == "marketplace":
            own += microseconds
    return own / 1000, whole / 1000


def _loaded(path: Path) -> set[str]:
    program = f"import sys, {path.stem}; print(*{{name.split('.')[0] for name in sys.modules}})"
    return set(_python(path, "-c", program).stdout.split())


def _python(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(path.parent), str(PROJECT / "shared")])
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": paths}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
