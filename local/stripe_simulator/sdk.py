"""What stripe-python says of the API that it pins: every operation, and the type of its parameters.

The service modules are read as text, so that the table of all operations costs no import of their hundreds of types.
"""

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import stripe

from .paths import PathTree


class Operation(NamedTuple):
    """One operation: ``POST``, ``/v1/refunds/{refund}``, and where the TypedDict of its parameters is."""

    method: str
    path: str
    params_module: str | None
    params_name: str | None

    def params_type(self) -> type | None:
        """The SDK's TypedDict; None where the operation takes no parameters."""
        if self.params_module is None or self.params_name is None:
            return None
        found: type = getattr(importlib.import_module(self.params_module), self.params_name)
        return found


@functools.cache
def operations() -> PathTree[Operation]:
    """All of the SDK's operations, to be found by method and path."""
    tree: PathTree[Operation] = PathTree()
    for module in sorted(Path(stripe.__file__).parent.rglob("*_service.py")):
        for operation in _operations_in(ast.parse(module.read_text(encoding="utf-8"))):
            tree.add(operation.method, operation.path, operation)
    return tree


def _operations_in(module: ast.Module) -> Iterator[Operation]:
    params_modules = {
        alias.asname or alias.name: node.module
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe.params")
        for alias in node.names
    }
    for function in (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)):
        call = next((node for node in ast.walk(function) if _is_request(node)), None)
        if not isinstance(call, ast.Call):
            continue
        annotation = "".join(
            ast.unparse(a.annotation) for a in function.args.args if a.arg == "params" and a.annotation
        )
        name = next((word for word in re.findall(r"\w+", annotation) if word in params_modules), None)
        method, path = _text(call.args[0]), _text(call.args[1])
        yield Operation(method.upper(), path, params_modules[name] if name else None, name)


def _is_request(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_request"


def _text(node: ast.expr) -> str:
    """The literal in ``"post"`` or in ``"/v1/refunds/{refund}".format(...)``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise TypeError(f"stripe-python writes its requests in a way that is not understood: {ast.unparse(node)}")
