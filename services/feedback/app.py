"""Composition root of feedback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headrace.messaging import topics
from headrace.runtime.run import run
from headrace.runtime.service import EventStage, Service
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.turns_pb2 import Turn
from services.feedback.adapters.store import SqlStore
from services.feedback.handlers import Keeping
from services.feedback.settings import Settings


def build_app(settings: Settings, *, store: SqlStore | None = None) -> Service:
    """Wire the store; the database is opened, and its tables created, in the lifespan."""
    store = store or SqlStore.at(settings.url())
    keeping = Keeping(store, settings.limits(), retention_ms=int(settings.retention_days * 86_400_000))

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await store.open()
        try:
            yield
        finally:
            await store.close()

    return Service(
        name="feedback",
        settings=settings,
        lifespan=lifespan,
        ready={"database": store.check},
        stages=(
            EventStage("feedback", topics.FEEDBACK, FeedbackSubmitted, keeping.feedback),
            EventStage("turns", topics.TURNS_COMPLETED, Turn, keeping.turn, lane="batch"),
        ),
    )


if __name__ == "__main__":
    run(build_app(Settings()))
