"""Turns and deltas from the wire to the domain, responses back to it."""

from collections.abc import Mapping
from typing import Final, cast, get_args

from headrace.messaging import headers, topics
from headrace.messaging.contract import JSON, PROTOBUF, Outgoing
from headrace.v1.responses_pb2 import Error, Notice, ResponseCompleted, ResponseDelta
from headrace.v1.reviews_pb2 import ReviewClassified
from headrace.v1.turns_pb2 import ClearedDelta, Outcome, Reply, Turn
from services.postprocessing.domain.answer import Generated, Judged, Status, Verdict, conclude, in_order_of_citation
from services.postprocessing.domain.formatting import Rules, Style
from services.postprocessing.domain.links import unknown

_STOPPED: Final = Error(
    code="answer_stopped", message="The answer was stopped because it broke a rule; its verdicts say which. Rephrase."
)
_WITHOUT_SOURCES: Final = Notice(
    code="sources_unavailable",
    text="Sources, or what was said before, could not be reached: this answer was made without them.",
)
_NOT_IN_SOURCES: Final = Notice(
    code="not_in_sources", text="The sources do not cover this question: the answer does not stand on any of them."
)
# So many addresses are named.
_NAMED: Final = 5
_NOTHING: Final = Error(code="no_answer", message="No stage of this pipeline made an answer: check its stages.")


def verdict_of(turn: Turn) -> Verdict:
    """What became of a turn."""
    outcome = _status_of(turn.outcome) if turn.HasField("outcome") else None
    generated = Generated(turn.inference.text, turn.inference.finish_reason) if turn.HasField("inference") else None
    output = turn.safety.output
    judged = Judged(output.text, output.stopped, output.delta_count) if turn.safety.HasField("output") else None
    return conclude(outcome, generated, judged)


def _status_of(outcome: Outcome) -> Status:
    """How the turn ended; a status that nobody defined is a failure."""
    known = outcome.status and outcome.status in ResponseCompleted.Status.values()
    return cast("Status", ResponseCompleted.Status.Name(outcome.status)) if known else "FAILED"


def rules_of(turn: Turn, masks: Mapping[str, str]) -> Rules:
    """What the answer may cite: the same markers that its deltas were given."""
    form = turn.prepared.response_format.type
    markers = frozenset(passage.marker for passage in turn.grounding.passages)
    return Rules(
        markers,
        masks,
        structured=form in {"json_object", "json_schema", "choice"},
        polish=style_of(turn.prepared.polish),
    )


def style_of(polish: str) -> Style | None:
    """What is to be put right; a style that is not known here is none."""
    return cast("Style", polish) if polish in get_args(Style) else None


def is_cut(finish_reason: str) -> bool:
    """Whether the model was stopped in the middle, at the length that it had."""
    return finish_reason == "length"


def completed_of(turn: Turn, verdict: Verdict, text: str) -> ResponseCompleted:
    """The response; `text` is formatted."""
    passages = turn.grounding.passages if text else ()
    order = in_order_of_citation(text, tuple(passage.marker for passage in passages))
    completed = ResponseCompleted(
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        attempt=turn.inference.attempt,
        status=verdict.status,
        text=text,
        citations=[passages[index] for index in order],
        verdicts=turn.safety.verdicts,
        usage=turn.inference.usage if turn.HasField("inference") else None,
        versions=versions_of(turn),
        timings=turn.timings,
        finish_reason=verdict.finish_reason,
        trace_id=turn.trace_id,
        delta_count=verdict.delta_count,
        tenant=turn.tenant,
        arm=turn.arm,
        model=turn.inference.model or turn.prepared.model,
        notices=[*notices_of(turn), *_unknown_links(turn, text)] if text else [],
        embeddings=turn.inference.embeddings,
        # Of an answer that was stopped they would tell what was not to be said.
        logprobs=turn.inference.logprobs if verdict.status == "ANSWERED" else [],
    )
    if error := _error_of(turn, verdict):
        completed.error.CopyFrom(error)
    return completed


def notices_of(turn: Turn) -> list[Notice]:
    """What its reader should know of how the answer came about."""
    notices = [_WITHOUT_SOURCES] if turn.grounding.degraded else [_NOT_IN_SOURCES] if turn.grounding.uncovered else []
    if trimmed := turn.prepared.trimmed_messages:
        text = f"The conversation is longer than the model reads: its oldest {trimmed} messages were left out."
        notices.append(Notice(code="history_trimmed", text=text))
    if asked := turn.inference.in_place_of:
        text = f"Model {asked} could not be reached: {turn.inference.model} answered in its place."
        notices.append(Notice(code="model_replaced", text=text))
    return notices


