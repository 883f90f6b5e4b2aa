"""What a record that came in is to the service: whose work, under which key, for the how-manieth time. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from headrace.messaging import headers
from headrace.messaging.processing import Processor
from headrace.messaging.records import Received, header_int
from headrace.messaging.retries import LONGEST_REST_MS
from headrace.messaging.schedule import Work

# What a record on a retry topic says of itself. On any other topic it is somebody else's word and means nothing.
_OURS = (headers.ORIGIN_TOPIC, headers.ORIGIN_PARTITION, headers.ORIGIN_OFFSET, headers.ORIGIN_TIMESTAMP,
         headers.NOT_BEFORE)  # fmt: skip
# No header counts further: what is reckoned from it fits where it is written down.
_MOST_DELIVERIES = 1_000_000


def arrived(record: Received, processors: Mapping[str, Processor], retry_topics: Collection[str]) -> Work:
    """The record as work. Records of one key wait for each other; without a key each stands for itself."""
    retried = record.topic in retry_topics
    if not retried and any(name in record.headers for name in _OURS):
        record = replace(record, headers={name: text for name, text in record.headers.items() if name not in _OURS})
    source = record.headers.get(headers.ORIGIN_TOPIC, record.topic)
    processor = processors.get(source)
    return Work(
        record,
        key=(source, record.home, record.offset) if record.key is None else (source, record.key),
        interactive=processor.interactive if processor else True,
        source=source,
        stage=processor.stage if processor else "",
        delivery=_delivery(record) if retried else 1,
    )


def due_ms(record: Received, now_ms: int) -> int:
    """When its next try is due, epoch milliseconds.

    A moment further away than anything rests was written by nobody here: waited for, its partition's offset would stand
    still, and after each start anew.
    """
    claimed = header_int(record.headers, headers.NOT_BEFORE)
    return claimed if claimed <= now_ms + LONGEST_REST_MS else now_ms


def _delivery(record: Received) -> int:
    return min(max(1, header_int(record.headers, headers.ATTEMPT, 1)), _MOST_DELIVERIES)
