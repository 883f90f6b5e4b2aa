"""The output gate: generated text in, segments with verdicts out, however the stream was cut or repeated."""

from dataclasses import dataclass, field, replace
from typing import Final

from services.safety.domain.findings import Detectors, Verdict
from services.safety.domain.output_judgement import UNJUDGED, Progress, Whole, advance
from services.safety.domain.policy import Policy

_GAP: Final = Verdict(UNJUDGED, "refuse", "output", "a part of the answer is missing", 1.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Generated:
    """A piece of an answer; `offset` is where it begins, in characters."""

    attempt: int
    offset: int
    text: str
    last: bool


@dataclass(frozen=True, slots=True)
class Cleared:
    """A segment that may be shown, or the empty one with which a stopped or an empty answer ends."""

    seq: int
    text: str
    last: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """One attempt at an answer, as far as it was read."""

    attempt: int
    received_chars: int = 0
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True, slots=True)
class Step:
    """`stream` is None once there is nothing left to do for it.

    `futile`: a rule has stopped the answer just now, and whoever generates it need not go on. Only a rule: it says the
    same of the whole answer, which is judged from what there is of it by then. Text that was not judged may yet be.
    """

    stream: Stream | None
    cleared: tuple[Cleared, ...] = ()
    futile: bool = False


def step(stream: Stream | None, piece: Generated, policy: Policy, detectors: Detectors) -> Step:
    """Take the text that is new in this piece, and release what a verdict covers.

    A higher attempt supersedes a lower one; what comes late of a lower one is dropped. A stream whose beginning was
    never seen is the tail of one that has ended, read again after a restart.
    """
    if stream is None or piece.attempt > stream.attempt:
        if piece.offset > 0:
            return Step(stream)
        stream = Stream(piece.attempt)
    elif piece.attempt < stream.attempt:
        return Step(stream)
    if stream.progress.stop:
        # Kept until its end has come, so that the rest of a stopped answer is recognised as such.
        return Step(None if piece.last else stream)
    if piece.offset > stream.received_chars:
        gap = replace(stream, progress=replace(stream.progress, stop=_GAP))
        return Step(None if piece.last else gap, (Cleared(stream.progress.released, "", last=True, stopped=True),))
    text = piece.text[stream.received_chars - piece.offset :]
    judged = advance(stream.progress, text, policy, detectors, last=piece.last)
    after = Stream(stream.attempt, stream.received_chars + len(text), judged.progress)
    cleared = numbered(
        judged.segments, stream.progress.released, ended=piece.last, stopped=judged.progress.stop is not None
    )
    stop = judged.progress.stop
    futile = stop is not None and stop.rule != UNJUDGED and not piece.last
    return Step(None if piece.last else after, cleared, futile)


def numbered(segments: tuple[str, ...], first: int, *, ended: bool, stopped: bool) -> tuple[Cleared, ...]:
    """Segments in sequence; the last of an answer says so, and one that shows nothing at its end says it by itself."""
    cleared = [Cleared(first + index, text) for index, text in enumerate(segments)]
    if stopped or (ended and not cleared):
        cleared.append(Cleared(first + len(cleared), "", last=True, stopped=stopped))
    elif ended:
        cleared[-1] = replace(cleared[-1], last=True)
    return tuple(cleared)


def count(whole: Whole) -> int:
    """How many deltas the gate makes of this answer."""
    return len(numbered(whole.segments, 0, ended=True, stopped=whole.stop is not None))
