import pytest

from headrace.documents.converting import convert
from headrace.documents.formats import CONVERTED_TYPES, ContentType, content_type_of
from headrace.documents.limits import Limits
from headrace.messaging.errors import Invalid
from tests.fakes.papers import docx, pdf, zip_bomb

PDF = CONVERTED_TYPES["application/pdf"]
HTML = CONVERTED_TYPES["text/html"]
CSV = CONVERTED_TYPES["text/csv"]
DOCX = CONVERTED_TYPES["application/vnd.openxmlformats-officedocument.wordprocessingml.document"]


def test_a_pdf_keeps_its_headings_and_gets_its_paragraphs_back() -> None:
    paper = pdf(
        [
            ("Handbook of Weirs", 24),
            ("Opening", 16),
            ("The sluice opens at dawn and is closed by the", 10),
            ("keeper at dusk, every day of the year with-", 10),
            ("out exception.", 10),
            ("Closing", 16),
            ("It closes at noon.", 10),
        ]
    )
    converted = convert(PDF, paper, Limits())
    assert converted.title == "Handbook of Weirs"
    assert converted.text == (
        "# Handbook of Weirs\n\n## Opening\n\nThe sluice opens at dawn and is closed by the keeper at dusk, every day "
        "of the year without exception.\n\n## Closing\n\nIt closes at noon.\n"
    )


def test_what_stands_on_every_page_is_no_content() -> None:
    pages = [[("Acme internal", 10), (f"Fact number {n} is here.", 10), (f"Page {n}", 10)] for n in range(1, 6)]
    text = convert(PDF, pdf(*pages), Limits()).text
    assert "Acme" not in text
    assert "Page 3" not in text
    assert "Fact number 3 is here." in text


def test_a_docx_keeps_headings_and_tables() -> None:
    made = docx(title="Guide", rows=[("part", "height"), ("weir | low", "3 m")], Opening="It opens at dawn.")
    converted = convert(DOCX, made, Limits())
    assert converted.title == "Guide"
    assert converted.text == (
        "# Opening\n\nIt opens at dawn.\n\n| part | height |\n| --- | --- |\n| weir \\| low | 3 m |\n"
    )


def test_a_web_page_is_its_content_without_the_way_around_it() -> None:
    page = (
        "<html><head><title>Weirs | Acme</title><script>evil()</script></head><body><nav>Menu</nav>"
        "<main><h1>Weirs</h1><p>A <a href='/w'>weir</a> is low.</p><ul><li>one</li></ul></main>"
        "<footer>Imprint</footer></body></html>"
    )
    converted = convert(HTML, page.encode(), Limits())
    assert (converted.title, converted.text) == ("Weirs", "# Weirs\n\nA weir is low.\n\n- one\n")


def test_a_page_in_another_encoding_is_read_by_what_it_declares() -> None:
    page = "<meta charset='iso-8859-1'><p>Häuser am Wehr</p>".encode("latin-1")
    assert convert(HTML, page, Limits()).text == "Häuser am Wehr\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_has_a_section_for_each_row_under_its_name(delimiter: str) -> None:
    rows = [["height", "name"], ["3 m", "weir"], ["4 m", "sluice"]]
    text = convert(CSV, "\n".join(delimiter.join(row) for row in rows).encode(), Limits()).text
    assert text == "## weir\n\nheight: 3 m  \nname: weir\n\n## sluice\n\nheight: 4 m  \nname: sluice\n"


@pytest.mark.parametrize(
    ("content_type", "data", "said"),
    [
        (PDF, b"no PDF at all", "damaged"),
        (PDF, pdf([("text", 10)])[:200], "damaged"),
        (PDF, pdf([]), "text recognition"),
        (DOCX, b"PK\x03\x04 cut off", "damaged"),
        (DOCX, zip_bomb(150_000_000), "unpacks to 150000000 bytes"),
        (HTML, b"<div>" * 20_000 + b"deep", "nested too deeply"),
        (HTML, b"<p> </p>", "no text"),
        (CSV, b"a,b\n", "no row"),
        (CSV, b"", "name the columns"),
        (CSV, "größe\n1\n".encode("latin-1"), "byte 2"),
        (CSV, b"a,b\n1," + b"x" * 200_001, "line 2: field larger than field limit"),
        (CSV, b"a\n" + b"x\n" * 60_000, "more than 50000 rows"),
        (CSV, b"a,b\n" + b"long " * 30_000 + b",x\n" * 9, "the limit is 1000000"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(content_type: ContentType, data: bytes, said: str) -> None:
    limits = Limits()
    if said == "the limit is 1000000":
        data = b"a,b\n" + (b"long " * 30_000 + b",x\n") * 9
    with pytest.raises(Invalid, match=said):
        convert(CONVERTED_TYPES[content_type], data, limits)


def test_too_many_pages_are_refused_before_they_are_read() -> None:
    with pytest.raises(Invalid, match="3 pages, the limit is 2"):
        convert(PDF, pdf(*[[("text", 10)]] * 3), Limits(pages=2))


def test_a_media_type_may_have_parameters_and_an_unknown_one_names_those_that_are_known() -> None:
    assert content_type_of("Text/HTML; charset=utf-8") == "text/html"
    with pytest.raises(Invalid, match="application/pdf"):
        content_type_of("image/png")
