"""What our own modules add to a cold start, beside what their dependencies cost, in the layer as it is deployed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from .promises import Measured

PROJECT: Final = Path(__file__).parents[1]
PACKAGE: Final = PROJECT / ".aws-sam/build/MarketplaceLayer/python/marketplace"  # as deployed, with its bytecode
RUNS: Final = 7
OWN_MILLISECONDS: Final = 15.0
YARDSTICK_MILLISECONDS: Final = 145.0  # stripe's import on the machine that the promise was made for: 130 to 160
STRIPE: Final = "import time; began = time.process_time(); import stripe; print(time.process_time() - began)"
# Dependencies first, and clients as the function makes them; then the function, less what it spends in making clients.
PROGRAM: Final = """
import contextlib, gc, importlib, time
import botocore.session
began, spent = time.process_time(), 0.0
for name in {dependencies}:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
imported = time.process_time() - began
def timed(make):
    def make_and_note(*args, **kwargs):
        global spent
        start = time.process_time()
        try:
            return make(*args, **kwargs)
        finally:
            spent += time.process_time() - start
    return make_and_note
botocore.session.get_session = timed(botocore.session.get_session)
botocore.session.Session.create_client = timed(botocore.session.Session.create_client)
gc.disable()  # the full collection that falls due somewhere here is run up by the clients' models, not by our code
began = time.process_time()
importlib.import_module("{module}")
print(time.process_time() - began - spent, imported + spent)
"""
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
    "TOKEN_ISSUER": "",
    "TOKEN_AUDIENCE": "",
    "TOKEN_KEYS_URL": "",
    "API_BASE_URL": "",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LOG_LEVEL": "INFO",
}


def handlers() -> list[Path]:
    """Every module that Lambda calls."""
    modules = (PROJECT / "functions").glob("*/*.py")
    return sorted(path for path in modules if re.search(r"^(def handler\(|handler = )", path.read_text(), re.MULTILINE))


def imports() -> Iterator[Measured]:
    """Each function's own share, the least of some runs, and what its dependencies cost before it.

    The promise is a time on a machine that imports stripe in YARDSTICK_MILLISECONDS: here it is held as a ratio.
    """
    stripe = min(float(_python(PROJECT / "functions/health/app.py", STRIPE)) for _ in range(RUNS)) * 1000
    yield Measured("stripe by itself, the yardstick of this run", stripe, "ms")
    for path in handlers():
        name = f"{path.parent.name}/{path.stem}"
        dependencies = sorted(_loaded(path) - {path.stem})
        runs = [_seconds(path, dependencies) for _ in range(RUNS)]
        own, bare = (min(figures) * 1000 for figures in zip(*runs, strict=True))
        share = own / stripe * YARDSTICK_MILLISECONDS
        yield Measured(f"{name}: own code at import, to the yardstick", share, "ms", OWN_MILLISECONDS)
        yield Measured(f"{name}: own code at import, here", own, "ms")
        yield Measured(f"{name}: its dependencies and their clients, here", bare, "ms")
    received = _loaded(PROJECT / "functions/webhooks/receive.py")
    for module in ("stripe", "pydantic"):
        yield Measured(f"webhooks/receive imports {module}", int(module in received), "times", 0)


def _seconds(path: Path, dependencies: list[str]) -> tuple[float, float]:
    """CPU seconds of our own code, and of the same dependencies and AWS clients without it, in one process."""
    program = PROGRAM.format(dependencies=dependencies, module=path.stem)
    own, bare = _python(path, program).split()
    return float(own), float(bare)


def _loaded(path: Path) -> set[str]:
    """The modules of others that a function loads."""
    program = f"import sys, {path.stem}; print(*sys.modules)"
    return {name for name in _python(path, program).split() if name.split(".")[0] not in {"marketplace", "__main__"}}


def _python(path: Path, program: str) -> str:
    """Run a program with the layer's package; the layer's dependencies may be another architecture's."""
    with TemporaryDirectory() as folder:
        (Path(folder) / PACKAGE.name).symlink_to(PACKAGE)
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(path.parent), folder])}
        environment.pop("PYTHONPYCACHEPREFIX", None)  # or the layer's bytecode would not be found
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout
