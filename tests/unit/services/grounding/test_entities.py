import pytest

from services.grounding.domain.chunking import Chunk
from services.grounding.domain.documents import Corpus, Document, DocumentKey, Sizes, accept
from services.grounding.domain.entities import Entity, Gazetteer, expanded, listed
from services.grounding.domain.naming import entities

DLQ = Entity("glossary.md#dead-letter-queue", "term", "dead letter queue", "glossary.md", ("DLQ", "dead-letter topic"))
LETTERS = Entity("dead-letters.md", "document", "Dead letters", "dead-letters.md")
IT = Entity("glossary.md#it", "term", "information technology", "glossary.md", ("IT",))
NAMES = Gazetteer([DLQ, LETTERS, IT])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What is the DLQ?", [("DLQ", DLQ.id)]),
        ("Is a Dead-Letter Queue like dead letters?", [("Dead-Letter Queue", DLQ.id), ("dead letters", LETTERS.id)]),
        ("two dead letter topics", [("dead letter topics", DLQ.id)]),
        ("Does IT know it?", [("IT", IT.id)]),
        ("The dead wrote a letter", []),
        ("", []),
    ],
)
def test_names_are_found_with_their_place_and_linked(text: str, found: list[tuple[str, str]]) -> None:
    mentions = NAMES.find(text)
    assert [(mention.text, mention.entity.id) for mention in mentions] == found
    assert all(text[mention.start : mention.end] == mention.text for mention in mentions)


def test_a_glossarys_entry_goes_before_a_document_of_the_same_name() -> None:
    title = Entity("dlq.md", "document", "Dead letter queue", "dlq.md")
    for names in ([title, DLQ], [DLQ, title]):
        (mention,) = Gazetteer(names).find("a dead letter queue")
        assert mention.entity == DLQ


def test_an_alias_brings_its_full_name_into_the_search_and_a_full_name_brings_nothing() -> None:
    for question, full in (
        ("How long does the DLQ keep?", "How long does the DLQ keep? (dead letter queue)"),
        ("What is a dead letter queue?", "What is a dead letter queue?"),
        ("What are dead letters?", "What are dead letters?"),
    ):
        assert expanded(question, NAMES.find(question)) == full


def test_names_of_stop_words_alone_are_not_looked_for() -> None:
    assert not Gazetteer([Entity("a", "document", "What is this", "a"), Entity("b", "document", "", "b")])


def document(document_id: str, **metadata: str) -> list[str]:
    key = DocumentKey(Corpus("acme", "default"), document_id)
    accepted = accept(Document(key, "", "", "text/markdown", "text", metadata=metadata), named=key, sizes=Sizes(99, 99))
    chunks = [
        Chunk(0, 1, "An introduction.", ("Words",)),
        Chunk(1, 2, "Where failures rest.\nAliases: DLQ, dead-letter topic", ("Words", "dead letter queue")),
        Chunk(2, 3, "And more of it.", ("Words", "dead letter queue")),
    ]
    return [f"{each.id}={each.name}:{','.join(each.aliases)}" for each in entities(accepted, "Words", {}, chunks)]


def test_every_document_has_a_name_and_a_glossary_has_entries() -> None:
    entry = "#dead-letter-queue=dead letter queue:DLQ,dead-letter topic"
    assert document("guide/words.md") == ["guide/words.md=Words:"]
    assert document("w.md", kind="glossary", aliases="W; Vocabulary") == ["w.md=Words:W,Vocabulary", f"w.md{entry}"]
    assert document("guide/Glossary.md") == ["guide/Glossary.md=Words:", f"guide/Glossary.md{entry}"]


def test_names_in_a_line_are_parted_by_semicolons_or_by_commas() -> None:
    assert listed("a, b,a") == ("a", "b")
    assert listed("Smith, John; **J. Smith**") == ("Smith, John", "J. Smith")
    assert listed("") == ()
