"""What a function has when it has started, which is what a snapshot of it would be restored with each time."""

import ast
import json
import subprocess
import sys

from local.cloud.places import PROJECT

from .backend import ENVIRONMENT

STARTED = """
import gc, importlib, json, os, socket, sys

def connect(*_):
    raise AssertionError("a connection while a function starts")

socket.socket.connect = socket.socket.connect_ex = connect
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)

from marketplace.adapters.secrets import Secret
from marketplace.edge.invocation import Invocation

found = gc.get_objects()
secrets = [each for each in found if isinstance(each, Secret)]
invocations = [each for each in found if isinstance(each, Invocation)]
sockets = [each for each in found if isinstance(each, socket.socket) and each.fileno() >= 0]
print(json.dumps({
    "secrets": len(secrets), "known": sum(each._known is not None for each in secrets),
    "invocations": len(invocations), "begun": sum(each.seconds_left() > 0 for each in invocations),
    "sockets": len(sockets),
}))
"""
MODULES = sorted(
    ".".join(path.relative_to(PROJECT).with_suffix("").parts) for path in (PROJECT / "functions").rglob("*.py")
)
SOURCES = [*(PROJECT / "shared" / "marketplace").rglob("*.py"), *(PROJECT / "functions").rglob("*.py")]
ALIKE_IN_EVERY_COPY = {"random", "uuid1"}  # seeded once, and made of the machine's address


def test_a_function_that_has_started_holds_no_secret_no_connection_and_no_invocation() -> None:
    environment = {**ENVIRONMENT, "PYTHONPATH": "shared:."}
    done = subprocess.run(
        [sys.executable, "-c", STARTED, json.dumps(MODULES)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=PROJECT,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    held = json.loads(done.stdout.splitlines()[-1])
    assert held["secrets"] > len(MODULES) // 2
    assert held["invocations"] > len(MODULES) // 2
    assert (held["known"], held["begun"], held["sockets"]) == (0, 0, 0)


def test_what_is_random_is_the_operating_system_s_and_so_unlike_in_every_copy() -> None:
    imported = {
        (str(path.relative_to(PROJECT)), name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node) & ALIKE_IN_EVERY_COPY
    }
    assert imported == set()


def _imported(node: ast.AST) -> set[str]:
    match node:
        case ast.Import(names=names):
            return {each.name for each in names}
        case ast.ImportFrom(module=str(module), names=names):
            return {module, *(each.name for each in names)}
        case ast.Attribute(attr=name):
            return {name}
        case _:
            return set()
