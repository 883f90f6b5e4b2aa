"""From a service's description to the processor of each of its topics."""

from headrace.messaging import topics
from headrace.messaging.processing import Processor
from headrace.runtime.context import Surroundings
from headrace.runtime.event_processor import EventProcessor
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
