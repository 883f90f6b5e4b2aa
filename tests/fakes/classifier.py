"""All that stands behind the reviews topic, played by a word list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from headrace.messaging import topics
from headrace.messaging.codec import decode
from headrace.messaging.contract import Outgoing
from headrace.messaging.headers import CONTENT_TYPE
from headrace.messaging.kafka import KafkaPublisher
from headrace.messaging.tail import Started, follow, partitions_of
from headrace.v1.responses_pb2 import Error
from headrace.v1.reviews_pb2 import ReviewClassified, ReviewSubmitted


@dataclass
class Classifier:
    """Answers every review, each batch of `at_once` in reverse and each review `times` over.

    After `silent_after` it reads and says nothing, until it is told to `speak`.
    """

    at_once: int = 1
    times: int = 1
    silent_after: int | None = None
    seen: list[ReviewSubmitted] = field(default_factory=list)
    waiting: list[ReviewSubmitted] = field(default_factory=list)
    said: int = 0
    publisher: KafkaPublisher | None = None

    @asynccontextmanager
    async def on(self, bootstrap: str) -> AsyncIterator["Classifier"]:
        started = Started()
        async with KafkaPublisher(bootstrap, client_id="test-classifier") as self.publisher:
            task = asyncio.create_task(self._run(bootstrap, started))
            await started.wait()
            try:
                yield self
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def speak(self) -> None:
        """Answer all that waits."""
        assert self.publisher is not None
        for review in reversed(self.waiting):
            for _ in range(self.times):
                message = Outgoing(topics.REVIEWS_CLASSIFIED, review.review_id, _classified(review))
                await self.publisher.publish(message)
            self.said += 1
        self.waiting.clear()

    async def _run(self, bootstrap: str, started: Started) -> None:
        places = dict.fromkeys(await partitions_of(bootstrap, topics.REVIEWS))
        async for record in follow(bootstrap, places, started=started):
            review = decode(record.value or b"", ReviewSubmitted, record.headers.get(CONTENT_TYPE, ""))
            self.seen.append(review)
            self.waiting.append(review)
            silent = self.silent_after is not None and self.said >= self.silent_after
            if len(self.waiting) >= self.at_once and not silent:
                await self.speak()


def _classified(review: ReviewSubmitted) -> ReviewClassified:
    classified = ReviewClassified(review_id=review.review_id, batch_id=review.batch_id, model="words")
    if "unreadable" in review.text:
        classified.error.CopyFrom(Error(code="too_long", message="text is too long", field="text"))
        return classified
    names = [label.name for label in review.labels] or ["positive", "negative"]
    classified.label = next((name for name in names if name in review.text), names[-1])
    classified.confidence = 0.75
    classified.scores.update({name: 0.75 if name == classified.label else 0.25 for name in names})
    return classified
