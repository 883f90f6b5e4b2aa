"""Reading the dead letters and what was done with them: what is committed, up to where the log ends now."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError

from headrace.messaging import topics
from headrace.messaging.errors import Fatal, Retryable
from headrace.messaging.intake import received
from headrace.messaging.letters import Letter, described, opened
from headrace.messaging.records import Received
from headrace.messaging.tail import partitions_of
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition

# How long to wait for the broker's next answer before looking whether the end is reached.
_LOOK_MS: Final = 50


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
    async with aclosing(_up_to_now(bootstrap, topics.DEAD_LETTERS, since_ms=since_ms, offsets=offsets)) as records:
        async for record in records:
            letter = opened(record)
            yield described(record, letter), letter


async def read_dispositions(bootstrap: str) -> dict[str, DeadLetterDisposition]:
    """What was done with each letter, by its id; one that is absent is open."""
    async with aclosing(_up_to_now(bootstrap, topics.DISPOSITIONS)) as records:
        return {
            record.key_text: DeadLetterDisposition.FromString(record.value or b"")
            async for record in records
            if record.value is not None
        }


async def last_offsets(bootstrap: str, topic: str, offsets: Mapping[int, int]) -> dict[bytes, int]:
    """The offset of the last record of each key, in these partitions from these offsets on."""
    async with aclosing(_up_to_now(bootstrap, topic, offsets=offsets)) as records:
        return {record.key: record.offset async for record in records if record.key is not None}


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


async def _up_to_now(
    bootstrap: str, topic: str, *, since_ms: int | None = None, offsets: Mapping[int, int] | None = None
) -> AsyncGenerator[Received, None]:
    places = await _places(bootstrap, topic)
    if offsets is not None:
        places = [place for place in places if place.partition in offsets]
    if not places:
        return
    async with _consumer(bootstrap, places) as consumer:
        # With read_committed, the end is where the first open transaction begins.
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        if since_ms is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(places, since_ms))
            begins |= {place: found[place].offset if found.get(place) else ends[place] for place in places}
        if offsets is not None:
            begins |= {place: max(begins[place], offsets[place.partition]) for place in places}
        for place in places:
            consumer.seek(place, begins[place])
        async for record in _until(consumer, {place: end for place, end in ends.items() if begins[place] < end}):
            yield record


async def _places(bootstrap: str, topic: str) -> list[KafkaPartition]:
    try:
        places = [KafkaPartition(*place) for place in await partitions_of(bootstrap, topic)]
    except KafkaError as exc:
        raise _silent(bootstrap, exc) from exc
    if not places:
        raise Fatal(f"the broker has no topic {topic}: create the topics with `headrace topics`")
    return places


async def _until(consumer: AIOKafkaConsumer, ends: dict[KafkaPartition, int]) -> AsyncIterator[Received]:
    """The records before these ends. Markers of transactions take offsets and are no records: positions tell."""
    while ends:
        for records in (await consumer.getmany(*ends, timeout_ms=_LOOK_MS)).values():
            for record in records:
                if record.offset < ends[KafkaPartition(record.topic, record.partition)]:
                    yield received(record)
        for place in list(ends):
            if await consumer.position(place) >= ends[place]:
                del ends[place]


@asynccontextmanager
async def _consumer(bootstrap: str, places: Collection[KafkaPartition]) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        # Inside: a cancellation during the start must not leave half a consumer behind.
        await consumer.start()
        consumer.assign(list(places))
        yield consumer
    except KafkaError as exc:
        raise _silent(bootstrap, exc) from exc
    finally:
        await consumer.stop()


def _silent(bootstrap: str, error: KafkaError) -> Retryable:
    return Retryable(f"the broker at {bootstrap} did not answer ({type(error).__name__}): run it again")
