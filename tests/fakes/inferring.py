"""Inference's handler with everything around it in memory, and turns to hand it."""

from dataclasses import replace

from headrace.messaging import topics
from headrace.messaging.clock import SystemClock
from headrace.messaging.contract import End, Next, StageContext
from headrace.models.registry import Registry
from headrace.models.spec import ModelSpec
from headrace.v1.turns_pb2 import GeneratedDelta, Inference, Turn
from services.inference.handlers.answers import Answers
from services.inference.handlers.claims import Claims
from services.inference.handlers.embedding import Embeddings
from services.inference.handlers.generation import Generation
from services.inference.handlers.inference import Inferring
from services.inference.handlers.kinds import Kinds
from services.inference.ports import Models
from tests.fakes.contexts import Published, a_context
from tests.fakes.engines import InMemoryCache, InMemoryLedger, OneEngine, ScriptedEngine

SPEC = ModelSpec.model_validate(
    {
        "name": "scripted",
        "task": "chat",
        "source": {"type": "builtin"},
        "revision": "1",
        "limits": {"context_window": 100, "max_new_tokens": 50},
    }
)

ENCODER = SPEC.model_copy(update={"name": "encoder", "task": "embed"})


class Bench:
    """The handler with everything around it in memory."""

    def __init__(self, engine: ScriptedEngine | None = None, models: Models | None = None, *specs: ModelSpec) -> None:
        self.engine = engine or ScriptedEngine()
        self.ledger = InMemoryLedger()
        self.cache = InMemoryCache()
        clock = SystemClock()
        registry = Registry({spec.name: spec for spec in (SPEC, ENCODER, *specs)})
        inferring = Inferring(
            registry,
            Generation(registry, models or OneEngine(self.engine), clock, linger_ms=0),
            Claims(self.ledger, clock, lease_seconds=30),
            Answers(self.cache, clock),
            clock,
        )
        self.handler = Kinds(inferring, Embeddings(registry, OneEngine(self.engine), clock))

    async def ask(self, turn: Turn, context: StageContext | None = None) -> tuple[Next | End, list[GeneratedDelta]]:
        """The result, and the deltas that went out."""
        published = Published()
        result = await self.handler.turn(turn, replace(context or a_context(), publisher=published))
        assert {message.topic for message in published.messages} <= {topics.DELTAS_GENERATED}
        return result, [m.message for m in published.messages if isinstance(m.message, GeneratedDelta)]


def a_turn(turn_id: str = "turn-1", *, cacheable: bool = False, question: str = "hi") -> Turn:
    """A turn that waits for the model."""
    turn = Turn(turn_id=turn_id, conversation_id="conversation-1", tenant="acme", subject="ann")
    turn.slip.pipeline = "chat"
    turn.prepared.model = SPEC.name
    turn.prepared.question = question
    turn.prepared.cacheable = cacheable
    turn.grounding.passages.add(marker="[1]")
    turn.safety.masked = True
    return turn


def text(deltas: list[GeneratedDelta]) -> str:
    """The deltas put together by their offsets, as a reader does."""
    whole = ""
    for delta in deltas:
        assert delta.offset <= len(whole)
        whole = whole[: delta.offset] + delta.text
    return whole


def section(result: Next | End) -> Inference:
    """What the handler wrote."""
    assert isinstance(result.section, Inference)
    return result.section
