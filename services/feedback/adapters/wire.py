"""Feedback and turns from the wire to the domain."""

from headrace.runtime.ratings import REASONS
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.turns_pb2 import Turn
from services.feedback.domain.feedback import CompletedTurn, Feedback


def feedback_of(submitted: FeedbackSubmitted, tenant: str, now_ms: int) -> Feedback:
    """The feedback; without a scale it is thumbs, without a moment it is of now."""
    submitted_at = submitted.submitted_at
    moment_ms = submitted_at.seconds * 1000 + submitted_at.nanos // 1_000_000
    return Feedback(
        feedback_id=submitted.feedback_id,
        turn_id=submitted.turn_id,
        tenant=submitted.tenant or tenant or "default",
        user=submitted.user,
        scale=submitted.scale or "thumbs",
        rating=submitted.rating,
        comment=_text(submitted.comment),
        correction=_text(submitted.correction),
        consent_to_train=submitted.consent_to_train,
        # A clock that runs ahead must not make its feedback final.
        submitted_at_ms=min(moment_ms, now_ms) if moment_ms > 0 else now_ms,
        reasons=tuple(sorted(set(submitted.reasons), key=lambda reason: (*REASONS, reason).index(reason))),
    )


def completed_of(turn: Turn, now_ms: int) -> CompletedTurn:
    """The turn, as far as feedback needs it."""
    completed = turn.final.completed
    versions = completed.versions
    return CompletedTurn(
        turn_id=turn.turn_id,
        tenant=turn.tenant,
        conversation_id=turn.conversation_id,
        subject=turn.subject,
        arm=turn.arm,
        status=_status_of(completed),
        pipeline=versions.get("pipeline", ""),
        template=versions.get("template", ""),
        model=completed.model,
        revision=versions.get("revision", ""),
        policy=versions.get("policy", ""),
        corpus=versions.get("corpus", ""),
        finish_reason=completed.finish_reason,
        cached=completed.usage.cached,
        prompt_tokens=completed.usage.prompt_tokens,
        completion_tokens=completed.usage.completion_tokens,
        trace_id=turn.trace_id,
        question=turn.prepared.text,
        answer=_text(completed.text),
        documents=tuple(citation.document_id for citation in completed.citations),
        completed_at_ms=now_ms,
    )


def _text(text: str) -> str:
    # PostgreSQL keeps no NUL.
    return text.replace("\0", "").strip()


def _status_of(completed: ResponseCompleted) -> str:
    """How the turn ended, in lower case; a status that nobody defined is a failure."""
    known = completed.status in ResponseCompleted.Status.values()
    return ResponseCompleted.Status.Name(completed.status).lower() if known else "failed"
