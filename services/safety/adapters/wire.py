"""Between the messages of the log and the domain's types."""

from collections.abc import Iterable, Mapping

from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing
from headrace.models.assemble import assemble
from headrace.v1.prompts_pb2 import CancelRequested, ChatMessage
from headrace.v1.responses_pb2 import Verdict as WireVerdict
from headrace.v1.turns_pb2 import ClearedDelta, GeneratedDelta, OutputJudgement, Safety, StreamContext, Turn
from services.safety.domain.findings import Verdict
from services.safety.domain.gate import Cleared, Generated, count
from services.safety.domain.input_judgement import Message, Request
from services.safety.domain.output_judgement import Whole
from services.safety.domain.policy import Policy


def request_of(turn: Turn) -> Request:
    """What is to be judged of a turn: the words as they were sent, and the messages as the model would get them."""
    question = turn.prepared.text or turn.prepared.question
    earlier = [message.content for message in turn.prepared.history]
    return Request((question, *earlier), [Message(role, content) for role, content in assemble(turn)])


def section_of(
    policy: Policy, verdicts: Iterable[Verdict], messages: Iterable[Message] = (), *, masked: bool = False
) -> Safety:
    """The section `safety` after the judgement of the input."""
    return Safety(
        policy=policy.name,
        policy_version=policy.identity,
        messages=[ChatMessage(role=message.role, content=message.content) for message in messages],
        verdicts=[_verdict(verdict, policy) for verdict in verdicts],
        masked=masked,
    )


def judged_section(before: Safety, policy: Policy, whole: Whole) -> Safety:
    """The section `safety` with the judgement of the output in it."""
    after = Safety()
    after.CopyFrom(before)
    after.policy = policy.name
    after.policy_version = policy.identity
    after.verdicts.extend(_verdict(verdict, policy) for verdict in whole.verdicts)
    after.output.CopyFrom(OutputJudgement(text=whole.text, stopped=whole.stop is not None, delta_count=count(whole)))
    return after


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


def _verdict(verdict: Verdict, policy: Policy) -> WireVerdict:
    return WireVerdict(
        rule=verdict.rule,
        action=verdict.action,
        score=round(verdict.score, 4),
        policy_version=policy.identity,
        direction=verdict.direction,
        reason=verdict.reason,
        start=verdict.start,
        end=verdict.end,
    )
