"""A valid message of every topic, all its fields set: what mutants are made from, and what is sent among them."""

from dataclasses import dataclass, field
from random import Random
from typing import Final
from uuid import UUID

from google.protobuf.message import Message

from headrace.messaging import headers, topics
from headrace.messaging.codec import content_type, encode
from headrace.messaging.contract import JSON, PROTOBUF, Encoding
from headrace.messaging.times import timestamp
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition, DeadLetterError, Origin, RecordHeader
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.knowledge_pb2 import KnowledgeDocument
from headrace.v1.prompts_pb2 import CancelRequested, ChatMessage, PromptSubmitted, ResponseFormat, Sampling
from headrace.v1.responses_pb2 import (
    Citation,
    Embedding,
    Error,
    Notice,
    ResponseCompleted,
    ResponseDelta,
    StageTiming,
    TokenLogprob,
    Usage,
    Verdict,
)
from headrace.v1.reviews_pb2 import Label, ReviewClassified, ReviewSubmitted
from tests.chaos.path.infra import MODEL

TENANT: Final = "mutants"
_WORDS: Final = "sluice weir gate head penstock turbine silt flow drop rack canal basin spillway forebay".split()
_PER_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One message on its way in. `id` is how what became of it is found again."""

    topic: str
    id: str
    message: Message
    key: str
    encoding: Encoding = PROTOBUF
    headers: tuple[tuple[str, bytes], ...] = field(default_factory=tuple)

    @property
    def value(self) -> bytes:
        """Its bytes as a client or a stage would write them."""
        return encode(self.message, self.encoding)

    @property
    def content_type(self) -> str:
        """What its header says of the bytes."""
        return content_type(type(self.message), self.encoding)


def new_id(chance: Random) -> str:
    """A UUID that the seed gives."""
    return str(UUID(int=chance.getrandbits(128), version=4))


def words(chance: Random, count: int = 8) -> str:
    """A harmless sentence."""
    return " ".join(chance.choice(_WORDS) for _ in range(count)) + "?"


def prompt(chance: Random, now_ms: int) -> PromptSubmitted:
    """A question: by its text, or with all that was said before."""
    submitted = PromptSubmitted(
        turn_id=new_id(chance),
        conversation_id=f"conversation-{new_id(chance)}",
        tenant=TENANT,
        user="somebody",
        pipeline="chat",
        model=MODEL,
        template="chat",
        sampling=Sampling(temperature=0.5, top_p=0.9, max_tokens=64, seed=chance.getrandbits(31), stop=["@@"]),
        response_format=ResponseFormat(type="text"),
        deadline=timestamp(now_ms + _PER_DAY_MS // 2),
        metadata={"colour": "blue", "part": words(chance, 2)},
    )
    if chance.random() < 0.5:
        submitted.text = words(chance)
    else:
        for role in ("system", "user", "assistant", "user"):
            submitted.messages.append(ChatMessage(role=role, content=words(chance, 4)))
    return submitted


def review(chance: Random) -> ReviewSubmitted:
    """A text to classify."""
    return ReviewSubmitted(
        review_id=f"review-{new_id(chance)}",
        batch_id="batch",
        tenant=TENANT,
        text=words(chance),
        labels=[Label(name="good", description="worth it"), Label(name="bad", description="not worth it")],
        metadata={"shelf": "three"},
        model=MODEL,
        pipeline="reviews",
    )


def feedback(chance: Random, now_ms: int) -> FeedbackSubmitted:
    """What somebody says of an answer."""
    return FeedbackSubmitted(
        feedback_id=new_id(chance),
        turn_id=new_id(chance),
        user="somebody",
        rating=chance.randint(1, 5),
        scale="stars",
        comment=words(chance),
        correction=words(chance),
        consent_to_train=True,
        tenant=TENANT,
        submitted_at=timestamp(now_ms),
        reasons=["accuracy", "style"],
    )


def knowledge(chance: Random, now_ms: int) -> KnowledgeDocument:
    """A document with a heading and two paragraphs, as text or as it was saved."""
    content = f"# Gates\n\n{words(chance, 12)}\n\n{words(chance, 12)}\n"
    is_text = chance.random() < 0.7
    return KnowledgeDocument(
        document_id=f"document-{new_id(chance)}",
        tenant=TENANT,
        collection="default",
        title="On gates",
        uri="https://docs.example.org/gates",
        content_type="text/markdown",
        content=content if is_text else "",
        data=b"" if is_text else content.encode(),
        metadata={"author": "somebody"},
        updated_at=timestamp(now_ms),
    )


def cancellation(chance: Random) -> CancelRequested:
    """The wish to stop a turn that nobody asked."""
    return CancelRequested(turn_id=new_id(chance), reason="asked by the client", tenant=TENANT, attempt=2)


def delta(chance: Random) -> ResponseDelta:
    """A whole answer in one piece."""
    return ResponseDelta(turn_id=new_id(chance), attempt=1, seq=0, text=words(chance), verdict_id="v1", restarted=True)


def completed(chance: Random) -> ResponseCompleted:
    """An answer with all that can be told of it."""
    return ResponseCompleted(
        turn_id=new_id(chance),
        conversation_id=f"conversation-{new_id(chance)}",
        attempt=1,
        status=ResponseCompleted.ANSWERED,
        text=words(chance),
        citations=[citation(chance)],
        verdicts=[verdict()],
        error=Error(code="none", message="nothing is wrong", field="text", retryable=True),
        usage=Usage(prompt_tokens=10, completion_tokens=8, cached=True),
        versions={"pipeline": "chat/1", "template": "chat/1"},
        timings={"inference": StageTiming(queue_ms=1.5, work_ms=20.25)},
        finish_reason="stop",
        trace_id=f"{chance.getrandbits(128):032x}",
        delta_count=0,
        tenant=TENANT,
        arm="default",
        model=MODEL,
        notices=[Notice(code="sources_unavailable", text="the sources could not be reached")],
        logprobs=[TokenLogprob(token="So", bytes=b"So", logprob=-0.5, top=[TokenLogprob(token="As", logprob=-1.5)])],
        embeddings=[Embedding(values=[0.5, -0.5])],
    )


def classified(chance: Random) -> ReviewClassified:
    """The class of a review."""
    return ReviewClassified(
        review_id=f"review-{new_id(chance)}", batch_id="batch", label="good", confidence=0.75,
        scores={"good": 0.75, "bad": 0.25}, model=MODEL, versions={"pipeline": "reviews/1"}, tenant=TENANT,
        trace_id=f"{chance.getrandbits(128):032x}",
    )  # fmt: skip


def citation(chance: Random) -> Citation:
    """A passage of a document."""
    return Citation(
        marker="[1]", document_id="gates", title="On gates", uri="https://docs.example.org/gates", start=3, end=40,
        score=0.5, text=words(chance), heading_path=["Gates", "Steel"],
    )  # fmt: skip


def verdict() -> Verdict:
    """A judgement that lets the text through."""
    return Verdict(rule="topics", action="allow", score=0.01, policy_version="default/1", direction="input",
                   reason="fits", start=0, end=4)  # fmt: skip


def letter(chance: Random, now_ms: int) -> DeadLetter:
    """A dead letter about a prompt that was none."""
    return DeadLetter(
        stage="preprocessing",
        error=DeadLetterError(**{"class": "Undecodable"}, message="3 bytes are no prompt"),
        attempts=1,
        origin=Origin(topic=topics.PROMPTS, partition=1, offset=chance.getrandbits(40), timestamp=timestamp(now_ms)),
        trace_id=f"{chance.getrandbits(128):032x}",
        headers=[RecordHeader(key=headers.TENANT, value=TENANT.encode())],
        value=chance.randbytes(24),
        key=new_id(chance).encode(),
        dead_at=timestamp(now_ms),
        tombstone=False,
        keyless=False,
    )


def disposition(chance: Random, now_ms: int) -> DeadLetterDisposition:
    """What was done with a letter that is long gone."""
    return DeadLetterDisposition(
        letter_id=new_id(chance)[:10], action=DeadLetterDisposition.REDRIVEN, at=timestamp(now_ms), operator="op@host",
        topic=topics.PROMPTS, repaired=True,
    )  # fmt: skip


def any_encoding(chance: Random) -> Encoding:
    """What the public topics take."""
    return chance.choice((PROTOBUF, JSON))
