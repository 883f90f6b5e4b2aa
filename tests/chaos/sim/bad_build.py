"""A build with a defect: for a while a stage falls over, before its work or with the work done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from headrace.runtime.service import Service, Stage, StreamStage
from tests.chaos.sim.run import Run


class Defect(Exception):  # noqa: N818 - reads as the sentence it is
    """Of no class that the runtime knows."""


@dataclass(frozen=True, slots=True)
class BadBuild:
    """Which service, from when to when, and how many of its calls fall over."""

    service: str
    begins_s: float
    ends_s: float
    share: float

    @classmethod
    def draw(cls, choice: Random, names: tuple[str, ...]) -> "BadBuild":
        """For some seconds, all of its calls or some."""
        begins_s = choice.uniform(0, 15)
        return cls(choice.choice(names), begins_s, begins_s + choice.uniform(0.5, 15), choice.choice((0.3, 1.0)))

    def of(self, service: Service, run: Run) -> Service:
        """The service as this build has it."""
        if service.name != self.service:
            return service
        return replace(service, stages=tuple(self._stage(stage, run) for stage in service.stages))

    def _stage(self, stage: Stage, run: Run) -> Stage:
        if isinstance(stage, StreamStage):
            return replace(stage, step=self._falling(stage.step, run))
        handler: Any = self._falling(stage.handler, run)
        return replace(stage, handler=handler)

    def _falling(self, handler: Callable[..., Awaitable[Any]], run: Run) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            falls = self.begins_s <= run.loop.time() < self.ends_s and run.choice.random() < self.share
            run.figures["defects"] += falls
            if falls and run.choice.random() < 0.5:
                raise Defect("before the work")
            done = await handler(*arguments)
            if falls:
                raise Defect("with the work done")
            return done

        return call
