"""The slots of one engine, as its requests see them: wait, hold, and give back however they end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, assert_never

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Retryable
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.wire import Event, Ready
from services.inference.domain.admission import Admission, Ask, Deferred, Granted, Late
from services.inference.ports import TooLate

_RETRY_WHEN_FULL_MS: Final = 1000


class MadeWay:
    """The request's prompt was taken off the model for a person's; it waits for its next slot."""


class Cancelled:
    """Somebody ended the request by its name."""


# What reaches a request beside its engine's events.
News = Event | MadeWay | Cancelled


@dataclass(slots=True, eq=False)
class Seat:
    """A request in the queue or at work."""

    ask: Ask
    granted: asyncio.Event = field(default_factory=asyncio.Event)
    inbox: asyncio.Queue[News] = field(default_factory=asyncio.Queue)
    # Set where the request ends before it has a slot.
    ended: Retryable | None = None

    async def news(self, number: str) -> News:
        """The next that concerns this id within the core; what comes late of a former one is dropped."""
        while True:
            news = await self.inbox.get()
            if isinstance(news, MadeWay | Cancelled | Ready) or news.request_id in ("", number):
                return news


class Slots:
    """Carries out what `Admission` decides."""

    def __init__(self, spec: ModelSpec, clock: Clock) -> None:
        self._spec = spec
        self._clock = clock
        self._seats: dict[str, Seat] = {}
        self._admission = Admission(
            slots=spec.resources.max_running,
            queue=spec.limits.max_queue,
            step_tokens=spec.resources.max_batched_tokens,
        )

    @property
    def running(self) -> int:
        """Requests that hold a slot."""
        return self._admission.running

    @property
    def waiting(self) -> int:
        """Requests that have none yet."""
        return self._admission.waiting

    @contextlib.asynccontextmanager
    async def seat(self, ask: Ask) -> AsyncIterator[Seat]:
        """A place in the queue, and later at work; `Retryable` where the queue is full. Leaving gives it back."""
        if not self._admission.enqueue(ask):
            raise Retryable(
                f"model {self._spec.name} is full: its queue of {self._spec.limits.max_queue} is taken",
                retry_after_ms=_RETRY_WHEN_FULL_MS,
            )
        seat = self._seats[ask.number] = Seat(ask)
        try:
            self._decide()
            yield seat
        finally:
            del self._seats[ask.number]
            self._admission.leave(ask.number)
            self._decide()

    async def granted(self, seat: Seat) -> None:
        """Return once the request has a slot; `TooLate` where its deadline came first."""
        await seat.granted.wait()
        if seat.ended is not None:
            raise seat.ended

    def check(self, seat: Seat) -> None:
        """Raise `TooLate` where the request's deadline has passed."""
        if 0 < seat.ask.deadline_ms <= self._clock.now_ms():
            raise self._too_late()

    def tell(self, number: str, event: Event) -> None:
        """Hand an event to its request, if it is still there; the first says that its prompt has been read."""
        if (seat := self._seats.get(number)) is not None:
            seat.inbox.put_nowait(event)
            # Now, not when the request gets to it: what has begun to answer makes way for nobody.
            if self._admission.read(number):
                self._decide()

    def tell_running(self, news: Event) -> None:
        """Hand news to all that hold a slot."""
        for seat in self._seats.values():
            if seat.granted.is_set():
                seat.inbox.put_nowait(news)

    def cancel(self, name: str) -> None:
        """End all requests whose names begin so, queued ones as well."""
        for seat in self._seats.values():
            if not seat.ask.number.startswith(name):
                continue
            seat.inbox.put_nowait(Cancelled())
            if not seat.granted.is_set():
                self._admission.leave(seat.ask.number)
                seat.ended = Retryable(f"model {self._spec.name}: cancelled")
                seat.granted.set()

    def _decide(self) -> None:
        for decision in self._admission.decide(self._clock.now_ms()):
            seat = self._seats[decision.number]
            match decision:
                case Granted():
                    seat.granted.set()
                case Late():
                    seat.ended = self._too_late()
                    seat.granted.set()
                case Deferred():
                    seat.granted.clear()
                    seat.inbox.put_nowait(MadeWay())
                case never:
                    assert_never(never)

    def _too_late(self) -> TooLate:
        return TooLate(f"model {self._spec.name}: the deadline passed before a slot was free")
