"""HTML: the page's own content without its navigation, headings and tables kept."""

import warnings

from bs4 import BeautifulSoup, Tag
from bs4.builder import ParserRejectedMarkup
from markdownify import MarkdownConverter

from headrace.documents.converted import Converted
from headrace.documents.limits import Limits
from headrace.messaging.errors import Invalid

# What is on a page for its reader's way around it, or is no text.
_AROUND = "script style noscript template nav footer aside form svg iframe button select dialog".split()


def read(data: bytes, limits: Limits) -> Converted:  # noqa: ARG001 - every reader takes them
    """Title and content; the encoding is the one that the page declares."""
    with warnings.catch_warnings():
        # It is told what it reads, and takes XHTML for XML.
        warnings.simplefilter("ignore")
        try:
            page = BeautifulSoup(data, "lxml")
        except ParserRejectedMarkup as exc:
            raise Invalid("it is no HTML", code="unreadable", field="content") from exc
    title = page.title.get_text() if page.title else ""
    for tag in page(_AROUND):
        tag.decompose()
    for tag in page.select("[aria-hidden=true], [hidden]"):
        tag.decompose()
    content = _main(page)
    heading = content.find("h1")
    try:
        text = _CONVERTER.convert_soup(content)
    except RecursionError as exc:
        raise Invalid("its elements are nested too deeply", code="too_deep", field="content") from exc
    return Converted(heading.get_text() if isinstance(heading, Tag) else title, str(text))


def _main(page: BeautifulSoup) -> Tag:
    """The element that the page itself calls its content, else its body."""
    for selector in ("main", "[role=main]"):
        if found := page.select_one(selector):
            return found
    articles = page.select("article")
    return articles[0] if len(articles) == 1 else page.body or page


# Where a link leads is no part of what a passage says.
_CONVERTER = MarkdownConverter(
    heading_style="ATX",
    strip=["a", "img"],
    bullets="-",
    escape_asterisks=False,
    escape_underscores=False,
    table_infer_header=True,
)
