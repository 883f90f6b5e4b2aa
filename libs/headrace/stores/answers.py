"""The response cache in Redis: how its keys are named, and what an operator sees and clears of it."""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast
from urllib.parse import quote, unquote

import redis.asyncio

from headrace.stores.redis import key, reaching

_STORE: Final = "response cache"
_ANSWER: Final = "answer"
_COUNTS: Final = "answer-counts"
_AT_ONCE: Final = 500
# Counters of a model that nobody asks any more go away by themselves.
_COUNTS_SECONDS: Final = 30 * 86_400

# Served from the cache, waited for the same answer in the making, made.
Outcome = Literal["hit", "joined", "miss"]


class AnswerKey(NamedTuple):
    """The name of an answer: whose, by which model, and a digest of all that shaped it."""

    tenant: str
    model: str
    digest: str


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one model to one tenant; counters are of the last weeks in which it was asked."""

    tenant: str
    model: str
    answers: int
    bytes: int
    hits: int
    joined: int
    misses: int

    @property
    def hit_rate(self) -> float | None:
        """The share of look-ups that nothing was generated for; `None` before the first."""
        asked = self.hits + self.joined + self.misses
        return (self.hits + self.joined) / asked if asked else None


def answer_key(answer: AnswerKey) -> str:
    """Where the answer lies."""
    return key(_ANSWER, *answer)


async def count(client: redis.asyncio.Redis, answer: AnswerKey, outcome: Outcome) -> None:
    """Note what came of a look-up."""
    name = key(_COUNTS, answer.tenant, answer.model)
    with reaching(_STORE):
        async with client.pipeline(transaction=False) as pipe:
            pipe.hincrby(name, outcome, 1)
            pipe.expire(name, _COUNTS_SECONDS)
            await pipe.execute()


class CachedAnswers:
    """All answers, or those of a tenant or a model."""

    def __init__(self, client: redis.asyncio.Redis, *, tenant: str | None = None, model: str | None = None) -> None:
        self._client = client
        self._chosen = ":".join("*" if part is None else quote(part, safe="") for part in (tenant, model))

    async def groups(self) -> list[Group]:
        """Counts and bytes, by tenant and model."""
        answers: dict[tuple[str, str], int] = {}
        sizes: dict[tuple[str, str], int] = {}
        async for names in self._scan(f"headrace:{_ANSWER}:{{{self._chosen}:*}}"):
            for name, size in zip(names, await self._sizes(names), strict=True):
                group = _group_of(name)
                answers[group] = answers.get(group, 0) + 1
                sizes[group] = sizes.get(group, 0) + size
        counts: dict[tuple[str, str], Mapping[bytes, bytes]] = {}
        async for names in self._scan(f"headrace:{_COUNTS}:{{{self._chosen}}}"):
            for name in names:
                with reaching(_STORE):
                    found = await cast("Awaitable[Mapping[bytes, bytes]]", self._client.hgetall(name))
                counts[_group_of(name)] = found
        groups = sorted(answers.keys() | counts.keys())
        return [_group(each, answers.get(each, 0), sizes.get(each, 0), counts.get(each, {})) for each in groups]

    async def clear(self) -> AsyncIterator[int]:
        """Delete them; yields how many more are gone. What is being made meanwhile may be kept after it."""
        async for names in self._scan(f"headrace:{_ANSWER}:{{{self._chosen}:*}}"):
            with reaching(_STORE):
                yield int(await self._client.unlink(*names))

    async def _scan(self, pattern: str) -> AsyncIterator[list[bytes]]:
        cursor = 0
        while True:
            with reaching(_STORE):
                cursor, names = await self._client.scan(cursor, match=pattern, count=_AT_ONCE)
            if names:
                yield cast("list[bytes]", names)
            if not cursor:
                return

    async def _sizes(self, names: Sequence[bytes]) -> list[int]:
        """Bytes that Redis holds for each; 0 for one that is gone."""
        with reaching(_STORE):
            async with self._client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.memory_usage(name)
                return [size or 0 for size in await pipe.execute()]


def _group_of(name: bytes) -> tuple[str, str]:
    tenant, model, *_digest = name.decode().partition("{")[2].rstrip("}").split(":")
    return unquote(tenant), unquote(model)


def _group(of: tuple[str, str], answers: int, size: int, counts: Mapping[bytes, bytes]) -> Group:
    hits, joined, misses = (int(counts.get(outcome, 0)) for outcome in (b"hit", b"joined", b"miss"))
    return Group(*of, answers, size, hits, joined, misses)
