"""Records as FastStream hands them on: all of them, whatever their headers hold, and none acknowledged by it."""

from typing import Any

from aiokafka import ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from faststream.kafka.message import KafkaMessage

from headrace.messaging.errors import Fatal
from headrace.messaging.records import Received, lenient


def received(record: "ConsumerRecord[Any, Any]") -> Received:
    """An aiokafka record as ours."""
    raw_headers = tuple(record.headers or ())
    return Received(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        raw_headers=raw_headers,
        headers=lenient(raw_headers),
    )


async def tolerant(record: "ConsumerRecord[Any, Any]") -> KafkaMessage:
    """Parse without judging: the framework's parser raises on a header that is not UTF-8, and skips the record."""
    return KafkaMessage(body=received(record), headers={}, raw_message=record, consumer=_NEVER_COMMITS)


async def undecoded(message: KafkaMessage) -> Any:
    """The record itself, which `tolerant` put in the body's place."""
    return message.body


class _NeverCommits:
    """Stands where FastStream expects a consumer to acknowledge to; offsets are committed by us."""

    async def commit(self) -> None:
        raise Fatal("the framework tried to commit by itself")

    def seek(self, partition: KafkaPartition, offset: int) -> None:
        raise Fatal(f"the framework tried to seek {partition} to {offset} by itself")


_NEVER_COMMITS = _NeverCommits()
