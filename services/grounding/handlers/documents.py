"""What grounding does with a document."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from headrace.documents.formats import CONVERTED_TYPES, TEXT_TYPES
from headrace.messaging.contract import Outgoing, StageContext
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from services.grounding.domain.analysis import ANALYSIS_VERSION, stems
from services.grounding.domain.chunking import CHUNKING_VERSION, Chunk, Outline, chunk, embedded_text
from services.grounding.domain.documents import Accepted, Corpus, Document, DocumentKey, Sizes, accept
from services.grounding.domain.lexical import passage_weights
from services.grounding.domain.naming import entities
from services.grounding.ports import Converter, Embeddings, Indexed, Knowledge, Parser

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document is read: what brings it to Markdown, what finds its structure, what it may have."""

    converter: Converter
    parser: Parser
    chunk_tokens: int
    sizes: Sizes


class IndexKnowledge:
    """Keeps the index like the knowledge topic: a document replaces its former self, a tombstone deletes it."""

    def __init__(
        self, *, knowledge: Knowledge, embeddings: Embeddings, reading: Reading, rescoring: Embeddings | None = None
    ) -> None:
        self._knowledge = knowledge
        self._embeddings = embeddings
        self._rescoring = rescoring
        self._reading = reading

    async def __call__(self, message: KnowledgeDocument | None, context: StageContext) -> Sequence[Outgoing]:
        """Index or delete; a document that is indexed already, as it is, costs one look-up."""
        key = DocumentKey.parse(context.key)
        bound = log.bind(tenant=key.corpus.tenant, collection=key.corpus.collection, message_id=context.message_id)
        if message is None:
            bound.info("document removed", was_there=await self._knowledge.remove(key, context.position))
            return ()
        document = accept(_document(message), named=key, sizes=self._reading.sizes)
        digest = self.digest(document)
        standing = await self._knowledge.standing(key)
        if standing.position > context.position:
            _overtaken(bound, standing.position, context.position)
            return ()
        if standing.digest == digest and await self._knowledge.confirm(key, context.position):
            bound.info("document unchanged")
            return ()
        indexed = await self.read(document, digest)
        if await self._knowledge.replace(key, indexed, context.position):
            bound.info("document indexed", chunks=len(indexed.chunks))
        else:
            _overtaken(bound, (await self._knowledge.standing(key)).position, context.position)
        return ()

    def digest(self, document: Accepted) -> str:
        """Changes with all that shapes what is indexed."""
        models = "+".join(each.revision for each in (self._embeddings, self._rescoring) if each)
        return document.digest(f"{models}/{CHUNKING_VERSION}.{ANALYSIS_VERSION}/{self._reading.chunk_tokens}")

    async def read(self, document: Accepted, digest: str) -> Indexed:
        """The document as the index keeps it: cut, with its vectors, words and names."""
        outline, own_title, chunks = await self._cut(document)
        title = document.title or outline.title or own_title or document.key.document_id
        texts = [embedded_text(title, piece) for piece in chunks]
        return Indexed(
            title,
            document.uri,
            digest,
            chunks,
            await self._embeddings.passages(texts),
            await asyncio.to_thread(lambda: [passage_weights(stems(text)) for text in texts]),
            await self._rescoring.passages(texts) if self._rescoring else (),
            entities(document, title, outline.about, chunks),
        )

    async def _cut(self, document: Accepted) -> tuple[Outline, str, list[Chunk]]:
        """Structure, title and chunks of what the document says, once it is text."""
        own_title = ""
        if (text_type := TEXT_TYPES.get(document.content_type)) is not None:
            content = document.data.decode()
        else:
            converted = await self._reading.converter(CONVERTED_TYPES[document.content_type], document.data)
            text_type, own_title, content = "text/markdown", converted.title, converted.text
        outline = await asyncio.to_thread(self._reading.parser, text_type, content)
        cut = partial(chunk, max_tokens=self._reading.chunk_tokens, count=self._embeddings.count)
        return outline, own_title, await asyncio.to_thread(cut, content, outline.blocks)


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
    return Document(
        key,
        message.title,
        message.uri,
        message.content_type,
        message.content,
        message.data,
        dict(message.metadata),
    )
