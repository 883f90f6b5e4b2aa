"""Kafka by FastStream over aiokafka: publishing with acknowledgement, and a place in a consumer group.

FastStream reads and routes; it never acknowledges. Its own acks commit the fetch position of every partition, which
under concurrency commits work that is still running.
"""

import asyncio
import uuid
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from headrace.messaging import headers as names
from headrace.messaging.codec import content_type, encode
from headrace.messaging.contract import Outgoing
from headrace.messaging.errors import Fatal, Invalid, Retryable
from headrace.messaging.intake import tolerant, undecoded
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.tracing import inject
from headrace.messaging.transport import Intake, NotOurs, Subscription

log = structlog.get_logger()

# The most that any topic takes (dead letters hold the originals of all others); each topic sets its own limit below.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
PUBLISH_TIMEOUT_S = 30.0
COMMIT_TIMEOUT_S = 10.0
SESSION_TIMEOUT_MS = 10_000
# Handlers run beside the poll, so this bounds only how long a wedged event loop may go unnoticed.
MAX_POLL_INTERVAL_MS = 120_000


def _broker(bootstrap: str, client_id: str) -> KafkaBroker:
    return KafkaBroker(
        bootstrap.split(","),
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_MESSAGE_BYTES,
        allow_auto_create_topics=False,
        request_timeout_ms=int(PUBLISH_TIMEOUT_S * 1000),
        apply_types=False,
        logger=None,
    )


class KafkaPublisher:
    """Publishes and returns when all in-sync replicas have the message."""

    def __init__(self, bootstrap: str, client_id: str = "headrace") -> None:
        self._broker = _broker(bootstrap, client_id)

    @classmethod
    def over(cls, broker: KafkaBroker) -> Self:
        """A publisher that shares a broker's connection."""
        publisher = cls.__new__(cls)
        publisher._broker = broker  # noqa: SLF001 - our own instance, under construction
        return publisher

    async def __aenter__(self) -> Self:
        await self._broker.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._broker.stop()

    async def publish(self, outgoing: Outgoing) -> None:
        """Return once acknowledged; `Invalid` if it is too large, `Retryable` if the broker does not answer."""
        value = encode(outgoing.message, outgoing.encoding) if outgoing.message is not None else outgoing.raw
        headers = headers_of(outgoing)
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await self._broker.publish(
                    value,
                    topic=outgoing.topic,
                    key=outgoing.key.encode(),
                    partition=outgoing.partition,
                    headers=headers,
                )
        except MessageSizeTooLargeError as exc:
            size = len(value or b"")
            raise Invalid(
                f"the message has {size} bytes, {outgoing.topic} takes {MAX_MESSAGE_BYTES}",
                code="too_large",
                field="value",
            ) from exc
        except (KafkaError, TimeoutError) as exc:
            raise Retryable(f"{outgoing.topic} did not acknowledge: {type(exc).__name__}") from exc


def headers_of(outgoing: Outgoing) -> dict[str, str]:
    """The headers of a message on its way out: its own, its identity, the current trace."""
    headers = dict(outgoing.headers)
    headers.setdefault(names.MESSAGE_ID, str(uuid.uuid4()))
    if outgoing.message is not None:
        headers.setdefault(names.CONTENT_TYPE, content_type(type(outgoing.message), outgoing.encoding))
    if outgoing.tenant:
        headers.setdefault(names.TENANT, outgoing.tenant)
    if names.TRACEPARENT not in headers:
        inject(headers)
    return headers


class KafkaTransport:
    """One broker connection and the groups that a service is a member of."""

    def __init__(self, bootstrap: str, *, client_id: str, instance: str) -> None:
        self._broker = _broker(bootstrap, client_id)
        self._bootstrap = bootstrap
        self._instance = instance
        self._closed = False
        self.publisher = KafkaPublisher.over(self._broker)

    async def subscribe(self, group: str, topics: Collection[str], intake: Intake) -> Subscription:
        """Join `group` as a static member and start reading."""
        listener = _Listener(intake)
        subscriber = self._broker.subscriber(
            *sorted(topics),
            group_id=group,
            group_instance_id=f"{group}.{self._instance}",
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 5,
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            listener=listener,
            parser=tolerant,
            decoder=undecoded,
        )

        @subscriber
        async def receive(record: Received) -> None:
            try:
                intake.receive(record)
            except Exception as exc:  # noqa: BLE001 - the framework would log it and go on, and the record be lost
                intake.broken(exc)

        try:
            await self._broker.start()
        except KafkaError as exc:
            raise Fatal(f"no Kafka answers at {self._bootstrap}: start it, or set HEADRACE_KAFKA_BOOTSTRAP") from exc
        if subscriber.consumer is None:
            raise Fatal(f"the consumer of {group} did not start")
        return KafkaSubscription(subscriber.consumer)

    async def close(self) -> None:
        """Close consumers, then the producer; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            await self._broker.stop()


class KafkaSubscription:
    """Our place in the group, by the aiokafka consumer under FastStream's subscriber."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit exactly these offsets, never "all that was fetched"."""
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._consumer.commit({KafkaPartition(*place): offset for place, offset in offsets.items()})
        except (
            CommitFailedError,
            IllegalGenerationError,
            IllegalStateError,
            RebalanceInProgressError,
            UnknownMemberIdError,
        ) as exc:
            raise NotOurs(str(exc)) from exc
        except (KafkaError, TimeoutError) as exc:
            raise Retryable(f"the commit was not acknowledged: {type(exc).__name__}") from exc

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Pause those that are still ours."""
        ours = self.assignment()
        self._consumer.pause(*(KafkaPartition(*place) for place in partitions if place in ours))

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Resume those that are still ours."""
        ours = self.assignment()
        self._consumer.resume(*(KafkaPartition(*place) for place in partitions if place in ours))

    def assignment(self) -> frozenset[TopicPartition]:
        """What the group gave us."""
        return frozenset(TopicPartition(place.topic, place.partition) for place in self._consumer.assignment())


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def on_partitions_revoked(self, revoked: set[KafkaPartition]) -> None:
        await self._intake.revoked([TopicPartition(place.topic, place.partition) for place in revoked])

    async def on_partitions_assigned(self, assigned: set[KafkaPartition]) -> None:
        self._intake.assigned([TopicPartition(place.topic, place.partition) for place in assigned])
