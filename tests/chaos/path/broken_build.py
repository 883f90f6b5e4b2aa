"""A build of a service that fails on everything: the shipped one with a defect in every handler.

Which service it is, the instance's own name tells.
"""

import os
from dataclasses import replace
from importlib import import_module
from typing import Any, assert_never

from headrace.runtime.run import run
from headrace.runtime.service import EventStage, IntakeStage, Service, Stage, StreamStage, TurnStage


async def fails(*_arguments: Any) -> Any:
    """What a handler does that was shipped with a typing error in the name of a key."""
    return {"section": None}["sectoin"]


def broken(service: Service) -> Service:
    """The service, every stage of it with the defect."""
    return replace(service, stages=tuple(map(_broken, service.stages)))


def _broken(stage: Stage) -> Stage:
    # It never returns, whatever a handler of the stage would.
    defect: Any = fails
    match stage:
        case TurnStage() | IntakeStage() | EventStage():
            return replace(stage, handler=defect)
        case StreamStage():
            return replace(stage, step=defect)
        case never:
            assert_never(never)


if __name__ == "__main__":
    name = os.environ["HEADRACE_INSTANCE"].rpartition("-")[0]
    settings = import_module(f"services.{name}.settings").Settings()
    run(broken(import_module(f"services.{name}.app").build_app(settings)))
