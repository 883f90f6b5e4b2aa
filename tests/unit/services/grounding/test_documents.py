import pytest

from headrace.messaging.errors import Invalid
from services.grounding.domain.documents import Corpus, Document, DocumentKey, Sizes, accept

SIZES = Sizes(text=100, data=50)
KEY = DocumentKey(Corpus("acme", "default"), "guide/lanes.md")


def document(
    content: str = "Text.", content_type: str = "text/markdown", title: str = "", uri: str = "",
    key: DocumentKey = KEY, *, data: bytes = b"", **metadata: str,
) -> Document:  # fmt: skip
    return Document(key, title, uri, content_type, content, data, metadata)


def test_an_id_may_hold_slashes() -> None:
    assert DocumentKey.parse("acme/default/guide/lanes.md") == KEY


@pytest.mark.parametrize("key", ["", "acme", "acme/default", "acme/default/", "/default/x", "acme//x"])
def test_a_key_without_all_its_parts_is_refused(key: str) -> None:
    with pytest.raises(Invalid, match="tenant/collection/document_id") as refused:
        DocumentKey.parse(key)
    assert refused.value.field == "key"


def test_an_endless_id_is_refused_with_its_limit() -> None:
    with pytest.raises(Invalid, match="513 characters, the limit is 512"):
        DocumentKey.parse("a/b/" + "x" * 513)


def test_a_document_under_another_key_is_refused() -> None:
    """INVARIANT: key and fields agree, so that the tombstone of a key deletes the document that it names."""
    other = DocumentKey(Corpus("other", "default"), KEY.document_id)
    with pytest.raises(Invalid) as refused:
        accept(document(key=other), named=KEY, sizes=SIZES)
    assert refused.value.field == "key"


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        (document(content="  \n "), "content", "empty"),
        (document(content="é" * 51), "content", "102 bytes, the limit is 100"),
        (document(content_type="image/png"), "content_type", "text/markdown, text/plain"),
        (document(content="", data=b"x" * 51, content_type="application/pdf"), "data", "51 bytes, the limit is 50"),
        (document(data=b"x"), "data", "both there"),
        (document(content="", data=b"\xff"), "data", "not UTF-8: byte 0"),
        (document(content_type=""), "content_type", "unknown content_type"),
    ],
)
def test_a_document_that_cannot_be_indexed_names_field_and_limit(wrong: Document, field: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        accept(wrong, named=KEY, sizes=SIZES)
    assert refused.value.field == field


def test_parameters_of_a_content_type_are_ignored() -> None:
    accepted = accept(document(content_type="Text/Plain; charset=utf-8"), named=KEY, sizes=SIZES)
    assert accepted.content_type == "text/plain"


def test_the_digest_changes_with_all_that_shapes_the_index_and_with_nothing_else() -> None:
    def digest(changed: Document, version: str = "v1") -> str:
        return accept(changed, named=KEY, sizes=SIZES).digest(version)

    assert digest(document()) == digest(document())
    others = [document(content="Text!"), document(title="T"), document(uri="T"), document(content_type="text/plain")]
    others += [document(kind="glossary"), document(aliases="T")]
    digests = {digest(document()), digest(document(), "v2"), *map(digest, others)}
    assert len(digests) == 8
