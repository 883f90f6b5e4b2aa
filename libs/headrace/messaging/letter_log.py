"""Reading the dead letters and what was done with them: what is committed, up to where the log ends now."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import structlog
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError
from google.protobuf.message import DecodeError

from headrace.messaging import topics
from headrace.messaging.errors import Fatal, Retryable
from headrace.messaging.letters import Letter, described, opened
from headrace.messaging.records import Received
from headrace.messaging.tail import end_offsets, follow, offsets_at, partitions_of
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition

log = structlog.get_logger()


async def read_letters(bootstrap: str, *, since_ms: int | None = None) -> list[Letter]:
    """Every dead letter that was published since, oldest first, each once however often it was buried."""
    found: dict[str, Letter] = {}
    async with aclosing(letters_from(bootstrap, since_ms=since_ms)) as letters:
        async for letter, _ in letters:
            found.setdefault(letter.id, letter)
    return sorted(found.values(), key=lambda letter: (letter.dead_ms, letter.partition, letter.offset))


async def letters_from(
    bootstrap: str, *, since_ms: int | None = None, offsets: Mapping[int, int] | None = None
) -> AsyncGenerator[tuple[Letter, DeadLetter], None]:
    """The dead letters with their content, in the order of their topic, from a moment or from offsets by partition."""
    async with aclosing(up_to_now(bootstrap, topics.DEAD_LETTERS, since_ms=since_ms, offsets=offsets)) as records:
        async for record in records:
            letter = opened(record)
            yield described(record, letter), letter


async def read_dispositions(bootstrap: str) -> dict[str, DeadLetterDisposition]:
    """What was done with each letter, by its id; one that is absent is open."""
    async with aclosing(up_to_now(bootstrap, topics.DISPOSITIONS)) as records:
        return {
            record.key_text: disposition
            async for record in records
            if (disposition := _disposition(record)) is not None
        }


def _disposition(record: Received) -> DeadLetterDisposition | None:
    """Bytes that are none say nothing of any letter: a redrive must not end with them."""
    if record.value is None:
        return None
    try:
        return DeadLetterDisposition.FromString(record.value)
    except DecodeError:
        log.warning("a disposition cannot be read", partition=record.partition, offset=record.offset)
        return None


async def delete_before(bootstrap: str, offsets: Mapping[int, int]) -> None:
    """Delete the dead letters before these offsets, by partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        await admin.start()
        await admin.delete_records(
            {KafkaPartition(topics.DEAD_LETTERS, part): RecordsToDelete(offset) for part, offset in offsets.items()}
        )
    except KafkaError as exc:
        raise Retryable(f"the broker did not delete the purged letters: {type(exc).__name__}") from exc
    finally:
        await admin.close()


async def up_to_now(
    bootstrap: str, topic: str, *, since_ms: int | None = None, offsets: Mapping[int, int] | None = None
) -> AsyncGenerator[Received, None]:
    """The committed records of a topic, from a moment or from offsets by partition to where it ends now."""
    try:
        places = await partitions_of(bootstrap, topic)
        if not places:
            raise Fatal(f"the broker has no topic {topic}: create the topics with `headrace topics`")
        if offsets is not None:
            places = [place for place in places if place.partition in offsets]
        if not places:
            return
        ends = await end_offsets(bootstrap, places)
        # Asked for even from the beginning on: what lies before it may have been deleted.
        begins = await offsets_at(bootstrap, places, since_ms or 0)
        if offsets is not None:
            begins = {place: max(begin, offsets[place.partition]) for place, begin in begins.items()}
        if begins == ends:
            return
        async with aclosing(follow(bootstrap, begins, ends)) as records:
            async for record in records:
                yield record
    except KafkaError as exc:
        raise Retryable(f"the broker at {bootstrap} did not answer ({type(exc).__name__}): run it again") from exc
