"""Finding what belongs to a path: ``/v1/refunds/{refund}`` for ``/v1/refunds/re_1``."""

from collections.abc import Iterator
from typing import Any

from .values import Json

_PLACEHOLDER = "{}"
_HERE = "/"


class PathTree[Target]:
    """Targets by method and path template; what is written out wins over a placeholder.

    ``/v1/invoices/upcoming`` is therefore never taken for ``/v1/invoices/{invoice}``.
    """

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def add(self, method: str, template: str, target: Target) -> None:
        """Let ``template`` lead to ``target``; a later one replaces an earlier one."""
        node = self._root.setdefault(method, {})
        for segment in template.strip("/").split("/"):
            node = node.setdefault(_PLACEHOLDER if segment.startswith("{") else segment, {})
        node[_HERE] = target

    def find(self, method: str, path: str) -> tuple[Target, list[str]] | None:
        """The target and what stands for the placeholders, in order; None when there is none."""
        values: list[str] = []
        found = _descend(self._root.get(method, {}), path.strip("/").split("/"), 0, values)
        return None if found is None else (found, values)

    def __iter__(self) -> Iterator[Target]:
        pending = list(self._root.values())
        while pending:
            node = pending.pop()
            pending += [child for segment, child in node.items() if segment != _HERE]
            if _HERE in node:
                yield node[_HERE]


def _descend(node: dict[str, Any], segments: list[str], depth: int, values: list[str]) -> Json:
    if depth == len(segments):
        return node.get(_HERE)
    segment = segments[depth]
    if segment in node and (found := _descend(node[segment], segments, depth + 1, values)) is not None:
        return found
    if segment and _PLACEHOLDER in node:
        values.append(segment)
        found = _descend(node[_PLACEHOLDER], segments, depth + 1, values)
        if found is not None:
            return found
        values.pop()
    return None
