"""The knowledge topic as its producer sees it: publish, delete, list, learn what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.cli.knowledge.files import Readable
from headrace.messaging import topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import Outgoing, Publisher
from headrace.messaging.errors import Fatal
from headrace.messaging.headers import CONTENT_TYPE
from headrace.messaging.records import TopicPartition
from headrace.messaging.tail import end_offsets, follow, partitions_of
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.knowledge_pb2 import KnowledgeDocument

# The consumer group of the service that indexes.
INDEXER: Final = "headrace.grounding"


@dataclass(frozen=True, slots=True)
class Shelf:
    """One collection of one tenant; `base_uri` is put before a document's id to make its address."""

    tenant: str
    collection: str
    base_uri: str = ""

    def key(self, document_id: str) -> str:
        """The message key of a document."""
        return f"{self.tenant}/{self.collection}/{document_id}"

    def document(self, file: Readable) -> Outgoing:
        """The message that publishes a file. Its title is left to the service, which finds the first heading."""
        message = KnowledgeDocument(
            document_id=file.document_id,
            tenant=self.tenant,
            collection=self.collection,
            uri=self.base_uri + file.document_id,
            content_type=file.content_type,
            content=file.content,
            updated_at=Timestamp(seconds=int(file.modified_s)),
        )
        return Outgoing(topics.KNOWLEDGE, self.key(file.document_id), message, tenant=self.tenant)

    async def delete(self, document_id: str, publisher: Publisher) -> None:
        """Publish the tombstone of a document."""
        await publisher.publish(Outgoing(topics.KNOWLEDGE, self.key(document_id), None, tenant=self.tenant))

    async def listed(self, bootstrap: str) -> set[str]:
        """The ids of all documents that are published and not deleted."""
        prefix = self.key("")
        ids: set[str] = set()
        ends = await ends_of(bootstrap, topics.KNOWLEDGE)
        async for record in follow(bootstrap, dict.fromkeys(ends, 0), stop_at=ends):
            if record.key_text.startswith(prefix):
                document_id = record.key_text.removeprefix(prefix)
                (ids.discard if record.value is None else ids.add)(document_id)
        return ids

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


async def ends_of(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Where each partition of a topic ends now."""
    places: Sequence[TopicPartition] = await partitions_of(bootstrap, topic)
    if not places:
        raise Fatal(f"the broker has no topic {topic}: create the topics with `headrace topics`")
    return await end_offsets(bootstrap, list(places))
