"""A turn before each stage, with every section that the stages before it write; the deltas on the way beside it."""

from collections.abc import Sequence
from random import Random
from typing import Final

from headrace.messaging import topics
from headrace.messaging.times import timestamp
from headrace.v1.prompts_pb2 import ChatMessage, ResponseFormat, Sampling
from headrace.v1.responses_pb2 import StageTiming, Usage
from headrace.v1.turns_pb2 import (
    ClearedDelta,
    Entity,
    GeneratedDelta,
    Grounding,
    Inference,
    LabelScore,
    OutputJudgement,
    Prepared,
    Reply,
    Safety,
    Slip,
    StreamContext,
    TokenBudget,
    Turn,
)
from headrace.v1.turns_pb2 import (
    Final as FinalSection,
)
from tests.chaos.mutants.messages import TENANT, citation, completed, new_id, prompt, review, verdict, words
from tests.chaos.path.infra import MODEL

CHAT: Final = ("grounding", "safety", "inference", "output", "postprocessing")
REVIEWS: Final = ("safety", "inference", "postprocessing")
_PER_DAY_MS: Final = 86_400_000


def turn(chance: Random, stage: str, lane: str, now_ms: int) -> Turn:
    """A turn that waits for this stage; a review's on the batch lane, where reviews have the stage."""
    if lane == "batch" and stage in REVIEWS:
        return _review_turn(chance, stage, now_ms)
    asked = prompt(chance, now_ms)
    found = Turn(
        turn_id=asked.turn_id,
        conversation_id=asked.conversation_id,
        prompt=asked,
        reply=Reply(partition=chance.randrange(2), encoding="application/json"),
    )
    found.MergeFrom(_common(chance, now_ms))
    found.slip.CopyFrom(_slip("chat", CHAT[CHAT.index(stage) :], lane))
    reached = CHAT.index(stage)
    found.prepared.CopyFrom(_prepared(chance))
    if reached > CHAT.index("grounding"):
        found.grounding.CopyFrom(_grounding(chance))
    if reached > CHAT.index("safety"):
        found.safety.CopyFrom(_safety(chance, "default"))
    if reached > CHAT.index("inference"):
        found.inference.CopyFrom(_inference(words(chance)))
    if reached > CHAT.index("output"):
        found.safety.output.CopyFrom(OutputJudgement(text=found.inference.text, delta_count=1))
    return found


def completed_turn(chance: Random, now_ms: int) -> Turn:
    """A turn whose stages are all done."""
    found = turn(chance, "postprocessing", "interactive", now_ms)
    del found.slip.remaining[:]
    answer = completed(chance)
    answer.turn_id, answer.conversation_id = found.turn_id, found.conversation_id
    found.final.CopyFrom(FinalSection(completed=answer))
    return found


def generated(chance: Random, now_ms: int) -> GeneratedDelta:
    """A whole answer, before the gate."""
    return GeneratedDelta(
        context=_stream(chance, now_ms), offset=0, text=words(chance), last=True, finish_reason="stop"
    )


def cleared(chance: Random, now_ms: int) -> ClearedDelta:
    """A whole answer, behind the gate."""
    return ClearedDelta(context=_stream(chance, now_ms), seq=0, text=words(chance), verdict_id="default/1", last=True)


def stage_topics() -> Sequence[tuple[str, str, str]]:
    """Every topic on which turns wait, with its stage and lane."""
    return [(topics.turns(stage, lane), stage, lane) for stage in CHAT for lane in topics.LANES]


def _review_turn(chance: Random, stage: str, now_ms: int) -> Turn:
    asked = review(chance)
    found = Turn(
        turn_id=new_id(chance),
        conversation_id=asked.review_id,
        review=asked,
        reply=Reply(encoding="application/json"),
    )
    found.MergeFrom(_common(chance, now_ms))
    found.slip.CopyFrom(_slip("reviews", REVIEWS[REVIEWS.index(stage) :], "batch"))
    found.prepared.CopyFrom(_prepared(chance))
    found.prepared.labels.extend(asked.labels)
    if stage != "safety":
        found.safety.CopyFrom(_safety(chance, "reviews"))
    if stage == "postprocessing":
        found.inference.CopyFrom(_inference(""))
        found.inference.scores.extend([LabelScore(label="good", score=0.75), LabelScore(label="bad", score=0.25)])
    return found


def _common(chance: Random, now_ms: int) -> Turn:
    return Turn(
        tenant=TENANT,
        subject="somebody",
        arm="default",
        submitted_at=timestamp(now_ms),
        deadline=timestamp(now_ms + _PER_DAY_MS // 2),
        timings={"preprocessing": StageTiming(queue_ms=0.5, work_ms=2.0)},
        trace_id=f"{chance.getrandbits(128):032x}",
    )


def _slip(pipeline: str, remaining: Sequence[str], lane: str) -> Slip:
    return Slip(pipeline=pipeline, version="1", remaining=remaining, lane=lane, ordered=False)


def _prepared(chance: Random) -> Prepared:
    question = words(chance)
    return Prepared(
        text=question,
        language="en",
        language_confidence=0.9,
        template="chat",
        template_version="1",
        instructions="Answer shortly.",
        sources_template="Sources:\n{{ sources }}",
        history=[ChatMessage(role="user", content=words(chance)), ChatMessage(role="assistant", content="Yes.")],
        question=question,
        model=MODEL,
        model_revision="1",
        sampling=Sampling(temperature=0.0, top_p=1.0, max_tokens=64, seed=7, stop=["@@"]),
        budget=TokenBudget(context_window=32768, max_new_tokens=64, used=60, remaining=1000),
        cacheable=chance.random() < 0.5,
        normalisations=["whitespace"],
        response_format=ResponseFormat(type="text"),
    )


def _grounding(chance: Random) -> Grounding:
    return Grounding(
        history=[ChatMessage(role="user", content=words(chance))],
        passages=[citation(chance)],
        context=f"Sources:\n[1] {words(chance)}",
        corpus_version="corpus/1",
        degraded=True,
        entities=[
            Entity(id="gates.md#gate", kind="term", name="gate", document_id="gates.md", text="Gate", start=0, end=4)
        ],
        uncovered=True,
        retrieval_query=words(chance),
    )


def _safety(chance: Random, policy: str) -> Safety:
    messages = [ChatMessage(role="system", content="Answer shortly."), ChatMessage(role="user", content=words(chance))]
    return Safety(policy=policy, policy_version=f"{policy}/1", messages=messages, verdicts=[verdict()], masked=True)


def _inference(text: str) -> Inference:
    return Inference(
        text=text,
        finish_reason="stop",
        model=MODEL,
        model_revision="1",
        engine="mock",
        usage=Usage(prompt_tokens=20, completion_tokens=8),
        attempt=1,
        time_to_first_token_ms=12.5,
        duration_ms=40.0,
    )


def _stream(chance: Random, now_ms: int) -> StreamContext:
    return StreamContext(
        turn_id=new_id(chance),
        conversation_id=f"conversation-{new_id(chance)}",
        tenant=TENANT,
        subject="somebody",
        pipeline="chat",
        reply=Reply(partition=chance.randrange(2), encoding="application/x-protobuf"),
        deadline=timestamp(now_ms + _PER_DAY_MS // 2),
        attempt=1,
        markers=["[1]"],
        masked=True,
        again=True,
    )
