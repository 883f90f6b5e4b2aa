"""The knowledge topic as its producer sees it: publish, delete, list, learn what became of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.cli.knowledge.files import Readable
from headrace.messaging import topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.errors import Fatal, Undecodable
from headrace.messaging.headers import CONTENT_TYPE
from headrace.messaging.records import TopicPartition
from headrace.messaging.tail import end_offsets, follow, partitions_of
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.knowledge_pb2 import KnowledgeDocument

# The consumer group of the service that indexes.
INDEXER: Final = "headrace.grounding"
# In a document's metadata: what it was made of, so that nothing is published twice.
_MADE_OF: Final = "made_of"
# Raise it when the same bytes become another text.
_CONVERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class Shelf:
    """One collection of one tenant; `base_uri` is put before a document's id to make its address."""

    tenant: str
    collection: str
    base_uri: str = ""
    # Said of every document that is published here.
    metadata: Mapping[str, str] = field(default_factory=dict)

    def key(self, document_id: str) -> str:
        """The message key of a document."""
        return f"{self.tenant}/{self.collection}/{document_id}"

    def made_of(self, file: Readable) -> str:
        """Changes with all that shapes the message of a document."""
        said = (
            _CONVERSION,
            file.content_type,
            self._uri(file),
            *(f"{k}={v}" for k, v in sorted(self.metadata.items())),
        )
        return hashlib.sha256("\0".join(said).encode() + b"\0" + file.data).hexdigest()[:32]

    def document(self, file: Readable, text: str, *, title: str = "", is_markdown: bool = False) -> Outgoing:
        """The message that publishes a document, as text; without a title the service takes its first heading."""
        message = KnowledgeDocument(
            document_id=file.document_id,
            tenant=self.tenant,
            collection=self.collection,
            title=title,
            uri=self._uri(file),
            content_type="text/markdown" if is_markdown else file.content_type,
            content=text,
            metadata={**self.metadata, _MADE_OF: self.made_of(file)},
            updated_at=Timestamp(seconds=int(file.modified_s)),
        )
        return Outgoing(topics.KNOWLEDGE, self.key(file.document_id), message, tenant=self.tenant)

    def _uri(self, file: Readable) -> str:
        return file.place if file.place.startswith(("http://", "https://")) else self.base_uri + file.document_id

    async def delete(self, document_id: str, publisher: Publisher) -> None:
        """Publish the tombstone of a document."""
        await publisher.publish(Outgoing(topics.KNOWLEDGE, self.key(document_id), None, tenant=self.tenant))

    async def listed(self, bootstrap: str) -> dict[str, str]:
        """All documents that are published and not deleted, each with what it was made of."""
        prefix = self.key("")
        listed: dict[str, str] = {}
        ends = await ends_of(bootstrap, topics.KNOWLEDGE)
        async for record in follow(bootstrap, dict.fromkeys(ends, 0), stop_at=ends):
            if record.key_text.startswith(prefix):
                document_id = record.key_text.removeprefix(prefix)
                if record.value is None:
                    listed.pop(document_id, None)
                else:
                    listed[document_id] = _made_of(record.value, record.headers.get(CONTENT_TYPE, ""))
        return listed

    async def refused(self, bootstrap: str, since: Mapping[TopicPartition, int]) -> dict[str, str]:
        """Documents of this shelf that became dead letters since then, and why."""
        prefix = self.key("")
        reasons: dict[str, str] = {}
        ends = await ends_of(bootstrap, topics.DEAD_LETTERS)
        async for record in follow(bootstrap, dict(since), stop_at=ends):
            letter = decode(record.value or b"", DeadLetter, record.headers.get(CONTENT_TYPE, ""))
            key = letter.key.decode("utf-8", "replace")
            if letter.origin.topic == topics.KNOWLEDGE and key.startswith(prefix):
                reasons[key.removeprefix(prefix)] = letter.error.message
        return reasons


def _made_of(value: bytes, content_type: str) -> str:
    try:
        return decode(value, KnowledgeDocument, content_type).metadata.get(_MADE_OF, "")
    except Undecodable:
        return ""  # somebody else's, and no document: whatever is published takes its place


async def ends_of(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Where each partition of a topic ends now."""
    places: Sequence[TopicPartition] = await partitions_of(bootstrap, topic)
    if not places:
        raise Fatal(f"the broker has no topic {topic}: create the topics with `headrace topics`")
    return await end_offsets(bootstrap, list(places))
