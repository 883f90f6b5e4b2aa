"""The stream of one answer on its way out: offsets that fit, acknowledged in order, an end that is always said."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from headrace.messaging import topics
from headrace.messaging.contract import Outgoing, Publisher
from headrace.v1.turns_pb2 import GeneratedDelta, StreamContext
from services.inference.ports import Chunk

# A stored answer goes out in pieces of about what a second of generation gives.
_PIECE: Final = 200


class DeltaStream:
    """Publishes the text of one attempt."""

    def __init__(self, publisher: Publisher, context: StreamContext, key: str) -> None:
        self._publisher = publisher
        self._context = context
        self._key = key
        self._acknowledged = 0

    async def send(self, text: str) -> None:
        """Return when the broker has this piece."""
        await self._publish(GeneratedDelta(context=self._context, offset=self._acknowledged, text=text))
        self._acknowledged += len(text)

    async def replay(self, text: str) -> None:
        """Stream an answer that is there already."""
        for start in range(0, len(text), _PIECE):
            await self.send(text[start : start + _PIECE])

    async def finish(self, whole: str, reason: str) -> None:
        """Say that the answer `whole` has ended.

        A piece whose acknowledgement was interrupted goes along once more: readers drop what they have by its offset.
        """
        rest = whole[self._acknowledged :]
        await self._publish(
            GeneratedDelta(context=self._context, offset=self._acknowledged, text=rest, last=True, finish_reason=reason)
        )

    async def _publish(self, delta: GeneratedDelta) -> None:
        await self._publisher.publish(Outgoing(topics.DELTAS_GENERATED, self._key, delta, tenant=self._context.tenant))


async def coalesced(chunks: AsyncGenerator[Chunk, None], linger_s: float) -> AsyncGenerator[Chunk, None]:
    """The first chunk at once, later ones together with what came within `linger_s` of the one before."""
    queue: asyncio.Queue[Chunk | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def pump() -> None:
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    queue.put_nowait(chunk)
        finally:
            queue.put_nowait(None)

    pumping = asyncio.create_task(pump())
    try:
        chunk = await queue.get()
        while chunk is not None:
            yield chunk
            if not chunk.text and chunk.finish_reason is None:
                # Nothing was said yet: the first words still go at once.
                chunk = await queue.get()
                continue
            sent = loop.time()
            following = await queue.get()
            if following is not None and following.finish_reason is None:
                await asyncio.sleep(sent + linger_s - loop.time())
            while following is not None and not queue.empty():
                later = queue.get_nowait()
                if later is None:
                    queue.put_nowait(None)
                    break
                following = replace(
                    later, text=following.text + later.text, logprobs=following.logprobs + later.logprobs
                )
            chunk = following
        await pumping
    finally:
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)
