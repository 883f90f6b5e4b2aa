"""Reading a topic from its first record to its last, as a read-committed consumer sees it."""

from collections.abc import Callable, Iterable, Iterator

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

_POLL_S = 1.0


def records(bootstrap: str, topic: str, start: dict[int, int] | None = None) -> Iterator[Message]:
    """Every record of the topic that is there now; `start` gives the first offset of the partitions that are wanted."""
    consumer = _consumer(bootstrap)
    try:
        if start is None:
            start = dict.fromkeys(consumer.list_topics(topic, timeout=30).topics[topic].partitions, 0)
        yield from _read(consumer, [TopicPartition(topic, partition, offset) for partition, offset in start.items()])
    finally:
        consumer.close()


def end_offsets(bootstrap: str, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The offset that the next record of each partition will get."""
    consumer = _consumer(bootstrap)
    try:
        return {place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=30)[1] for place in places}
    finally:
        consumer.close()


def count(bootstrap: str, wanted: Callable[[str], bool]) -> int:
    """How many records are in these topics, all partitions together. Offsets would count the marks of transactions."""
    consumer = _consumer(bootstrap)
    try:
        described = consumer.list_topics(timeout=30).topics
        places = [
            TopicPartition(name, number, 0)
            for name, topic in described.items()
            if wanted(name)
            for number in topic.partitions
        ]
        return sum(1 for _ in _read(consumer, places))
    finally:
        consumer.close()


def value_of(message: Message) -> bytes:
    """The bytes of a record; none of a tombstone."""
    return message.value() or b""


def _read(consumer: Consumer, places: list[TopicPartition]) -> Iterator[Message]:
    """Every record from these places to where their partitions end now."""
    consumer.assign(places)
    still_open = {(place.topic, place.partition) for place in places}
    while still_open:
        message = consumer.poll(_POLL_S)
        if message is None:
            continue
        error = message.error()
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            still_open.discard((str(message.topic()), int(message.partition() or 0)))
        elif error.fatal():
            raise RuntimeError(f"{message.topic()} cannot be read: {error}")


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "headrace-chaos-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
