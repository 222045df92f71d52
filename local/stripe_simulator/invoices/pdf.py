"""An invoice or credit note as a PDF: one page of text, written by hand. ISO 32000-1, sections 7.5 and 9.4."""

from collections.abc import Sequence
from typing import Final

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56  # A4, in points
_LINE_HEIGHT: Final = 16
_LINES_OF_A_PAGE: Final = (_HEIGHT - 2 * _MARGIN) // _LINE_HEIGHT


def of_lines(lines: Sequence[tuple[str, str]], *, title: str) -> bytes:
    """A document whose lines have a left and a right part; as many pages as they need."""
    pages = [lines[begin : begin + _LINES_OF_A_PAGE] for begin in range(0, len(lines), _LINES_OF_A_PAGE)] or [()]
    first_page = 4  # after catalog, page tree and font
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        content = _content(page)
        stream = first_page + 2 * number + 1
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {stream} 0 R >>"
        )
        objects.append(f"<< /Length {len(content.encode('cp1252'))} >>\nstream\n{content}\nendstream")
    objects.append(f"<< /Title ({_escaped(title)}) /Producer (Stripe simulator) >>")
    return _document(objects)


def _content(lines: Sequence[tuple[str, str]]) -> str:
    """The drawing of a page: each line's left part at the margin, its right part in a column."""
    drawn = ["BT", "/F1 11 Tf"]
    for number, (left, right) in enumerate(lines):
        y = _HEIGHT - _MARGIN - number * _LINE_HEIGHT
        drawn.append(f"1 0 0 1 {_MARGIN} {y} Tm ({_escaped(left)}) Tj")
        if right:
            drawn.append(f"1 0 0 1 {_WIDTH - _MARGIN - 130} {y} Tm ({_escaped(right)}) Tj")
    return "\n".join([*drawn, "ET"])


def _document(objects: Sequence[str]) -> bytes:
    """The file: header, objects, the table of where each begins, trailer."""
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, item in enumerate(objects, start=1):
        offsets.append(len(written))
        written += f"{number} 0 obj\n{item}\nendobj\n".encode("cp1252")
    begins = len(written)
    written += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    written += "".join(f"{offset:010d} 00000 n \n" for offset in offsets).encode()
    info = len(objects)
    written += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {info} 0 R >>\n".encode()
    written += f"startxref\n{begins}\n%%EOF\n".encode()
    return bytes(written)


def _escaped(text: str) -> str:
    """Text as a PDF string takes it; what its encoding has not becomes a question mark."""
    known = text.encode("cp1252", errors="replace").decode("cp1252")
    return known.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").replace("\n", " ")