def _unknown_links(turn: Turn, text: str) -> list[Notice]:
    """What to say of addresses that neither the sources nor the conversation had."""
    given = [turn.prepared.text, turn.prepared.instructions, turn.grounding.context]
    given += [passage.uri for passage in turn.grounding.passages]
    prepared = turn.prepared
    for messages in (prepared.examples, prepared.history, turn.grounding.history):
        given += [message.content for message in messages]
    if not (links := unknown(text, given)):
        return []
    said = f"Check before you follow: no source has {', '.join(links[:_NAMED])}"
    more = f" and {len(links) - _NAMED} more" if len(links) > _NAMED else ""
    return [Notice(code="links_not_in_sources", text=f"{said}{more}.")]


def classified_of(turn: Turn) -> ReviewClassified:
    """The review's class, or why it has none."""
    scores = {score.label: score.score for score in turn.inference.scores}
    label = max(scores, key=lambda name: scores[name], default="")
    classified = ReviewClassified(
        review_id=turn.review.review_id or turn.conversation_id,
        batch_id=turn.review.batch_id,
        model=turn.inference.model or turn.prepared.model,
        versions=versions_of(turn),
        tenant=turn.tenant,
        trace_id=turn.trace_id,
    )
    if turn.HasField("outcome"):
        classified.error.CopyFrom(turn.outcome.error)
    elif not scores:
        classified.error.CopyFrom(_NOTHING)
    else:
        classified.label = label
        classified.confidence = scores[label]
        classified.scores.update(scores)
    return classified


def delta_of(cleared: ClearedDelta, text: str, *, restarted: bool) -> Outgoing:
    """A piece of the answer, to where its asker reads."""
    context = cleared.context
    delta = ResponseDelta(
        turn_id=context.turn_id,
        attempt=context.attempt,
        seq=cleared.seq,
        text=text,
        verdict_id=cleared.verdict_id,
        restarted=restarted,
    )
    identity = {headers.MESSAGE_ID: f"{context.turn_id}:{context.attempt}:{cleared.seq}"}
    key = context.conversation_id or context.turn_id
    return _reply(topics.RESPONSE_DELTAS, key, delta, reply=context.reply, tenant=context.tenant, identity=identity)


def response_to(turn: Turn, completed: ResponseCompleted) -> Outgoing:
    """The response, to where its asker reads."""
    identity = {headers.MESSAGE_ID: f"{turn.turn_id}:completed"}
    key = turn.conversation_id or turn.turn_id
    return _reply(topics.RESPONSES, key, completed, reply=turn.reply, tenant=turn.tenant, identity=identity)


def review_to(turn: Turn, classified: ReviewClassified) -> Outgoing:
    """The classified review, by the review's key."""
    identity = {headers.MESSAGE_ID: f"{turn.turn_id}:classified"}
    reply = Reply(encoding=turn.reply.encoding)
    key = classified.review_id
    return _reply(topics.REVIEWS_CLASSIFIED, key, classified, reply=reply, tenant=turn.tenant, identity=identity)


def versions_of(turn: Turn) -> dict[str, str]:
    """All that shaped the answer, as far as the turn came."""
    found = {
        "pipeline": _versioned(turn.slip.pipeline, turn.slip.version),
        "template": _versioned(turn.prepared.template, turn.prepared.template_version),
        "model": turn.inference.model or turn.prepared.model,
        "revision": turn.inference.model_revision or turn.prepared.model_revision,
        "engine": turn.inference.engine,
        "corpus": turn.grounding.corpus_version,
        "policy": _versioned(turn.safety.policy, turn.safety.policy_version),
    }
    return {name: version for name, version in found.items() if version}


def _versioned(name: str, version: str) -> str:
    return f"{name}/{version}" if name else ""


def _error_of(turn: Turn, verdict: Verdict) -> Error | None:
    if turn.HasField("outcome"):
        return turn.outcome.error if turn.outcome.HasField("error") else None
    match verdict.status:
        case "REFUSED":
            return _STOPPED
        case "FAILED":
            return _NOTHING
        case _:
            return None


def _reply(
    topic: str,
    key: str,
    message: ResponseCompleted | ResponseDelta | ReviewClassified,
    *,
    reply: Reply,
    tenant: str,
    identity: Mapping[str, str],
) -> Outgoing:
    return Outgoing(
        topic,
        key,
        message,
        partition=reply.partition if reply.HasField("partition") else None,
        encoding=JSON if reply.encoding == JSON else PROTOBUF,
        tenant=tenant,
        headers=identity,
    )
