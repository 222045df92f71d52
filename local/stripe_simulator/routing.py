"""How resource modules say what they answer: decorators on a module's ``routes``, gathered into one ``Router``."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from . import sdk
from .errors import UnrecognizedUrlError, UnsupportedError
from .paths import PathTree
from .shelves import Collection
from .values import Object


@dataclass(frozen=True, slots=True)
class Html:
    """A hosted page."""

    text: str
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """Sends the visitor on, with GET (303)."""

    url: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be read or kept."""

    content: bytes
    kind: str  # its content type


type ApiHandler = Callable[..., Object]
type PageHandler = Callable[..., Html | Redirect | Document | Object]
type DueHandler = Callable[..., None]


class Kind(Enum):
    """Who a route is for."""

    API = auto()  # clients with a key
    PAGE = auto()  # visitors of hosted pages, and the laboratory's own controls


class Route(NamedTuple):
    """One method on one path template."""

    kind: Kind
    method: str
    template: str
    handler: ApiHandler | PageHandler
    names: tuple[str, ...]  # of the placeholders
    operation: sdk.Operation | None  # what the SDK calls it; None for pages


class Routes:
    """What one resource module answers, and the collections that it owns."""

    def __init__(self, *collections: Collection) -> None:
        self.collections = collections
        self.found: list[tuple[Kind, str, str, ApiHandler | PageHandler]] = []
        self.due_handlers: dict[str, DueHandler] = {}

    def api[Handler: ApiHandler](self, method: str, template: str) -> Callable[[Handler], Handler]:
        """Answer an operation of Stripe's API: ``handler(context, **placeholders) -> object``."""
        return self._register(Kind.API, method, template)

    def page[Handler: PageHandler](self, method: str, template: str) -> Callable[[Handler], Handler]:
        """Answer a visitor, who has no key: the handler gives ``Html``, ``Redirect`` or an object for JSON.

        Its ``context.state`` is the platform's; ``context.state.holder_of`` finds whose object an id is. A POST is one
        transaction like any request, and its events have no request id.
        """
        return self._register(Kind.PAGE, method, template)

    def due[Handler: DueHandler](self, name: str) -> Callable[[Handler], Handler]:
        """Do what ``context.schedule(name, at=..., **arguments)`` put off: ``handler(context, **arguments)``."""

        def register(handler: Handler) -> Handler:
            self.due_handlers[name] = handler
            return handler

        return register

    def _register[Handler: Callable[..., Any]](
        self, kind: Kind, method: str, template: str
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.found.append((kind, method, template, handler))
            return handler

        return register


class Router:
    """All routes of a simulator.

    Raises:
        LookupError: an API route is no operation of the SDK, so that nothing could validate its parameters.
    """

    def __init__(self, modules: Iterable[Routes]) -> None:
        self.collections: dict[str, Collection] = {}
        self.due_handlers: dict[str, DueHandler] = {}
        self._tree: PathTree[Route] = PathTree()
        for routes in modules:
            self.collections |= {collection.name: collection for collection in routes.collections}
            self.due_handlers |= routes.due_handlers
            for kind, method, template, handler in routes.found:
                names = tuple(re.findall(r"\{(\w+)\}", template))
                operation = _operation(method, template) if kind is Kind.API else None
                self._tree.add(method, template, Route(kind, method, template, handler, names, operation))

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route and the values of its placeholders.

        Raises:
            UnsupportedError: Stripe has this operation and the simulator has not.
            UnrecognizedUrlError: Stripe has no such URL.
        """
        found = self._tree.find(method, path)
        if found:
            route, values = found
            return route, dict(zip(route.names, values, strict=True))
        known = sdk.operations().find(method, path)
        if known:
            raise UnsupportedError(f"{method} {known[0].path}")
        raise UnrecognizedUrlError(method, path)


def _operation(method: str, template: str) -> sdk.Operation:
    found = sdk.operations().find(method, template)
    if found is None or found[0].path.count("{") != template.count("{"):
        raise LookupError(f"stripe-python has no operation {method} {template}")
    return found[0]
