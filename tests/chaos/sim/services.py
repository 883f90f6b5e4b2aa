"""The services of the path as they are wired for use, on stores at the far end of the simulated network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, cast
from unittest.mock import patch

from headrace.models.registry import load_registry
from headrace.prompts.files import YamlTemplates
from headrace.prompts.template import Label, Message
from headrace.runtime.assembly import transactional
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.runtime.service import Service
from services.feedback import app as feedback_app
from services.feedback.adapters.store import SqlStore
from services.feedback.domain.feedback import CompletedTurn, Feedback
from services.feedback.settings import Settings as FeedbackSettings
from services.grounding import app as grounding_app
from services.grounding.adapters.knowledge import PointKnowledge
from services.grounding.settings import Settings as GroundingSettings
from services.inference import app as inference_app
from services.inference.settings import Settings as InferenceSettings
from services.postprocessing import app as postprocessing_app
from services.postprocessing.settings import Settings as PostprocessingSettings
from services.preprocessing import app as preprocessing_app
from services.preprocessing.adapters.language import LangidDetector
from services.preprocessing.adapters.models import TASKS
from services.preprocessing.domain.budget import Window
from services.preprocessing.ports import Model, Task
from services.preprocessing.settings import Settings as PreprocessingSettings
from services.safety import app as safety_app
from services.safety.adapters.policies import load_policies
from services.safety.settings import Settings as SafetySettings
from tests.chaos.sim.engine import OneModel, SimEngine
from tests.chaos.sim.ledger import Entries, SimLedger
from tests.chaos.sim.points import MemoryPoints
from tests.chaos.sim.process import Process
from tests.chaos.sim.remote import Remote
from tests.chaos.sim.response_cache import SimCache
from tests.chaos.sim.run import Run
from tests.fakes.joined import suspicious
from tests.fakes.knowledge import WordEmbeddings, WordTokenizers
from tests.fakes.stores import InMemoryConversationMemory, InMemoryMaskStore

NAMES: Final = ("preprocessing", "grounding", "safety", "inference", "postprocessing", "feedback")
_LEASE_S: Final = 15.0


@dataclass
class FeedbackStore:
    """What the feedback database keeps: of two records with one id the later in the log."""

    said: dict[str, Feedback] = field(default_factory=dict)
    turns: dict[str, CompletedTurn] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)

    async def open(self) -> None:
        """Nothing to create."""

    async def close(self) -> None:
        """Nothing to let go."""

    async def check(self) -> None:
        """Always there."""

    async def keep_feedback(self, feedback: Feedback, position: int) -> None:
        if self._moves(f"feedback {feedback.feedback_id}", position):
            self.said[feedback.feedback_id] = feedback

    async def keep_turn(self, turn: CompletedTurn, position: int) -> None:
        if self._moves(f"turn {turn.turn_id}", position):
            self.turns[turn.turn_id] = turn

    def _moves(self, name: str, position: int) -> bool:
        if self.positions.get(name, -1) > position:
            return False
        self.positions[name] = position
        return True

    async def forget_before(self, epoch_ms: int) -> int:
        return 0


class WordModels:
    """Models of the registry, counted in words."""

    async def get(self, name: str, *, task: Task = "chat") -> Model:
        spec = _registry().get(name, task=TASKS[task])
        window = Window(spec.limits.context_window, spec.limits.max_new_tokens)
        labels = tuple(Label(label.name, label.description) for label in spec.labels)
        return Model(spec.name, spec.revision, window, labels)

    async def count(self, model: Model, messages: Sequence[Message]) -> int:
        return sum(3 + len(message.content.split()) for message in messages)


@dataclass
class Stores:
    """All that outlives a process."""

    run: Run
    engine: SimEngine
    ledger: Entries
    cache: SimCache
    memory: InMemoryConversationMemory = field(default_factory=InMemoryConversationMemory)
    masks: InMemoryMaskStore = field(default_factory=InMemoryMaskStore)
    points: MemoryPoints = field(default_factory=MemoryPoints)
    feedback: FeedbackStore = field(default_factory=FeedbackStore)

    def exactly_once(self, service: Service) -> Callable[[str], bool]:
        """Which topics its pipelines want transactions for."""
        return transactional(service, _pipelines())

    def build(self, name: str, instance: str) -> Callable[[Process], Service]:
        """What starts a process of this service."""
        builders: Mapping[str, Callable[[Process], Service]] = {
            "preprocessing": lambda _process: preprocessing_app.build_app(
                _settings(PreprocessingSettings), pipelines=_pipelines(), templates=_templates(), models=WordModels(),
                languages=_languages(),
            ),
            "grounding": lambda _process: grounding_app.build_app(
                _settings(GroundingSettings, min_score=0.1),
                knowledge=PointKnowledge(self._remote("the index", self.points)),
                embeddings=WordEmbeddings(),
                memory=self._remote("the memory", self.memory),
                tokenizers=WordTokenizers(),
            ),
            "safety": lambda _process: safety_app.build_app(
                _settings(SafetySettings), pipelines=_pipelines(), masks=self._remote("the masks", self.masks),
                injection=suspicious,
            ),
            "inference": lambda process: self._inference(process, instance),
            "postprocessing": lambda _process: postprocessing_app.build_app(
                _settings(PostprocessingSettings), memory=self._remote("the memory", self.memory),
                masks=self._remote("the masks", self.masks),
            ),
            "feedback": lambda _process: feedback_app.build_app(
                _settings(FeedbackSettings), store=cast("SqlStore", self._remote("the database", self.feedback))
            ),
        }  # fmt: skip
        return builders[name]

    def _inference(self, process: Process, instance: str) -> Service:
        mark = f"{self.run.clock.now_ms():015d}-{process.number:04d}"
        owner = instance or f"dynamic-{process.number}"
        ledger = SimLedger(self.ledger, owner=owner, process=mark, lease_seconds=_LEASE_S)
        return inference_app.build_app(
            _settings(InferenceSettings, warm_models=()),
            registry=_registry(),
            models=OneModel(self.engine),
            ledger=self._remote("the ledger", ledger),
            cache=self._remote("the cache", self.cache),
            clock=self.run.clock,
        )

    def _remote(self, name: str, store: object) -> Any:
        return Remote(self.run.network, name, store)


@contextmanager
def configuration_read_once() -> Iterator[None]:
    """The files of `infra` do not change between two starts of a process, and reading them takes most of a start."""
    registry, pipelines, policies = _registry(), _pipelines(), _policies()
    with (
        patch("services.grounding.app.load_registry", lambda _folder: registry),
        patch("services.grounding.app.Pipelines.load", lambda _folder: pipelines),
        patch("services.safety.app.load_policies", lambda _folder: policies),
    ):
        yield


@cache
def _settings(kind: Any, **fields: Any) -> Any:
    return kind(instance="sim", concurrency=4, drain_seconds=5.0, **fields)


_registry = cache(lambda: load_registry(infra_dir() / "models"))
_pipelines = cache(lambda: Pipelines.load(infra_dir() / "pipelines"))
_templates = cache(lambda: YamlTemplates.load(infra_dir() / "prompts"))
_policies = cache(lambda: load_policies(infra_dir() / "policies"))
_languages = cache(LangidDetector)
