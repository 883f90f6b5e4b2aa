"""What grounding does with a turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

import structlog

from headrace.messaging.contract import Next, StageContext, StageResult
from headrace.messaging.errors import Retryable
from headrace.runtime.pipelines import Pipelines
from headrace.stores.memory import ConversationMemory
from headrace.v1.prompts_pb2 import ChatMessage
from headrace.v1.responses_pb2 import Citation
from headrace.v1.turns_pb2 import Entity, Grounding, Turn
from services.grounding.domain.citing import citable
from services.grounding.domain.context import Assembled, Cited, Passage, Past, assemble
from services.grounding.domain.documents import Corpus
from services.grounding.domain.entities import Mention, expanded
from services.grounding.domain.follow_up import condensed
from services.grounding.domain.question import asked
from services.grounding.domain.ranking import Weights, rank
from services.grounding.ports import Embeddings, Fill, Knowledge, Probe, Tokenizers

log = structlog.get_logger()

# Of a pipeline's setting `follow_ups`: a question is searched for as it stands. Anything else: with what it leans on.
_NEVER: Final = "never"


@dataclass(frozen=True, slots=True)
class RetrievalPolicy:
    """How much may be cited and remembered, and what happens where neither can be."""

    max_passages: int
    min_score: float
    history_exchanges: int
    default_collection: str
    on_failure: Literal["answer", "retry"]
    weights: Weights = field(default_factory=Weights)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was said before; `degraded` where it could not be reached."""

    past: Sequence[Past] = ()
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What retrieval gave; `degraded` where it could not be reached, `uncovered` where it was, and had nothing."""

    passages: Sequence[Passage] = ()
    mentions: Sequence[Mention] = ()
    query: str = ""
    corpus_version: str = ""
    uncovered: bool = False
    degraded: bool = False


class GroundTurn:
    """Gives a turn its sources and its memory."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        embeddings: Embeddings,
        memory: ConversationMemory,
        tokenizers: Tokenizers,
        fill: Fill,
        pipelines: Pipelines,
        policy: RetrievalPolicy,
        rescoring: Embeddings | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._embeddings = embeddings
        self._rescoring = rescoring
        self._memory = memory
        self._tokenizers = tokenizers
        self._fill = fill
        self._pipelines = pipelines
        self._policy = policy

    async def __call__(self, turn: Turn, context: StageContext) -> StageResult:
        """Recall, retrieve in the light of it, then fill the budget that preprocessing has left."""
        recalled = await self._recall(turn)
        retrieved = await self._retrieve(turn, recalled.past)
        assembled = assemble(
            retrieved.passages,
            recalled.past,
            budget=turn.prepared.budget.remaining,
            tokens=await self._tokenizers.get(turn.prepared.model),
            render=partial(self._fill, turn.prepared.sources_template),
            uncovered=retrieved.uncovered,
        )
        degraded = retrieved.degraded or recalled.degraded
        log.info("turn grounded", turn_id=turn.turn_id, passages=len(assembled.cited), degraded=degraded)
        return Next(section=_section(assembled, retrieved, degraded=degraded))

    async def _retrieve(self, turn: Turn, past: Sequence[Past]) -> Retrieved:
        if not turn.prepared.sources_template:
            return Retrieved()
        settings = self._pipelines.get(turn.slip.pipeline).settings
        try:
            return await self._search(turn, past, settings)
        except Retryable as exc:
            self._without("index", turn, exc)
            return Retrieved(degraded=True)

    async def _search(self, turn: Turn, past: Sequence[Past], settings: Mapping[str, str]) -> Retrieved:
        corpus = Corpus(turn.tenant, settings.get("collection", self._policy.default_collection))
        question = turn.prepared.text or turn.prepared.question
        # The version first: an answer may know more than its version says, never less.
        version = await self._knowledge.version(corpus)
        names = await self._knowledge.gazetteer(corpus, version)
        whole = question
        if settings.get("follow_ups") != _NEVER:
            whole = condensed(question, _asked_before(turn, past))
        query = expanded(whole, names.find(whole))
        ask = asked(query)
        windows = await self._embeddings.question(ask.windows)
        strong = await self._rescoring.question(ask.windows) if self._rescoring else ()
        weights = self._policy.weights
        found = await self._knowledge.candidates(corpus, Probe(windows, ask.words, strong), weights)
        good = citable(
            rank(found, weights), ask.stems, min_score=self._policy.min_score, limit=self._policy.max_passages
        )
        return Retrieved(
            passages=good,
            mentions=names.find(question),
            query=query if query != question else "",
            corpus_version=version,
            uncovered=bool(names) and not good,
        )

    async def _recall(self, turn: Turn) -> Recalled:
        # A client that sends its own messages has its own memory.
        if turn.prepared.history or not turn.conversation_id:
            return Recalled()
        try:
            recent = await self._memory.recent(turn.tenant, turn.conversation_id, self._policy.history_exchanges)
        except Retryable as exc:
            self._without("memory", turn, exc)
            return Recalled(degraded=True)
        # A redelivered turn may find its own answer there.
        return Recalled([Past(e.turn_id, e.question, e.answer) for e in recent if e.turn_id != turn.turn_id])

    def _without(self, what: str, turn: Turn, exc: Retryable) -> None:
        if self._policy.on_failure == "retry":
            raise exc
        log.warning("answering without", missing=what, turn_id=turn.turn_id, reason=str(exc))


def _asked_before(turn: Turn, past: Sequence[Past]) -> list[str]:
    if past:
        return [exchange.question for exchange in past]
    return [said.content for said in turn.prepared.history if said.role == "user"]


def _section(assembled: Assembled, retrieved: Retrieved, *, degraded: bool) -> Grounding:
    return Grounding(
        history=[ChatMessage(role=said.role, content=said.content) for said in assembled.history],
        passages=[_citation(cited) for cited in assembled.cited],
        context=assembled.context,
        corpus_version=retrieved.corpus_version,
        degraded=degraded,
        entities=[_entity(mention) for mention in retrieved.mentions],
        uncovered=retrieved.uncovered,
        retrieval_query=retrieved.query,
    )


def _entity(mention: Mention) -> Entity:
    entity = mention.entity
    return Entity(
        id=entity.id,
        kind=entity.kind,
        name=entity.name,
        document_id=entity.document_id,
        text=mention.text,
        start=mention.start,
        end=mention.end,
    )


def _citation(cited: Cited) -> Citation:
    passage = cited.passage
    return Citation(
        marker=cited.marker,
        document_id=passage.document_id,
        title=passage.title,
        uri=passage.uri,
        start=passage.start,
        end=passage.end,
        score=passage.score,
        text=passage.text,
        heading_path=passage.heading_path,
    )
