"""PDF: what stands on its pages, with headings told by the size of their letters."""

import io
import logging
from typing import Any

from pypdf import PdfReader
from pypdf.errors import LimitReachedError, PyPdfError

from headrace.documents.converted import Converted
from headrace.documents.limits import Limits
from headrace.documents.typesetting import Line, markdown
from headrace.messaging.errors import Invalid

# What it would warn about is for whoever made the file.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read(data: bytes, limits: Limits) -> Converted:
    """Title and text; pictures are not read."""
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Invalid("it is locked by a password: save it without one", code="locked", field="content")
        if (pages := len(reader.pages)) > limits.pages:
            raise Invalid(
                f"it has {pages} pages, the limit is {limits.pages}: split it", code="too_large", field="content"
            )
        lines = [_lines(page) for page in reader.pages]
        title = str((reader.metadata.title if reader.metadata else None) or "")
    except Invalid:
        raise
    except LimitReachedError as exc:
        raise Invalid("a part of it unpacks to more than is allowed", code="too_large", field="content") from exc
    except (PyPdfError, RecursionError) as exc:
        raise Invalid(_unreadable(exc), code="unreadable", field="content") from exc
    except MemoryError:
        raise
    except Exception as exc:  # its reader raises whatever the damage leads to
        raise Invalid(_unreadable(exc), code="unreadable", field="content") from exc
    if not any(lines):
        raise Invalid(
            f"there is no text on its {len(lines)} pages: a scan must go through text recognition first",
            code="empty",
            field="content",
        )
    text, heading = markdown(lines)
    return Converted(heading if not title or title.startswith("Microsoft Word") else title, text)


def _unreadable(exc: Exception) -> str:
    return f"it is no PDF, or damaged ({type(exc).__name__}): save it anew from the program that made it"


def _lines(page: Any) -> list[Line]:
    """The lines of a page with the size of their letters and their height on the page."""
    lines: list[Line] = []
    pieces: list[str] = []
    sizes: dict[float, int] = {}
    height = 0.0

    def end_line() -> None:
        text = " ".join("".join(pieces).split())
        if text:
            lines.append(Line(text, max(sizes, key=lambda size: sizes[size]) if sizes else 0.0, height))
        pieces.clear()
        sizes.clear()

    def visit(text: str, user: Any, matrix: Any, _font: Any, size: Any) -> None:
        nonlocal height
        for number, part in enumerate(text.split("\n")):
            if number:
                end_line()
            if part.strip():
                # The size that is seen is the font's, scaled by both matrices.
                seen = round(abs(float(size) * _scale(matrix) * _scale(user)), 1)
                sizes[seen] = sizes.get(seen, 0) + len(part)
                height = float(matrix[5]) * _scale(user) + float(user[5])
            pieces.append(part)

    page.extract_text(visitor_text=visit)
    end_line()
    return lines


def _scale(matrix: Any) -> float:
    return float((float(matrix[2]) ** 2 + float(matrix[3]) ** 2) ** 0.5) or 1.0
