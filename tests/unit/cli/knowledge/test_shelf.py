from typing import Any

from headrace.cli.knowledge.files import Readable
from headrace.cli.knowledge.shelf import Shelf
from headrace.v1.knowledge_pb2 import KnowledgeDocument

PAPER = Readable("docs/weir.pdf", "weir.pdf", "application/pdf", b"%PDF", 12.5)


def published(shelf: Shelf, file: Readable, text: str, **said: Any) -> KnowledgeDocument:
    message = shelf.document(file, text, **said).message
    assert isinstance(message, KnowledgeDocument)
    return message


def test_what_was_converted_is_published_as_markdown_under_its_own_title() -> None:
    shelf = Shelf("acme", "default", "https://wiki/", {"kind": "glossary"})
    message = published(shelf, PAPER, "# Weir", title="Weirs", is_markdown=True)
    assert (message.content_type, message.content, message.title) == ("text/markdown", "# Weir", "Weirs")
    assert message.uri == "https://wiki/weir.pdf"
    assert message.metadata["kind"] == "glossary"
    assert message.metadata["made_of"] == shelf.made_of(PAPER)


def test_a_document_of_the_web_has_its_address() -> None:
    page = Readable("https://example.org/a.md", "example.org/a.md", "text/markdown", b"x", 0)
    assert published(Shelf("acme", "default", "https://wiki/"), page, "x").uri == "https://example.org/a.md"


def test_whatever_shapes_the_message_changes_what_it_is_made_of() -> None:
    shelf = Shelf("acme", "default")
    same = Readable("elsewhere/weir.pdf", "weir.pdf", "application/pdf", b"%PDF", 99)
    assert shelf.made_of(PAPER) == shelf.made_of(same)
    others = [
        shelf.made_of(Readable("docs/weir.pdf", "weir.pdf", "application/pdf", b"%PDF 2", 12.5)),
        shelf.made_of(Readable("docs/weir.pdf", "weir.pdf", "text/plain", b"%PDF", 12.5)),
        Shelf("acme", "default", "https://wiki/").made_of(PAPER),
        Shelf("acme", "default", "", {"kind": "glossary"}).made_of(PAPER),
    ]
    assert len({shelf.made_of(PAPER), *others}) == 5
