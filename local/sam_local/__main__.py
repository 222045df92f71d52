"""`python -m local.sam_local`: a local cloud of its own, and all functions and routes asked in Lambda's own runtime.

`python -m local.sam_local api` serves the API beside the cloud of `make run` until Ctrl-C, and `invoke FUNCTION [FILE]`
runs one function there, with its recorded event or another.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from local.cloud import CannotRun, Ports, Stack, running_cloud, sam
from local.cloud.places import LOCAL
from local.cloud.processes import stop_in_order

from . import check, overlay, relay, running

FOLDER: Final = LOCAL / "sam-local"
WELL, FAILED = 0, 1


def main(arguments: list[str]) -> int:
    """Run what is asked for. Without a Docker engine it says so, and nothing has failed."""
    missing = running.no_engine()
    if missing is not None:
        print(f"Skipped: {missing}. `sam local` runs functions in containers.")
        return WELL
    stop_in_order()
    try:
        return _run(arguments)
    except CannotRun as problem:
        print(problem, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return WELL


def _run(arguments: list[str]) -> int:
    match arguments:
        case []:
            return _check()
        case ["api"]:
            return _serve(Stack.running())
        case ["invoke", function]:
            return _invoke(Stack.running(), function, check.recorded(function))
        case ["invoke", function, file]:
            return _invoke(Stack.running(), function, Path(file))
        case _:
            print(__doc__)
            return FAILED


def _check() -> int:
    more = {"StripeEventSource": check.event_source()}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_cloud(Path(folder) / "cloud", Ports.free(), more=more) as stack,
    ):
        found = []
        for what, is_well in _all(stack):
            print("well  " if is_well else "FAILED", what, flush=True)
            found.append(is_well)
    print(f"{sum(found)} of {len(found)} well.")
    return WELL if all(found) else FAILED


def _all(stack: Stack) -> Iterator[tuple[str, bool]]:
    """The functions first: the audit closes the ledger, and before the first closing a read of it goes back a month."""
    with _template(stack) as template:
        yield from check.functions(template, sam.architecture(), stack)
        with running.api(template, sam.architecture(), FOLDER) as url:
            yield from check.routes(url, stack)


def _serve(stack: Stack) -> int:
    with _template(stack) as template, running.api(template, sam.architecture(), FOLDER) as url:
        print(f"{url} until Ctrl-C; its log is {FOLDER / 'sam-local.log'}", flush=True)
        while True:
            time.sleep(1)


def _invoke(stack: Stack, function: str, file: Path) -> int:
    if function not in stack.functions:
        raise CannotRun(f"There is no {function} there. There are: {', '.join(sorted(stack.functions))}.")
    if not file.is_file():
        raise CannotRun(f"There is no {file}.")
    event = check.event_in(file, stack)
    with _template(stack) as template:
        print(json.dumps(running.invoke(template, sam.architecture(), function, event), indent=2))
    return WELL


@contextmanager
def _template(stack: Stack) -> Iterator[Path]:
    """What SAM CLI runs, while the cloud can be reached from containers."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    built = sam.build(FOLDER / "sam.log")
    ports = [urlsplit(url).port for url in (stack.aws_endpoint, stack.stripe)]
    with relay.reachable([port for port in ports if port is not None]) as address:
        yield overlay.write(built, stack, sam.architecture(), address)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
