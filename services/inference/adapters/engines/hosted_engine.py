"""An engine whose core runs in a process of its own: its start and its end, the slots at it, what it has to say."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from headrace.messaging.clock import Clock, SystemClock
from headrace.messaging.errors import Invalid, Retryable
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.core_process import CoreProcess
from services.inference.adapters.engines.slots import News, Seat, Slots
from services.inference.adapters.engines.wire import Cancel, Command, Event, Failed, Ready, Start
from services.inference.domain.admission import Ask
from services.inference.ports import EmbedRequest, GenerationRequest, ScoreRequest, Vectors

log = structlog.get_logger()


class HostedEngine:
    """One model, run by a core in its own process; started again, by the next request, if the process dies."""

    def __init__(
        self,
        spec: ModelSpec,
        folder: Path,
        *,
        core: str,
        eos_id: int | None,
        clock: Clock | None,
        adapter: Path | None = None,
    ) -> None:
        self._spec = spec
        self._core = core
        start = Start(spec=spec, folder=str(folder), core=core, eos_id=eos_id, adapter=str(adapter or ""))
        self._process = CoreProcess(start, on_event=self._deliver, on_exit=self._fail_all)
        self._starting = asyncio.Lock()
        self._slots = Slots(spec, clock or SystemClock())
        # Within the core each try of each request has an id of its own: two attempts at one turn may overlap.
        self._numbers = itertools.count()

    @property
    def name(self) -> str:
        return self._core

    @property
    def running(self) -> int:
        """Requests that hold a slot now."""
        return self._slots.running

    @property
    def waiting(self) -> int:
        """Requests that wait for one."""
        return self._slots.waiting

    @property
    def core_pid(self) -> int | None:
        """The process of the core, while there is one."""
        return self._process.pid

    async def start(self) -> None:
        """Load the model; `Retryable` if it cannot be."""
        async with self._starting:
            if not self._process.alive:
                ready = await self._process.start()
                self._loaded(ready)
                log.info(
                    "model loaded",
                    model=self._spec.name,
                    engine=self._core,
                    device=ready.device,
                    seconds=ready.load_seconds,
                )

    async def close(self) -> None:
        """End the core; requests at work fail as retryable."""
        await self._process.close()
        self._fail_all()

    async def cancel(self, request_id: str) -> None:
        self._slots.cancel(f"{request_id}#")

    async def embed(self, request: EmbedRequest) -> Vectors:
        message = f"model {self._spec.name} makes no vectors: use an embedding model"
        raise Invalid(message, code="unknown_model", field="model")

    def abandon(self, client: str) -> None:
        """End all requests whose names begin with this."""
        self._slots.cancel(client)

    def _loaded(self, ready: Ready) -> None:
        """What the core says of the model it has loaded."""

    def _seat(
        self, request: GenerationRequest | ScoreRequest | EmbedRequest, tokens: int
    ) -> contextlib.AbstractAsyncContextManager[Seat]:
        name = f"{request.request_id}#{next(self._numbers)}"
        return self._slots.seat(Ask(name, request.priority, tokens, request.deadline_ms))

    @contextlib.asynccontextmanager
    async def _at_work(self, seat: Seat) -> AsyncIterator[str]:
        """The request's id within the core, once it has a slot; leaving frees what it holds there."""
        await self._slots.granted(seat)
        await self.start()
        # Loading may have taken all the time there was.
        self._slots.check(seat)
        number = f"{seat.ask.number}/{next(self._numbers)}"
        try:
            yield number
        finally:
            # A core that has finished with it already ignores this.
            self._send(Cancel(number))

    def _send(self, command: Command) -> None:
        self._process.send(command)

    def _deliver(self, event: Event) -> None:
        if not isinstance(event, Ready):
            self._slots.tell(event.request_id.rpartition("/")[0], event)

    def _fail_all(self) -> None:
        self._slots.tell_running(Failed("", "its engine's process ended"))

    def _broken(self, news: News) -> Retryable:
        reason = news.message if isinstance(news, Failed) else "cancelled"
        return Retryable(f"model {self._spec.name}: {reason}")
