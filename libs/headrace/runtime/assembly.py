"""From a service's description to the processor of each of its topics."""

from collections.abc import Callable

from headrace.messaging import topics
from headrace.messaging.processing import Processor
from headrace.runtime.context import Surroundings
from headrace.runtime.event_processor import EventProcessor
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.service import EventStage, IntakeStage, Service, StreamStage, TurnStage
from headrace.runtime.stream_processor import StreamProcessor
from headrace.runtime.turn_processor import TurnProcessor


def processors_of(service: Service, around: Surroundings) -> dict[str, Processor]:
    """One processor a topic."""
    found: dict[str, Processor] = {}
    for stage in service.stages:
        match stage:
            case TurnStage():
                for lane in topics.LANES:
                    found[topics.turns(stage.name, lane)] = TurnProcessor(stage, lane, around)
            case IntakeStage():
                found[stage.topic] = TurnProcessor(stage, stage.lane, around)
            case EventStage():
                found[stage.topic] = EventProcessor(stage, around)
            case StreamStage():
                found[stage.topic] = StreamProcessor(stage, around)
    return found


def transactional(service: Service, pipelines: Pipelines) -> Callable[[str], bool]:
    """Which topics have their effects and offsets committed together: those of turns on a lane that asks for it."""
    lanes = pipelines.exactly_once_lanes
    found: set[str] = set()
    for stage in service.stages:
        match stage:
            case TurnStage():
                found |= {topics.turns(stage.name, lane) for lane in lanes}
            case IntakeStage() if stage.lane in lanes:
                found.add(stage.topic)
            case _:
                pass
    if found:
        found |= {topics.retries(service.name, lane, tier + 1) for lane in lanes for tier in range(topics.RETRY_TIERS)}
    return found.__contains__
