"""What the reply topics say, in the gateway's own words."""

import struct

import structlog

from headrace.messaging import headers, topics
from headrace.messaging.codec import decode
from headrace.messaging.errors import Undecodable
from headrace.messaging.records import Received
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.responses_pb2 import TokenLogprob as WireLogprob
from services.gateway.domain.answers import (
    Answer,
    Citation,
    Failure,
    Notice,
    Piece,
    Status,
    Timing,
    TokenLogprob,
    Usage,
)

log = structlog.get_logger()

# Verdicts that a client hears of; an "allow" is silence.
_NOTICED = ("refuse", "mask", "warn")


def content_of(record: Received) -> tuple[str, Piece | Answer | None]:
    """The turn and what was said of it.

    Bytes that cannot be read are named in the log and passed over: they are nobody's answer.
    """
    if record.value is None:
        return "", None
    kind = record.headers.get(headers.CONTENT_TYPE, "")
    try:
        if record.topic == topics.RESPONSE_DELTAS:
            delta = decode(record.value, ResponseDelta, kind)
            return delta.turn_id, Piece(delta.attempt, delta.seq, delta.text, delta.verdict_id)
        completed = decode(record.value, ResponseCompleted, kind)
    except Undecodable as exc:
        log.warning("a reply cannot be read", topic=record.topic, offset=record.offset, problem=exc.field)
        return "", None
    return completed.turn_id, answer_of(completed)


def answer_of(completed: ResponseCompleted) -> Answer:
    """The final, in the gateway's own words."""
    # A status that is not known here: a later version's, or nobody's. Whoever raised on it would read it for ever.
    known = completed.status and completed.status in ResponseCompleted.Status.values()
    name = ResponseCompleted.Status.Name(completed.status) if known else "FAILED"
    failure = None
    if completed.HasField("error"):
        error = completed.error
        failure = Failure(error.code, error.message, error.field, error.retryable)
    return Answer(
        attempt=completed.attempt,
        status=Status[name],
        text=completed.text,
        delta_count=completed.delta_count,
        conversation_id=completed.conversation_id,
        citations=_citations(completed),
        notices=_notices(completed),
        failure=failure,
        usage=Usage(completed.usage.prompt_tokens, completed.usage.completion_tokens, completed.usage.cached),
        finish_reason=completed.finish_reason,
        timings={stage: Timing(timing.queue_ms, timing.work_ms) for stage, timing in completed.timings.items()},
        versions=dict(completed.versions),
        trace_id=completed.trace_id,
        model=completed.model,
        logprobs=tuple(_logprob(each) for each in completed.logprobs),
        embeddings=tuple(struct.pack(f"<{len(each.values)}f", *each.values) for each in completed.embeddings),
    )


def _logprob(said: WireLogprob) -> TokenLogprob:
    return TokenLogprob(said.token, said.bytes, said.logprob, tuple(_logprob(top) for top in said.top))


def _citations(completed: ResponseCompleted) -> tuple[Citation, ...]:
    return tuple(
        Citation(
            marker=each.marker,
            document_id=each.document_id,
            title=each.title,
            uri=each.uri,
            start=each.start,
            end=each.end,
            score=each.score,
            text=each.text,
            heading_path=tuple(each.heading_path),
        )
        for each in completed.citations
    )


def _notices(completed: ResponseCompleted) -> tuple[Notice, ...]:
    said = {
        f"{verdict.action}.{verdict.rule}": verdict.reason
        for verdict in completed.verdicts
        if verdict.action in _NOTICED
    }
    said.update((notice.code, notice.text) for notice in completed.notices)
    return tuple(Notice(code, text) for code, text in said.items())
