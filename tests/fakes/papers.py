"""Documents as programs save them, made on the spot: a PDF, a DOCX, a bomb."""

import io
import zipfile
import zlib
from collections.abc import Sequence

from docx import Document


def pdf(*pages: Sequence[tuple[str, int]], title: str = "") -> bytes:
    """A PDF with lines of text, each with the size of its letters; one line under the other."""
    objects: list[bytes] = []

    def add(content: bytes) -> int:
        objects.append(content)
        return len(objects)

    add(b"<< /Type /Catalog /Pages 2 0 R >>")
    add(b"")
    font = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for page in pages:
        height, drawn = 760, []
        for text, size in page:
            shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            drawn.append(f"BT /F1 {size} Tf 1 0 0 1 60 {height} Tm ({shown}) Tj ET")
            height -= round(size * 1.3)
        content = zlib.compress("\n".join(drawn).encode("latin-1"))
        stream = add(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(content), content))
        resources = f"<< /Font << /F1 {font} 0 R >> >>"
        kids.append(
            add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {stream} 0 R "
                f"/Resources {resources} >>".encode()
            )
        )
    places = " ".join(f"{kid} 0 R" for kid in kids)
    objects[1] = f"<< /Type /Pages /Kids [{places}] /Count {len(kids)} >>".encode()
    info = add(f"<< /Title ({title}) >>".encode())
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for offset in offsets:
        out.write(b"%010d 00000 n \n" % offset)
    out.write(
        b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, info, table)
    )
    return out.getvalue()


def docx(*, title: str = "", rows: Sequence[Sequence[str]] = (), **sections: str) -> bytes:
    """A DOCX with a heading and a paragraph for each section, and a table at its end."""
    document = Document()
    document.core_properties.title = title
    for heading, text in sections.items():
        document.add_heading(heading, level=1)
        document.add_paragraph(text)
    if rows:
        table = document.add_table(rows=0, cols=len(rows[0]))
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zip_bomb(unpacked_bytes: int) -> bytes:
    """A DOCX whose document is nothing but one letter, many times."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(unpacked_bytes // 1_000_000):
            part.write(b"a" * 1_000_000)
    return out.getvalue()
