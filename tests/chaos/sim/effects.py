"""What handling a message leaves in the world, and the service whose handlers do it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from headrace.messaging import topics
from headrace.messaging.contract import Folded, Next, Outgoing, StageContext, StageResult
from headrace.messaging.errors import Invalid, Retryable
from headrace.runtime.service import EventStage, Service, StreamStage, TurnStage
from headrace.runtime.settings import ServiceSettings
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.turns_pb2 import Final as FinalSection
from headrace.v1.turns_pb2 import Prepared, Turn
from tests.chaos.sim.inputs import DELTAS, DELTAS_OUT, EVENTS, EVENTS_OUT, FIRST, LAST, SERVICE, Behaviour, Input
from tests.chaos.sim.process import Process
from tests.chaos.sim.run import Run

CONCURRENCY: Final = 4
# So many in a row given up open a stage's breaker.
FLOOD: Final = 5
_SETTINGS: Final = ServiceSettings(instance="sim", concurrency=CONCURRENCY, drain_seconds=5.0)
_WARY: Final = ServiceSettings(instance="sim", concurrency=CONCURRENCY, drain_seconds=5.0, breaker_consecutive=FLOOD)


@dataclass
class Store:
    """Keeps the latest state of each key; told positions, it drops what comes late."""

    fenced: bool
    applied: Counter[str] = field(default_factory=Counter)
    # Every effect in the order in which it arrived, per key.
    arrivals: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    latest: dict[str, tuple[int, int]] = field(default_factory=dict)
    dropped: int = 0

    def put(self, key: str, number: int, position: int) -> None:
        self.applied[f"{key}.{number}"] += 1
        self.arrivals[key].append(number)
        if self.fenced and key in self.latest and self.latest[key][1] > position:
            self.dropped += 1
            return
        self.latest[key] = (number, position)


class Handlers:
    """The handlers of one process."""

    def __init__(
        self,
        run: Run,
        store: Store,
        behaviours: dict[str, Behaviour],
        *,
        calls: Counter[str],
        process: Process,
        bad_build: tuple[float, float] | None = None,
    ) -> None:
        """`bad_build`: from when to when every handler fails on everything."""
        self._run, self._store, self._behaviours, self._calls = run, store, behaviours, calls
        self._process = process
        self._bad_build = bad_build
        self._busy: set[tuple[str, str]] = set()

    def service(self) -> Service:
        """Events, turns of two stages, and streams."""
        return Service(
            SERVICE,
            _WARY if self._bad_build else _SETTINGS,
            (
                EventStage("event", EVENTS, FeedbackSubmitted, self.event),
                TurnStage(FIRST, "prepared", self.first),
                TurnStage(LAST, "final", self.last),
                StreamStage("delta", DELTAS, ResponseDelta, lambda delta: str(delta.turn_id), self.step),
            ),
        )

    async def event(self, message: Any, context: StageContext) -> Sequence[Outgoing]:
        with self._alone("event", context.key):
            await self._behave(message.feedback_id)
            await self._put(message.feedback_id, context)
        return (Outgoing(EVENTS_OUT, context.key, FeedbackSubmitted(feedback_id=message.feedback_id)),)

    async def first(self, turn: Turn, context: StageContext) -> StageResult:
        with self._alone("first", context.key):
            await self._behave(turn.turn_id)
            await self._put(turn.turn_id, context)
        return Next(Prepared())

    async def last(self, turn: Turn, context: StageContext) -> StageResult:
        with self._alone("last", context.key):
            status = turn.outcome.status if turn.HasField("outcome") else ResponseCompleted.ANSWERED
            completed = ResponseCompleted(turn_id=turn.turn_id, status=status)
        return Next(FinalSection(completed=completed), also=(Outgoing(topics.RESPONSES, context.key, completed),))

    async def step(self, state: tuple[int, str] | None, delta: ResponseDelta, context: StageContext) -> Folded[Any]:
        with self._alone("delta", delta.turn_id):
            due, text = state or (0, "")
            if delta.seq < due or (state is None and delta.seq > 0):
                return Folded(state, ended=state is None)
            if delta.seq > due:
                raise Invalid(f"delta {delta.seq} came where {due} was due")
            await self._behave(f"{delta.turn_id}.{delta.seq}")
            text += delta.text
            shown = Outgoing(DELTAS_OUT, context.key, ResponseDelta(turn_id=delta.turn_id, seq=delta.seq, text=text))
            return Folded((due + 1, text), (shown,), ended=text.endswith("."))

    async def _behave(self, name: str) -> None:
        if self._bad_build and self._bad_build[0] <= self._run.loop.time() < self._bad_build[1]:
            raise ValueError("a build that fails on everything")
        behaviour = self._behaviours[name]
        self._calls[name] += 1
        if behaviour.work_s:
            await asyncio.sleep(behaviour.work_s)
        if behaviour.lethal:
            self._run.kill(self._process)
            # Nothing of it ever runs again.
            await asyncio.sleep(0)
        if self._calls[name] > behaviour.failing:
            return
        match behaviour.error:
            case "retryable":
                raise Retryable("not yet")
            case "asked":
                raise Retryable("later", retry_after_ms=1500)
            case "defect":
                raise ValueError("a defect that goes away")
            case "invalid":
                raise Invalid("never")
            case never:
                assert_never(never)

    async def _put(self, name: str, context: StageContext) -> None:
        key, _, number = name.partition(".")
        await self._run.network.ask("the store", lambda: self._store.put(key, int(number), context.position))

    @contextmanager
    def _alone(self, stage: str, key: str) -> Iterator[None]:
        """A key's messages run one at a time, and no more at once than the service allows."""
        if (stage, key) in self._busy:
            self._run.violation(f"two messages of key {key} run at once in process {self._process.number}")
        self._busy.add((stage, key))
        # What an open breaker tries runs beside the others, one for each stage.
        if len(self._busy) > CONCURRENCY + (2 if self._bad_build else 0):
            self._run.violation(f"{len(self._busy)} messages run at once in process {self._process.number}")
        try:
            yield
        finally:
            self._busy.discard((stage, key))


def produce(run: Run, each: Input) -> None:
    """Put an input on its topic."""
    run.broker.log.append(each.topic, each.value(), key=each.key.encode())
