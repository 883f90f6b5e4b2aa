"""A service in operation: connected, consuming, and drained in the end."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import structlog

from headrace.messaging.breaker import BreakerPolicy
from headrace.messaging.clock import Clock, SystemClock
from headrace.messaging.dispatcher import Dispatcher
from headrace.messaging.errors import Retryable
from headrace.messaging.outlet import Outlet
from headrace.messaging.retries import RetryPolicy
from headrace.messaging.transport import Transport
from headrace.runtime.assembly import processors_of
from headrace.runtime.cancellations import Cancellations
from headrace.runtime.context import Surroundings
from headrace.runtime.service import Service
from headrace.runtime.stream_processor import StreamProcessor

log = structlog.get_logger()


class Host:
    """Runs one service on one transport. Enter to start, leave to drain."""

    def __init__(
        self,
        service: Service,
        transport: Transport,
        *,
        cancellations: Cancellations | None = None,
        clock: Clock | None = None,
        policy: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
    ) -> None:
        self._service = service
        self._transport = transport
        self._cancellations = cancellations or Cancellations()
        self._clock = clock or SystemClock()
        self._policy = policy
        self._breaker = breaker or BreakerPolicy(
            consecutive=service.settings.breaker_consecutive, ratio=service.settings.breaker_ratio
        )
        self._stack = AsyncExitStack()
        self._dispatcher: Dispatcher | None = None

    async def __aenter__(self) -> Self:
        service = self._service
        await self._stack.enter_async_context(service.lifespan())
        try:
            outlet = Outlet()
            around = Surroundings(service.name, outlet.of, self._clock, self._cancellations)
            processors = processors_of(service, around)
            dispatcher = Dispatcher(
                service.name,
                processors,
                outlet=outlet,
                clock=self._clock,
                capacity=service.settings.concurrency,
                policy=self._policy,
                breaker=self._breaker,
            )
            for processor in processors.values():
                if isinstance(processor, StreamProcessor):
                    processor.release, processor.behind = dispatcher.release, dispatcher.behind
            consumed = [*processors, *sorted(dispatcher.retry_topics)]
            dispatcher.bind(await self._transport.subscribe(f"headrace.{service.name}", consumed, dispatcher))
            self._dispatcher = dispatcher
        except BaseException:
            await self._stack.aclose()
            raise
        log.info("consuming", topics=sorted(consumed))
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._dispatcher:
            await self._dispatcher.drain(self._service.settings.drain_seconds)
        await self._transport.close()
        await self._stack.aclose()

    @property
    def failed(self) -> "asyncio.Future[BaseException]":
        """Resolves if the service cannot go on."""
        if self._dispatcher is None:
            raise RuntimeError("the host is not running: enter it first")
        return self._dispatcher.failed

    async def working(self) -> None:
        """Return if messages are worked off; else raise with a sentence that says why not."""
        if self._dispatcher and (reason := self._dispatcher.report()):
            raise Retryable(reason)
