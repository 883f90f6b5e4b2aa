from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pytest

from headrace.documents.conversion import Conversion
from headrace.messaging.contract import Next, Outgoing, StageContext
from headrace.messaging.errors import Invalid, Retryable
from headrace.runtime.cancellations import Cancellations
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.stores.memory import Exchange
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from headrace.v1.prompts_pb2 import ChatMessage
from headrace.v1.turns_pb2 import Grounding, Prepared, Slip, TokenBudget, Turn
from services.grounding.adapters.parsing import parse
from services.grounding.adapters.template import fill
from services.grounding.domain.documents import Corpus, DocumentKey, Sizes
from services.grounding.handlers.documents import IndexKnowledge, Reading
from services.grounding.handlers.turns import GroundTurn, RetrievalPolicy
from tests.fakes.knowledge import InMemoryKnowledge, WordEmbeddings, WordTokenizers
from tests.fakes.stores import InMemoryConversationMemory

SLUICE = "# Sluice\n\nThe sluice opens at dawn.\n"


class Unused:
    async def publish(self, outgoing: Outgoing) -> None:
        raise AssertionError(f"published to {outgoing.topic}")


def context(key: str = "c") -> StageContext:
    return StageContext("m", key, "acme", 0, 0, 1, "batch", Cancellations().of("t"), MappingProxyType({}), Unused())


@dataclass
class Service:
    """Both handlers over the same index."""

    knowledge: InMemoryKnowledge = field(default_factory=InMemoryKnowledge)
    memory: InMemoryConversationMemory = field(default_factory=InMemoryConversationMemory)
    embeddings: WordEmbeddings = field(default_factory=WordEmbeddings)
    rescoring: WordEmbeddings | None = None

    async def index(
        self,
        content: str | None,
        document_id: str = "sluice.md",
        tenant: str = "acme",
        *,
        position: int = 0,
        **changed: Any,
    ) -> None:
        handler = IndexKnowledge(
            knowledge=self.knowledge,
            embeddings=self.embeddings,
            rescoring=self.rescoring,
            reading=Reading(Conversion(), parse, 50, Sizes(text=1000, data=2000)),
        )
        fields = {
            "document_id": document_id,
            "tenant": tenant,
            "collection": "default",
            "content_type": "text/markdown",
        }
        message = None if content is None else KnowledgeDocument(content=content, **fields | changed)
        delivered = replace(context(f"{tenant}/default/{document_id}"), position=position)
        assert await handler(message, delivered) == ()

    async def ground(self, turn: Turn, *, pipelines: dict[str, str] | None = None, **policy: Any) -> Grounding:
        defaults: dict[str, Any] = {
            "max_passages": 3, "min_score": 0.25, "history_exchanges": 5, "default_collection": "default",
            "on_failure": "answer",
        }  # fmt: skip
        chat = Pipelines.load(infra_dir() / "pipelines").get("chat")
        handler = GroundTurn(
            knowledge=self.knowledge,
            embeddings=self.embeddings,
            rescoring=self.rescoring,
            memory=self.memory,
            tokenizers=WordTokenizers(),
            fill=fill,
            pipelines=Pipelines({"chat": chat.model_copy(update={"settings": {**chat.settings, **(pipelines or {})}})}),
            policy=RetrievalPolicy(**defaults | policy),
        )
        result = await handler(turn, context())
        assert isinstance(result, Next)
        assert isinstance(result.section, Grounding)
        return result.section


@pytest.fixture
def service() -> Service:
    return Service()


def turn(text: str = "When opens the sluice?", **prepared: Any) -> Turn:
    defaults: dict[str, Any] = {
        "text": text, "question": text, "model": "any", "sources_template": "Sources:\n{{ sources }}",
        "budget": TokenBudget(remaining=500),
    }  # fmt: skip
    return Turn(
        turn_id="t9",
        conversation_id="c",
        tenant="acme",
        slip=Slip(pipeline="chat"),
        prepared=Prepared(**defaults | prepared),
    )


