"""Composition root of feedback: the service, and the tasks that the command line has it do."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from headrace.messaging import topics
from headrace.messaging.errors import HeadraceError, Invalid
from headrace.runtime.run import run
from headrace.runtime.service import EventStage, Service
from headrace.telemetry import metrics
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.turns_pb2 import Turn
from services.feedback.adapters import tasks
from services.feedback.adapters.scrubbing import process_scrubber
from services.feedback.adapters.store import SqlStore
from services.feedback.domain.feedback import RATING_NAMES
from services.feedback.handlers.exporting import Exported, Exporting
from services.feedback.handlers.keeping import Keeping
from services.feedback.settings import Settings


def build_app(settings: Settings, *, store: SqlStore | None = None) -> Service:
    """Wire the store; the database is opened, and its tables created, in the lifespan."""
    store = store or SqlStore.at(settings.url())
    keeping = Keeping(store, settings.limits(), retention_ms=int(settings.retention_days * 86_400_000))
    for name in RATING_NAMES:
        # From the start: an increase from nothing to one is none to Prometheus.
        metrics.FEEDBACK.labels(name)

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


async def carry_out(task: str, request: tasks.Request, settings: Settings) -> Any:
    """What the command line shows: a report's lines, or the summary of an export."""
    store = SqlStore.at(settings.url())
    try:
        await store.open(create=False)
        match task:
            case "report":
                return [tasks.told(summary) for summary in await store.summaries(request.window)]
            case "export" if request.output is not None:
                return await _export(store, request, settings)
            case _:
                raise Invalid("feedback does `report` and, with an output, `export`")
    finally:
        await store.close()


async def _export(store: SqlStore, request: tasks.Request, settings: Settings) -> dict[str, Any]:
    assert request.output is not None  # noqa: S101 - asked before
    exported = Exported()
    async with process_scrubber(settings.scrub_command) as scrubber:
        examples = Exporting(store, scrubber).examples(request.window, request.least_worth, exported)
        try:
            await tasks.write(request.output, examples, request.shape)
        except Invalid as exc:
            if exc.code != "no_examples":
                raise
            return {**exported.as_json(), "output": None}
    return {**exported.as_json(), "output": str(request.output)}


def _tell(task: str, request: str) -> int:
    try:
        told = asyncio.run(carry_out(task, tasks.Request.read(request), Settings()))
    except (HeadraceError, OSError) as exc:
        error = f"{exc.filename or 'the output'}: {exc.strerror}" if isinstance(exc, OSError) else str(exc)
        sys.stdout.write(orjson.dumps({"error": error}).decode() + "\n")
        return 1
    sys.stdout.write(orjson.dumps({"told": told}).decode() + "\n")
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case [task, request]:
            sys.exit(_tell(task, request))
        case _:
            run(build_app(Settings()))
