"""DOCX: headings, lists and tables by their styles."""

import io
import re
import zipfile
from typing import Final

from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph

from headrace.documents.converted import Converted, escaped
from headrace.documents.limits import Limits
from headrace.messaging.errors import Invalid

_HEADING: Final = re.compile(r"heading ([1-6])", re.IGNORECASE)
_TITLES: Final = frozenset({"title"})
_NO_DOCX: Final = "it is no DOCX, or damaged: save it anew from the program that made it"


def read(data: bytes, limits: Limits) -> Converted:
    """Title and content; what is packed too tightly is not unpacked at all."""
    _bounded(data, limits)
    try:
        document = Document(io.BytesIO(data))
        blocks = list(document.iter_inner_content())
        title = document.core_properties.title or ""
    except RecursionError as exc:
        raise Invalid("its elements are nested too deeply", code="too_deep", field="content") from exc
    except Exception as exc:  # its reader raises whatever the damage leads to
        raise Invalid(_NO_DOCX, code="unreadable", field="content") from exc
    parts = [_table(block) if isinstance(block, Table) else _paragraph(block) for block in blocks]
    return Converted(title, "\n".join(parts))


def _bounded(data: bytes, limits: Limits) -> None:
    """A bomb says how large it is, or lies and is cut off by the process's memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
        raise Invalid(_NO_DOCX, code="unreadable", field="content") from exc
    unpacked = sum(part.file_size for part in parts)
    if unpacked > limits.unpacked_bytes or len(parts) > limits.parts:
        raise Invalid(
            f"it unpacks to {unpacked} bytes in {len(parts)} parts, the limits are {limits.unpacked_bytes} and "
            f"{limits.parts}",
            code="too_large",
            field="content",
        )


def _paragraph(paragraph: Paragraph) -> str:
    text = " ".join(paragraph.text.split())
    if not text:
        return ""
    style = (paragraph.style.name if paragraph.style else "") or ""
    if style.casefold() in _TITLES:
        return f"# {text}\n"
    if heading := _HEADING.fullmatch(style):
        return f"{'#' * int(heading[1])} {text}\n"
    if style.startswith("List"):
        return f"- {text}"
    return f"{escaped(text)}\n"


def _table(table: Table) -> str:
    rows = [[_cell(cell.text) for cell in row.cells] for row in table.rows]
    if not rows:
        return ""
    first, *rest = rows
    lines = [first, ["---"] * len(first), *rest]
    return "\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
