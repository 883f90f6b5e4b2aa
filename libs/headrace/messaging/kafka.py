"""Kafka by FastStream over aiokafka: publishing with acknowledgement, and a place in a consumer group.

FastStream reads and routes; it never acknowledges. Its own acks commit the fetch position of every partition, which
under concurrency commits work that is still running.
"""

import asyncio
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.publisher.producer import AioKafkaFastProducerImpl

from headrace.messaging.connections import mend
from headrace.messaging.contract import Outgoing
from headrace.messaging.errors import Fatal, Invalid, Retryable
from headrace.messaging.intake import tolerant, undecoded
from headrace.messaging.kafka_subscription import KafkaSubscription, RebalanceListener
from headrace.messaging.membership import SESSION_TIMEOUT_MS, Membership
from headrace.messaging.records import Received
from headrace.messaging.tolerant_records import tolerate
from headrace.messaging.transactional_producers import KafkaProducers
from headrace.messaging.transactions import Transactions
from headrace.messaging.transport import Intake, Subscription
from headrace.messaging.wire import Encoded, encoded

# The most that any topic takes (dead letters hold the originals of all others); each topic sets its own limit below.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
PUBLISH_TIMEOUT_S = 30.0
# Handlers run beside the poll, so this bounds only how long a wedged event loop may go unnoticed.
MAX_POLL_INTERVAL_MS = 120_000


def _broker(bootstrap: str, client_id: str) -> KafkaBroker:
    mend()
    tolerate()
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
        sent = encoded(outgoing)
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await self._send(sent, sent.partition)
        except MessageSizeTooLargeError as exc:
            size = len(sent.value or b"")
            raise Invalid(
                f"the message has {size} bytes, {outgoing.topic} takes {MAX_MESSAGE_BYTES}",
                code="too_large",
                field="value",
            ) from exc
        except (KafkaError, TimeoutError) as exc:
            raise Retryable(f"{outgoing.topic} did not acknowledge: {type(exc).__name__}") from exc

    async def _send(self, sent: Encoded, partition: int | None) -> None:
        try:
            await _producer_of(self._broker).send_and_wait(
                sent.topic, sent.value, key=sent.key, partition=partition, headers=list(sent.headers)
            )
        except AssertionError:
            # aiokafka's way to say that there is no such partition. Whoever asked for it reads the wrong topic; by the
            # key the message is at least where others look for it.
            if partition is None:
                raise
            await self._send(sent, None)


def _producer_of(broker: KafkaBroker) -> AIOKafkaProducer:
    """The framework's way out takes headers as text, one of each name: what is passed on would not be what came."""
    within = cast("AioKafkaFastProducerImpl", broker._producer)  # noqa: SLF001 - there is no public way to it
    return within._producer.producer  # noqa: SLF001 - the same


def _never(_topic: str) -> bool:
    return False


class KafkaTransport:
    """One broker connection and the groups that a service is a member of.

    What comes from a topic in `exactly_once` has its effects and its offset committed in one transaction.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        instance: str,
        exactly_once: Callable[[str], bool] = _never,
    ) -> None:
        self._broker = _broker(bootstrap, client_id)
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._instance = instance
        self._exactly_once = exactly_once
        self._subscriptions: list[KafkaSubscription] = []
        self._closed = False
        self.publisher = KafkaPublisher.over(self._broker)

    async def subscribe(self, group: str, topics: Collection[str], intake: Intake) -> Subscription:
        """Join `group` as a static member and start reading."""
        listener = RebalanceListener(intake)
        subscriber = self._broker.subscriber(
            *sorted(topics),
            group_id=group,
            group_instance_id=f"{group}.{self._instance}",
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
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
                listener.receive(record)
            except Exception as exc:  # noqa: BLE001 - the framework would log it and go on, and the record be lost
                intake.broken(exc)

        try:
            await self._broker.start()
        except KafkaError as exc:
            raise Fatal(f"no Kafka answers at {self._bootstrap}: start it, or set HEADRACE_KAFKA_BOOTSTRAP") from exc
        if subscriber.consumer is None:
            raise Fatal(f"the consumer of {group} did not start")
        membership = Membership(subscriber.consumer, group=group, instance=self._instance, failed=intake.broken)
        producers = KafkaProducers(
            subscriber.consumer, self._bootstrap, group=group, client_id=self._client_id,
            max_message_bytes=MAX_MESSAGE_BYTES,
        )  # fmt: skip
        transactions = Transactions(
            producers, frozenset(filter(self._exactly_once, topics)), intake=intake, holds=membership.holds,
            max_message_bytes=MAX_MESSAGE_BYTES,
        )  # fmt: skip
        subscription = KafkaSubscription(subscriber.consumer, membership, transactions, self.publisher)
        self._subscriptions.append(subscription)
        await listener.bind(subscription)
        return subscription

    async def close(self) -> None:
        """Close consumers, then the producers; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            await self._broker.stop()
            for subscription in self._subscriptions:
                await subscription.close()
