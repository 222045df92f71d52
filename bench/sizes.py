"""How large what is deployed is, zipped: each function's folder, and the layer as ``make build`` made it."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .promises import Measured

PROJECT: Final = Path(__file__).parents[1]
FUNCTION_KB: Final = 100.0
LAYER_MB: Final = 12.0


def sizes() -> Iterator[Measured]:
    """Every function, and the layer."""
    for folder in sorted(path for path in (PROJECT / "functions").iterdir() if path.is_dir()):
        yield Measured(f"{folder.name}: zipped", _zipped_bytes(folder) / 1024, "KB", FUNCTION_KB)
    (layer,) = (PROJECT / ".aws-sam/build").glob("*Layer*")
    yield Measured("layer: zipped", _zipped_bytes(layer) / 1024**2, "MB", LAYER_MB)


def _zipped_bytes(folder: Path) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return buffer.tell()
