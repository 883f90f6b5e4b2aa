"""What grounding does with a turn and with a document."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import structlog

from headrace.messaging.contract import Next, Outgoing, StageContext, StageResult
from headrace.messaging.errors import Retryable
from headrace.runtime.pipelines import Pipelines
from headrace.stores.memory import ConversationMemory
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from headrace.v1.prompts_pb2 import ChatMessage
from headrace.v1.responses_pb2 import Citation
from headrace.v1.turns_pb2 import Grounding, Turn
from services.grounding.domain.chunking import CHUNKING_VERSION, chunk, embedded_text
from services.grounding.domain.context import Assembled, Cited, Passage, Past, assemble, citable
from services.grounding.domain.documents import Corpus, Document, DocumentKey, accept
from services.grounding.ports import Embeddings, Fill, Indexed, Knowledge, Parser, Tokenizers

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RetrievalPolicy:
    """How much may be cited and remembered, and what happens where neither can be."""

    max_passages: int
    min_score: float
    history_exchanges: int
    default_collection: str
    on_failure: Literal["answer", "retry"]


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval or memory gave; `degraded` where it could not be reached."""

    passages: Sequence[Passage] = ()
    past: Sequence[Past] = ()
    corpus_version: str = ""
    degraded: bool = False


class GroundTurn:
    """Gives a turn its sources and its memory."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        embeddings: Embeddings,
        memory: ConversationMemory,
        tokenizers: Tokenizers,
        fill: Fill,
        pipelines: Pipelines,
        policy: RetrievalPolicy,
    ) -> None:
        self._knowledge = knowledge
        self._embeddings = embeddings
        self._memory = memory
        self._tokenizers = tokenizers
        self._fill = fill
        self._pipelines = pipelines
        self._policy = policy

    async def __call__(self, turn: Turn, context: StageContext) -> StageResult:
        """Retrieve and recall side by side, then fill the budget that preprocessing has left."""
        retrieved, recalled = await asyncio.gather(self._retrieve(turn), self._recall(turn))
        assembled = assemble(
            retrieved.passages,
            recalled.past,
            budget=turn.prepared.budget.remaining,
            tokens=await self._tokenizers.get(turn.prepared.model),
            render=partial(self._fill, turn.prepared.sources_template),
        )
        degraded = retrieved.degraded or recalled.degraded
        log.info("turn grounded", turn_id=turn.turn_id, passages=len(assembled.cited), degraded=degraded)
        return Next(section=_section(assembled, retrieved.corpus_version, degraded=degraded))

    async def _retrieve(self, turn: Turn) -> Found:
        if not turn.prepared.sources_template:
            return Found()
        settings = self._pipelines.get(turn.slip.pipeline).settings
        corpus = Corpus(turn.tenant, settings.get("collection", self._policy.default_collection))
        try:
            # The version first: an answer may know more than its version says, never less.
            version = await self._knowledge.version(corpus)
            vector = await self._embeddings.question(turn.prepared.text or turn.prepared.question)
            near = await self._knowledge.search(corpus, vector, self._policy.max_passages)
        except Retryable as exc:
            return self._without("index", turn, exc)
        good = citable(near, min_score=self._policy.min_score, limit=self._policy.max_passages)
        return Found(passages=good, corpus_version=version)

    async def _recall(self, turn: Turn) -> Found:
        # A client that sends its own messages has its own memory.
        if turn.prepared.history or not turn.conversation_id:
            return Found()
        try:
            recent = await self._memory.recent(turn.tenant, turn.conversation_id, self._policy.history_exchanges)
        except Retryable as exc:
            return self._without("memory", turn, exc)
        # A redelivered turn may find its own answer there.
        past = [Past(e.turn_id, e.question, e.answer) for e in recent if e.turn_id != turn.turn_id]
        return Found(past=past)

    def _without(self, what: str, turn: Turn, exc: Retryable) -> Found:
        if self._policy.on_failure == "retry":
            raise exc
        log.warning("answering without", missing=what, turn_id=turn.turn_id, reason=str(exc))
        return Found(degraded=True)


class IndexKnowledge:
    """Keeps the index like the knowledge topic: a document replaces its former self, a tombstone deletes it."""

    def __init__(
        self, *, knowledge: Knowledge, embeddings: Embeddings, parser: Parser, chunk_tokens: int, max_bytes: int
    ) -> None:
        self._knowledge = knowledge
        self._embeddings = embeddings
        self._parser = parser
        self._chunk_tokens = chunk_tokens
        self._max_bytes = max_bytes

    async def __call__(self, message: KnowledgeDocument | None, context: StageContext) -> Sequence[Outgoing]:
        """Index or delete; a document that is indexed already, as it is, costs one look-up."""
        key = DocumentKey.parse(context.key)
        bound = log.bind(tenant=key.corpus.tenant, collection=key.corpus.collection, message_id=context.message_id)
        if message is None:
            bound.info("document removed", was_there=await self._knowledge.remove(key, context.position))
            return ()
        document = accept(_document(message), named=key, max_bytes=self._max_bytes)
        digest = document.digest(f"{self._embeddings.revision}/{CHUNKING_VERSION}/{self._chunk_tokens}")
        standing = await self._knowledge.standing(key)
        if standing.position > context.position:
            _overtaken(bound, standing.position, context.position)
            return ()
        if standing.digest == digest and await self._knowledge.confirm(key, context.position):
            bound.info("document unchanged")
            return ()
        outline = await asyncio.to_thread(self._parser, document.content_type, document.content)
        cut = partial(chunk, max_tokens=self._chunk_tokens, count=self._embeddings.count)
        chunks = await asyncio.to_thread(cut, document.content, outline.blocks)
        title = document.title or outline.title or key.document_id
        vectors = await self._embeddings.passages([embedded_text(title, piece) for piece in chunks])
        indexed = Indexed(title, document.uri, digest, chunks, vectors)
        if await self._knowledge.replace(key, indexed, context.position):
            bound.info("document indexed", chunks=len(chunks))
        else:
            _overtaken(bound, (await self._knowledge.standing(key)).position, context.position)
        return ()


def _overtaken(bound: structlog.stdlib.BoundLogger, applied: int, position: int) -> None:
    bound.warning(
        "document left as it is: a later record of it was applied; a knowledge topic that was made anew counts from 0 "
        "again, and needs a new index",
        applied=applied,
        position=position,
    )


def _document(message: KnowledgeDocument) -> Document:
    corpus = Corpus(message.tenant, message.collection)
    key = DocumentKey(corpus, message.document_id)
    return Document(key, message.title, message.uri, message.content_type, message.content)


def _section(assembled: Assembled, corpus_version: str, *, degraded: bool) -> Grounding:
    return Grounding(
        history=[ChatMessage(role=said.role, content=said.content) for said in assembled.history],
        passages=[_citation(cited) for cited in assembled.cited],
        context=assembled.context,
        corpus_version=corpus_version,
        degraded=degraded,
    )


def _citation(cited: Cited) -> Citation:
    passage = cited.passage
    return Citation(
        marker=cited.marker,
        document_id=passage.document_id,
        title=passage.title,
        uri=passage.uri,
        start=passage.start,
        end=passage.end,
        score=passage.score,
        text=passage.text,
        heading_path=passage.heading_path,
    )
