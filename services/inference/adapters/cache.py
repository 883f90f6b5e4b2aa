"""The response cache in Redis: a string per fingerprint, and a short lock while an answer is in the making."""

from typing import Final, cast

import redis.asyncio

from headrace.stores.answers import AnswerKey, Outcome, answer_key, count
from headrace.stores.redis import key, reaching

_STORE: Final = "response cache"
# A maker that died holds up the others no longer than this; one that is slower costs a second generation.
_MAKING_SECONDS: Final = 30


class RedisCache:
    """Answers that may be given again."""

    def __init__(self, client: redis.asyncio.Redis, *, keep_seconds: int) -> None:
        self._client = client
        self._keep_seconds = keep_seconds

    async def get(self, answer: AnswerKey) -> bytes | None:
        with reaching(_STORE):
            return cast("bytes | None", await self._client.get(answer_key(answer)))

    async def put(self, answer: AnswerKey, section: bytes) -> None:
        with reaching(_STORE):
            await self._client.set(answer_key(answer), section, ex=self._keep_seconds)

    async def begin(self, answer: AnswerKey) -> bool:
        with reaching(_STORE):
            return bool(await self._client.set(key("making", *answer), b"1", nx=True, ex=_MAKING_SECONDS))

    async def end(self, answer: AnswerKey) -> None:
        with reaching(_STORE):
            await self._client.delete(key("making", *answer))

    async def count(self, answer: AnswerKey, outcome: Outcome) -> None:
        await count(self._client, answer, outcome)
