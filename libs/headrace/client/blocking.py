"""The client for programs that do not await: the asynchronous one on a loop of its own."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Self

from headrace.client.answers import Answer, Event
from headrace.client.asynchronous import GATEWAY, AsyncClient
from headrace.client.classified import Classified, Labels


class Client:
    """Reaches a gateway by websocket, and Kafka to classify. Of one thread; inside a running loop take `AsyncClient`.

    with Client() as client:
        for event in client.stream("What is a log?"):
            if isinstance(event, Text):
                print(event.text, end="")
    """

    def __init__(self, url: str = GATEWAY, *, kafka: str | None = None, tenant: str = "default") -> None:
        self._client = AsyncClient(url, kafka=kafka, tenant=tenant)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the loop."""
        self._runner.close()

    def ask(self, text: str, **options: Any) -> Answer:
        """The whole answer; options are those of `AsyncClient.stream`."""
        return self._runner.run(self._client.ask(text, **options))

    def stream(self, text: str, **options: Any) -> Iterator[Event]:
        """What is told while it is answered; the last event is the `Answer`. Leaving before cancels the turn."""
        events = self._client.stream(text, **options)
        try:
            while True:
                try:
                    # A coroutine of our own: the runner takes no other awaitable.
                    yield self._runner.run(_next(events))
                except StopAsyncIteration:
                    return
        finally:
            self._runner.run(events.aclose())

    def feedback(self, turn_id: str, rating: int, **options: Any) -> str:
        """Rate an answer; options are those of `AsyncClient.feedback`."""
        return self._runner.run(self._client.feedback(turn_id, rating, **options))

    def classify(self, texts: Iterable[str], labels: Labels = (), **options: Any) -> list[Classified]:
        """A class for each text, in their order; options are those of `AsyncClient.classify_each`."""
        return self._runner.run(self._client.classify(texts, labels, **options))


async def _next(events: Any) -> Event:
    event: Event = await anext(events)
    return event
