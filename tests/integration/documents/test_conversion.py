"""A hostile document ends its own process, and whoever asked is told why."""

import asyncio
import zlib

import pytest

from headrace.documents.conversion import Conversion
from headrace.documents.formats import CONVERTED_TYPES
from headrace.documents.limits import Limits
from headrace.messaging.errors import Invalid
from tests.fakes.papers import docx, pdf

pytestmark = pytest.mark.integration

PDF = CONVERTED_TYPES["application/pdf"]
DOCX = CONVERTED_TYPES["application/vnd.openxmlformats-officedocument.wordprocessingml.document"]


async def test_documents_are_converted_side_by_side() -> None:
    conversion = Conversion()
    paper, letter = await asyncio.gather(
        conversion(PDF, pdf([("The sluice opens at dawn.", 10)], title="Weirs")),
        conversion(DOCX, docx(Opening="It opens at noon.")),
    )
    assert (paper.title, paper.text) == ("Weirs", "The sluice opens at dawn.\n")
    assert letter.text == "# Opening\n\nIt opens at noon.\n"


async def test_what_is_wrong_with_a_document_comes_back_as_a_sentence() -> None:
    with pytest.raises(Invalid, match="damaged") as refused:
        await Conversion()(PDF, b"%PDF-1.7 and nothing else")
    assert (refused.value.code, refused.value.field) == ("unreadable", "content")


def endless() -> bytes:
    """A PDF whose page is drawn by a million commands, packed into a few kilobytes."""
    paper = pdf([("MARK", 10)])
    drawn = zlib.compress(b"BT /F1 9 Tf (" + b"a" * 60 + b") Tj ET\n" * 1 + b"q Q " * 8_000_000)
    head, _, rest = paper.partition(b"<< /Length ")
    old = rest[rest.index(b"stream\n") + 7 : rest.index(b"\nendstream")]
    rest = rest.replace(old, drawn, 1)
    return head + b"<< /Length %d" % len(drawn) + rest[rest.index(b" /Filter") :]


async def test_a_document_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(Invalid, match="more than 1 s or 2000 MB"):
        await Conversion(Limits(seconds=1))(PDF, endless())


async def test_a_document_that_takes_too_much_memory_is_given_up() -> None:
    with pytest.raises(Invalid, match="60 s or 100 MB"):
        await Conversion(Limits(memory_bytes=100_000_000))(PDF, endless())