async def test_a_turn_gets_sources_that_cite_title_and_span(service: Service) -> None:
    await service.index(SLUICE, uri="https://wiki/sluice")
    section = await service.ground(turn())
    (citation,) = section.passages
    assert (citation.marker, citation.document_id, citation.title) == ("[1]", "sluice.md", "Sluice")
    assert citation.uri == "https://wiki/sluice"
    assert list(citation.heading_path) == ["Sluice"]
    assert SLUICE[citation.start : citation.end] == citation.text == "The sluice opens at dawn."
    assert section.context == "Sources:\n[1] Sluice\nThe sluice opens at dawn."
    assert section.corpus_version == "acme-1"
    assert not section.degraded


async def test_nothing_is_cited_that_scores_too_low(service: Service) -> None:
    await service.index(SLUICE)
    section = await service.ground(turn("Bake bread"))
    assert (list(section.passages), section.context) == ([], "")


async def test_another_tenants_documents_are_never_cited(service: Service) -> None:
    await service.index(SLUICE, tenant="rival")
    assert not (await service.ground(turn())).passages


async def test_a_template_without_a_slot_for_sources_needs_no_index(service: Service) -> None:
    service.knowledge.down = True
    section = await service.ground(turn(sources_template=""))
    assert not section.degraded
    assert service.knowledge.searched == []


async def test_history_comes_from_memory_without_the_turn_itself(service: Service) -> None:
    for number in (1, 2, 9):
        await service.memory.append("acme", "c", Exchange(f"t{number}", f"q{number}", f"a{number}"), number)
    section = await service.ground(turn())
    assert [(said.role, said.content) for said in section.history] == [
        ("user", "q1"), ("assistant", "a1"), ("user", "q2"), ("assistant", "a2")
    ]  # fmt: skip


async def test_a_client_that_sends_its_own_messages_has_its_own_memory(service: Service) -> None:
    await service.memory.append("acme", "c", Exchange("t1", "q1", "a1"), 1)
    assert not (await service.ground(turn(history=[ChatMessage(role="user", content="mine")]))).history


async def test_a_templates_examples_are_nobodys_memory(service: Service) -> None:
    await service.memory.append("acme", "c", Exchange("t1", "q1", "a1"), 1)
    section = await service.ground(turn(examples=[ChatMessage(role="user", content="shown")]))
    assert [said.content for said in section.history] == ["q1", "a1"]


@pytest.mark.parametrize("part", ["knowledge", "memory"])
async def test_what_cannot_be_reached_degrades_the_turn_and_spares_the_rest(service: Service, part: str) -> None:
    await service.index(SLUICE)
    await service.memory.append("acme", "c", Exchange("t1", "q1", "a1"), 1)
    getattr(service, part).down = True
    section = await service.ground(turn())
    assert section.degraded
    assert (len(section.passages), len(section.history)) == ((0, 2) if part == "knowledge" else (1, 0))


@pytest.mark.parametrize("part", ["knowledge", "memory"])
async def test_an_operator_may_rather_have_the_turn_tried_again(service: Service, part: str) -> None:
    getattr(service, part).down = True
    with pytest.raises(Retryable):
        await service.ground(turn(), on_failure="retry")


async def test_an_unchanged_document_is_not_embedded_again(service: Service) -> None:
    await service.index(SLUICE)
    await service.index(SLUICE)
    assert len(service.embeddings.embedded) == 1
    assert service.knowledge.changes == 1


async def test_a_change_of_the_embedding_model_indexes_anew(service: Service) -> None:
    await service.index(SLUICE)
    service.embeddings.revision = "words@2"
    await service.index(SLUICE)
    assert len(service.embeddings.embedded) == 2


async def test_a_tombstone_forgets_the_document(service: Service) -> None:
    await service.index(SLUICE)
    await service.index(None)
    assert service.knowledge.documents == {}


async def test_the_title_is_what_the_producer_says_then_the_first_heading_then_the_id(service: Service) -> None:
    cases: list[tuple[str, Callable[[], Any], str]] = [
        ("a", lambda: service.index(SLUICE, "a", title="Given"), "Given"),
        ("b", lambda: service.index(SLUICE, "b"), "Sluice"),
        ("c", lambda: service.index("No heading.", "c"), "c"),
    ]
    for document_id, publish, title in cases:
        await publish()
        assert service.knowledge.documents[DocumentKey(Corpus("acme", "default"), document_id)].title == title


