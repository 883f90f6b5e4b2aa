"""A dead letter: what could not be processed, with all that is needed to work it."""

from dataclasses import dataclass

from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.records import Received, header_int
from headrace.messaging.times import timestamp
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterError, Origin, RecordHeader


@dataclass(frozen=True, slots=True)
class Onward:
    """A record on its way out again, its bytes and headers as they came."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    # None: by the key.
    partition: int | None = None

    @property
    def size(self) -> int:
        """About how many bytes a broker gets."""
        return len(self.key or b"") + len(self.value or b"") + sum(len(name) + len(held) for name, held in self.headers)


def bury(record: Received, *, stage: str, error: BaseException, attempts: int, trace_id: str, now_ms: int) -> Outgoing:
    """The record's bytes as they came, the place that they came from first, and why."""
    letter = DeadLetter(
        stage=stage,
        error=DeadLetterError(**{"class": type(error).__name__}, message=str(error)),
        attempts=attempts,
        origin=Origin(
            topic=record.headers.get(headers.ORIGIN_TOPIC, record.topic),
            partition=_partition_of(record),
            offset=header_int(record.headers, headers.ORIGIN_OFFSET, record.offset),
            timestamp=timestamp(header_int(record.headers, headers.ORIGIN_TIMESTAMP, record.timestamp_ms)),
        ),
        trace_id=trace_id,
        headers=[RecordHeader(key=name, value=value or b"") for name, value in record.raw_headers],
        value=record.value or b"",
        key=record.key or b"",
        dead_at=timestamp(now_ms),
        tombstone=record.value is None,
        keyless=record.key is None,
    )
    tenant = record.headers.get(headers.TENANT, "")
    return Outgoing(topics.DEAD_LETTERS, key=record.key_text or stage, message=letter, tenant=tenant)


def _partition_of(record: Received) -> int:
    found = header_int(record.headers, headers.ORIGIN_PARTITION, record.partition)
    return found if 0 <= found < 2**31 else record.partition
