"""From judged turns to responses, and from cleared deltas to what is shown of them."""

import asyncio
from dataclasses import dataclass
from typing import assert_never

import structlog

from headrace.messaging.contract import Folded, Next, StageContext, StageResult
from headrace.messaging.errors import Invalid, Retryable
from headrace.stores.memory import Exchange
from headrace.v1.turns_pb2 import ClearedDelta, Final, Turn
from services.postprocessing.adapters import wire
from services.postprocessing.domain.closing import closing
from services.postprocessing.domain.formatting import Progress, Rules, format_piece, format_whole
from services.postprocessing.domain.stream import Begins, Continues, Ignored, Missing, Position, place
from services.postprocessing.ports import Masks, Memory, Polisher

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stream:
    """One answer on its way to its reader."""

    position: Position
    progress: Progress
    rules: Rules
    # All that was formatted by now; shown already, unless it is to be polished.
    text: str = ""


class Finishing:
    """The last touch, on a text that is there to its end: the same for the stream as for the whole."""

    def __init__(self, polisher: Polisher) -> None:
        self._polisher = polisher

    async def whole(self, text: str, rules: Rules, *, cut: bool) -> str:
        """Put right what the template wants put right, and close what a cut left open; else the text as it is."""
        if rules.polish and text:
            text = await asyncio.to_thread(self._polisher.polish, text, rules.polish)
        return text + closing(text) if cut and not rules.structured else text


class Answers:
    """Finishes turns."""

    def __init__(self, memory: Memory, masks: Masks, finishing: Finishing) -> None:
        self._memory = memory
        self._masks = masks
        self._finishing = finishing

    async def finish(self, turn: Turn, context: StageContext) -> StageResult:
        """Answer a prompt or a review, however its turn went."""
        if turn.WhichOneof("request") == "review":
            classified = wire.classified_of(turn)
            return Next(Final(classified=classified), also=(wire.review_to(turn, classified),))
        verdict = wire.verdict_of(turn)
        masks = await _masks(self._masks, turn.tenant, turn.turn_id) if turn.safety.masked and verdict.text else {}
        rules = wire.rules_of(turn, masks)
        cut = verdict.status == "ANSWERED" and wire.is_cut(turn.inference.finish_reason)
        text = await self._finishing.whole(format_whole(verdict.text, rules), rules, cut=cut)
        completed = wire.completed_of(turn, verdict, text)
        if verdict.status == "ANSWERED" and text and _belongs_to_a_conversation(turn):
            await self._remember(turn, text, context.position)
        return Next(Final(completed=completed), also=(wire.response_to(turn, completed),))

    async def _remember(self, turn: Turn, text: str, position: int) -> None:
        # Before the answer is published: whoever reads it and asks on finds it remembered.
        try:
            exchange = Exchange(turn.turn_id, turn.prepared.text, text)
            await self._memory.append(turn.tenant, turn.conversation_id, exchange, position)
        except Retryable as exc:
            # An answer that the next turn does not remember beats none.
            log.warning("answer not remembered", turn_id=turn.turn_id, reason=str(exc))


class Deltas:
    """Formats streams; the whole answer goes through the same transducer, so that both read alike."""

    def __init__(self, masks: Masks, finishing: Finishing) -> None:
        self._masks = masks
        self._finishing = finishing

    async def step(self, stream: Stream | None, cleared: ClearedDelta, context: StageContext) -> Folded[Stream]:
        """Show one delta. Each cleared delta becomes one shown delta, if an empty one, so that none seems lost."""
        attempt = cleared.context
        match place(stream.position if stream else None, attempt.attempt, cleared.seq, again=attempt.again):
            case Ignored():
                return Folded(stream, ended=stream is None)
            case Missing(expected):
                raise Invalid(f"delta {cleared.seq} came where {expected} was due", code="delta_missing", field="seq")
            case Begins(restarted):
                stream = Stream(Position(cleared.context.attempt, 0), Progress(), await self._rules(cleared))
                return await self._show(stream, cleared, restarted=restarted)
            case Continues():
                assert stream is not None  # noqa: S101 - `place` continues only what has a position
                return await self._show(stream, cleared, restarted=False)
            case never:
                assert_never(never)

    async def _rules(self, cleared: ClearedDelta) -> Rules:
        context = cleared.context
        masks = await _masks(self._masks, context.tenant, context.turn_id) if context.masked else {}
        return Rules(frozenset(context.markers), masks, context.structured, wire.style_of(context.polish))

    async def _show(self, stream: Stream, cleared: ClearedDelta, *, restarted: bool) -> Folded[Stream]:
        formatted = format_piece(stream.progress, cleared.text, stream.rules, last=cleared.last)
        text = stream.text + formatted.text
        shown = "" if stream.rules.polish else formatted.text
        if cleared.last:
            cut = not cleared.stopped and wire.is_cut(cleared.finish_reason)
            whole = await self._finishing.whole(text, stream.rules, cut=cut)
            # What is polished is shown here, all at once; else there is only what closes it to add.
            shown = whole if stream.rules.polish else whole[len(stream.text) :]
        out = (wire.delta_of(cleared, shown, restarted=restarted),)
        if cleared.last:
            return Folded(None, out, ended=True)
        position = Position(stream.position.attempt, cleared.seq + 1)
        return Folded(Stream(position, formatted.progress, stream.rules, text), out)


def stream_of(cleared: ClearedDelta) -> str:
    """A stream is a turn's; its attempts supersede each other within it."""
    return cleared.context.turn_id


def _belongs_to_a_conversation(turn: Turn) -> bool:
    # A client that sends all messages itself and names no conversation would never ask for this one again.
    return bool(turn.prompt.conversation_id or not turn.prompt.messages)


async def _masks(masks: Masks, tenant: str, turn_id: str) -> dict[str, str]:
    found = await masks.get(tenant, turn_id)
    if not found:
        log.warning("masks are gone, the answer keeps them as they are", turn_id=turn_id)
    return found
