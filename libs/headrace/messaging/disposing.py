"""Disposing of dead letters: what is published again and the note that it was are one transaction.

Whoever enters takes the one transactional id there is. The broker then aborts what a killed predecessor had begun, and
refuses whatever one that is still alive may try: the dispositions that are read after that are all there will ever be
but for our own. So a redrive that was interrupted can be repeated, and two at a time do nothing twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from headrace.messaging import headers, topics
from headrace.messaging.codec import content_type, encode
from headrace.messaging.contract import PROTOBUF
from headrace.messaging.dead_letters import Onward
from headrace.messaging.errors import Fatal, Retryable
from headrace.messaging.kafka import MAX_MESSAGE_BYTES
from headrace.messaging.letter_log import read_dispositions
from headrace.v1.dead_letters_pb2 import DeadLetterDisposition

_TRANSACTIONAL_ID: Final = "headrace.dlq"
# An open transaction holds back every reader behind it: one that a kill left open ends after this.
_TRANSACTION_MS: Final = 10_000
_DEADLINE_S: Final = 30.0
_LEAVE_S: Final = 5.0


class Disposing:
    """The one who may dispose of dead letters. Enter to take over, leave to let go."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._done: dict[str, DeadLetterDisposition] = {}

    @property
    def done(self) -> Mapping[str, DeadLetterDisposition]:
        """What was done with each letter, by its id."""
        return MappingProxyType(self._done)

    async def __aenter__(self) -> Self:
        # Made here, since it wants a running loop.
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap.split(","),
            client_id=_TRANSACTIONAL_ID,
            transactional_id=_TRANSACTIONAL_ID,
            transaction_timeout_ms=_TRANSACTION_MS,
            max_request_size=MAX_MESSAGE_BYTES,
        )
        try:
            async with asyncio.timeout(_DEADLINE_S):
                await self._producer.start()
                self._done = await read_dispositions(self._bootstrap)
        except BaseException as exc:
            await self._leave()
            if isinstance(exc, KafkaError | TimeoutError):
                raise Retryable(f"the broker at {self._bootstrap} gave no transaction: {type(exc).__name__}") from exc
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave()

    async def dispose(self, batch: Sequence[tuple[DeadLetterDisposition, Onward | None]]) -> None:
        """Publish all of it or nothing.

        Raises `Fatal` if somebody else has taken over, and `Retryable` if it is not known whether it was done: the next
        to enter will see.
        """
        if self._producer is None:
            raise RuntimeError("nobody may dispose of letters from outside: enter first")
        known = [disposition.letter_id for disposition, _ in batch if disposition.letter_id in self._done]
        if known:
            raise RuntimeError(f"something was done with these letters already: {', '.join(known)}")
        try:
            await self._producer.begin_transaction()
            async with asyncio.timeout(_DEADLINE_S):
                sent = [await self._send(onward) for _, onward in batch if onward is not None]
                sent += [await self._note(disposition) for disposition, _ in batch]
                await asyncio.gather(*sent)
                await self._producer.commit_transaction()
        except ProducerFenced as exc:
            raise Fatal(
                "another redrive or purge has begun and this one may not go on; what it has done stands. "
                "Wait for the other, then run this again: nothing is done twice"
            ) from exc
        except (KafkaError, TimeoutError) as exc:
            await self._abort()
            raise Retryable(f"the broker did not acknowledge ({type(exc).__name__}): run it again") from exc
        except asyncio.CancelledError:
            await self._abort()
            raise
        self._done.update((disposition.letter_id, disposition) for disposition, _ in batch)

    async def _abort(self) -> None:
        """Let the readers of these topics go on now; where it cannot be done, they do when the transaction ends."""
        assert self._producer is not None  # noqa: S101 - `dispose` has looked
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await self._producer.abort_transaction()

    async def _leave(self) -> None:
        """A broker that is gone must not keep a command from ending."""
        if self._producer is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await self._producer.stop()

    async def _send(self, onward: Onward) -> "asyncio.Future[object]":
        assert self._producer is not None  # noqa: S101 - `dispose` has looked
        there = onward.partition in await self._producer.partitions_for(onward.topic)
        sent: asyncio.Future[object] = await self._producer.send(
            onward.topic,
            key=onward.key,
            value=onward.value,
            partition=onward.partition if there else None,
            headers=list(onward.headers),
        )
        return sent

    async def _note(self, disposition: DeadLetterDisposition) -> "asyncio.Future[object]":
        kind = content_type(type(disposition), PROTOBUF).encode()
        key = disposition.letter_id.encode()
        return await self._send(Onward(topics.DISPOSITIONS, key, encode(disposition), ((headers.CONTENT_TYPE, kind),)))
