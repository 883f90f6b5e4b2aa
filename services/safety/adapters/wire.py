"""Between the messages of the log and the domain's types."""

from collections.abc import Iterable, Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing
from headrace.models.assemble import assemble
from headrace.v1.human_reviews_pb2 import HumanReviewRequested
from headrace.v1.prompts_pb2 import CancelRequested, ChatMessage
from headrace.v1.responses_pb2 import Verdict as WireVerdict
from headrace.v1.turns_pb2 import ClearedDelta, GeneratedDelta, OutputJudgement, Safety, StreamContext, Turn
from services.safety.domain.findings import Verdict
from services.safety.domain.gate import Cleared, Generated, count
from services.safety.domain.input_judgement import SYSTEM, Message, Request
from services.safety.domain.output_judgement import Answered, Whole
from services.safety.domain.policy import Policy


def request_of(turn: Turn) -> Request:
    """What is to be judged of a turn: the words as they were sent, and the messages as the model would get them."""
    question = turn.prepared.text or turn.prepared.question
    earlier = [message.content for message in turn.prepared.history]
    assembled = assemble(turn)
    begin = 1 if assembled and assembled[0][0] == SYSTEM else 0
    shown = range(begin, begin + len(turn.prepared.examples))
    messages = [Message(role, content, is_ours=at in shown) for at, (role, content) in enumerate(assembled)]
    return Request((question, *earlier), messages, [passage.text for passage in turn.grounding.passages])


def section_of(
    policy: Policy,
    verdicts: Iterable[Verdict],
    messages: Iterable[Message] = (),
    *,
    now_ms: int,
    masked: bool = False,
    tried: Iterable[tuple[Policy, Verdict]] = (),
) -> Safety:
    """The section `safety` after the judgement of the input."""
    return Safety(
        policy=policy.name,
        policy_version=policy.identity,
        messages=[ChatMessage(role=message.role, content=message.content) for message in messages],
        verdicts=[_verdict(verdict, policy, now_ms) for verdict in verdicts],
        masked=masked,
        trial_verdicts=[_verdict(verdict, trial, now_ms) for trial, verdict in tried],
    )


def judged_section(
    before: Safety, policy: Policy, whole: Whole, *, now_ms: int, tried: Iterable[tuple[Policy, Verdict]] = ()
) -> Safety:
    """The section `safety` with the judgement of the output in it."""
    after = Safety()
    after.CopyFrom(before)
    after.policy = policy.name
    after.policy_version = policy.identity
    after.verdicts.extend(_verdict(verdict, policy, now_ms) for verdict in whole.verdicts)
    after.trial_verdicts.extend(_verdict(verdict, trial, now_ms) for trial, verdict in tried)
    after.output.CopyFrom(OutputJudgement(text=whole.text, stopped=whole.stop is not None, delta_count=count(whole)))
    return after


def cited_of(turn: Turn) -> Answered:
    """An answer with what it could cite and what was asked, as the model read them."""
    passages = {passage.marker: passage.text for passage in turn.grounding.passages}
    return Answered(turn.inference.text, passages, turn.prepared.question)


def generated_of(delta: GeneratedDelta) -> Generated:
    """A piece of an answer."""
    return Generated(delta.context.attempt, delta.offset, delta.text, delta.last)


def stream_of(delta: GeneratedDelta) -> str:
    """A stream is a turn's; its attempts supersede each other within it."""
    return delta.context.turn_id


def cleared_to(generated: GeneratedDelta, cleared: Cleared, policy_version: str, key: str) -> Outgoing:
    """A cleared delta; its verdict's name says by which policy, and is the same whenever it is judged again."""
    context = generated.context
    place = f"{context.turn_id}:{context.attempt}:{cleared.seq}"
    delta = ClearedDelta(
        context=context,
        seq=cleared.seq,
        text=cleared.text,
        verdict_id=f"{policy_version}:{place}",
        last=cleared.last,
        stopped=cleared.stopped,
        finish_reason=generated.finish_reason if cleared.last else "",
    )
    identity: Mapping[str, str] = {headers.MESSAGE_ID: f"{place}:cleared"}
    return Outgoing(topics.DELTAS_CLEARED, key, delta, tenant=context.tenant, headers=identity)


def stop_to(context: StreamContext) -> Outgoing:
    """Tells whoever generates this attempt that no more of it will be shown."""
    stop = CancelRequested(turn_id=context.turn_id, tenant=context.tenant, reason="policy", attempt=context.attempt)
    identity: Mapping[str, str] = {headers.MESSAGE_ID: f"{context.turn_id}:{context.attempt}:stopped"}
    return Outgoing(topics.CANCELLATIONS, context.turn_id, stop, tenant=context.tenant, headers=identity)


def human_review(
    turn: Turn, verdict: Verdict, section: Safety, messages: Iterable[Message], *, now_ms: int
) -> Outgoing:
    """What a person is to look at. A turn that is judged again is handed over under the same name."""
    review = HumanReviewRequested(
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        tenant=turn.tenant,
        subject=turn.subject,
        direction=verdict.direction,
        rule=verdict.rule,
        verdicts=section.verdicts,
        messages=[ChatMessage(role=message.role, content=message.content) for message in messages],
        answer=section.output.text,
        policy_version=section.policy_version,
        trace_id=turn.trace_id,
    )
    review.requested_at.FromMilliseconds(now_ms)
    identity: Mapping[str, str] = {headers.MESSAGE_ID: f"{turn.turn_id}:{verdict.direction}:human-review"}
    return Outgoing(
        topics.HUMAN_REVIEWS, turn.conversation_id or turn.turn_id, review, tenant=turn.tenant, headers=identity
    )


def _verdict(verdict: Verdict, policy: Policy, now_ms: int) -> WireVerdict:
    judged_at = Timestamp()
    judged_at.FromMilliseconds(now_ms)
    return WireVerdict(
        rule=verdict.rule,
        action=verdict.action,
        score=round(verdict.score, 4),
        policy_version=policy.identity,
        direction=verdict.direction,
        reason=verdict.reason,
        start=verdict.start,
        end=verdict.end,
        judged_at=judged_at,
    )
