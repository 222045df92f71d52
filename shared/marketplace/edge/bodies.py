"""Request bodies as they come in HTTP API events (payload 2.0): their bytes, and strictly read JSON."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Never

LARGEST_BODY_BYTES: Final = 256 * 1024
JSON_TYPE: Final = "application/json"


class UnreadableBody(Exception):
    """A body that no use case gets to see.

    * BodyTooLarge
    * NotJson           another content type
    * MalformedJson     or no JSON object
    """


class BodyTooLarge(UnreadableBody):
    """Over the function's limit."""


class NotJson(UnreadableBody):
    """Its content type is another one."""


class MalformedJson(UnreadableBody):
    """No JSON object in UTF-8: what is wrong, and where."""


def raw_body(event: Mapping[str, Any], largest: int = LARGEST_BODY_BYTES) -> bytes:
    """The bytes that were sent.

    Raises:
        BodyTooLarge.
        MalformedJson: said to be base64, and is not.
    """
    text = event.get("body") or ""
    if len(text) > 2 * largest:
        raise BodyTooLarge
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedJson("the body is not encoded as it says") from None
    if len(body) > largest:
        raise BodyTooLarge
    return body


def require_json(event: Mapping[str, Any], largest: int = LARGEST_BODY_BYTES) -> None:
    """Refuse a body that cannot be a JSON object, as far as that shows before it is parsed.

    Raises:
        UnreadableBody.
    """
    body = raw_body(event, largest)
    if not body:
        return
    kind = header(event, "content-type")
    if kind and kind.split(";")[0].strip().lower() != JSON_TYPE:
        raise NotJson
    text_of(body)


def text_of(body: bytes) -> str:
    """The bytes as text. Raises MalformedJson."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise MalformedJson(f"the body is not UTF-8 at byte {error.start}") from None


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object, strictly: each name once, no NaN, and no number so long that it is an attack.

    Raises:
        MalformedJson.
    """
    try:
        parsed = json.loads(text, object_pairs_hook=_each_name_once, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedJson(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedJson("the JSON is nested too deeply") from None
    except ValueError:  # over Python's 4300 digits
        raise MalformedJson("the JSON has a number of too many digits") from None
    if not isinstance(parsed, dict):
        raise MalformedJson("the body is not a JSON object")
    return parsed


def header(event: Mapping[str, Any], name: str) -> str | None:
    """A header, whatever the case of its name."""
    headers = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _each_name_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("the JSON names something twice in one object")
    return found


def _refuse_constant(constant: str) -> Never:
    raise MalformedJson(f"{constant} is not JSON")
