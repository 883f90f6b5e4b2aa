"""Kafka producers with a transactional id of their own for each input partition."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from headrace.messaging.errors import Retryable
from headrace.messaging.records import TopicPartition
from headrace.messaging.wire import Encoded

# A transaction left behind by a process that died blocks read-committed consumers for no longer than this, and only
# where nobody takes its partition over.
TRANSACTION_TIMEOUT_MS: Final = 30_000
_STOP_TIMEOUT_S: Final = 10.0


class KafkaProducers:
    """Opens the producer of a partition, by which whoever had one before is fenced."""

    def __init__(
        self, consumer: AIOKafkaConsumer, bootstrap: str, *, group: str, client_id: str, max_message_bytes: int
    ) -> None:
        self._consumer = consumer
        self._bootstrap = bootstrap
        self._group = group
        self._client_id = client_id
        self._max_message_bytes = max_message_bytes

    async def fenced(self, place: TopicPartition) -> tuple["KafkaProducer", int]:
        """A producer that alone may commit for this partition, and the offset that is committed."""
        name = f"{place.topic}.{place.partition}"
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id=f"{self._client_id}.{name}",
            transactional_id=f"{self._group}.{name}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_request_size=self._max_message_bytes,
            acks="all",
        )
        opened = KafkaProducer(producer, self._group, place)
        try:
            await producer.start()
            committed = await self._consumer.committed(KafkaPartition(*place))
        except KafkaError as exc:
            await opened.stop()
            raise Retryable(f"no transactions: {type(exc).__name__}") from exc
        except BaseException:
            await opened.stop()
            raise
        return opened, committed or 0


class KafkaProducer:
    """Commits for one partition, until somebody else opens its producer."""

    def __init__(self, producer: AIOKafkaProducer, group: str, place: TopicPartition) -> None:
        self._producer = producer
        self._group = group
        self._place = KafkaPartition(*place)

    async def transact(self, effects: Sequence[Encoded], offset: int) -> None:
        """Publish all of it and commit the offset, or nothing of both; `Retryable`: nobody knows which."""
        producer = self._producer
        try:
            await producer.begin_transaction()
            sent = [await self._send(effect) for effect in effects]
            await producer.send_offsets_to_transaction({self._place: offset}, self._group)
            await asyncio.gather(*sent)
            await producer.commit_transaction()
        # aiokafka asserts where a producer was fenced in between.
        except (KafkaError, AssertionError) as exc:
            raise Retryable(f"the transaction was not acknowledged: {type(exc).__name__}") from exc

    async def stop(self) -> None:
        """Close it; what it has not committed is aborted by the next one, or when its time is over."""
        with suppress(KafkaError, TimeoutError, AssertionError):
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await self._producer.stop()

    async def _send(self, effect: Encoded) -> "asyncio.Future[Any]":
        partition = effect.partition
        if partition is not None and partition not in await self._producer.partitions_for(effect.topic):
            # Whoever asked for it reads the wrong topic; by the key it is at least where others look for it.
            partition = None
        acknowledged: asyncio.Future[Any] = await self._producer.send(
            effect.topic, effect.value, key=effect.key, partition=partition, headers=list(effect.headers)
        )
        return acknowledged
