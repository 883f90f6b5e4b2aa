"""Collecting what a run left behind, from the topics, the stores and the witness's journal."""

import asyncio
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, cast

import redis.asyncio

from headrace.messaging import topics
from headrace.messaging.headers import MESSAGE_ID
from headrace.stores.memory import RedisConversationMemory
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.reviews_pb2 import ReviewClassified
from services.feedback.adapters.store import SqlStore
from services.feedback.domain.reporting import Window
from tests.chaos.path.journal import read_journal
from tests.chaos.path.judging import Accepted
from tests.chaos.path.load import TENANT, TURNS_A_CONVERSATION, Load
from tests.chaos.path.observed import ClassSeen, FinalSeen, Observed
from tests.chaos.path.reading import records, value_of
from tests.chaos.path.stack import ServicePath
from tests.chaos.path.submitting import Submitting

# Beside the report of the service: a row that it counts twice shows in the difference.
_RATINGS: Final = "select feedback_id from feedback"
_TURNS: Final = "select turn_id from turns"


def read_topics(bootstrap: str, seen: Observed) -> None:
    """Answers, pieces, classes and dead letters, from the first record to the last."""
    for record in records(bootstrap, topics.RESPONSES):
        final = ResponseCompleted.FromString(value_of(record))
        status = ResponseCompleted.Status.Name(final.status)
        found = FinalSeen(status, final.text, final.attempt, final.delta_count, final.error.code)
        seen.finals.setdefault(final.turn_id, []).append(found)
        seen.answered_ms.append(record.timestamp()[1])
    for record in records(bootstrap, topics.RESPONSE_DELTAS):
        delta = ResponseDelta.FromString(value_of(record))
        places = seen.pieces.setdefault(delta.turn_id, {})
        places.setdefault((delta.attempt, delta.seq), set()).add(delta.text)
    for record in records(bootstrap, topics.REVIEWS_CLASSIFIED):
        classified = ReviewClassified.FromString(value_of(record))
        label = ClassSeen(classified.label, classified.confidence, classified.error.code)
        seen.classes.setdefault(classified.review_id, []).append(label)
        seen.answered_ms.append(record.timestamp()[1])
    for record in records(bootstrap, topics.DEAD_LETTERS):
        letter = DeadLetter.FromString(value_of(record))
        seen.dead_letters.append(f"{letter.stage}: {getattr(letter.error, 'class')}")


def read_held(bootstrap: str, wanted: Iterable[str], seen: Observed) -> None:
    """The ids that these topics hold, to be compared with what a producer was told."""
    for topic in wanted:
        held = seen.held.setdefault(topic, set())
        for record in records(bootstrap, topic):
            own = dict(cast("list[tuple[str, bytes]]", record.headers() or []))
            held.add(own.get(MESSAGE_ID, b"").decode())


async def read_stores(redis_url: str, data: Path, conversations: Collection[str], seen: Observed) -> None:
    """The conversations' memories, and what the feedback service keeps and counts."""
    client = redis.asyncio.Redis.from_url(redis_url)
    memory = RedisConversationMemory(client)
    seen.remembered = {
        conversation: [
            exchange.turn_id for exchange in await memory.recent(TENANT, conversation, 2 * TURNS_A_CONVERSATION)
        ]
        for conversation in conversations
    }
    await client.aclose()
    database = data / "feedback" / "feedback.sqlite"
    store = SqlStore.at(f"sqlite:///{database}")
    await store.open()
    try:
        seen.ratings, seen.turns_kept = _column(database, _RATINGS), _column(database, _TURNS)
        summaries = await store.summaries(Window(tenant=TENANT))
        seen.ratings_counted = sum(summary.ratings for summary in summaries)
        seen.turns_counted = sum(summary.turns for summary in summaries)
    finally:
        await store.close()


def _column(database: Path, query: str) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [str(row[0]) for row in connection.execute(query)]


async def gathered(path: ServicePath, conversations: Collection[str]) -> Observed:
    """Everything that a run left behind."""
    seen = Observed()
    await asyncio.to_thread(read_topics, path.bootstrap, seen)
    await read_stores(path.redis_url, path.data, conversations, seen)
    seen.journal = list(read_journal(path.journal))
    return seen


def accepted(load: Load, submitting: Submitting) -> Accepted:
    """What the broker took of a load."""
    taken = submitting.acknowledged
    turns = [number for number in range(load.turns) if load.turn_id(number) in taken]
    conversations: dict[str, tuple[str, ...]] = {}
    for number in turns:
        conversation = load.conversation_of(number)
        conversations[conversation] = (*conversations.get(conversation, ()), load.turn_id(number))
    return Accepted(
        turns=frozenset(map(load.turn_id, turns)),
        reviews=frozenset(each for each, place in taken.items() if place.topic == topics.REVIEWS),
        ratings=frozenset(each for each, place in taken.items() if place.topic == topics.FEEDBACK),
        conversations=conversations,
    )