async def test_a_document_that_cannot_be_indexed_changes_nothing(service: Service) -> None:
    await service.index(SLUICE)
    cases: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("x" * 1001, {}, "content"), ("", {}, "content"), ("x", {"content_type": "image/png"}, "content_type"),
        ("x", {"collection": "other"}, "key"),
    )  # fmt: skip
    for content, changed, field_name in cases:
        with pytest.raises(Invalid) as refused:
            await service.index(content, **changed)
        assert refused.value.field == field_name
    assert service.knowledge.changes == 1


async def test_a_record_that_comes_late_costs_no_embedding_and_changes_nothing(service: Service) -> None:
    await service.index("New words.", position=7)
    embedded = len(service.embeddings.embedded)
    await service.index("Old words.", position=5)
    assert len(service.embeddings.embedded) == embedded
    assert [document.chunks[0].text for document in service.knowledge.documents.values()] == ["New words."]


GLOSSARY = "# Words\n\n## Sluice gate\n\nAliases: SG\n\nA sluice gate holds water back in a canal.\n"


async def test_names_in_a_question_are_linked_with_their_place(service: Service) -> None:
    await service.index(GLOSSARY, "glossary.md")
    section = await service.ground(turn("What does the SG hold back?"))
    (entity,) = section.entities
    assert (entity.id, entity.kind, entity.name) == ("glossary.md#sluice-gate", "term", "Sluice gate")
    assert "What does the SG hold back?"[entity.start : entity.end] == entity.text == "SG"
    assert section.retrieval_query == "What does the SG hold back? (Sluice gate)"
    assert [passage.document_id for passage in section.passages] == ["glossary.md"]


async def test_what_a_follow_up_leaves_unsaid_is_carried_over(service: Service) -> None:
    await service.index(SLUICE)
    await service.index("# Bread\n\nBread rises at night.", "bread.md")
    await service.memory.append("acme", "c", Exchange("t1", "When opens the sluice?", "At dawn."), 1)
    section = await service.ground(turn("And why then?"))
    assert section.retrieval_query == "When opens the sluice? And why then?"
    assert [passage.document_id for passage in section.passages] == ["sluice.md"]
    assert not (await service.ground(turn("And why then?"), pipelines={"follow_ups": "never"})).retrieval_query


async def test_a_client_with_its_own_memory_is_followed_too(service: Service) -> None:
    await service.index(SLUICE)
    said = [
        ChatMessage(role="user", content="When opens the sluice?"),
        ChatMessage(role="assistant", content="At dawn."),
    ]
    section = await service.ground(turn("And why then?", history=said))
    assert [passage.document_id for passage in section.passages] == ["sluice.md"]


async def test_what_no_source_covers_is_said_and_small_corpora_of_nothing_say_nothing(service: Service) -> None:
    template = "{% if sources %}Use: {{ sources }}{% else %}Nothing covers it.{% endif %}"
    empty = await service.ground(turn("Bake bread", sources_template=template))
    assert (empty.uncovered, empty.context) == (False, "")
    await service.index(SLUICE)
    section = await service.ground(turn("Bake bread", sources_template=template))
    assert (section.uncovered, section.context) == (True, "Nothing covers it.")
    assert not (await service.ground(turn())).uncovered


async def test_two_documents_that_say_the_same_are_cited_once(service: Service) -> None:
    text = "# Sluice\n\nThe sluice opens at dawn and the keeper closes it at dusk on every day of the year.\n"
    await service.index(text, "a.md")
    await service.index(text, "b.md")
    assert len((await service.ground(turn())).passages) == 1


async def test_a_document_that_is_no_text_is_converted_and_cited_as_what_it_became(service: Service) -> None:
    page = "<main><h1>Sluice</h1><p>The sluice opens at dawn.</p></main>"
    await service.index(page, "sluice.html", content_type="text/html")
    (passage,) = (await service.ground(turn())).passages
    assert (passage.title, passage.text) == ("Sluice", "The sluice opens at dawn.")


async def test_the_stronger_encoder_is_asked_about_documents_and_questions_alike(service: Service) -> None:
    service.rescoring = WordEmbeddings(revision="strong@1")
    await service.index(SLUICE)
    assert len(service.rescoring.embedded) == 1
    assert len((await service.ground(turn())).passages) == 1
    service.rescoring = None
    await service.index(SLUICE)
    assert len(service.embeddings.embedded) == 2
