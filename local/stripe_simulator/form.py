"""Forms as Stripe reads them: ``a[b][0][c]=1&expand[]=x`` becomes nested hashes and lists of text."""

from base64 import b64encode
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from .errors import InvalidParameterError
from .values import Json

MAXIMUM_FIELDS = 2_000
MAXIMUM_DEPTH = 12


def read_form(text: str) -> dict[str, Any]:
    """The nested parameters of a query or a body.

    Numbered members stay hashes (``{"0": ...}``), since only the parameter's type tells whether it is a list.

    Raises:
        InvalidParameterError: too many or too deep members, or one name used both as text and as a hash.
    """
    if not text:
        return {}
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MAXIMUM_FIELDS, errors="strict")
    except ValueError as error:  # also what is not UTF-8
        raise InvalidParameterError("Invalid request: the form could not be read.") from error
    root: dict[str, Any] = {}
    for name, value in fields:
        _put(root, _keys(name), value, name)
    return root


def read_multipart(content_type: str, body: bytes) -> dict[str, Any]:
    """The parameters of a form with files, each of which comes as ``{"filename": ..., "content": ...}`` in base64.

    Raises:
        InvalidParameterError: the form could not be read.
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    root: dict[str, Any] = {}
    for part in body.split(f"--{boundary}".encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        disposition = message_from_bytes(head.removeprefix(b"\r\n"))
        name = disposition.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise InvalidParameterError("Invalid request: the form could not be read.")
        filename = disposition.get_filename()
        content = content.removesuffix(b"\r\n")
        if filename is None:
            _put(root, _keys(name), content.decode(errors="replace"), name)
        else:
            root[name] = {"filename": filename, "content": b64encode(content).decode()}
    return root


def _keys(name: str) -> list[str]:
    if "[" not in name:
        return [name]
    first, _, rest = name.partition("[")
    keys = [first, *rest.removesuffix("]").split("][")]
    if not first or not name.endswith("]") or len(keys) > MAXIMUM_DEPTH:
        raise InvalidParameterError(f"Invalid parameter name: {name}", param=name)
    return keys


def _put(root: dict[str, Any], keys: list[str], value: str, name: str) -> None:
    node: Any = root
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        fresh: Any = value if following is None else ([] if following == "" else {})
        if isinstance(node, list):
            node = _item(node, following, fresh) if key == "" else None
        elif isinstance(node, dict):
            if following is None:
                node[key] = value
            node = node.setdefault(key, fresh)
        if following is not None and not isinstance(node, dict | list):
            raise InvalidParameterError("Invalid object", param=name)


def _item(items: list[Any], following: str | None, fresh: Json) -> Json:
    """``a[][b]=1&a[][c]=2`` writes one item, until a member comes again."""
    last = items[-1] if items else None
    if following and isinstance(last, dict) and following not in last:
        return last
    items.append(fresh)
    return fresh
