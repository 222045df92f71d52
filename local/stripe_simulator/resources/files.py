"""Files, as far as evidence needs them: what was uploaded is measured, and not kept. https://docs.stripe.com/api/files"""

from base64 import b64decode
from pathlib import PurePath
from typing import Final

from ..context import Context
from ..errors import InvalidParameterError
from ..routing import Routes
from ..shelves import Collection
from ..values import Object

FILES: Final = Collection("file", path="/v1/files", indexes=("purpose",))

routes = Routes(FILES)


@routes.api("POST", "/v1/files")
def create(context: Context) -> Object:
    """Upload a file, as ``multipart/form-data``."""
    context.unsupported("file_link_data")
    uploaded = context.params["file"]
    if not isinstance(uploaded, dict) or "content" not in uploaded:
        raise InvalidParameterError("Invalid file: send it as multipart/form-data.", param="file")
    file_id = context.ids.new("file")
    name = PurePath(uploaded["filename"])
    file = {
        "id": file_id,
        "object": "file",
        "created": context.clock.now(),
        "expires_at": None,
        "filename": name.name,
        "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={file_id}"},
        "purpose": context.params["purpose"],
        "size": len(b64decode(uploaded["content"])),
        "title": None,
        "type": name.suffix.removeprefix(".").lower() or None,
        "url": f"{context.settings.base_url}{FILES.path}/{file_id}/contents",
    }
    return context.state.insert(FILES, file)


@routes.api("GET", "/v1/files/{file}")
def retrieve(context: Context, file: str) -> Object:
    """What is known of the file."""
    return context.state.get(FILES, file)


@routes.api("GET", "/v1/files")
def list_files(context: Context) -> Object:
    """Files, newest first."""
    return context.list(FILES, {"purpose": context.params.get("purpose")})
